"""`replay`: post what was captured or delivered again, once each, and say what became of it.

It reads the store and needs neither engine nor lock: an app that is running is not disturbed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import click

from statsig_tui.cli.lines import json_line
from statsig_tui.cli.options import Options, WhichSecret
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
from statsig_tui.core.series import UNASKED
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.captures import plain
from statsig_tui.engine.connecting import is_local
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
_SIGNED = (SIGNATURE_HEADER.lower(), TIMESTAMP_HEADER.lower())
_OF_THE_BODY = ("content-type", "content-encoding")
_TYPED = "(typed)"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do with it."""

    to: Sequence[str]
    how: How
    times: int
    which: WhichSecret
    really: str | None
    as_json: bool


Post = Callable[[], Awaitable[Outcome]]


def run_replay(options: Options, ids: Sequence[str], wish: Wish) -> int:
    """Post everything that was named; 0 where every answer was a 2xx, else 1."""
    config = options.load().config
    with reading(options.places().database) as archive:
        chosen = [_named(archive, of) for of in ids]
    return asyncio.run(_replay(options, config, chosen, wish))


async def _replay(options: Options, config: Config, chosen: Sequence[Exchange], wish: Wish) -> int:
    asyncio.get_running_loop().set_default_executor(Threads())
    all_good = True
    async with contextlib.AsyncExitStack() as stack:
        ways = [
            await stack.enter_async_context(_way(options, config, to, wish))
            for to in wish.to or (EMULATOR if wish.how == "events" else RECEIVER,)
        ]
        posts = [(it, way, body) for it in chosen for way in ways for body in way.bodies(it)]
        for way in ways:
            total = wish.times * sum(each is way for _, each, _ in posts)
            if total > UNASKED and not is_local(way.url):
                confirm(way.url, total, wish.really)
        for it, way, body in posts * wish.times:
            at = time.time_ns() // 1_000_000
            outcome = await way.post(it, body)
            all_good = all_good and outcome.status is not None and 200 <= outcome.status < 300
            _say(options, it, way.name, wish, at, outcome)
    return 0 if all_good else 1


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    url: str
    bodies: Callable[[Exchange], Sequence[bytes]]
    post: Callable[[Exchange, bytes], Awaitable[Outcome]]


@contextlib.asynccontextmanager
async def _way(options: Options, config: Config, to: str, wish: Wish) -> AsyncIterator[_Way]:
    if wish.how == "events":
        target = target_named(options, config, to)
        async with posting(target) as post:
            yield _Way(to, target.url, _incoming, lambda it, body: post(body))
        return
    destination = _destination(options, config, to, wish)
    sender = Sender(verify_tls=destination.verify_tls, keep_alive=False)

    async def send(it: Exchange, body: bytes) -> Outcome:
        headers = _headers(it, destination, wish.how)
        return await sender.send(it.method, destination.url, headers, body, destination.timeout_seconds)

    try:
        yield _Way(to, destination.url, lambda it: (it.body,), send)
    finally:
        await sender.close()


def _named(archive: Archive, of: str) -> Exchange:
    kind, number = numbered(of) or ("", 0)
    if kind not in ("c", "d"):
        raise UsageError(
            f"{printable(of)} is neither a capture nor a delivery.", "Their ids look like c57 and d7."
        )
    records = archive.found(kind, number)
    it = exchange(archive, records[0], "") if records else None
    if it is None:
        raise NotFound(
            f"There is no request of {of}.", "It was never sent, or was forgotten: see [retention]."
        )
    return it


def _destination(options: Options, config: Config, to: str, wish: Wish) -> Destination:
    if "://" in to:
        try:
            validate_url(to)
        except Invalid as error:
            raise UsageError(f"The URL {printable(to)} {error.message}.", error.hint) from None
        found = Destination(_TYPED, to)
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
        found = named
    owner = holder(options.places().lock)
    if found.name == RECEIVER and found.url == DEFAULT_RECEIVER_URL and owner and owner.receiver:
        found = replace(found, url=f"{owner.receiver}/")
    if wish.how != "resigned":
        return found
    if wish.which != WhichSecret():
        return replace(found, secret=Secret.of(signing_secrets(options, wish.which)[0]))
    if found.secret is None or not found.secret.value:
        raise UsageError(
            f"No signing secret is known for {printable(to)}.",
            "Choose one with --destination, --secret-env or --secret-file.",
        )
    return found


def _headers(it: Exchange, destination: Destination, how: How) -> Headers:
    own = [pair for pair in it.headers if pair[0].lower() in _OF_THE_BODY]
    headers = [*own, *destination.headers.items()]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("Content-Type", "application/json"))
    if how == "received":
        return (*headers, *(pair for pair in it.headers if pair[0].lower() in _SIGNED))
    stamp = str(time.time_ns() // 1_000_000)
    secret = destination.secret.value if destination.secret is not None else None
    signature = sign(secret or "", stamp, it.body)
    return (*headers, (TIMESTAMP_HEADER, stamp), (SIGNATURE_HEADER, signature))


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
