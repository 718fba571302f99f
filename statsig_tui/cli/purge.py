"""`purge`: every stored event, capture, delivery and draft, after having asked twice."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from statsig_tui.cli.options import Options
from statsig_tui.core.printable import printable
from statsig_tui.engine.lock import locked
from statsig_tui.errors import Unavailable, UsageError

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What belongs to a SQLite file."""


def run_purge(options: Options, *, yes: bool) -> int:
    """Delete the store and the log; settings and templates stay."""
    places = options.places()
    store = [Path(f"{places.database}{end}") for end in _BESIDE]
    # The log's older parts have numbers.
    logs = sorted(places.log.parent.glob(f"{places.log.name}*"))
    doomed = [path for path in (*store, *logs) if path.exists()]
    if not doomed:
        click.echo(f"Nothing is stored in {printable(str(places.database.parent))}.")
        return 0
    size = sum(path.stat().st_size for path in doomed)
    what = f"{size / 1e6:,.1f} MB in {printable(str(places.database.parent))}"
    if not yes:
        _ask(what)
    with locked(places.lock):
        for path in doomed:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise Unavailable(
                    f"{path} cannot be deleted: {error.strerror}", "Check its rights."
                ) from None
    if not options.quiet:
        click.echo(f"Deleted {what}. Settings and templates are untouched.", err=True)
    return 0


def _ask(what: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("Nothing was deleted: there is no terminal to ask in.", "Add --yes.")
    click.echo(
        f"All events, captures, deliveries, drafts and the log: {what}. It cannot be undone.", err=True
    )
    if not click.confirm("Delete it?", err=True):
        raise UsageError("Nothing was deleted.")
    if click.prompt("Type purge to do it", default="", show_default=False, err=True).strip() != "purge":
        raise UsageError("Nothing was deleted: that was not purge.")
