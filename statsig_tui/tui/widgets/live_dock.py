"""Live's list beside another screen: the same rows, drawn as they arrive. It never takes the keys by itself.

The rows are one for all docks: each draws from them what it shows, and a hidden one does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from statsig_tui.core.records import CaptureRecord
from statsig_tui.tui import theme
from statsig_tui.tui.widgets.capture_rows import CaptureRows, following, header
from statsig_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

T = TypeVar("T")
_PAGE = 500
_EMPTY = "Nothing has arrived yet."


class Source(Protocol):
    """Where rows come from: the bridge to the engine."""

    async def ask(self, question: Callable[[Archive], T]) -> T:
        """Ask the store."""

    def summaries(self, ids: Sequence[int]) -> list[CaptureRecord]:
        """Captures by their ids."""


class DockedRows:
    """All captures, the newest last, as far as they were read."""

    def __init__(self, source: Source) -> None:
        self.rows = CaptureRows(source.summaries)
        self.losses = 0
        """How often rows went, and those behind them changed places."""
        self._source = source
        self._rev: int | None = None

    async def pull(self) -> bool:
        """Take what is new; whether there may be more."""
        if self._rev is None:
            rev = await self._source.ask(lambda archive: archive.rev)
            self.rows.load(await self._source.ask(lambda archive: archive.capture_ids()))
            self._rev = rev
            return False
        rev = self._rev
        found, oldest = await self._source.ask(
            lambda archive: (archive.since(rev, _PAGE), archive.oldest_capture())
        )
        for record in found:
            self.rows.append(record)
        if found:
            self._rev = found[-1].rev
        if self.rows.view.forget_before(oldest):
            self.losses += 1
        return len(found) == _PAGE


class LiveDock(Container):
    """The list; `enter` asks for a capture to be opened in Live, `esc` gives the keys back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]
    DEFAULT_CSS = """
    LiveDock {
        dock: right;
        height: 100%;
        margin: 1 0;
    }
    """

    class Opened(Message):
        """A capture, or an event of one, is to be opened in Live."""

        def __init__(self, capture: int, child: int | None) -> None:
            super().__init__()
            self.capture = capture
            self.child = child

    def __init__(self, docked: DockedRows, ask_again: Callable[[], None]) -> None:
        """`ask_again` has pull() called once more, soon."""
        super().__init__()
        self._docked = docked
        self._ask_again = ask_again
        self._losses = -1
        self._before: Widget | None = None
        """Who had the keys."""

    def compose(self) -> ComposeResult:
        """One list."""
        yield RowList(self._docked.rows, header=header, id="docked", classes="pane")

    @property
    def list(self) -> RowList:
        """The list of captures."""
        return self.query_one(RowList)

    async def pull(self) -> None:
        """Draw what the store holds now."""
        if not self.display or not await self._pulled():
            return
        found = self.list
        found.empty = Content.styled(_EMPTY, theme.QUIET)
        if self._losses != self._docked.losses:
            found.refresh_rows(keep_cursor=self._losses >= 0)
            self._losses = self._docked.losses
        else:
            found.rows_changed()
        self._show_title()

    async def _pulled(self) -> bool:
        """Whether there is still something to draw on."""
        if await self._docked.pull():
            self._ask_again()
        return self.is_attached and bool(self.query(RowList))

    def _show_title(self) -> None:
        count = len(self._docked.rows)
        self.list.border_title = Content(f"Live  {count:,}")
        self.list.border_subtitle = following(self.list) if count else Content()

    @on(RowList.FollowChanged)
    def _follow_changed(self, event: RowList.FollowChanged) -> None:
        event.stop()
        self._show_title()

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        # The screens look at highlighted rows of lists of their own.
        event.stop()

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.post_message(self.Opened(event.key, event.child))

    def enter(self, before: Widget | None) -> None:
        """Take the keys from who has them."""
        self._before = before
        self.list.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The way back is drawn in the footer."""
        self.screen.refresh_bindings()

    def action_leave(self) -> None:
        """Give the keys back to who had them, or to who comes next."""
        before, self._before = self._before, None
        if before is not None and before.is_attached and before.focusable:
            before.focus()
        else:
            self.screen.focus_next()
