"""Which captures a list shows, and in which order: all, or what a filter found, less what was cleared.

Ids alone, always ascending; it holds what it was given once and copies none of it to show a part.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence


class IdView:
    """A sequence of ids. Marked ones stay when the others are cleared."""

    def __init__(self) -> None:
        self._all = array("q")
        self._fitting: array[int] | None = None
        self._marked: set[int] = set()
        self._only_marked = False
        self._cleared = 0
        self._kept: Sequence[int] = ()
        """Marked ones, which are shown before what is shown for its own sake."""
        self._from = 0
        """Where in the source that begins."""

    def __len__(self) -> int:
        return len(self._kept) + (0 if self._only_marked else len(self._source) - self._from)

    def __getitem__(self, index: int) -> int:
        at = index - len(self._kept)
        return self._kept[index] if at < 0 else self._source[self._from + at]

    @property
    def total(self) -> int:
        """All there are, shown or not."""
        return len(self._all)

    @property
    def is_filtered(self) -> bool:
        """Whether only what fits is shown."""
        return self._fitting is not None

    @property
    def only_marked(self) -> bool:
        """Whether only marked ones are shown."""
        return self._only_marked

    @only_marked.setter
    def only_marked(self, only: bool) -> None:
        self._only_marked = only
        self._recount()

    @property
    def is_cleared(self) -> bool:
        """Whether something was cleared."""
        return self._cleared > 0

    @property
    def marked(self) -> int:
        """How many are marked."""
        return len(self._marked)

    @property
    def marks(self) -> Sequence[int]:
        """The marked ones, ascending."""
        return sorted(self._marked)

    def is_marked(self, number: int) -> bool:
        """Whether this one is marked."""
        return number in self._marked

    def all_ids(self) -> array[int]:
        """All there are, shown or not, as they are now."""
        return self._all[:]

    def is_forgotten(self, number: int) -> bool:
        """Whether this one is none of them, though newer ones are."""
        at = bisect_left(self._all, number)
        return at < len(self._all) and self._all[at] != number

    def load(self, ids: array[int]) -> None:
        """Know exactly these."""
        self._all = ids
        self._recount()

    def append(self, number: int) -> bool:
        """Know one more, newer than all others; False where it is known already."""
        if self._all and number <= self._all[-1]:
            return False
        self._all.append(number)
        return True

    def forget_before(self, oldest: int) -> bool:
        """Drop smaller ids; whether there were any."""
        count = bisect_left(self._all, oldest)
        if not count:
            return False
        self._all = self._all[count:]
        if self._fitting is not None:
            self._fitting = self._fitting[bisect_left(self._fitting, oldest) :]
        self._marked = {number for number in self._marked if number >= oldest}
        self._recount()
        return True

    def restrict(self, fitting: array[int] | None) -> None:
        """Show of all only these, which may grow by fit(); None: all."""
        self._fitting = fitting
        self._recount()

    def fit(self, ids: Sequence[int]) -> None:
        """These fit too: all of them older, or all of them newer, than those that were said to."""
        if self._fitting is None or not ids:
            return
        if not self._fitting or ids[0] > self._fitting[-1]:
            self._fitting.extend(ids)
        else:
            self._fitting = array("q", ids) + self._fitting
        self._recount()

    def mark(self, number: int) -> bool:
        """Mark one, or mark it no longer; whether it is marked now."""
        self._marked ^= {number}
        self._recount()
        return number in self._marked

    def mark_all(self, numbers: Sequence[int]) -> None:
        """Mark these, beside those that are marked already."""
        self._marked |= set(numbers)
        self._recount()

    def clear(self) -> None:
        """Show no longer what is known now, unless it is marked."""
        self._cleared = self._all[-1] if self._all else 0
        self._recount()

    def restore(self) -> None:
        """Show again what was cleared."""
        self._cleared = 0
        self._recount()

    @property
    def _source(self) -> array[int]:
        return self._all if self._fitting is None else self._fitting

    def _recount(self) -> None:
        source = self._source
        self._from = bisect_right(source, self._cleared)
        last = len(source) if self._only_marked else self._from
        self._kept = [number for number in sorted(self._marked) if _place(source, number) < last]


def in_both(ids: Sequence[int], view: IdView, at: int, *, newer: bool) -> int | None:
    """The first that is in both, from `at` on towards the newer or the older ones; None: there is none."""
    number: int | None = at
    while number is not None:
        one = _next(ids, number, newer)
        number = _next(view, one, newer) if one is not None else None
        if number == one:
            return one
    return None


def _next(ids: Sequence[int] | IdView, at: int, newer: bool) -> int | None:
    places = range(len(ids))
    place = bisect_left(places, at, key=ids.__getitem__)
    if not newer and (place == len(ids) or ids[place] > at):
        place -= 1
    return ids[place] if 0 <= place < len(ids) else None


def _place(ids: array[int], number: int) -> int:
    """Where an id is; behind all others where it is not."""
    at = bisect_left(ids, number)
    return at if at < len(ids) and ids[at] == number else len(ids)
