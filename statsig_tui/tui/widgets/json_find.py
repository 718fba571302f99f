"""Where in a body a text is, and which of these places is gone to; no widget."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from statsig_tui.tui.widgets.json_pieces import Piece, TreeText, shown

LONGEST = 64 * 1024
"""Characters of a value that is unfolded to show a place in it."""
SLICE = 256 * 1024
"""Characters that are looked through before a key may be answered."""


class Search:
    """The places of one text in another, A–Z in either case, and the one that was gone to."""

    def __init__(self, wanted: str, text: str) -> None:
        self.wanted = wanted
        self.text = text
        self.places = array("q")
        self._pattern = re.compile(re.escape(wanted), re.IGNORECASE)
        self._from = 0
        self._at: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether all of the text has been looked through."""
        return not self.wanted or self._from >= len(self.text)

    def look(self) -> None:
        """Look through the next slice of the text."""
        end = self._from + SLICE
        # A place begins in its slice and may end beyond it.
        last = min(len(self.text), end + len(self.wanted) - 1)
        for match in self._pattern.finditer(self.text, self._from, last):
            self.places.append(match.start())
            end = max(end, match.end())
        self._from = end

    def go(self, way: int, cursor: int | None) -> int | None:
        """Go on: 0 from here on, 1 to the next, -1 to the one before, around the ends; the place.

        `cursor` is where the cursor was put meanwhile; None: it is where it was put by this.
        """
        if not self.places:
            return None
        if self._at is None or cursor is not None:
            self._at = bisect_left(self.places, cursor or 0) + min(way, 0)
        else:
            self._at += way
        self._at %= len(self.places)
        return self.places[self._at]

    @property
    def counted(self) -> tuple[int, int]:
        """Which place of how many, from 1 on; 0 of 0 where there is none."""
        return (0 if self._at is None else self._at + 1, len(self.places))

    def inside(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of the text from `start` to before `end` that are in a place, counted from `start`."""
        length = len(self.wanted)
        at = bisect_left(self.places, start - length + 1)
        while at < len(self.places) and (place := self.places[at]) < end:
            yield max(place, start) - start, min(place + length, end) - start
            at += 1

    def marked(self, pieces: Sequence[Piece]) -> Iterator[Piece]:
        """A drawn line with what is looked for as pieces of their own, of the kind `found`."""
        line = "".join(text for text, _ in pieces)
        return split(pieces, [match.span() for match in self._pattern.finditer(line)])


def split(pieces: Sequence[Piece], spans: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    """Pieces with those parts of them that are in a span as pieces of the kind `found`."""
    position = 0
    left = list(spans)
    for text, kind in pieces:
        begin, stop = position, position + len(text)
        while left and left[0][0] < stop:
            start, end = max(left[0][0], position), min(left[0][1], stop)
            yield text[position - begin : start - begin], kind
            yield text[start - begin : end - begin], "found"
            position = end
            if left[0][1] > stop:
                break
            left.pop(0)
        yield text[position - begin :], kind
        position = stop


def raw_row(row: str, parts: Iterator[tuple[int, int]]) -> Iterator[Piece]:
    """A row of a text as it is drawn, with those parts of it that are looked for."""
    spans = [(len(shown(row[:start])), len(shown(row[:end]))) for start, end in parts]
    return split([(shown(row), "")], spans)


def uncover(tree: TreeText, place: int) -> None:
    """Unfold what hides a place of the text."""
    lines, folds = tree.tree, tree.folds
    index = lines.at(place)
    around: list[int] = []
    parent = lines.parent(index)
    while parent >= 0:
        around.append(parent)
        parent = lines.parent(parent)
    for container in reversed(around):
        if folds.is_folded(container):
            folds.toggle(container)
    is_open = index in folds.opened or lines.is_container(index)
    if not is_open and tree.is_long(index) and len(lines.source(index)) <= LONGEST:
        tree.open(index)
