"""`send`: post incoming events and say what became of them. Needs no engine and no lock."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import click

from statsig_tui.cli.advice import tell_advice
from statsig_tui.cli.given import payloads
from statsig_tui.cli.lined import Lined
from statsig_tui.cli.lines import json_line
from statsig_tui.cli.options import Options
from statsig_tui.cli.payload import Changes, Payload, in_turn
from statsig_tui.cli.report import Report
from statsig_tui.core import draft
from statsig_tui.core.config import (
    DEFAULT_EMULATOR_PORT,
    DEFAULT_HOST,
    EMULATOR,
    EMULATOR_KEY,
    Config,
    Secret,
    Target,
)
from statsig_tui.core.exchange import body_fields
from statsig_tui.core.library import built_in
from statsig_tui.core.lint import advise, advise_key
from statsig_tui.core.nearest import nearest
from statsig_tui.core.printable import from_bytes, lines, printable
from statsig_tui.core.series import FASTEST, UNASKED, usual_at_once, usual_rate
from statsig_tui.core.snippets import KINDS, Unwritable, snippet
from statsig_tui.engine.connecting import is_local
from statsig_tui.engine.lock import holder
from statsig_tui.engine.outcome import Outcome, asked_of, left_out_of
from statsig_tui.engine.sender import head_of
from statsig_tui.engine.series import Request, run_series
from statsig_tui.engine.target import request_for
from statsig_tui.engine.threads import Threads
from statsig_tui.errors import NotFound, UsageError
from statsig_tui.settings.templates import Shelf

_STAND_IN = "secret-that-is-not-set"
"""For a key that only its variable's name is printed of."""
_NAMED = 10
"""Bad lines that are named one by one."""
_JUDGED = 1024 * 1024
"""Bytes of a body that advice is given on: on a longer one it would keep the sending waiting."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to send, and what to print."""

    target: str = EMULATOR
    repeat: int = 1
    rate: float | None = None
    concurrency: int | None = None
    expect: Sequence[str] = ()
    """`status=202`, `status=4xx`; none: any 2xx."""
    really: str | None = None
    """The host's name, where it has to be confirmed."""
    as_json: bool = False
    dry_run: bool = False
    kind: str | None = None
    """Of program that the request is printed for, instead of being sent."""


def per_second(given: str | None) -> float | None:
    """A rate as it is typed, `50` or `50/s`. Raises UsageError."""
    if given is None:
        return None
    try:
        rate = float(given.removesuffix("/s"))
    except ValueError:
        rate = 0.0
    if not 0 < rate <= FASTEST:
        raise UsageError(f"--rate {given} is not understood.", "Write requests a second: 50, 0.5 or 50/s.")
    return rate


def run_list(options: Options, *, as_json: bool) -> int:
    """Name every template, the user's own ones first."""
    found = Shelf(options.places().templates).load()
    for error in found.errors:
        click.echo(f"warning: {error.message}", err=True)
    group = ""
    for each in (*found.templates, *built_in()):
        heading = each.group or "Saved"
        if as_json:
            line = {
                "type": "template",
                "at": _now(),
                "name": each.name,
                "group": heading,
                "about": each.about,
            }
            click.echo(json_line(line | {"expect": each.expect, "answer": each.answer}))
            continue
        if heading != group:
            click.echo(f"{heading}")
            group = heading
        click.echo(printable(f"  {each.name:<22} {each.about}".rstrip()))
    return 0


def run_send(options: Options, source: str, changes: Changes, plan: Plan) -> int:
    """Send what the source gives; 0 where every answer is as expected, else 1."""
    is_expected = _expectation(plan.expect)
    config = options.load().config
    target = target_named(options, config, plan.target, needs_key=plan.kind is None)
    redact = options.secrets

    def tell(words: str) -> None:
        if not options.quiet:
            click.echo(redact(printable(f"note: {words}")), err=True)

    found = payloads(source, Shelf(options.places().templates), changes, tell)
    if isinstance(found, Payload):
        if plan.repeat == 1 and not options.quiet:
            _advise(found, target, redact, as_json=plan.as_json)
        return _run(found, target, plan, options, is_expected)
    found.tell = _Telling(redact).tell
    with contextlib.closing(found):
        code = _run(found, target, plan, options, is_expected)
    for name in found.unused:
        click.echo(redact(printable(f"error: No line has a variable {name}.")), err=True)
    if found.bad:
        left = "1 line is" if found.bad == 1 else f"{found.bad:,} lines are"
        click.echo(f"error: {left} left out: mend what is named above, and send only that.", err=True)
    return code or int(bool(found.bad or found.unused))


