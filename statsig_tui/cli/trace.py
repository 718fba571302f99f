"""`trace`: the way of one event, read from the store while its owner may be running."""

from __future__ import annotations

import click

from statsig_tui.cli.lines import as_json as json_of
from statsig_tui.cli.lines import as_text
from statsig_tui.cli.options import Options
from statsig_tui.core.printable import printable
from statsig_tui.core.records import AttemptRecord, Record
from statsig_tui.engine.reading import reading
from statsig_tui.errors import NotFound


def run_trace(options: Options, of: str, *, as_json: bool) -> int:
    """Print everything that belongs to an id. Raises NotFound."""
    options.load()
    with reading(options.places().database) as archive:
        found = archive.trace(of)
    if found is None:
        raise NotFound(
            f"Nothing is known of {printable(of)}.",
            "Give a trace, event, batch, delivery, capture or sent id, or a timeUUID;"
            " what is old may have been forgotten: see [retention].",
        )
    # A verdict falls in the same millisecond as its event: the order of the way decides then.
    way: list[Record | AttemptRecord] = [*found.sent, *found.events, *found.verdicts]
    way += [*found.deliveries, *found.attempts, *found.captures]
    for record in sorted(way, key=lambda record: record.at):
        click.echo(options.secrets(json_of(record) if as_json else as_text(record)))
    return 0
