"""Lines that are drawn only where they are seen; RowList and JsonView stand on it.

It knows how many lines there are, which one the cursor is on, and how to draw one; never what they say.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from statsig_tui.tui.widgets.turning import Turning

GUTTER = 3
"""Cells before a line: the cursor's bar, the fold mark, a space."""
_EIGHTHS = 8
"""A cell's parts in which Textual draws a thumb."""
OPEN, FOLDED, PLAIN = "▾", "▸", " "


class LineView(Turning, ScrollView, can_focus=True, inherit_bindings=False):
    """A column of lines with a cursor line and a fixed head above them."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-view--accent"}
    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & > .line-view--accent {
            color: $text-primary;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "up", "Up", show=False, id="list.up"),
        Binding("down,j", "down", "Down", show=False, id="list.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="list.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="list.page_down"),
        Binding("g,home", "top", "First", show=False, id="list.top"),
        Binding("G,end", "bottom", "Last", show=False, id="list.bottom"),
        Binding("enter", "open", "Open", show=False, id="list.open"),
        Binding("right", "unfold", "Unfold", show=False, id="list.unfold"),
        Binding("left", "fold", "Fold", show=False, id="list.fold"),
    ]

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(name=name, id=id, classes=classes)
        self._strips: LRUCache[Hashable, Strip] = LRUCache(1024)
        self._line_count = 0
        self._page = 0
        self._thumb_moves = False
        self._thumb: tuple[int, int, int] | None = None
        """The scrollbar's height, and where its thumb was drawn last and how long, in eighths of a cell."""

    @property
    def head(self) -> int:
        """Lines above the first one that stay when the others scroll."""
        return 0

    @property
    def page(self) -> int:
        """Lines seen at a time."""
        return max(1, self.container_size.height - self.head)

    @property
    def top(self) -> int:
        """The first line seen."""
        return self.scroll_offset.y

    @property
    def line_width(self) -> int:
        """Cells a line has, the gutter included; the scrollbar's column stays free."""
        # Unlike a region, the container's size outlives being hidden: a hidden view can be prepared.
        return max(0, self.container_size.width - self.scrollbar_size_vertical)

    def cursor_line(self) -> int | None:
        """The line the cursor is on; None without lines."""
        raise NotImplementedError

    def go(self, line: int) -> None:
        """Put the cursor on a line, or on the nearest one there is."""
        raise NotImplementedError

    def set_line_count(self, count: int) -> None:
        """Say how many lines there are; the screen is laid out anew only if the scrollbar comes or goes."""
        self._line_count = count
        size = Size(0, count + self.head)
        if size != self.virtual_size:
            # The reactive would lay out the whole screen for every row that arrives.
            self.set_reactive(Widget.virtual_size, size)
            if self.show_vertical_scrollbar and size.height > self.container_size.height > 0:
                self._place_thumb(self.scroll_y)
                self.scroll_y = self.validate_scroll_y(self.scroll_y)
            elif self.container_size:
                self._scroll_update(size)
                self._thumb = None

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Move the scrollbar's thumb along."""
        if self.show_vertical_scrollbar:
            self._place_thumb(new_value)
        super().watch_scroll_y(old_value, new_value)

    def _place_thumb(self, position: float) -> None:
        """Tell the scrollbar where it is; rows that come and the scrolling they cause are one move."""
        bar = self.vertical_scrollbar
        bar.set_reactive(ScrollBar.position, bar.validate_position(position))
        bar.set_reactive(ScrollBar.window_virtual_size, self.virtual_size.height)
        if not self._thumb_moves:
            self._thumb_moves = True
            self.call_later(self._draw_thumb)

    def _draw_thumb(self) -> None:
        """Draw the scrollbar, as tall as the list, only where the move can be seen."""
        self._thumb_moves = False
        bar = self.vertical_scrollbar
        height, whole, seen = bar.size.height, bar.window_virtual_size, bar.window_size
        length = max(1.0, seen * height / whole) if whole else 0.0
        start = (height - length) * bar.position / max(1, whole - seen)
        thumb = (height, int(start * _EIGHTHS), math.ceil(length * _EIGHTHS))
        if thumb != self._thumb:
            self._thumb = thumb
            bar.refresh()

    def scroll_to_line(self, line: int) -> None:
        """Make a line the first one seen, as far as there are lines below it."""
        if self.container_size:
            self.scroll_to(y=line, animate=False, force=True)

    def bring(self, line: int, below: int = 0) -> None:
        """Scroll as little as possible to see a line, and of the `below` next ones what fits."""
        last = min(line + below, line + self.page - 1)
        if line < self.top:
            self.scroll_to_line(line)
        elif last >= self.top + self.page:
            self.scroll_to_line(last - self.page + 1)

    def sees(self, line: int) -> bool:
        """Whether a line is on the screen."""
        return self.top <= line < self.top + self.page

    def repaint_lines(self, *lines: int) -> None:
        """Draw these lines anew, where they are on the screen."""
        width = self.container_size.width
        regions = [Region(0, line - self.top + self.head, width, 1) for line in lines if self.sees(line)]
        if regions:
            self.refresh(*regions)

    def line_at(self, event: events.MouseEvent) -> int | None:
        """The line under the mouse; None on the head, on the border and below the last line."""
        at = event.get_content_offset(self)
        if at is None or at.y < self.head:
            return None
        line = self.top + at.y - self.head
        return line if line < self._line_count else None

    def draw(self, line: Text | Content, style: Style, *, bar: bool = False, mark: str = " ") -> Strip:
        """One line over its gutter, filled in its style to the full width."""
        if isinstance(line, Text):
            segments = list(Segment.apply_style(line.render(self.app.console, end=""), style.rich_style))
        else:
            segments = line.render_segments(style)
        return self.fill(segments, style, bar=bar, mark=mark)

    def fill(self, segments: list[Segment], style: Style, *, bar: bool = False, mark: str = " ") -> Strip:
        """Segments over their gutter, cropped or extended to the full width."""
        rich_style = style.rich_style
        if bar:
            accent = (style + self.get_visual_style("line-view--accent", partial=True)).rich_style
            gutter = [Segment("▌", accent), Segment(f"{mark} ", rich_style)]
        else:
            gutter = [Segment(f" {mark} ", rich_style)]
        line, width = [*gutter, *segments], self.container_size.width
        length = sum(segment.cell_length for segment in line)
        if length <= self.line_width:
            # One strip instead of the three that cropping and extending would make.
            line.append(Segment(" " * (width - length), rich_style))
            return Strip(line, width)
        return Strip(line).crop(0, self.line_width).crop_extend(0, width, rich_style)

    def on_resize(self) -> None:
        """Keep the cursor on the screen if it was."""
        page, self._page = self._page, self.page
        line = self.cursor_line()
        if line is not None and (not page or self.top <= line < self.top + page):
            self.bring(line)

    def action_up(self) -> None:
        """One line up."""
        self.go((self.cursor_line() or 0) - 1)

    def action_down(self) -> None:
        """One line down."""
        self.go((self.cursor_line() or 0) + 1)

    def action_page_up(self) -> None:
        """One screen up."""
        self.go((self.cursor_line() or 0) - self.page)

    def action_page_down(self) -> None:
        """One screen down."""
        self.go((self.cursor_line() or 0) + self.page)

    def action_top(self) -> None:
        """To the first line."""
        self.go(0)

    def action_bottom(self) -> None:
        """To the last line."""
        self.go(self._line_count - 1)

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old styles."""
        super().notify_style_update()
        self._strips.clear()

    def on_focus(self) -> None:
        """The cursor looks different without the focus."""
        self._repaint_cursor()

    def on_blur(self) -> None:
        """The cursor looks different without the focus."""
        self._repaint_cursor()

    def _repaint_cursor(self) -> None:
        line = self.cursor_line()
        if line is not None:
            self.repaint_lines(line)
