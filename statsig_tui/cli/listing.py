"""`list`: what is stored and fits a query, a line each, newest first."""

from __future__ import annotations

from collections.abc import Sequence

import click

from statsig_tui.cli.lines import as_json as json_of
from statsig_tui.cli.lines import as_text
from statsig_tui.cli.options import Options
from statsig_tui.cli.queries import found, kind_and_query
from statsig_tui.engine.reading import reading


def run_list(options: Options, words: Sequence[str], limit: int, *, as_json: bool) -> int:
    """Print what fits."""
    kind, query = kind_and_query(words)
    options.load()
    with reading(options.places().database) as archive:
        for record in found(archive, kind, query, limit or None):
            click.echo(options.secrets(json_of(record) if as_json else as_text(record)))
    return 0
