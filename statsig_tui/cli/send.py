"""`send`: post one incoming event and say what became of it. Needs no engine and no lock."""

from __future__ import annotations

import asyncio
import time

import click

from statsig_tui.cli.lines import json_line
from statsig_tui.cli.options import Options
from statsig_tui.cli.secrets import Secrets
from statsig_tui.cli.source import read_source
from statsig_tui.core.config import (
    DEFAULT_EMULATOR_PORT,
    DEFAULT_HOST,
    EMULATOR,
    EMULATOR_KEY,
    Config,
    Secret,
    Target,
)
from statsig_tui.core.printable import printable
from statsig_tui.engine.lock import holder
from statsig_tui.engine.sender import Outcome
from statsig_tui.engine.target import post_to
from statsig_tui.engine.threads import Threads
from statsig_tui.errors import NotFound, UsageError


def run_send(options: Options, source: str, target_name: str, *, as_json: bool, dry_run: bool) -> int:
    """Send the bytes of a file or of standard input; 0 on a 2xx answer, else 1."""
    config = options.load().config
    target = _target(options, config, target_name)
    body = read_source(source)
    if dry_run:
        said = f"would post {len(body):,} bytes to {target.name}, {target.url}"
        click.echo(printable(options.secrets(said)))
        return 0
    at = time.time_ns() // 1_000_000
    outcome = asyncio.run(_post(target, body))
    trace = next((value for name, value in outcome.headers if name.lower() == "x-statsig-tui-trace"), None)
    if as_json:
        line = {
            "type": "sent",
            "at": at,
            "target": target.name,
            "status": outcome.status,
            "ms": round(outcome.ms, 3),
            "trace": trace,
            "error": outcome.error,
        }
        click.echo(options.secrets(json_line(line)))
    else:
        _tell(target, outcome, trace, options.secrets, quiet=options.quiet)
    return 0 if outcome.status is not None and 200 <= outcome.status <= 299 else 1


async def _post(target: Target, body: bytes) -> Outcome:
    asyncio.get_running_loop().set_default_executor(Threads())
    return await post_to(target, body)


def _tell(target: Target, outcome: Outcome, trace: str | None, redact: Secrets, *, quiet: bool) -> None:
    if outcome.status is None:
        unknown = (
            "; it may have arrived: sending again may count it twice"
            if outcome.certainty == "unknown"
            else ""
        )
        hint = ""
        if target.name == EMULATOR and outcome.certainty == "not sent":
            hint = "\nStart the emulator with `statsig-tui serve`, or choose another target with --target."
        click.echo(redact(f"error: {printable(outcome.error or '')}{unknown}{hint}"), err=True)
        return
    if not quiet:
        answer = printable(outcome.body[:2000].decode(errors="replace"))
        where = f"  trace {trace}" if trace else ""
        said = f"{outcome.status} {outcome.reason} in {outcome.ms:.1f} ms  {answer}{where}"
        click.echo(printable(redact(said)))


def _target(options: Options, config: Config, name: str) -> Target:
    if name == EMULATOR:
        owner = holder(options.places().lock)
        port = config.emulator.port or DEFAULT_EMULATOR_PORT
        base = owner.emulator if owner and owner.emulator else f"http://{DEFAULT_HOST}:{port}"
        keys = [key for key in config.emulator.keys if key.value]
        return Target(EMULATOR, base, keys[0] if keys else Secret.of(EMULATOR_KEY))
    found = next((target for target in config.targets if target.name == name), None)
    if found is None:
        known = ", ".join([EMULATOR, *(target.name for target in config.targets)])
        raise NotFound(f"There is no target {name}.", f"Known are: {known}.")
    if found.key is not None and not found.key.value:
        raise UsageError(
            f"The key of target {name} is not set: {found.key.source}.",
            "Set it, or change the reference in the settings.",
        )
    return found
