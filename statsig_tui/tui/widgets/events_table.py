"""The events of a capture as a table; only what is on the screen is read of a batch of any size."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from statsig_tui.core import jsontext
from statsig_tui.core.records import EventSummary
from statsig_tui.tui import theme
from statsig_tui.tui.privacy import private
from statsig_tui.tui.text import column
from statsig_tui.tui.times import clock
from statsig_tui.tui.widgets.json_pieces import copied
from statsig_tui.tui.widgets.table import Table

_LAST = 253_402_300_799_999
"""The end of the year 9999 in epoch ms."""
_LONGEST = 200
"""Characters of a value of which a line shows the beginning."""


class EventRows:
    """Implements Rows over the events of one capture; their keys are their places."""

    def __init__(self) -> None:
        self.capture: int | None = None
        self._listed: Sequence[EventSummary] = ()
        self._objects: Sequence[bytes] = ()

    def load(self, capture: int | None, listed: Sequence[EventSummary], objects: Sequence[bytes]) -> None:
        """Hold the events of a capture, as they are listed and as they are spelled."""
        self.capture, self._listed, self._objects = capture, listed, objects

    def __len__(self) -> int:
        return len(self._listed)

    def key(self, index: int) -> int:
        """Its place in the batch."""
        return index

    def revision(self, index: int) -> int:
        """Another capture's events are others; these never change."""
        return self.capture or 0

    def children(self, index: int) -> int:
        """None: the tree is a tab of its own."""
        return 0

    def line(self, index: int, width: int) -> Content:
        """Number, name, class, user, value and time, as far as the width goes."""
        event, columns = self._listed[index], _Columns(width)
        return Content.assemble(
            (f"{index:>5,}  ", theme.QUIET),
            (column(event.event_name or "(no name)", columns.name), theme.STRONG),
            (column(event.event_class.replace("_", " "), columns.kind), theme.QUIET) if columns.kind else "",
            private(Content(column(event.user_id or "", columns.user))) if columns.user else "",
            column(self._value(index), columns.value) if columns.value else "",
            (_time(event.timestamp), theme.QUIET) if columns.time else "",
        )

    def child(self, index: int, n: int, width: int) -> Content:
        """There is none."""
        return Content()

    def spelled(self, index: int) -> bytes:
        """The bytes of an event; nothing where it is none."""
        return self._objects[index] if index < len(self._objects) else b""

    def _value(self, index: int) -> str:
        source = jsontext.members(self.spelled(index) or b"{}").get("value", b"").decode()
        return copied(source)[:_LONGEST]


class EventsTable(Table):
    """Enter opens the event under the cursor."""

    def __init__(self) -> None:
        self.events = EventRows()
        super().__init__(
            self.events, header=_header, empty=Content.styled("No events.", theme.QUIET), id="events-table"
        )

    def load(self, capture: int | None, listed: Sequence[EventSummary], objects: Sequence[bytes]) -> None:
        """Show the events of a capture; the cursor stays where it is in the same one."""
        is_same = capture is not None and capture == self.events.capture
        self.events.load(capture, listed, objects)
        self.refresh_rows(keep_cursor=is_same)


class _Columns:
    """Which columns a width has room for."""

    def __init__(self, width: int) -> None:
        self.kind = 21 if width >= 92 else 0
        self.user = 16 if width >= 66 else 0
        self.value = 14 if width >= 72 else 10 if width >= 34 else 0
        self.time = 12 if width >= 50 else 0
        self.name = max(8, width - 7 - self.kind - self.user - self.value - self.time)


def _header(width: int) -> Content:
    columns = _Columns(width)
    words = f"{'':>5}  {'event':<{columns.name}}"
    words += f"{'class':<{columns.kind}}" if columns.kind else ""
    words += f"{'user':<{columns.user}}" if columns.user else ""
    words += f"{'value':<{columns.value}}" if columns.value else ""
    return Content(words + ("time" if columns.time else ""))


def _time(at: int | None) -> str:
    return clock(at) if at is not None and 0 <= at <= _LAST else ""
