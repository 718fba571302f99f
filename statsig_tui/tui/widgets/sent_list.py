"""The last sent events, newest first: time, name, and how each was answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from statsig_tui.core.records import SentRecord
from statsig_tui.tui import theme
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.times import clock

_STATUS = 4


class SentList(OptionList):
    """Sent events; each option's id is the event's number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "cursor_up", "Up", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
    ]

    def __init__(self, *, id: str, classes: str) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes=classes, markup=False, compact=True)
        self.border_title = "Sent"
        self._records: Sequence[SentRecord] = ()

    def show(self, records: Sequence[SentRecord]) -> None:
        """Show these, newest first; the cursor stays on its event."""
        self._records = records
        self.border_title = Content(f"Sent {len(records)}" if records else "Sent")
        self.border_subtitle = "enter opens" if records else ""
        self._fill()

    def on_resize(self) -> None:
        """Names take the width there is."""
        self._fill()

    def _fill(self) -> None:
        kept = self.highlighted_option.id if self.highlighted_option is not None else None
        width = self.scrollable_content_region.width - 2
        if width <= 0:
            return
        self.clear_options()
        if not self._records:
            self.add_option(Option(Content.styled("Nothing yet.", theme.QUIET), disabled=True))
            return
        self.add_options([Option(_line(record, width), id=str(record.id)) for record in self._records])
        if kept is not None and any(str(record.id) == kept for record in self._records):
            self.highlighted = self.get_option_index(kept)


def outcome(record: SentRecord) -> tuple[str, str, str]:
    """Symbol, short word and style of how a sent event ended."""
    if record.status is not None:
        mark, style = theme.status(record.status)
        return mark, str(record.status), style
    return ("?", "", theme.WARN) if record.certainty == "unknown" else ("✗", "", theme.BAD)


def _line(record: SentRecord, width: int) -> Content:
    mark, word, style = outcome(record)
    room = width - 6 - 1 - _STATUS
    name = content(fit(record.event_name or "(no name)", room))
    gap = " " * max(0, room - name.cell_length)
    return Content.assemble(
        (f"{clock(record.at)[:5]} ", theme.QUIET), name, gap, " ", (f"{mark}{word}".ljust(_STATUS), style)
    )
