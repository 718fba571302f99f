"""Where in a body a text is, and which of these places is gone to; no widget."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left

from statsig_tui.tui.widgets.json_pieces import TreeText

LONGEST = 64 * 1024
"""Characters of a value that is unfolded to show a place in it."""


class Search:
    """The places of one text in another, A–Z in either case, and the one that was gone to."""

    def __init__(self, wanted: str, text: str) -> None:
        self.wanted = wanted
        self.text = text
        found = re.finditer(re.escape(wanted), text, re.IGNORECASE) if wanted else ()
        self.places = array("q", (match.start() for match in found))
        self._at: int | None = None

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
