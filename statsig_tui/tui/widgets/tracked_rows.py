"""Custom events and whether a draft of the filter tracks them: rows for a list, and the edits on it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textual.content import Content

from statsig_tui.core import filters
from statsig_tui.core.config import Filter
from statsig_tui.core.judgements import Tried
from statsig_tui.tui import theme
from statsig_tui.tui.text import column
from statsig_tui.tui.widgets.fields import TICKED, UNTICKED

TRACKING, VOLUME, PASSES = 15, 12, 18
"""Cells of the first column and of the last ones."""
_WIDE = 76
"""Cells from which on there is room to say what passes."""


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
        room = max(1, width - TRACKING - VOLUME - (PASSES if width >= _WIDE else 0))
        count = f"{volume:,}" if volume else "not seen yet"
        return Content.assemble(
            (TICKED if tracked else UNTICKED, theme.ACCENT if tracked else theme.QUIET),
            (f"  {word}".ljust(TRACKING - 1), theme.QUIET),
            (column(name, room), "" if tracked else theme.QUIET),
            (count.rjust(VOLUME), "" if volume else theme.QUIET),
            *(_passes(self._tried.get(name)) if width >= _WIDE else ()),
        )

    def children(self, index: int) -> int:
        """Nothing is below an event."""
        return 0

    def child(self, index: int, n: int, width: int) -> Content:
        """Nothing is below an event."""
        return Content()


def heading(width: int) -> Content:
    """The columns' names, behind the box that checks all."""
    wide = width >= _WIDE
    room = max(1, width - TRACKING - VOLUME - (PASSES if wide else 0))
    passes = f"   {'Passes':<{PASSES - 3}}" if wide else ""
    return Content(f"{'Tracking':<{TRACKING - 3}}{'Event':<{room}}{'Volume':>{VOLUME}}{passes}")


def detail_words(chosen: Filter) -> Content:
    """What of the details is set, in a line."""
    parts = [
        f"{len(off)} {what} off"
        for what, named in (
            ("kinds", chosen.exposure_kinds),
            ("types", chosen.change_types),
            ("actions", chosen.change_actions),
            ("tiers", chosen.tiers),
        )
        if (off := [name for name, on in named.items() if not on])
    ]
    if chosen.patterns:
        parts.append(f"{len(chosen.patterns)} pattern{'s' * (len(chosen.patterns) != 1)}")
    if chosen.where.strip():
        parts.append("a condition")
    if chosen.sample < 1:
        parts.append(f"{chosen.sample:.4g} of 1 sampled")
    return Content.styled(" · ".join(parts), theme.WARN)


def _passes(tried: Tried | None) -> tuple[tuple[str, str], ...]:
    """`   yes`, `   no (was yes: −8,120)`, `   312 of 400`."""
    if tried is None:
        return (("   –".ljust(PASSES), theme.QUIET),)
    if tried.passing in (0, tried.events):
        words, style = ("yes", theme.GOOD) if tried.passing else ("no", theme.QUIET)
    else:
        words, style = f"{tried.passing:,} of {tried.events:,}", theme.WARN
    change = f" ({difference(tried)})" if tried.gained or tried.lost else ""
    return (f"   {words}", style), (change.ljust(PASSES - 3 - len(words)), theme.WARN)


def difference(tried: Tried) -> str:
    """`+12 −8,120`, without what is zero."""
    parts = [f"+{tried.gained:,}"] if tried.gained else []
    return " ".join([*parts, f"−{tried.lost:,}"] if tried.lost else parts) or "no change"
