"""Custom events and whether a draft of the filter tracks them: rows for a list, and the edits on it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from textual.content import Content

from statsig_tui.core import filters
from statsig_tui.core.config import Filter
from statsig_tui.core.judgements import Tried
from statsig_tui.tui import theme
from statsig_tui.tui.text import column
from statsig_tui.tui.widgets.fields import TICKED, UNTICKED
from statsig_tui.tui.widgets.filter_text import box_words, passes, passes_cells

TRACKING, VOLUME, PASSES = 15, 12, 18
"""Cells of the first column and of the last ones; what passes has more where its words are longer."""
_NAME, _FEWEST = 20, 12
"""Cells that an event's name keeps, and without which nothing is said of what passes."""
_BOX = 62
"""Cells of what a class of events holds, in words."""


def is_tracked(chosen: Filter, name: str) -> bool:
    """Whether the filter's boxes and patterns let a custom event of that name pass."""
    tracked = chosen.events.get(name)
    if tracked is not None:
        return tracked
    # Asked of thousands of names for a drawing: patterns cost more than all the rest.
    return filters.track(chosen, name).passes if chosen.patterns else chosen.include_new_events


def track(draft: Filter, saved: Filter, names: Iterable[str], tracked: bool) -> Filter:
    """The draft with these events tracked, or not.

    Only what differs from the default is written, and what the saved filter names: an event that is as
    it would be anyway needs no entry.
    """
    events = dict(draft.events)
    for name in names:
        events.pop(name, None)
        if name in saved.events or tracked != is_tracked(replace(draft, events={}), name):
            events[name] = tracked
    return replace(draft, events=events)


class TrackedRows:
    """Rows for a RowList; their order stays until they are loaded anew."""

    def __init__(self) -> None:
        self.draft = Filter()
        self._names: list[str] = []
        self._known: set[str] = set()
        self._volumes: Mapping[str, int] = {}
        self._tried: Mapping[str, Tried] = {}
        self._passes = PASSES
        self._search = ""
        self._shown: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self._shown)

    @property
    def total(self) -> int:
        """Events, the ones that the search hides included."""
        return len(self._names)

    @property
    def shown(self) -> list[str]:
        """Names that the search shows."""
        return [self._names[index] for index in self._shown]

    def load(self, draft: Filter, volumes: Mapping[str, int]) -> None:
        """Begin anew: the most frequent first, then the events that are only named in the filter."""
        self.draft, self._volumes = draft, volumes
        self._names = [*volumes, *(name for name in sorted(draft.events) if name not in volumes)]
        self._known = set(self._names)
        self.search(self._search)

    def count(self, volumes: Mapping[str, int]) -> None:
        """Take new volumes; names that are new are added at the end, so that nothing moves."""
        self._volumes = volumes
        new = [name for name in volumes if name not in self._known]
        if new:
            self._names += new
            self._known |= set(new)
            self.search(self._search)

    def tell(self, tried: Mapping[str, Tried]) -> None:
        """Take what a dry run of the draft found."""
        self._tried = tried
        # The largest numbers have the longest words; thousands of names need not be spelled for that.
        keys = (attrgetter("events"), attrgetter("passing"), attrgetter("gained"), attrgetter("lost"))
        largest = [max(tried.values(), key=key) for key in keys] if tried else []
        words = [passes(each) for each in largest]
        self._passes = max([PASSES, *(3 + len(what) + len(change) for what, _, change in words)])

    def columns(self, width: int) -> tuple[int, int]:
        """Cells of the name, and of what passes; none of these where a name would have too few."""
        room = max(1, width - TRACKING - VOLUME)
        passing = min(self._passes, room - _NAME)
        return (room - passing, passing) if passing >= _FEWEST else (room, 0)

    def heading(self, width: int) -> Content:
        """The columns' names, behind the box that checks all."""
        room, passing = self.columns(width)
        last = f"   {'Passes':<{passing - 3}}" if passing else ""
        return Content(f"{'Tracking':<{TRACKING - 3}}{'Event':<{room}}{'Volume':>{VOLUME}}{last}")

    def box(self, title: str, what: str, tried: Tried | None, width: int) -> Content:
        """A box of a class, with how many there are and pass, in the columns of the rows."""
        room, passing = self.columns(width)
        room += TRACKING - 3
        has_some = tried is not None and tried.events > 0
        count = f"{tried.events:,}" if tried is not None and has_some else ""
        # What the class holds comes before the number: what passes says it again where it matters.
        if room < _BOX:
            room, count = room + VOLUME, ""
        else:
            count = count.rjust(VOLUME)
        return Content.assemble(
            box_words(title, what, room), count, passes_cells(tried, passing) if passing and has_some else ""
        )

    def search(self, text: str) -> None:
        """Show only the names that contain a text."""
        self._search = wanted = text.casefold()
        everything = range(len(self._names))
        self._shown = (
            [index for index in everything if wanted in self._names[index].casefold()]
            if wanted
            else everything
        )

    def tracked(self) -> bool | None:
        """Whether the shown events are tracked: all, none, or (None) some."""
        count = sum(is_tracked(self.draft, self._names[index]) for index in self._shown)
        if not count:
            return not self._shown and self.draft.include_new_events
        return True if count == len(self._shown) else None

    def name(self, key: int) -> str:
        """The event of a row's key."""
        return self._names[key]

    def key(self, index: int) -> int:
        """The name's place in the whole."""
        return self._shown[index]

    def revision(self, index: int) -> int:
        """Changes with volume, tracking and what passes."""
        name = self._names[self._shown[index]]
        chosen = self.draft.events.get(name)
        return hash((self._volumes.get(name, 0), is_tracked(self.draft, name), chosen, self._tried.get(name)))

    def line(self, index: int, width: int) -> Content:
        """`☑ default   checkout_completed   312`."""
        name = self._names[self._shown[index]]
        tracked = is_tracked(self.draft, name)
        clause = filters.track(self.draft, name).clause
        by_pattern = clause in (filters.Clause.PATTERN, filters.Clause.PATTERN_OFF)
        word = "chosen" if name in self.draft.events else "by pattern" if by_pattern else "by default"
        volume = self._volumes.get(name, 0)
        room, passing = self.columns(width)
        count = f"{volume:,}" if volume else "not seen yet"
        return Content.assemble(
            (TICKED if tracked else UNTICKED, theme.ACCENT if tracked else theme.QUIET),
            (f"  {word}".ljust(TRACKING - 1), theme.QUIET),
            (column(name, room), "" if tracked else theme.QUIET),
            (count.rjust(VOLUME), "" if volume else theme.QUIET),
            passes_cells(self._tried.get(name), passing) if passing else "",
        )

    def children(self, index: int) -> int:
        """Nothing is below an event."""
        return 0

    def child(self, index: int, n: int, width: int) -> Content:
        """Nothing is below an event."""
        return Content()
