"""What fits a query: captures that were found so far, and of a search the hit that is gone to next."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from statsig_tui.core.query import Query
from statsig_tui.engine.search import SPAN, Search
from statsig_tui.tui.commands import key
from statsig_tui.tui.text import fit
from statsig_tui.tui.widgets.id_view import IdView, in_both

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

LONGEST = 36
"""Cells of a query in the list's border."""


class Finding:
    """A query, and the captures that were found to fit it."""

    def __init__(self, text: str, query: Query) -> None:
        self.text = text
        self.search = Search("captures", query, _now(), limit=SPAN)
        self.ids = array("q")
        self.is_begun = False
        self.is_shown = False
        """Whether the list has its ids now, and takes what is found from here on."""

    def has_passed(self, number: int) -> bool:
        """Whether all from this id on was looked at."""
        reached = self.search.reached
        return self.search.is_done or (reached is not None and reached <= number)

    def take_older(self, found: Sequence[int]) -> None:
        """Take what a step found."""
        self.is_begun = True
        self.ids = array("q", found) + self.ids

    def older(self, archive: Archive) -> list[int]:
        """What the next step finds, oldest first."""
        return [record.id for record in archive.search(self.search)][::-1]

    def arrived(self, archive: Archive) -> list[int]:
        """What came meanwhile and fits, oldest first."""
        return [record.id for record in archive.arrived(self.search)]


class Hits(Finding):
    """What a search found; the list goes from one to the next of those that it shows."""

    def __init__(
        self,
        text: str,
        query: Query,
        view: IdView,
        go_to: Callable[[int], object],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(text, query)
        self._view = view
        self._go_to = go_to
        self._say = say
        self._awaited: int | None = None
        """The next hit from here on, towards the older ones, is gone to when it is found."""

    def told(self) -> str:
        """What was searched for, and how often it was found."""
        return f"{fit(self.text, LONGEST)}  {len(self.ids):,} hit{'s' * (len(self.ids) != 1)}"

    def take_older(self, found: Sequence[int]) -> None:
        """Take what a step found, and go there if it is waited for."""
        super().take_older(found)
        self._go_to_awaited()

    def forget_before(self, oldest: int) -> None:
        """Drop what the store no longer holds."""
        self.ids = self.ids[bisect_left(self.ids, oldest) :]

    def go_older(self, at: int) -> None:
        """Go to the first hit from an id on towards the older ones, once it is found."""
        self._awaited = at
        self._go_to_awaited()

    def go_newer(self, at: int) -> None:
        """Go to the first hit from an id on towards the newer ones."""
        self._awaited = None
        number = self._next(at, newer=True)
        if number is not None:
            self._go_to(number)
        else:
            self._say(f"No newer hit of {fit(self.text, LONGEST)}.")

    def _go_to_awaited(self) -> None:
        at = self._awaited
        if at is None:
            return
        number = self._next(at, newer=False)
        if number is None and not self.search.is_done:
            return
        self._awaited = None
        if number is not None:
            self._go_to(number)
        elif self._next(at, newer=True) is not None:
            self._say(
                f"No older hit of {fit(self.text, LONGEST)}; {key('live.previous')} goes to newer ones."
            )
        else:
            self._say(f"Nothing fits {fit(self.text, LONGEST)}.")

    def _next(self, at: int, *, newer: bool) -> int | None:
        return in_both(self.ids, self._view, at, newer=newer)


def _now() -> int:
    return time.time_ns() // 1_000_000
