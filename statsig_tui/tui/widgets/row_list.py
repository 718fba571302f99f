"""A list that keeps up with anything: it draws the rows on the screen and holds none of the others.

It follows the newest row or holds still; what is under the cursor never moves by itself. It knows
neither events nor the engine: rows come from a Rows, what the user does leaves as messages.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import RenderOptions

from statsig_tui.tui.widgets.line_view import FOLDED, GUTTER, OPEN, PLAIN, LineView
from statsig_tui.tui.widgets.rows import Rows, Unfolded

__all__ = ["RowList", "Rows"]

INDENT = 2
"""Cells by which the lines below a row are set in."""
_Drawn = tuple[int, int | None, int]


class RowList(LineView):
    """Rows of a Rows, with a cursor, unfolding, and follow or hold."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-list--cursor",
        "row-list--cursor-blurred",
        "row-list--header",
        "row-list--child",
    }
    DEFAULT_CSS = """
    RowList {
        background: $surface;
        color: $foreground;
        & > .row-list--cursor {
            background: $primary-muted;
        }
        & > .row-list--cursor-blurred {
            background: $foreground 8%;
        }
        & > .row-list--header {
            color: $text-muted;
        }
        & > .row-list--child {
            color: $foreground 80%;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "hold", "Hold / follow", show=False, id="list.hold"),
    ]

    follow: reactive[bool] = reactive(True, repaint=False, init=False)
    """Whether the cursor stays on the newest row; setting it goes there."""

    class _RowMessage(Message):
        def __init__(self, row_list: RowList) -> None:
            super().__init__()
            self.row_list = row_list

        @property
        def control(self) -> RowList:
            return self.row_list

    class Highlighted(_RowMessage):
        """The cursor is on another row, or another line below it; key is None when there are no rows."""

        def __init__(self, row_list: RowList, key: int | None, child: int | None) -> None:
            super().__init__(row_list)
            self.key = key
            self.child = child

    class Opened(_RowMessage):
        """Enter, or a click on the line under the cursor."""

        def __init__(self, row_list: RowList, key: int, child: int | None) -> None:
            super().__init__(row_list)
            self.key = key
            self.child = child

    class FollowChanged(_RowMessage):
        """The list follows or holds now, or more rows than before came since it holds."""

        def __init__(self, row_list: RowList, following: bool, behind: int) -> None:
            super().__init__(row_list)
            self.following = following
            self.behind = behind

    def __init__(
        self,
        rows: Rows,
        *,
        header: Callable[[int], Text | Content] | None = None,
        empty: Content | None = None,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.rows = rows
        self.header = header
        self.empty = empty or Content()
        self._count = 0
        self._open_keys: set[int] = set()
        self._unfolded = Unfolded()
        self._row = 0
        self._child: int | None = None
        self._key: int | None = None
        self._chosen: int | None = None  # where the cursor comes back to when a filter shows it again
        self._told: tuple[int | None, int | None] = (None, None)
        self._told_follow = (True, 0)
        self._held_row = -1
        self._held_key: int | None = None
        self._drawn: dict[int, _Drawn] = {}

    @property
    def head(self) -> int:
        """One line if there are a header and rows under it."""
        return 1 if self.header is not None and self._count else 0

    @property
    def cursor(self) -> tuple[int, int | None] | None:
        """Key, and line below it, under the cursor; None without rows."""
        return (self._key, self._child) if self._count and self._key is not None else None

    @property
    def held_count(self) -> int:
        """Rows that came since the list holds; 0 while it follows."""
        return 0 if self.follow else max(0, self._count - 1 - self._held_row)

    def cursor_line(self) -> int | None:
        """The line the cursor is on; None without rows."""
        return self._unfolded.line(self._row, self._child) if self._count else None

    def row_at(self, line: int) -> tuple[int, int | None]:
        """The row that a line belongs to, and which line below it that is."""
        return self._unfolded.at(line)

    def go(self, line: int) -> None:
        """Put the cursor on a line; on the newest row, follow."""
        if not self._count:
            return
        row, child = self._unfolded.at(max(0, min(line, self._line_count - 1)))
        self._to(row, child)
        self.follow = row == self._count - 1 and child is None
        self._tell()

    def go_to(self, key: int, child: int | None = None) -> bool:
        """Put the cursor on a row, or on a line below it, and hold there; False where it is not shown.

        It is held because it is not to be taken away by the next row.
        """
        row = self._after(key) - 1
        if row < 0 or self.rows.key(row) != key:
            return False
        self.follow = False
        self._to(row)
        if child is not None:
            if row not in self._unfolded:
                self.action_unfold()
            self._child = child
            self._clamp_child()
            self._to(row, self._child)
        self._tell()
        return True

    def rows_changed(self) -> None:
        """Rows were appended or are drawn differently; costs what is visible, however often it is called."""
        count = len(self.rows)
        if count < self._count or not self._count:
            self.refresh_rows()
            return
        anchor, place = self._anchor()
        self._count = count
        if self._unfolded.rows:
            self._unfolded = self._counted(self._unfolded.rows)
            self._clamp_child()
        if self.follow:
            self._row, self._child = count - 1, None
            self._key = self._chosen = self.rows.key(self._row)
        self.set_line_count(count + self._unfolded.children)
        if self.follow:
            self._bring_cursor()
        else:
            self._hold_still(anchor, place)
        self._repaint_changed()
        self._tell()

    def redraw(self) -> None:
        """Draw what is seen anew: rows look different, and are the same."""
        self._strips.clear()
        self.refresh()

    def refresh_rows(self, keep_cursor: bool = True) -> None:
        """The rows are others now, filtered or replaced: stay on the same key or the nearest one.

        Without keep_cursor the list goes to the newest row and follows.
        """
        line = self.cursor_line()
        top_key = None
        if line is not None and not self.sees(line) and self.head in self._drawn:
            top_key = self._drawn[self.head][0]
        place = line - self.top if line is not None and top_key is None else 0
        count = self._count = len(self.rows)
        self._strips.clear()
        self._unfolded = self._counted(sorted(self._rows_of(self._open_keys)))
        if not keep_cursor:
            self.set_reactive(RowList.follow, True)
        if count:
            if self._held_key is not None:
                self._held_row = self._after(self._held_key) - 1
            row = count - 1 if self.follow or self._chosen is None else self._nearest(self._chosen)
            key = self.rows.key(row)
            if key != self._key or self.follow:
                self._child = None
            self._row, self._key = row, key
            if self.follow or self._chosen is None:
                self._chosen = key
            self._clamp_child()
        self.set_line_count(count + self._unfolded.children)
        if count and self.follow:
            self._bring_cursor()
        elif count:
            anchor = (self._row, self._child) if top_key is None else (self._nearest(top_key), None)
            self._hold_still(anchor, place)
        self.refresh()
        self._tell()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self.line_width
        if not self._count:
            return self._empty_line(y)
        if y < self.head and self.header is not None:
            return self.draw(self.header(width - GUTTER), self.get_visual_style("row-list--header"))
        line = self.top + y - self.head
        if line >= self._line_count:
            return Strip.blank(self.container_size.width, self.visual_style.rich_style)
        row, child = self._unfolded.at(line)
        key, revision = self.rows.key(row), self.rows.revision(row)
        self._drawn[y] = (key, child, revision)
        is_cursor = row == self._row and child == self._child
        mark = PLAIN if child is not None else OPEN if row in self._unfolded else PLAIN
        if is_cursor and mark is PLAIN and child is None and self.rows.children(row):
            mark = FOLDED
        state = (self.has_focus if is_cursor else None, mark)
        drawn_as = (key, child, revision, state, width, self.container_size.width)
        strip = self._strips.get(drawn_as)
        if strip is None:
            strip = self._strips[drawn_as] = self._draw_row(row, child, is_cursor, mark, width - GUTTER)
        return strip

    def watch_follow(self, follow: bool) -> None:
        """Go to the newest row, or remember it to count from."""
        if follow:
            self._to(self._count - 1)
        elif self._count:
            self._held_row = self._count - 1
            self._held_key = self.rows.key(self._held_row)
        else:
            self._held_row, self._held_key = -1, None
        self._tell()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Hold when the wheel or the scrollbar takes the newest row off the screen."""
        super().watch_scroll_y(old_value, new_value)
        line = self.cursor_line()
        if self.follow and line is not None and not self.sees(line):
            self.follow = False

    def on_mount(self) -> None:
        """Show what is there already."""
        self.refresh_rows(keep_cursor=False)

    def on_click(self, event: events.Click) -> None:
        """Select; open what is selected already; fold or unfold on the mark."""
        line = self.line_at(event)
        if line is None:
            return
        at = event.get_content_offset(self)
        row, child = self._unfolded.at(line)
        if at is not None and 0 < at.x < GUTTER and child is None and self.rows.children(row):
            self.go(line)
            (self.action_fold if row in self._unfolded else self.action_unfold)()
        elif line == self.cursor_line():
            self.action_open()
        else:
            self.go(line)

    def action_bottom(self) -> None:
        """To the newest row, and follow."""
        self._to(self._count - 1)
        self.follow = True
        self._tell()

    def action_open(self) -> None:
        """Tell that the line under the cursor is to be opened."""
        if self.cursor is not None:
            self.post_message(self.Opened(self, *self.cursor))

    def action_unfold(self) -> None:
        """Show the lines below the row; go to the first one if they are shown."""
        if not self._count or self._child is not None:
            return
        if self._row in self._unfolded:
            self.go(self._unfolded.line(self._row, 0))
        elif self.rows.children(self._row) and self._key is not None:
            # Who unfolds wants to read: the next row must not take the cursor away.
            self.follow = False
            self._open_keys.add(self._key)
            self._fold([*self._unfolded.rows, self._row])
            self._bring_cursor()

    def action_fold(self) -> None:
        """Hide the lines below the row; from one of them go to the row."""
        if self._child is not None:
            self.go(self._unfolded.line(self._row))
        elif self._count and self._row in self._unfolded and self._key is not None:
            self._open_keys.discard(self._key)
            self._fold([row for row in self._unfolded.rows if row != self._row])
            self.follow = self.follow or self._row == self._count - 1
            self._bring_cursor()

    def action_hold(self) -> None:
        """Hold here, or follow again."""
        self.follow = not self.follow

    def _draw_row(self, row: int, child: int | None, is_cursor: bool, mark: str, width: int) -> Strip:
        names = [] if child is None else ["row-list--child"]
        if is_cursor:
            names.append("row-list--cursor" if self.has_focus else "row-list--cursor-blurred")
        style = self.get_visual_style(*names)
        if child is None:
            return self.draw(self.rows.line(row, width), style, bar=is_cursor, mark=mark)
        below = self.rows.child(row, child, width - INDENT)
        return self.draw(below, style, bar=is_cursor, mark=" " * (1 + INDENT))

    def _empty_line(self, y: int) -> Strip:
        style = self.visual_style
        options = RenderOptions(self._get_style, {})
        shown = self.empty.render_strips(max(1, self.line_width - GUTTER), None, style, options)
        return self.fill(list(shown[y]) if y < len(shown) else [], style)

    def _to(self, row: int, child: int | None = None) -> None:
        before = self.cursor_line()
        if before is None:
            return
        self._row, self._child = row, child
        self._key = self._chosen = self.rows.key(row)
        self.repaint_lines(before, self._unfolded.line(row, child))
        self._bring_cursor()

    def _bring_cursor(self) -> None:
        line = self._unfolded.line(self._row, self._child)
        opened = self._child is None and self._row in self._unfolded
        self.bring(line, self.rows.children(self._row) if opened else 0)

    def _anchor(self) -> tuple[tuple[int, int | None], int]:
        """What must not move, the cursor or else the first line seen, and where on the screen it is."""
        line = self._unfolded.line(self._row, self._child)
        if self.sees(line):
            return (self._row, self._child), line - self.top
        return self._unfolded.at(self.top), 0

    def _hold_still(self, anchor: tuple[int, int | None], place: int) -> None:
        top = max(0, self._unfolded.line(*anchor) - place)
        if top != self.top:
            self.scroll_to_line(top)

    def _fold(self, unfolded: list[int]) -> None:
        self._unfolded = self._counted(sorted(unfolded))
        self.set_line_count(self._count + self._unfolded.children)
        self.refresh()

    def _counted(self, rows: Iterable[int]) -> Unfolded:
        counted = ((row, self.rows.children(row)) for row in rows)
        return Unfolded((row, children) for row, children in counted if children)

    def _clamp_child(self) -> None:
        if self._child is not None:
            below = self.rows.children(self._row) if self._row in self._unfolded else 0
            self._child = min(self._child, below - 1) if below else None

    def _rows_of(self, keys: Iterable[int]) -> Iterable[int]:
        for key in keys:
            row = self._after(key) - 1
            if row >= 0 and self.rows.key(row) == key:
                yield row

    def _after(self, key: int) -> int:
        return bisect_right(range(self._count), key, key=self.rows.key)

    def _nearest(self, key: int) -> int:
        after = self._after(key)
        if after == 0 or after == self._count:
            return max(0, after - 1)
        return after - 1 if key - self.rows.key(after - 1) <= self.rows.key(after) - key else after

    def _repaint_changed(self) -> None:
        top, head = self.top, self.head
        changed: list[int] = []
        for line in range(top, min(top + self.page, self._line_count)):
            row, child = self._unfolded.at(line)
            drawn = (self.rows.key(row), child, self.rows.revision(row))
            if self._drawn.get(line - top + head) != drawn:
                changed.append(line)
        if len(changed) > self.page // 2:
            self.refresh()
        else:
            self.repaint_lines(*changed)

    def _tell(self) -> None:
        at = self.cursor or (None, None)
        if at != self._told:
            self._told = at
            self.post_message(self.Highlighted(self, *at))
        state = (self.follow, self.held_count)
        if state != self._told_follow:
            self._told_follow = state
            self.post_message(self.FollowChanged(self, *state))
