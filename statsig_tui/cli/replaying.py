"""`replay`: post what was captured or delivered again, and say what became of each.

It reads the store and needs neither engine nor lock: an app that is running is not disturbed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import click

from statsig_tui.cli.lines import json_line
from statsig_tui.cli.options import Options, WhichSecret
from statsig_tui.cli.queries import found, read_query
from statsig_tui.cli.send import confirm, target_named
from statsig_tui.cli.signing import signing_secrets
from statsig_tui.core.config import DEFAULT_RECEIVER_URL, EMULATOR, RECEIVER, Config, Destination, Secret
from statsig_tui.core.destination import Invalid, validate_url
from statsig_tui.core.draft import decode as text_of
from statsig_tui.core.draft import encode as bytes_of
from statsig_tui.core.exchange import Exchange
from statsig_tui.core.ids import numbered
from statsig_tui.core.nearest import nearest
from statsig_tui.core.paste import recognise
from statsig_tui.core.printable import printable
from statsig_tui.core.records import Headers
from statsig_tui.core.replaying import MOST, kept, with_kept
from statsig_tui.core.series import UNASKED, next_start, usual_rate
from statsig_tui.core.signing import signing_headers
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.captures import plain
from statsig_tui.engine.connecting import LinkLocalRefused, check_not_link_local, is_local
from statsig_tui.engine.exchanges import exchange
from statsig_tui.engine.lock import holder
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.reading import reading
from statsig_tui.engine.sender import Sender
from statsig_tui.engine.target import posting
from statsig_tui.engine.threads import Threads
from statsig_tui.errors import NotFound, UsageError

How = Literal["received", "resigned", "events"]
HOWS: tuple[How, ...] = get_args(How)
_TYPED = "(typed)"
_Named = tuple[str, int]
"""A capture `c` or a delivery `d`, by its number."""
Read = Callable[[], Iterator[Exchange]]
"""Everything that is replayed, from the first on."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do with it."""

    to: Sequence[str]
    how: How
    times: int
    which: WhichSecret
    really: str | None
    as_json: bool
    rate: float | None = None


def run_replay(options: Options, ids: Sequence[str], where: str | None, wish: Wish) -> int:
    """Post everything that was named or fits; 0 where every answer was a 2xx, else 1."""
    if not ids and where is None:
        raise UsageError("Nothing was named to replay.", "Name captures such as c57, or say --where QUERY.")
    query = read_query(where) if where is not None else None
    config = options.load().config
    with reading(options.places().database) as archive:
        chosen = [it for of in ids for it in _named(archive, of)]
        if query is not None:
            fitting = [("c", record.id) for record in found(archive, "captures", query, MOST + 1)]
            if len(fitting) > MOST:
                raise UsageError(
                    f"More than {MOST:,} captures fit.", "Narrow --where, with since:1h for one."
                )
            named = set(chosen)
            # In the order in which they came.
            chosen += [it for it in reversed(fitting) if it not in named]
        if not chosen:
            raise NotFound(f"No capture fits {printable(where or '')}.", "See what there is with `list`.")
        return asyncio.run(_replay(options, config, partial(_read, archive, chosen), wish))


async def _replay(options: Options, config: Config, read: Read, wish: Wish) -> int:
    asyncio.get_running_loop().set_default_executor(Threads())
    all_good = True
    async with contextlib.AsyncExitStack() as stack:
        ways = [
            await stack.enter_async_context(_way(options, config, to, wish))
            for to in wish.to or (EMULATOR if wish.how == "events" else RECEIVER,)
        ]
        # Once through before anything is sent: what holds no event is said first.
        total = wish.times * sum(len(_bodies(it, wish.how)) for it in read())
        rate = wish.rate
        for way in ways:
            if total > UNASKED and not is_local(way.url):
                confirm(way.url, total, wish.really)
                rate = usual_rate(rate, total, is_local=False)
        clock, due = asyncio.get_running_loop().time, None
        posts = (
            (it, way, body)
            for _ in range(wish.times)
            for it in read()
            for way in ways
            for body in _bodies(it, wish.how)
        )
        for it, way, body in posts:
            due = next_start(due, clock(), rate)
            await asyncio.sleep(due - clock())
            at = time.time_ns() // 1_000_000
            outcome = await way.post(it, body)
            all_good = all_good and outcome.status is not None and 200 <= outcome.status < 300
            _say(options, it, way.name, wish, at, outcome)
    return 0 if all_good else 1


def _read(archive: Archive, chosen: Sequence[_Named]) -> Iterator[Exchange]:
    """Each of them, read when it is its turn: all at once may be more than memory holds."""
    for kind, number in chosen:
        for record in archive.found(kind, number):
            if (it := exchange(archive, record, "")) is not None:
                yield it


