"""A question that is answered with yes or no; no is the default."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from statsig_tui.tui.screens.modal import Dialog


class ConfirmDialog(Dialog[bool]):
    """Title, words (gated), and what yes does."""

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "No"),
        Binding("y", "answer(True)", "Yes"),
        Binding("left,up", "app.focus_previous", "Back", show=False),
        Binding("right,down", "app.focus_next", "On", show=False),
    ]

    def __init__(self, title: str, words: Content, yes: str, no: str = "Cancel") -> None:
        """`title`, `yes` and `no` are constants of ours."""
        super().__init__()
        self._heading = title
        self._words = words
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """The words and two buttons."""
        with Vertical(classes="dialog confirm") as box:
            box.border_title = Content(self._heading)
            box.border_subtitle = "y yes · n, esc no"
            yield Static(self._words)
            with Horizontal(classes="buttons"):
                yield Button(Content(self._no), id="no", compact=True)
                yield Button(Content(self._yes), id="yes", compact=True, variant="warning")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)
