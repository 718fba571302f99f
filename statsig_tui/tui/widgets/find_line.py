"""One line to find a text in the editor above it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from statsig_tui.tui.widgets.at_once import LineInput


class FindLine(Horizontal):
    """Says what is looked for; whoever holds the text looks."""

    DEFAULT_CSS = """
    FindLine {
        height: 1;
        dock: bottom;
        background: $panel;
        Input {
            width: 1fr;
            background: $panel;
        }
        #find-mark {
            width: 7;
            padding: 0 1;
            color: $text-muted;
        }
        #find-count {
            width: auto;
            padding: 0 1;
            color: $text-muted;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "go(1)", "Next", show=False, priority=True),
        Binding("up,shift+enter", "go(-1)", "Previous", show=False, priority=True),
        Binding("escape", "leave", "Back", show=False, priority=True),
    ]

    class Asked(Message):
        """A text is looked for: 0 from here on, 1 behind here, -1 before here."""

        def __init__(self, text: str, way: int) -> None:
            super().__init__()
            self.text = text
            self.way = way

    class Left(Message):
        """Nothing is looked for any more."""

    def compose(self) -> ComposeResult:
        """The mark, the text, and how often it is there."""
        yield Static("find", id="find-mark", markup=False)
        yield LineInput(compact=True, placeholder="enter next · ↑ previous · esc back", id="find")
        yield Static("", id="find-count", markup=False)

    def begin(self) -> None:
        """Take the keys."""
        self.query_one(Input).focus()

    def tell(self, at: int, total: int, is_done: bool = True) -> None:
        """Which of how many is selected; none is 0."""
        text = self.query_one(Input).value
        found = (f"{at:,} of {total:,}" if at else f"{total:,} places") if total else "not there"
        words = (found if is_done else "looking…") if text else ""
        self.query_one("#find-count", Static).update(Content(words))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Asked(event.value, 0))

    def action_go(self, way: int) -> None:
        """To the next one, or the one before."""
        self.post_message(self.Asked(self.query_one(Input).value, way))

    def action_leave(self) -> None:
        """Back to the text."""
        self.post_message(self.Left())
