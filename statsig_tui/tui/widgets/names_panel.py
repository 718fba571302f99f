"""How many events of each class and name are kept; enter on one asks for a filter of it.

It draws what it was given and knows no store. A line keeps its place while counts change; a name that is
new comes behind the others of its class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.message import Message
from textual.strip import Strip

from statsig_tui.core.event import EventClass
from statsig_tui.core.query import Clause, Query, Value
from statsig_tui.core.repeats import Names
from statsig_tui.tui import theme
from statsig_tui.tui.text import column
from statsig_tui.tui.widgets.capture_rows import CLASSES
from statsig_tui.tui.widgets.line_view import GUTTER, LineView

MOST = 500
"""Names that are listed."""
_COUNT = 9
"""Cells of a count."""
_TOLD_BEHIND = 100
"""Captures that are not counted yet of which nobody need know."""


@dataclass(frozen=True, slots=True)
class _Line:
    event_class: EventClass
    name: str | None
    """None: the line of the class."""


class NamesPanel(LineView):
    """Classes, and below each its names."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"names--cursor", "names--cursor-blurred"}
    DEFAULT_CSS = """
    NamesPanel {
        background: $surface;
        color: $foreground;
        & > .names--cursor {
            background: $primary-muted;
        }
        & > .names--cursor-blurred {
            background: $foreground 8%;
        }
    }
    """

    class Chosen(Message):
        """Only what fits this query is to be shown; again: everything."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes=classes)
        self._lines: list[_Line] = []
        self._counts: dict[_Line, int] = {}
        self._cursor = 0
        self._chosen = ""
        self._told: tuple[int, bool] | None = None

    def load(self, names: Names) -> None:
        """Show these counts."""
        counts = {_Line(kind, None): volume for kind, volume in names.classes.items()}
        counts |= {_Line(each.event_class, each.name): each.volume for each in names.names}
        at = self._lines[self._cursor] if self._cursor < len(self._lines) else None
        place = self._cursor - self.top
        # The dict's order is that of the counts; lines that were there before stay in theirs.
        known = dict.fromkeys(line for line in self._lines if line in counts)
        ordered = [*known, *(line for line in counts if line not in known)]
        lines = [
            line
            for kind in EventClass
            for line in sorted(
                (line for line in ordered if line.event_class is kind), key=lambda line: line.name is not None
            )
        ]
        is_moved = lines != self._lines
        self._lines, self._counts = lines, counts
        self._tell(sum(names.classes.values()), names.behind > _TOLD_BEHIND)
        self._strips.clear()
        if is_moved:
            self._cursor = lines.index(at) if at in counts else min(self._cursor, max(0, len(lines) - 1))
            self.set_line_count(len(lines))
            self.scroll_to_line(max(0, self._cursor - place))
        self.refresh()

    def choose(self, text: str) -> None:
        """Show which of the lines the list is filtered by."""
        if text != self._chosen:
            self._chosen = text
            self._strips.clear()
            self.refresh()

    def cursor_line(self) -> int | None:
        """The line the cursor is on; None without lines."""
        return self._cursor if self._lines else None

    def go(self, line: int) -> None:
        """Put the cursor on a line, or on the nearest one there is."""
        before, self._cursor = self._cursor, max(0, min(line, len(self._lines) - 1))
        self.repaint_lines(before, self._cursor)
        self.bring(self._cursor)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        at = self.top + y
        if at >= len(self._lines):
            return Strip.blank(self.container_size.width, self.visual_style.rich_style)
        is_cursor = at == self._cursor
        drawn_as = (at, is_cursor and (1 + self.has_focus), self.container_size.width)
        strip = self._strips.get(drawn_as)
        if strip is None:
            name = ["names--cursor" if self.has_focus else "names--cursor-blurred"] if is_cursor else []
            line = self._lines[at]
            mark = "●" if self._chosen == query_of(line.event_class, line.name) else " "
            style = self.get_visual_style(*name)
            strip = self._strips[drawn_as] = self.draw(self._text(line), style, bar=is_cursor, mark=mark)
        return strip

    def on_click(self, event: events.Click) -> None:
        """Choose the line."""
        line = self.line_at(event)
        if line is not None:
            self.go(line)
            self.action_open()

    def action_open(self) -> None:
        """Ask for the line's filter."""
        if self._cursor < len(self._lines):
            line = self._lines[self._cursor]
            self.post_message(self.Chosen(query_of(line.event_class, line.name)))

    def _text(self, line: _Line) -> Content:
        room = max(4, self.line_width - GUTTER - _COUNT)
        count = f"{self._counts[line]:>{_COUNT},}"
        if line.name is None:
            words = CLASSES[line.event_class]
            return Content.assemble((column(words, room), theme.QUIET), (count, theme.QUIET))
        name = line.name.removeprefix("statsig::") or "(no name)"
        return Content.assemble((column(f"  {name}", room), ""), (count, ""))

    def _tell(self, total: int, is_behind: bool) -> None:
        if self._told != (total, is_behind):
            self._told = (total, is_behind)
            self.border_title = Content(f"Events  {total:,}")
            self.border_subtitle = Content.styled("counting…" if is_behind else "", theme.QUIET)


def query_of(event_class: EventClass, name: str | None) -> str:
    """The query for the events of a name, or of a class."""
    if name is None:
        return f"class:{event_class.value}"
    return Query(Clause("event", "=", (Value(name, literal=True),))).to_text()
