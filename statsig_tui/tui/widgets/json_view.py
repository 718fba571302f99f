"""A body of any size as a tree, as its text, or as hex; only the lines on the screen are drawn.

The head of a large body is there at once, and a thread prepares the rest. What is no JSON is shown
raw, with the place where it breaks.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from typing import ClassVar

from rich.segment import Segment
from textual import events, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from statsig_tui.tui.privacy import is_private
from statsig_tui.tui.text import fit
from statsig_tui.tui.widgets.json_find import Search, uncover
from statsig_tui.tui.widgets.json_lines import Body, Folds, read, read_head
from statsig_tui.tui.widgets.json_pieces import Piece, TreeText, copied, hex_columns, path, shown, wrapped
from statsig_tui.tui.widgets.json_views import AT_ONCE, HexRows, Notes, RawRows, tree_pieces
from statsig_tui.tui.widgets.line_view import LineView

VIEWS = ("tree", "raw", "hex")
_MARGIN = 2


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
        "json-view--note",
        "json-view--odd",
        "json-view--found",
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
            color: $foreground-muted;
        }
        & > .json-view--notice {
            color: $text-error;
        }
        & > .json-view--note {
            color: $foreground-muted;
        }
        & > .json-view--odd {
            color: $text-warning;
        }
        & > .json-view--found {
            background: $warning;
            color: $background;
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
        Binding("slash", "find", "Find in it", id="body.find"),
        Binding("n", "hit(1)", "Next place", show=False, id="body.next"),
        Binding("N", "hit(-1)", "Former place", show=False, id="body.previous"),
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

    class FindAsked(Message):
        """Somebody wants to find a text in the body."""

    class Found(Message):
        """How many places of a text there are, and which of them is gone to; 0: none, or none yet."""

        def __init__(self, at: int, total: int, is_done: bool) -> None:
            super().__init__()
            self.at = at
            self.total = total
            self.is_done = is_done

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.raw = b""
        self._bytes = b""
        """What hex shows: the body as it was received."""
        self._notes: Notes | None = None
        self.can_find = False
        """Whether there is a line to find a text with."""
        self._search: Search | None = None
        self._way: int | None = None
        """Where to go once the text has been looked through; None: nowhere."""
        self._found_at: tuple[str, int] | None = None
        """The view and line that was gone to last."""
        self._body = read(b"")
        self._tree: TreeText | None = None
        self._rows = RawRows("", 0)
        self._cursor = 0
        self._wanted: int | None = None  # the place in the text to keep through views, until the cursor moves
        self._told_view = "tree"
        self._is_whole = True

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

    def load(self, raw: bytes, notes: Notes | None = None, received: bytes | None = None) -> None:
        """Show a body, from its beginning; `notes` says what stands beside the lines of its tree.

        `received` are the bytes that it was unpacked from, which hex shows.
        """
        self.raw = raw
        self._bytes = raw if received is None else received
        self._notes = notes
        self._is_whole = len(raw) <= AT_ONCE
        self.workers.cancel_node(self)
        self._way = None
        self._rows = RawRows("", 0)
        if not self._is_whole:
            self._prepare(raw)
        self._take(read(raw) if self._is_whole else read_head(raw[:AT_ONCE]))
        self._cursor, self._wanted = 0, None
        self._count()
        self.scroll_to_line(0)

    def value_at_cursor(self) -> str:
        """What the cursor is on: a string's text, another value as it is spelled, or the row."""
        index = self._index()
        if index is not None and self._body.folds is not None:
            return copied(self._body.folds.tree.source(index))
        if self.shown_view == "hex":
            return self._hex().row(self._cursor)
        return shown(self._rows.row(self._cursor))

    def path_at_cursor(self) -> str:
        """Where the cursor is, as in data[0].user.userID; empty for the whole value."""
        folds = self._body.folds
        if folds is None or not len(folds.tree):
            return ""
        index = self._index()
        return path(folds.tree, folds.tree.at(self._offset(self.shown_view)) if index is None else index)

    @property
    def has_value(self) -> bool:
        """Whether the cursor is on a value of a tree."""
        return self._index() is not None

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
            return Strip.blank(self.container_size.width, self.visual_style.rich_style)
        is_cursor = line == self._cursor
        looks = (is_cursor and (1 + self.has_focus), is_private(self))
        drawn_as = (line, looks, width, self.container_size.width)
        strip = self._strips.get(drawn_as)
        if strip is None:
            strip = self._strips[drawn_as] = self._paint(list(self._pieces(line, width)), is_cursor)
        return strip

    def watch_view(self, old: str, new: str) -> None:
        """Keep the place in the body."""
        if self._shown(old) != self._shown(new):
            if self._wanted is None:
                self._wanted = self._offset(self._shown(old))
            self._count(jump=True)
        self._tell()

    def validate_view(self, view: str) -> str:
        """There are no other views."""
        return view if view in VIEWS else "tree"

    def on_resize(self) -> None:
        """Keep the place in the body, which has other rows at another width."""
        if self._wanted is None and self._cursor:
            self._wanted = self._offset(self.shown_view)
        self._count()

    def on_click(self, event: events.Click) -> None:
        """Select; fold or unfold what is selected already, or on its mark."""
        line = self.line_at(event)
        at = event.get_content_offset(self)
        if line is None or at is None:
            return
        again = line == self._cursor
        self.go(line)
        index = self._index()
        if index is None or self._tree is None:
            return
        if again or at.x - _MARGIN == self._tree.mark_column(index):
            self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The view that is shown needs no key; a tree that cannot be has none."""
        if action == "find":
            return self.can_find
        if action == "hit":
            return self._search is not None and not self._is_packed
        if action != "view":
            return True
        return parameters != (self.shown_view,) and (parameters != ("tree",) or self._body.folds is not None)

    def find(self, wanted: str, way: int) -> None:
        """Go to a text: 0 from here on, 1 the next, -1 the one before; Found says what that came to."""
        search = self._search
        if search is None or search.wanted != wanted or search.text is not self._body.text:
            search = Search(wanted, self._body.text)
        self._way = way
        self._look_for(search)

    def action_find(self) -> None:
        """Ask for a text."""
        if self._is_packed:
            self.view = "tree"
        self.post_message(self.FindAsked())

    def action_hit(self, way: int) -> None:
        """Go on to the next place of the text, or back to the one before."""
        if self._search is not None:
            self.find(self._search.wanted, way)

    def action_view(self, view: str) -> None:
        """Show the body as a tree, raw, or hex."""
        self.view = view

    def action_next_view(self) -> None:
        """Go through the views."""
        views = [view for view in VIEWS if self._shown(view) == view]
        self.view = views[(views.index(self.shown_view) + 1) % len(views)]

    def action_open(self) -> None:
        """Fold or unfold a container, or a value that is too long for its line; a huge one is shown raw."""
        index, tree = self._index(), self._tree
        if index is None or tree is None:
            return
        if tree.tree.stop(index) > index + 1:
            tree.folds.toggle(index)
        elif index in tree.folds.opened:
            tree.folds.open(index, None)
        elif len(tree.tree.source(index)) > AT_ONCE:
            self.view = "raw"
            return
        elif tree.is_long(index):
            tree.open(index)
        else:
            return
        self._cursor, self._wanted = tree.folds.shown(index), None
        self._count()
        stop = bisect_left(tree.folds.lines, tree.tree.stop(index))
        self.bring(self._cursor, stop - self._cursor - 1)

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

    @work(group="json-view-body")
    async def _prepare(self, raw: bytes) -> None:
        body = await asyncio.to_thread(read, raw)
        before = self._body.folds
        if body.folds is not None and before is not None and (before.toggled or before.opened):
            body = body._replace(folds=Folds(body.folds.tree, before.toggled, before.opened))
        if self._wanted is None:
            self._wanted = self._offset(self.shown_view)
        self._is_whole = True
        self._take(body)
        self._count()

    def _look_for(self, search: Search) -> None:
        if search is not self._search:
            self._found_at = None
        self._search = search if search.wanted else None
        self.workers.cancel_group(self, "json-view-search")
        if not search.is_done:
            search.look()
        if search.is_done:
            self._looked(search)
        else:
            self._look_on(search)

    @work(group="json-view-search", exclusive=True)
    async def _look_on(self, search: Search) -> None:
        self.post_message(self.Found(0, 0, False))
        while not search.is_done:
            # A thread would hold up the keys as much: a search lets nothing run beside it.
            await asyncio.sleep(0)
            search.look()
        self._looked(search)

    def _looked(self, search: Search) -> None:
        self._strips.clear()
        self.refresh()
        if self._way is not None:
            is_there = self._found_at == (self.shown_view, self._cursor)
            place = search.go(self._way, None if is_there else self._offset(self.shown_view))
            self._way = None
            if place is not None:
                if self.shown_view == "tree" and self._tree is not None:
                    uncover(self._tree, place)
                self._wanted = place
                self._count(jump=True)
                self.bring(self._cursor)
                self._found_at = (self.shown_view, self._cursor)
        self.post_message(self.Found(*search.counted, True))

    @property
    def _is_packed(self) -> bool:
        """Whether other bytes than those of the text are looked at."""
        return self.shown_view == "hex" and self._bytes is not self.raw

    @work(group="json-view-rows", exclusive=True)
    async def _wrap_all(self, rows: RawRows) -> None:
        starts = await asyncio.to_thread(wrapped, rows.text, rows.width)
        if rows is self._rows:
            rows.take_all(starts)
            self._count()

    def _take(self, body: Body) -> None:
        self._body = body
        self._tree = None
        if self._search is not None:
            self._look_for(Search(self._search.wanted, body.text))
        self._tell()

    def _count(self, jump: bool = False) -> None:
        """Say how many lines there are in this view, at this width, and put the cursor where it is wanted."""
        width, view, folds = self._width(), self.shown_view, self._body.folds
        if width <= 0:
            return
        self._strips.clear()
        seen = self.sees(self._cursor)
        place = self._cursor - self.top if seen else self.page // 3
        is_ready = self._is_whole
        if view == "tree" and folds is not None:
            if self._tree is None or self._tree.width != width:
                self._tree = TreeText(folds, width)
            count = len(folds) + (not is_ready)
        elif view == "raw":
            self._wrap(width)
            is_ready = is_ready and self._rows.is_whole
            count = len(self._rows) + (not is_ready)
        else:
            count = len(self._hex())
        self.set_line_count(count)
        if self._wanted is not None:
            self._cursor = self._line_of(view, self._wanted)
            if seen or jump:
                self.scroll_to_line(max(0, self._cursor - place))
        self._cursor = max(0, min(self._cursor, count - 1))
        self.refresh()

    def _wrap(self, width: int) -> None:
        text = self._body.text
        if self._rows.text is not text or self._rows.width != width:
            self._rows = RawRows(text, width)
            if not self._rows.is_whole:
                self._wrap_all(self._rows)

    def _tell(self) -> None:
        if self.shown_view != self._told_view:
            self._told_view = self.shown_view
            self.post_message(self.ViewChanged(self, self.shown_view))
        if self.has_focus:
            # The footer shows these keys only then; drawing it anew lays out the whole screen.
            self.refresh_bindings()

    def _shown(self, view: str) -> str:
        return "raw" if view == "tree" and self._body.folds is None else view

    def _width(self) -> int:
        return self.line_width - _MARGIN

    def _hex(self) -> HexRows:
        return HexRows(self._bytes, hex_columns(self._width()))

    def _index(self) -> int | None:
        """The line of the tree under the cursor."""
        if self.shown_view != "tree" or self._tree is None or self._cursor >= len(self._tree.folds):
            return None
        return self._tree.folds.lines[self._cursor]

    def _offset(self, view: str) -> int:
        """Where in the text the cursor is."""
        if view == "tree" and self._tree is not None and len(self._tree.folds):
            return self._tree.offset(self._cursor)
        if view == "raw":
            return self._rows.offset(self._cursor)
        if view == "hex" and self._width() > 0 and self._bytes is self.raw:
            return self._hex().offset(self._cursor)
        return 0

    def _line_of(self, view: str, offset: int) -> int:
        if view == "tree" and self._tree is not None:
            return self._tree.line_of(offset)
        if view == "raw":
            return self._rows.line_of(offset)
        return self._hex().line_of(self._body.text, offset) if self._bytes is self.raw else 0

    def _pieces(self, line: int, width: int) -> Iterator[Piece]:
        view, hides = self.shown_view, is_private(self)
        if view == "hex":
            return self._hex().pieces(line, hides=hides)
        if view == "tree" and self._tree is not None and line < len(self._tree.folds):
            return tree_pieces(self._tree, line, width, self._search, self._notes, hides=hides)
        if view == "raw" and line < len(self._rows):
            return self._rows.pieces(line, self._search, hides=hides)
        return iter([("preparing…", "punctuation")])

    def _paint(self, pieces: list[Piece], is_cursor: bool) -> Strip:
        name = ["json-view--cursor" if self.has_focus else "json-view--cursor-blurred"] if is_cursor else []
        style = self.get_visual_style(*name)
        styles = {
            # A partial style has no background, which is all that a found text is known by.
            kind: (style + self.get_visual_style(f"json-view--{kind}", partial=kind != "found")).rich_style
            for kind in {kind for _, kind in pieces if kind}
        } | {"": style.rich_style}
        segments = [Segment(text, styles[kind]) for text, kind in pieces if text]
        return self.fill(segments, style, bar=is_cursor, mark="")
