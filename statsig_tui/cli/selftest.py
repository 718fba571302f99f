"""`selftest`: what an endpoint does with a verification, a good request and bad ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import click

from statsig_tui.cli.lines import json_line
from statsig_tui.cli.options import Options, WhichSecret
from statsig_tui.cli.signing import chosen_secret
from statsig_tui.core.config import Config, Destination, Secret
from statsig_tui.core.destination import Invalid, validate_url
from statsig_tui.core.printable import printable
from statsig_tui.core.selftest import Progress, Result, score
from statsig_tui.engine.probing import self_test
from statsig_tui.errors import NotFound, UsageError


def run_selftest(
    options: Options, of: str, which: WhichSecret, *, verification_only: bool, as_json: bool
) -> int:
    """Print every trial and the score; 0 only if all passed."""
    options.places().prepare()
    config = options.load().config
    destination = _destination(config, of)
    if which != WhichSecret():
        destination = replace(destination, secret=Secret.of(chosen_secret(options, which)))
    options.secrets.learn(replace(config, destinations=(destination,)))
    now = time.time_ns() // 1_000_000
    redact = options.secrets

    def tell(progress: Progress) -> None:
        if not progress.done:
            return
        result = progress.done[-1]
        if as_json:
            click.echo(json_line(_fields(result, now, redact(result.said))))
        else:
            mark = "✓" if result.passed else "✗"
            click.echo(f"{mark} {result.trial.name:<18} {printable(redact(result.said))}")

    results = asyncio.run(self_test(destination, now, verification_only=verification_only, tell=tell))
    if not as_json:
        click.echo(_conclusion(destination, results))
    return 0 if all(result.passed for result in results) else 1


def _destination(config: Config, of: str) -> Destination:
    found = config.destination(of)
    if found is not None:
        return found
    if "://" not in of:
        names = ", ".join(item.name for item in config.destinations)
        raise NotFound(f"There is no destination {of}.", f"Known are: {names}; or give a URL.")
    try:
        validate_url(of)
    except Invalid as error:
        raise UsageError(f"The URL {error.message}.", error.hint) from None
    return Destination("endpoint", of)


def _fields(result: Result, now: int, said: str) -> dict[str, object]:
    return {
        "type": "trial",
        "at": now,
        "name": result.trial.name,
        "about": result.trial.about,
        "passed": result.passed,
        "status": result.status,
        "said": said,
    }


def _conclusion(destination: Destination, results: Sequence[Result]) -> str:
    unsigned = destination.secret is None or destination.secret.value is None
    note = (
        "; without a signing secret, bad signatures were not tried" if unsigned and len(results) > 1 else ""
    )
    return f"{score(results)}{note}"