def _bodies(it: Exchange, how: How) -> Sequence[bytes]:
    return _incoming(it) if how == "events" else (it.body,)


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    url: str
    post: Callable[[Exchange, bytes], Awaitable[Outcome]]


@contextlib.asynccontextmanager
async def _way(options: Options, config: Config, to: str, wish: Wish) -> AsyncIterator[_Way]:
    if wish.how == "events":
        target = target_named(options, config, to)
        async with posting(target) as post:
            yield _Way(to, target.url, lambda it, body: post(body))
        return
    destination = _destination(options, config, to, wish)
    if not destination.allow_link_local:
        try:
            await check_not_link_local(destination.url)
        except LinkLocalRefused as error:
            raise UsageError(f"{printable(to)}: {error}.") from None
    sender = Sender(
        verify_tls=destination.verify_tls,
        client_cert=destination.client_cert,
        allow_link_local=destination.allow_link_local,
        keep_alive=False,
    )

    async def send(it: Exchange, body: bytes) -> Outcome:
        headers = _headers(it, destination, wish.how)
        return await sender.send("POST", destination.url, headers, body, destination.timeout_seconds)

    try:
        yield _Way(to, destination.url, send)
    finally:
        await sender.close()


def _named(archive: Archive, of: str) -> Sequence[_Named]:
    first, dash, last = of.partition("-")
    kind, number = numbered(first) or ("", 0)
    until = numbered(last if last[:1].isalpha() else kind + last) if dash else (kind, number)
    if kind not in ("c", "d") or until is None or until[0] != kind:
        raise UsageError(
            f"{printable(of)} is neither a capture nor a delivery.",
            "Their ids look like c57, d7 and c57-c60.",
        )
    numbers = range(number, until[1] + 1)
    if len(numbers) > MOST:
        raise UsageError(f"{printable(of)} are {len(numbers):,}; {MOST:,} are the most.", "Name fewer.")
    named = [(kind, each) for each in numbers]
    if next(_read(archive, named), None) is not None:
        return named
    raise NotFound(
        f"There is no request of {printable(of)}.", "It was never sent, or was forgotten: see [retention]."
    )


def _destination(options: Options, config: Config, to: str, wish: Wish) -> Destination:
    if "://" in to:
        try:
            validate_url(to)
        except Invalid as error:
            raise UsageError(f"The URL {printable(to)} {error.message}.", error.hint) from None
        chosen = Destination(_TYPED, to)
    else:
        named = config.destination(to)
        if named is None:
            names = [each.name for each in config.destinations]
            near = nearest(to, names)
            meant = f" Did you mean {near}?" if near else ""
            raise NotFound(
                f"There is no destination {printable(to)}.{meant}",
                f"Known are: {', '.join(names)}; or give a URL.",
            )
        chosen = named
    owner = holder(options.places().lock)
    if chosen.name == RECEIVER and chosen.url == DEFAULT_RECEIVER_URL and owner and owner.receiver:
        chosen = replace(chosen, url=f"{owner.receiver}/")
    if wish.how != "resigned":
        return chosen
    if wish.which != WhichSecret():
        return replace(chosen, secret=Secret.of(signing_secrets(options, wish.which)[0]))
    if chosen.secret is None or not chosen.secret.value:
        raise UsageError(
            f"No signing secret is known for {printable(to)}.",
            "Choose one with --destination, --secret-env or --secret-file.",
        )
    return chosen


def _headers(it: Exchange, destination: Destination, how: How) -> Headers:
    taken = kept(it.headers, is_whole=True, is_signed=how == "received")
    headers = with_kept(taken, destination.headers.items())
    if how == "received":
        return headers
    secret = destination.secret.value if destination.secret is not None else None
    return (*headers, *signing_headers(secret or "", time.time_ns() // 1_000_000, it.body))


def _incoming(it: Exchange) -> Sequence[bytes]:
    """Its events as they would have been posted in."""
    pasted = recognise(text_of(plain(it.headers, it.body)))
    if pasted is None or pasted.kind == "curl":
        raise UsageError(f"{it.id} holds no events.", "It can be replayed as received or resigned.")
    return [bytes_of(event.text) for event in pasted.events]


def _say(options: Options, it: Exchange, to: str, wish: Wish, at: int, outcome: Outcome) -> None:
    if wish.as_json:
        line = {
            "type": "replayed",
            "at": at,
            "id": it.id,
            "to": to,
            "as": wish.how,
            "status": outcome.status,
            "ms": round(outcome.ms, 3),
            "error": outcome.error,
        }
        click.echo(options.secrets(json_line(line)))
        return
    if outcome.status is None:
        click.echo(options.secrets(printable(f"error: {it.id} to {to}: {outcome.error}")), err=True)
    elif not options.quiet:
        said = f"{it.id} to {to}, as {wish.how}: {outcome.status} {outcome.reason} in {outcome.ms:.1f} ms"
        click.echo(options.secrets(printable(said)))
