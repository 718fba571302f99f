"""A body of any size as a tree, as its text, or as hex; only the lines on the screen are drawn.

The head of a large body is there at once, and a thread prepares the rest. What is no JSON is shown
raw, with the place where it breaks.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from statsig_tui.tui.text import fit
from statsig_tui.tui.widgets.json_lines import Folds, JsonTree, NotJsonError, shown, wrapped
from statsig_tui.tui.widgets.json_pieces import Piece, TreeText, copied, hex_columns, hex_pieces, path, row_at
from statsig_tui.tui.widgets.line_view import LineView

AT_ONCE = 64 * 1024
"""Bytes, or characters, that are prepared before the next frame; the rest of a larger body follows."""
VIEWS = ("tree", "raw", "hex")
_MARGIN = 2


class _Body(NamedTuple):
    text: str
    folds: Folds | None
    broken: str


class JsonView(LineView):
    """A viewer with a cursor line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "json-view--key",
        "json-view--string",
        "json-view--number",
        "json-view--bool",
        "json-view--null",
        "json-view--punctuation",
        "json-view--notice",
        "json-view--cursor",
        "json-view--cursor-blurred",
    }
    DEFAULT_CSS = """
    JsonView {
        background: $surface;
        color: $foreground;
        & > .json-view--key {
            color: $text-primary;
        }
        & > .json-view--string {
            color: $text-success;
        }
        & > .json-view--number {
            color: $text-warning;
        }
        & > .json-view--bool {
            color: $text-accent;
        }
        & > .json-view--null {
            color: $text-accent;
            text-style: italic;
        }
        & > .json-view--punctuation {
            color: $foreground 50%;
        }
        & > .json-view--notice {
            color: $text-error;
        }
        & > .json-view--cursor {
            background: $primary-muted;
        }
        & > .json-view--cursor-blurred {
            background: $foreground 8%;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "open", "Fold / unfold", show=False, id="body.toggle"),
        Binding("t", "view('tree')", "Tree", id="body.tree"),
        Binding("w", "view('raw')", "Raw", id="body.raw"),
        Binding("h", "view('hex')", "Hex", id="body.hex"),
        Binding("v", "next_view", "Next view", show=False, id="body.next_view"),
    ]

    view: reactive[str] = reactive("tree", repaint=False, init=False)
    """The view that is wished for: tree, raw or hex. It stays from body to body."""

    class ViewChanged(Message):
        """Another view is shown, or the body is prepared and found to be no JSON."""

        def __init__(self, json_view: JsonView, view: str) -> None:
            super().__init__()
            self.json_view = json_view
            self.view = view

        @property
        def control(self) -> JsonView:
            return self.json_view

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.raw = b""
        self._body = _digest(b"")
        self._tree: TreeText | None = None
        self._rows = array("i")
        self._rows_width = 0
        self._cursor = 0
        self._wanted: int | None = None
        self._told_view = "tree"
        self._is_whole = True
        self._has_all_rows = True

    @property
    def head(self) -> int:
        """One line for what is wrong with the body."""
        return 1 if self.broken and self.shown_view == "raw" else 0

    @property
    def broken(self) -> str:
        """Why the body is no tree; empty if it is one."""
        return self._body.broken

    @property
    def shown_view(self) -> str:
        """The view that is shown: raw in place of a tree that cannot be."""
        return self._shown(self.view)

    def load(self, raw: bytes) -> None:
        """Show a body, from its beginning."""
        self.raw = raw
        self._is_whole = len(raw) <= AT_ONCE
        self.workers.cancel_node(self)
        if not self._is_whole:
            self.run_worker(self._prepare(raw), group="json-view-body")
        self._take(_digest(raw) if self._is_whole else _digest_head(raw))
        self._cursor, self._wanted = 0, None
        self._count()
        self.scroll_to_line(0)

    def value_at_cursor(self) -> str:
        """What the cursor is on: a string's text, another value as it is spelled, or the row."""
        index = self._index()
        if index is not None and self._body.folds is not None:
            return copied(self._body.folds.tree.source(index))
        if self.shown_view == "hex":
            count = self._hex_columns()
            return self.raw[self._cursor * count :][:count].hex(" ")
        return shown(self._raw_row(self._cursor))

    def path_at_cursor(self) -> str:
        """Where the cursor is, as in data[0].user.userID; empty for the whole value."""
        folds = self._body.folds
        if folds is None or not len(folds.tree):
            return ""
        index = self._index()
        return path(folds.tree, folds.tree.at(self._offset(self.shown_view)) if index is None else index)

    def cursor_line(self) -> int | None:
        """The line the cursor is on; None without lines."""
        return self._cursor if self._line_count else None

    def go(self, line: int) -> None:
        """Put the cursor on a line, or on the nearest one there is."""
        before, self._cursor = self._cursor, max(0, min(line, self._line_count - 1))
        self._wanted = None
        self.repaint_lines(before, self._cursor)
        self.bring(self._cursor)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self._width()
        if y < self.head:
            return self._paint([(fit(self.broken, width), "notice")], False)
        line = self.top + y - self.head
        if line >= self._line_count or width <= 0:
            return Strip.blank(self.content_region.width, self.visual_style.rich_style)
        is_cursor = line == self._cursor
        drawn_as = (line, is_cursor and (1 + self.has_focus), width, self.content_region.width)
        strip = self._strips.get(drawn_as)
        if strip is None:
            strip = self._strips[drawn_as] = self._paint(list(self._pieces(line, width)), is_cursor)
        return strip

    def watch_view(self, old: str, new: str) -> None:
        """Keep the place in the body."""
        if self._shown(old) != self._shown(new):
            self._wanted = self._offset(self._shown(old))
            self._count()
        self._tell()

    def validate_view(self, view: str) -> str:
        """There are no other views."""
        return view if view in VIEWS else "tree"

    def on_resize(self) -> None:
        """Keep the place in the body, which has other rows at another width."""
        self._wanted = self._offset(self.shown_view) if self._wanted is None and self._cursor else self._wanted
        self._count()
        super().on_resize()

    def on_click(self, event: events.Click) -> None:
        """Select; fold or unfold what is selected already, or on its mark."""
        line = self.line_at(event)
        at = event.get_content_offset(self)
        if line is None or at is None:
            return
        again = line == self._cursor
        self.go(line)
        index = self._index()
        if index is not None and self._tree is not None:
            if again or at.x - _MARGIN == self._tree.mark_column(index):
                self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The view that is shown needs no key; a tree that cannot be has none."""
        if action != "view":
            return True
        return parameters != (self.shown_view,) and (parameters != ("tree",) or self._body.folds is not None)

    def action_view(self, view: str) -> None:
        """Show the body as a tree, raw, or hex."""
        self.view = view

    def action_next_view(self) -> None:
        """Go through the views."""
        views = [view for view in VIEWS if self._shown(view) == view]
        self.view = views[(views.index(self.shown_view) + 1) % len(views)]

    def action_open(self) -> None:
        """Fold or unfold a container, or a value that is too long for its line."""
        index, tree = self._index(), self._tree
        if index is None or tree is None:
            return
        if tree.tree.stop(index) > index + 1:
            tree.folds.toggle(index)
        elif index in tree.folds.opened:
            tree.folds.open(index, None)
        elif tree.is_long(index):
            tree.open(index)
        else:
            return
        self._cursor = tree.folds.shown(index)
        self._strips.clear()
        self._count()
        below = range(self._cursor + 1, len(tree.folds))
        end = tree.tree.stop(index)
        self.bring(self._cursor, next((n for n, at in enumerate(below) if tree.folds.lines[at] >= end), len(below)))

    def action_unfold(self) -> None:
        """Unfold; go to the first line below if it is unfolded."""
        index, tree = self._index(), self._tree
        if index is None or tree is None:
            return
        if tree.tree.stop(index) > index + 1 and not tree.folds.is_folded(index):
            self.go(self._cursor + 1)
        elif index not in tree.folds.opened:
            self.action_open()

    def action_fold(self) -> None:
        """Fold; from what cannot be folded go to the container it is in."""
        index, tree = self._index(), self._tree
        if index is None or tree is None:
            return
        is_unfolded = tree.tree.stop(index) > index + 1 and not tree.folds.is_folded(index)
        if is_unfolded or index in tree.folds.opened:
            self.action_open()
        elif (parent := tree.tree.parent(index)) >= tree.folds.lines[0]:
            self.go(tree.folds.shown(parent))

    async def _prepare(self, raw: bytes) -> None:
        toggled = self._body.folds.toggled if self._body.folds is not None else set()
        body = await asyncio.to_thread(_digest, raw)
        before = self._body.folds
        if before is not None and body.folds is not None and (before.toggled or before.opened):
            opened = before.opened
            body = body._replace(folds=Folds(body.folds.tree, before.toggled))
        self._wanted = self._offset(self.shown_view) if self._wanted is None else self._wanted
        self._is_whole = True
        self._take(body)
        self._count()
