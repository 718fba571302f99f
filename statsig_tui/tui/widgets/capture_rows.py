"""Captures as rows of a RowList: ids in memory, some summaries, everything else in the store."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.cache import LRUCache
from textual.content import Content

from statsig_tui.core.event import EventClass
from statsig_tui.core.records import CaptureRecord, EventSummary
from statsig_tui.tui import theme
from statsig_tui.tui.text import fit
from statsig_tui.tui.times import clock, size
from statsig_tui.tui.widgets.id_view import IdView

MARK = "◆"
NOTED = "✎"
_PAGE = 64
"""Summaries that are read at a time."""
_HELD = 4096
"""Summaries in memory."""
_COUNTED = 1000
"""Events of a capture whose names are looked at for its line."""
_CLASSES = {
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


class CaptureRows:
    """Implements Rows over a view of ids, which says what of all that is held is shown."""

    def __init__(self, fetch: Fetch) -> None:
        self.view = IdView()
        self.noted: set[int] = set()
        """Captures that have a note."""
        self._fetch = fetch
        self._records: LRUCache[int, CaptureRecord | None] = LRUCache(_HELD)

    def __len__(self) -> int:
        return len(self.view)

    def load(self, ids: array[int]) -> None:
        """Hold exactly these captures."""
        self.view.load(ids)
        self._records.clear()

    def append(self, record: CaptureRecord) -> None:
        """Hold one more, newer than all others."""
        if self.view.append(record.id):
            # What is shown next has just been read.
            self._records[record.id] = record

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
        return int(self.view.is_marked(number)) + 2 * (number in self.noted)

    def children(self, index: int) -> int:
        """Its events."""
        record = self.record(index)
        return len(record.events) if record is not None else 0

    def line(self, index: int, width: int) -> Content:
        """Time, answer, events, names, signature, size and ms, as far as the width goes."""
        record = self.record(index)
        if record is None:
            return Content.styled("forgotten, or not to be read", theme.QUIET)
        columns = Columns(width)
        mark, style = theme.status(record.status or None)
        refused = not record.status or record.status >= 400
        sign, sign_style = theme.signature(record.signature)
        fault = f"  {record.fault}" if record.fault and refused else ""
        by = f"  by program: {record.program}" if record.program is not None else ""
        count = f"{len(record.events):>5,}"
        room = columns.what + 5 - len(count)
        what = f"{_what(record, room)}{by}{fault}"
        parts = [
            (clock(record.at), theme.QUIET),
            (MARK if self.view.is_marked(record.id) else " ", theme.ACCENT),
            (NOTED if record.id in self.noted else " ", theme.ACCENT),
            (f"{mark} {record.status or 'none':<4}", style),
            (f"{count}  ", ""),
            (_padded(what, room), theme.BAD if refused else ""),
            (f"  {sign} {record.signature:<9}" if columns.words else f"   {sign}", sign_style),
            (f" {size(record.size):>8}", theme.QUIET) if columns.size else ("", ""),
            (f" {record.ms:>5.0f} ms", theme.QUIET) if columns.ms else ("", ""),
            (f"  {_padded(record.path, columns.path)}", theme.QUIET) if columns.path else ("", ""),
        ]
        return Content.assemble(*(part for part in parts if part[0]))

    def child(self, index: int, n: int, width: int) -> Content:
        """One event: place, name, class, user."""
        record = self.record(index)
        if record is None or n >= len(record.events):
            return Content()
        return event_line(n, record.events[n], width)


class Columns:
    """Which columns a width has room for."""

    def __init__(self, width: int) -> None:
        self.words = width >= 72
        self.size = width >= 80
        self.ms = width >= 90
        self.path = 16 if width >= 116 else 0
        fixed = 14 + 5 + 8 + (13 if self.words else 4) + 9 * self.size + 9 * self.ms
        self.what = max(8, width - fixed - (self.path + 2 if self.path else 0))


def header(width: int) -> Content:
    """The titles over the columns."""
    columns = Columns(width)
    words = f"{'time':<14}{'answer':<6}{'ev':>5}  {'what':<{columns.what}}"
    words += f"  {'signature':<11}" if columns.words else " sig"
    words += f" {'size':>8}" if columns.size else ""
    words += f" {'took':>8}" if columns.ms else ""
    return Content(words + (f"  {'path':<{columns.path}}" if columns.path else ""))


def event_line(place: int, event: EventSummary, width: int) -> Content:
    """One event of a batch on one line."""
    kind = _CLASSES[event.event_class]
    name = max(10, width - 6 - 22 - 24)
    return Content.assemble(
        (f"{place:>4}  ", theme.QUIET),
        (_padded(event.event_name or "(no name)", name), theme.STRONG),
        (f"  {kind:<20}", theme.QUIET),
        fit(event.user_id or "", max(0, min(24, width - name - 28))),
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
        longer = f"{shown}, {name}" if shown else name
        longer += f" ×{count}" if count > 1 else ""
        more = f", +{rest - count:,} more" if rest > count else ""
        if shown and len(longer) + len(more) > width:
            return f"{fit(shown, max(1, width - len(f', +{rest:,} more')))}, +{rest:,} more"
        shown, rest = longer, rest - count
    return f"{shown}, +{rest:,} more" if rest else shown


def _short(name: str) -> str:
    return name.removeprefix("statsig::") or "(no name)"


def _padded(text: str, width: int) -> str:
    shown = fit(text, width)
    return shown + " " * max(0, width - cell_len(shown))
