"""Captures as rows of a RowList: ids in memory, some summaries, everything else in the store."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.cache import LRUCache
from textual.content import Content

from statsig_tui.core.event import EventClass
from statsig_tui.core.records import CaptureRecord, EventSummary
from statsig_tui.core.repeats import Beside
from statsig_tui.core.told import Told, told
from statsig_tui.tui import theme
from statsig_tui.tui.privacy import private
from statsig_tui.tui.text import fit
from statsig_tui.tui.times import age, clock, size
from statsig_tui.tui.widgets.id_view import IdView
from statsig_tui.tui.widgets.row_list import RowList

MARK = "◆"
NOTED = "✎"
_PAGE = 64
"""Summaries that are read at a time."""
_CLOCK, _AGE = 12, 4
"""Cells of a time of day, and of an age."""
_SIGNS = 2
"""Cells of a mark and of the sign of a note."""
_LOOSE = 62
"""Cells from which the names have enough left where these signs stand apart."""
_LAG = 13
"""Cells of an event's lag, and of the blanks before it."""
_ODD = 14
"""Cells of what is odd about an event, and of the blanks before it: `out of order` is whole."""
_WIDE = 84
"""Cells from which an event's class is spelled out."""
_NAME = 8
"""Cells that what is said behind the names leaves them."""
_HELD = 4096
"""Summaries in memory."""
_COUNTED = 1000
"""Events of a capture whose names are looked at for its line."""
CLASSES = {
    EventClass.CUSTOM: "custom",
    EventClass.GATE_EXPOSURE: "gate exposure",
    EventClass.CONFIG_EXPOSURE: "config exposure",
    EventClass.EXPERIMENT_EXPOSURE: "experiment exposure",
    EventClass.LAYER_EXPOSURE: "layer exposure",
    EventClass.HOLDOUT_EXPOSURE: "holdout exposure",
    EventClass.CONFIG_CHANGE: "config change",
    EventClass.INTERNAL: "internal",
    EventClass.VERIFICATION: "verification",
}
Fetch = Callable[[Sequence[int]], list[CaptureRecord]]
"""The captures with these ids, as far as they are kept."""
Look = Callable[[int, int, int], Beside]
"""What is beside a capture about its events from one place to before another."""


def nothing_beside(capture: int, first: int, last: int) -> Beside:
    """Where nobody knows what is beside a capture."""
    return Beside(is_final=True)


