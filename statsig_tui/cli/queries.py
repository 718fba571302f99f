"""Queries as they are typed behind a command, and what they find, as it is found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from statsig_tui.core.printable import printable
from statsig_tui.core.query import Query, QueryError, parse
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.search import KINDS, Kind, Search, Stored
from statsig_tui.errors import UsageError


def read_query(text: str) -> Query:
    """The query that was typed. Raises UsageError that names the place."""
    try:
        return parse(text)
    except QueryError as error:
        end = "" if error.message.endswith("?") else "."
        raise UsageError(
            f"The query is not understood at character {error.position + 1}: {printable(error.message)}{end}",
            printable(error.hint) or "See `statsig-tui list --help` for the language.",
        ) from None


def kind_and_query(words: Sequence[str], where: str | None = None) -> tuple[Kind, Query]:
    """What is to be searched, captures unless it is said, and for what; `where` holds, too.

    Raises UsageError.
    """
    if (option := next((word for word in words if word.startswith("--")), None)) is not None:
        raise UsageError(f"There is no option {printable(option)}.", "See --help for those there are.")
    chosen = next((kind for kind in KINDS if words and words[0] == kind), None)
    query = " ".join(words[1:] if chosen else words)
    if where is not None:
        read_query(where)
        query = f"({query}) ({where})" if query else where
    return chosen or "captures", read_query(query)


def found(archive: Archive, kind: Kind, query: Query, limit: int | None = None) -> Iterator[Stored]:
    """What fits, newest first, at most `limit`."""
    search = Search(kind, query, time.time_ns() // 1_000_000, limit=min(limit or 200, 200))
    left = limit
    while not search.is_done:
        for record in archive.search(search):
            yield record
            if left is not None:
                left -= 1
                if not left:
                    return
