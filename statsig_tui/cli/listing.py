"""`list`: what is stored and fits a query, a line each; newest first, or as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import click

from statsig_tui.cli.lines import as_json as json_of
from statsig_tui.cli.lines import as_text
from statsig_tui.cli.options import Options
from statsig_tui.cli.queries import found, kind_and_query
from statsig_tui.core.query import Query
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.reading import reading
from statsig_tui.engine.search import Kind, Search, Stored
from statsig_tui.errors import TimedOut

_LOOK_SECONDS = 0.1
"""Between two looks whether anything was committed, which reads a few bytes of a file in memory."""


@dataclass(frozen=True, slots=True)
class Following:
    """When following ends; else by a signal."""

    count: int | None
    seconds: float | None


def run_list(
    options: Options,
    words: Sequence[str],
    where: str | None,
    limit: int,
    following: Following | None,
    *,
    as_json: bool,
) -> int:
    """Print what fits, and with `following` what comes."""
    kind, query = kind_and_query(words, where)
    options.load()

    def say(record: Stored) -> None:
        click.echo(options.secrets(json_of(record) if as_json else as_text(record)))

    with reading(options.places().database) as archive:
        if following is not None:
            return _follow(archive, kind, query, limit, following, say)
        for record in found(archive, kind, query, limit or None):
            say(record)
    return 0


def _follow(
    archive: Archive,
    kind: Kind,
    query: Query,
    limit: int,
    following: Following,
    say: Callable[[Stored], None],
) -> int:
    deadline = time.monotonic() + following.seconds if following.seconds is not None else None
    came = 0
    try:
        for record in _coming(archive, kind, query, limit, deadline):
            say(record)
            came += 1
            if came == following.count:
                return 0
    except KeyboardInterrupt:
        return 0
    if following.count is not None:
        raise TimedOut(
            f"{following.count} were waited for, {came} came within {following.seconds or 0:g} s.",
            "Give it longer with --timeout, or see what comes without a query.",
        )
    return 0


def _coming(
    archive: Archive, kind: Kind, query: Query, limit: int, deadline: float | None
) -> Iterator[Stored]:
    """What there is, oldest first, and then what comes, until the deadline."""
    # Begun before: what comes while the others are looked up is told after them.
    search = Search(kind, query, time.time_ns() // 1_000_000)
    version = archive.version()
    begun = {record.id for record in archive.arrived(search)}
    for record in reversed(list(found(archive, kind, query, limit or None))):
        begun.add(record.id)
        yield record
    while deadline is None or time.monotonic() < deadline:
        while True:
            for record in archive.arrived(search):
                if record.id not in begun:
                    yield record
            if search.is_current:
                break
        begun.clear()
        while version == (version := archive.version()):
            left = _LOOK_SECONDS if deadline is None else min(_LOOK_SECONDS, deadline - time.monotonic())
            if left <= 0:
                return
            time.sleep(left)