def _run(
    found: Payload | Lined,
    target: Target,
    plan: Plan,
    options: Options,
    is_expected: Callable[[int | None], bool],
) -> int:
    redact = options.secrets
    if plan.kind is not None:
        return _print_as(found, plan, target, redact)
    if plan.dry_run:
        return _print_only(found, plan, target, redact)
    is_far = not is_local(target.url)
    lines = found.count(UNASKED if is_far else 1) if isinstance(found, Lined) else 1
    total = None if lines is None else lines * plan.repeat
    if is_far and (total is None or total > UNASKED):
        confirm(target.url, total, plan.really)
    is_series = total != 1 or isinstance(found, Lined)
    report = Report(
        target, redact, is_expected, is_series=is_series, as_json=plan.as_json, quiet=options.quiet
    )
    ended_by = asyncio.run(_sending(target, found, plan, total, report))
    if is_series:
        report.summarise()
    if ended_by is not None:
        return 128 + ended_by
    return 0 if report.all_expected else 1


class _Telling:
    """Names the first bad lines; the others are only counted."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._left = _NAMED

    def tell(self, words: str) -> None:
        """Say what is wrong with a line."""
        self._left -= 1
        if self._left >= 0:
            click.echo(self._redact(printable(f"error: {words}")), err=True)
        elif self._left == -1:
            click.echo("(further bad lines are only counted)", err=True)


def _requests(found: Payload | Lined, plan: Plan) -> Iterator[Request]:
    return found.requests(plan.repeat) if isinstance(found, Lined) else in_turn(found, plan.repeat)


def _advise(payload: Payload, target: Target, redact: Callable[[str], str], *, as_json: bool) -> None:
    """Say what Statsig would likely make of it; it is sent all the same."""
    body = payload.body(1)
    if len(body) > _JUDGED:
        return
    advice = (
        *advise_key(target.key.value if target.key is not None else None),
        *advise(draft.decode(body), now=_now()),
    )
    tell_advice(advice, redact, as_json=as_json, to_stderr=True)


async def _sending(
    target: Target, found: Payload | Lined, plan: Plan, total: int | None, report: Report
) -> int | None:
    """Run the series; the number of the signal that cut it short."""

    async def note(outcome: Outcome, request: Request) -> None:
        report.note(outcome)

    series = asyncio.ensure_future(
        run_series(
            target,
            found.requests_beside(plan.repeat) if isinstance(found, Lined) else _requests(found, plan),
            report.tally,
            note,
            rate=usual_rate(plan.rate, total, is_local=is_local(target.url)),
            concurrency=usual_at_once(plan.concurrency, plan.rate, total),
        )
    )
    ended_by: int | None = None

    def end(number: int) -> None:
        nonlocal ended_by
        ended_by = number
        series.cancel()

    loop = asyncio.get_running_loop()
    loop.set_default_executor(Threads())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    try:
        await series
    except asyncio.CancelledError:
        if ended_by is None:
            raise
    return ended_by


def _print_as(found: Payload | Lined, plan: Plan, target: Target, redact: Callable[[str], str]) -> int:
    """Print each request for another program, and send nothing."""
    kind = next((kind for kind in KINDS if kind == plan.kind), None)
    if kind is None or plan.as_json or plan.dry_run:
        raise UsageError("--as prints text and sends nothing.", "Leave out --json and --dry-run.")
    for body, shape in _requests(found, plan):
        request = request_for(target, body, shape=shape)
        head_of(request)
        if redact(request.url) != request.url:
            raise UsageError("The URL holds a key, and would be printed.", "Give the key as a header.")
        asked = request if kind == "raw" else replace(request, headers=asked_of(request))
        try:
            text = snippet(kind, asked, left_out_of(request))
        except Unwritable as error:
            raise UsageError(str(error), f"It is what --as {kind} would have to send.") from None
        if sys.stdout.isatty():
            # A raw body as it is may drive the terminal.
            click.echo("\n".join(lines(text)))
        else:
            click.echo(text.encode("utf-8", "surrogateescape"), nl=kind != "raw")
    return 0


def _print_only(found: Payload | Lined, plan: Plan, target: Target, redact: Callable[[str], str]) -> int:
    """Print the bytes that would be sent, and send nothing."""
    several = plan.repeat > 1 or isinstance(found, Lined)
    for body, shape in _requests(found, plan):
        url = redact(request_for(target, body, shape=shape).url)
        if plan.as_json:
            line: dict[str, Any] = {"type": "would_send", "at": _now(), "target": target.name}
            line |= {"url": url, "size": len(body)}
            click.echo(json_line(line | body_fields(body)))
            continue
        click.echo(f"would post {len(body):,} bytes to {redact(target.name)}, {url}", err=True)
        if sys.stdout.isatty():
            # What would be sent as it is may drive the terminal.
            click.echo("\n".join(from_bytes(line) for line in body.split(b"\n")))
        else:
            click.echo(body, nl=several)
    return 0


def _expectation(given: Sequence[str]) -> Callable[[int | None], bool]:
    wanted = []
    for each in given:
        name, _, value = each.partition("=")
        valid = len(value) == 3 and value[0] in "12345" and (value[1:] == "xx" or value.isdigit())
        if name != "status" or not valid:
            raise UsageError(
                f"--expect {each} is not understood.", "Write --expect status=202, or status=4xx."
            )
        wanted.append(value.removesuffix("xx"))
    prefixes = tuple(wanted or "2")
    return lambda status: status is not None and str(status).startswith(prefixes)


def confirm(url: str, total: int | None, really: str | None) -> None:
    """See that so many requests to another machine are meant; None: more than UNASKED. Raises UsageError."""
    many = f"{total:,}" if total is not None else f"More than {UNASKED}"
    host = urlsplit(url).hostname or ""
    if really is None and sys.stdin.isatty() and sys.stderr.isatty():
        click.echo(
            f"{many} requests are about to leave this machine, to {url}.\n"
            "What is sent there counts and cannot be taken back.",
            err=True,
        )
        really = click.prompt("The host's name, to go on", default="", show_default=False, err=True)
    if really is None:
        raise UsageError(
            f"{many} requests to {host}, which is not this machine, have to be confirmed.",
            f"Add --yes-really {host}",
        )
    if really.strip().lower() != host:
        raise UsageError(f"Nothing was sent: the host's name is {host}, not {really.strip() or 'empty'}.")


def target_named(options: Options, config: Config, name: str, *, needs_key: bool = True) -> Target:
    """A target of the settings, or the emulator where it runs. Raises NotFound or UsageError."""
    if name == EMULATOR:
        owner = holder(options.places().lock)
        port = config.emulator.port or DEFAULT_EMULATOR_PORT
        base = owner.emulator if owner and owner.emulator else f"http://{DEFAULT_HOST}:{port}"
        keys = [key for key in config.emulator.keys if key.value]
        return Target(EMULATOR, base, keys[0] if keys else Secret.of(EMULATOR_KEY))
    found = next((target for target in config.targets if target.name == name), None)
    if found is None:
        names = [EMULATOR, *(target.name for target in config.targets)]
        near = nearest(name, names)
        meant = f" Did you mean {near}?" if near else ""
        raise NotFound(f"There is no target {name}.{meant}", f"Known are: {', '.join(names)}.")
    if found.key is not None and not found.key.value and not needs_key:
        return replace(found, key=Secret.of(_STAND_IN))
    if found.key is not None and not found.key.value:
        raise UsageError(
            f"The key of target {name} is not set: {found.key.source}.",
            "Set it, or change the reference in the settings.",
        )
    return found


def _now() -> int:
    return time.time_ns() // 1_000_000