class CaptureRows:
    """Implements Rows over a view of ids, which says what of all that is held is shown."""

    def __init__(self, fetch: Fetch, look: Look = nothing_beside) -> None:
        self.view = IdView()
        self.ages_at: int | None = None
        """Epoch ms that ages are counted to; None: the column says the time of day."""
        self.annotated: set[int] = set()
        """Captures that have a note."""
        self._fetch = fetch
        self._look = look
        self._records: LRUCache[int, CaptureRecord | None] = LRUCache(_HELD)
        self._told: LRUCache[tuple[int, int], tuple[Told, ...]] = LRUCache(_HELD // _PAGE)
        self._unknown: set[tuple[int, int]] = set()
        """Pages of events that were drawn before it was known what they repeat."""

    def __len__(self) -> int:
        return len(self.view)

    def load(self, ids: array[int]) -> None:
        """Hold exactly these captures."""
        self.view.load(ids)
        self._records.clear()
        self._told.clear()

    def append(self, record: CaptureRecord) -> None:
        """Hold one more, newer than all others."""
        if self.view.append(record.id):
            # What is shown next has just been read.
            self._records[record.id] = record

    def noted(self, upto: int) -> bool:
        """What came before a capture is known up to this one; whether that is about something drawn."""
        known = {page for page in self._unknown if page[0] <= upto}
        for page in known:
            self._told.discard(page)
        self._unknown -= known
        return bool(known)

    def record(self, index: int) -> CaptureRecord | None:
        """The capture at an index; None where the store forgot it meanwhile."""
        number = self.view[index]
        if number not in self._records:
            first = index // _PAGE * _PAGE
            page = [self.view[at] for at in range(first, min(first + _PAGE, len(self.view)))]
            found = {record.id: record for record in self._fetch(page)}
            for each in page:
                self._records[each] = found.get(each)
        return self._records[number]

    def key(self, index: int) -> int:
        """The capture's id."""
        return self.view[index]

    def revision(self, index: int) -> int:
        """Captures never change; whether they are marked, or have a note, does."""
        number = self.view[index]
        return int(self.view.is_marked(number)) + 2 * (number in self.annotated)

    def children(self, index: int) -> int:
        """Its events."""
        record = self.record(index)
        return len(record.events) if record is not None else 0

    def header(self, width: int) -> Content:
        """The titles over the columns."""
        return header(width, self.ages_at is not None)

    def line(self, index: int, width: int) -> Content:
        """Time, answer, events, names, signature, size and ms, as far as the width goes."""
        record = self.record(index)
        if record is None:
            return Content.styled("forgotten, or not to be read", theme.QUIET)
        columns = Columns(width, self.ages_at is not None)
        mark, style = theme.status(record.status or None)
        refused = not record.status or record.status >= 400
        sign, sign_style = theme.signature(record.signature)
        asks = "  asks whether this URL answers" if record.envelope == "verification" else ""
        # It is not signed by design.
        sign_style = theme.QUIET if asks else sign_style
        fault = f"  {record.fault}" if record.fault and refused else ""
        by = f"  by program: {record.program}" if record.program is not None else ""
        count = f"{len(record.events):>5,}"
        room = columns.what + 5 - len(count)
        what = _what(record, room)
        if cell_len(what) + cell_len(asks) > room:
            asks = ""
        after = fit(f"{asks}{by}{fault}", max(0, room - min(_NAME, cell_len(what))))
        what = f"{_what(record, room - cell_len(after))}{after}"
        # Where it is narrow, only a single sign keeps a blank between itself and the answer.
        signs = MARK * self.view.is_marked(record.id) + NOTED * (record.id in self.annotated)
        signs = f"{signs:<{_SIGNS}}".center(columns.signs)
        when = clock(record.at) if self.ages_at is None else f"{age(self.ages_at - record.at):>{_AGE}}"
        parts = [
            (when, theme.QUIET),
            (signs, theme.ACCENT),
            (f"{mark} {record.status or 'none':<4}", style),
            (f"{count}  ", ""),
            (_padded(what, room), theme.BAD if refused else ""),
            (f"  {sign} {record.signature:<9}" if columns.words else f"   {sign}", sign_style),
            (f" {size(record.size):>8}", theme.QUIET) if columns.size else ("", ""),
            (f" {record.ms:>5,.0f}", theme.QUIET) if columns.ms else ("", ""),
            (f"  {_padded(record.path, columns.path)}", theme.QUIET) if columns.path else ("", ""),
        ]
        return Content.assemble(*(part for part in parts if part[0]))

    def child(self, index: int, n: int, width: int) -> Content:
        """One event: place, name, class, user, lag, and what is odd about its coming."""
        record = self.record(index)
        if record is None or n >= len(record.events):
            return Content()
        return event_line(n, record.events[n], width, self._said(record, n))

    def _said(self, record: CaptureRecord, n: int) -> Told:
        page = (record.id, n // _PAGE)
        if page not in self._told:
            first = page[1] * _PAGE
            beside = self._look(record.id, first, first + _PAGE)
            if not beside.is_final:
                self._unknown.add(page)
            self._told[page] = told(record, beside, first, first + _PAGE)
        return self._told[page][n % _PAGE]


class Columns:
    """Which columns a width has room for."""

    def __init__(self, width: int, ages: bool = False) -> None:
        self.ms = width >= 58
        self.size = width >= 70
        self.signs = _SIGNS + 2 * (width >= _LOOSE)
        """Mark and note, with a blank on either side where there is room."""
        self.time = (_AGE if ages else _CLOCK) + self.signs
        self.words = width >= 100
        self.path = 16 if width >= 110 else 0
        fixed = self.time + 5 + 8 + (13 if self.words else 4) + 9 * self.size + 6 * self.ms
        self.what = max(8, width - fixed - (self.path + 2 if self.path else 0))


def header(width: int, ages: bool = False) -> Content:
    """The titles over the columns."""
    columns = Columns(width, ages)
    when = f"{'age':>{_AGE}}" if ages else "time"
    words = f"{when:<{columns.time}}{'answer':<6}{'ev':>5}  {'what':<{columns.what}}"
    words += f"  {'signature':<11}" if columns.words else " sig"
    words += f" {'size':>8}" if columns.size else ""
    words += f" {'ms':>5}" if columns.ms else ""
    return Content(words + (f"  {'path':<{columns.path}}" if columns.path else ""))


def following(captures: RowList) -> Content:
    """Whether a list of captures follows or is held, for its border."""
    if captures.follow:
        return Content.styled("FOLLOW", theme.GOOD)
    return Content.styled(f"HELD +{captures.held_count:,}", theme.WARN)


def event_line(place: int, event: EventSummary, width: int, about: Told | None = None) -> Content:
    """One event of a batch on one line."""
    about = about or Told()
    kind = 20 if width >= _WIDE else 13
    room = max(0, width - 6 - kind - 2 - _LAG)
    name = max(10, room - 26, min(room * 11 // 20, room - 2 - _ODD))
    # What is odd about it is said in the place of the user, so that the columns stay.
    lag = f"  {about.lag:>{_LAG - 2}}"
    left = max(0, room - name - 2 - (len(lag) - _LAG))
    odd = fit(about.odd, max(0, left - 2))
    user = max(0, left - cell_len(odd) - 2 * bool(odd))
    return Content.assemble(
        (f"{place:>4}  ", theme.QUIET),
        (_padded(event.event_name or "(no name)", name), theme.STRONG),
        (f"  {_padded(CLASSES[event.event_class], kind)}", theme.QUIET),
        private(Content(f"  {_padded(event.user_id or '', user)}")),
        (f"  {odd}" if odd else "", theme.WARN),
        (lag, theme.WARN if about.is_strange else theme.QUIET),
    )


def _what(record: CaptureRecord, width: int) -> str:
    if not record.events:
        return f"{record.method} {record.path}" if record.envelope is None else "empty batch"
    names: dict[str, int] = {}
    for event in record.events[:_COUNTED]:
        name = _short(event.event_name)
        names[name] = names.get(name, 0) + 1
    shown, rest = "", len(record.events)
    for name, count in sorted(names.items(), key=lambda item: -item[1]):
        times = f" ×{count}" if count > 1 else ""
        more = f", +{rest - count:,} more" if rest > count else ""
        if not shown and cell_len(name) + len(times) + len(more) > width:
            # Rather the end of a name is missed than how often it is there, or that there are others.
            more = f" +{rest - count:,}" if rest > count else ""
            return fit(name, max(1, width - len(times) - len(more))) + times + more
        if not shown:
            shown = name + times
        elif len(f"{shown}, {name}{times}{more}") > width:
            break
        else:
            shown = f"{shown}, {name}{times}"
        rest -= count
    return f"{shown}, +{rest:,} more" if rest else shown


def _short(name: str) -> str:
    return name.removeprefix("statsig::") or "(no name)"


def _padded(text: str, width: int) -> str:
    shown = fit(text, width)
    return shown + " " * max(0, width - cell_len(shown))
