"""`export`: what fits a query as NDJSON, HAR, curl, raw requests or CSV, without secrets unless asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from statsig_tui.cli.options import Options
from statsig_tui.cli.queries import found, kind_and_query
from statsig_tui.cli.showing import write_bytes
from statsig_tui.core.config import DEFAULT_RECEIVER_URL
from statsig_tui.core.exporting import Format
from statsig_tui.engine.exporting import Export, new_file
from statsig_tui.engine.lock import holder
from statsig_tui.engine.reading import reading
from statsig_tui.engine.search import Kind
from statsig_tui.errors import UsageError


@dataclass(frozen=True, slots=True)
class Wish:
    """How to export."""

    format: Format
    out: Path | None
    limit: int | None
    with_secrets: bool


def run_export(options: Options, words: Sequence[str], wish: Wish) -> int:
    """Write what fits, newest first, to a new file or to stdout."""
    kind, query = kind_and_query(words)
    if kind == "events" and wish.format in ("har", "curl", "raw"):
        raise UsageError(f"An event alone is no request: {wish.format} has none.", "Take ndjson or csv.")
    options.load()
    redact = None if wish.with_secrets else options.secrets
    owner = holder(options.places().lock)
    base = (owner and owner.receiver) or DEFAULT_RECEIVER_URL.rstrip("/")
    with reading(options.places().database) as archive:
        export = Export(archive, query, redact, base, time.time_ns() // 1_000_000)
        pieces = export.pieces(wish.format, found(archive, kind, query, wish.limit))
        if wish.out is None:
            for piece in pieces:
                write_bytes(piece)
        else:
            with new_file(wish.out) as file:
                for piece in pieces:
                    file.write(piece)
    if not options.quiet:
        where = f" to {wish.out}" if wish.out is not None else ""
        click.echo(f"{export.count:,} {kind if export.count != 1 else _one(kind)} exported{where}", err=True)
    return 0


def _one(kind: Kind) -> str:
    return {"captures": "capture", "deliveries": "delivery", "events": "event", "history": "request"}[kind]
