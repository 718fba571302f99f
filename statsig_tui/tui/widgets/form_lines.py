"""Lines of the form that stand for fields which are not shown: a fold, and a way to add what has no field."""

from __future__ import annotations

from typing import ClassVar

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from statsig_tui.core.draft import LESS_USED
from statsig_tui.tui import theme


class Fold(Widget, can_focus=True):
    """One line for the less used fields: which of them have something, and whether they are shown."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Fold {
        height: 1;
        color: $text-muted;
        &:focus {
            color: $foreground;
            background: $primary-muted;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold", "Fold"),
        Binding("right,l", "fold(True)", "Unfold", show=False),
        Binding("left,h", "fold(False)", "Fold", show=False),
    ]

    class Toggled(Message):
        """The fields are to be shown, or hidden."""

        def __init__(self, is_open: bool) -> None:
            super().__init__()
            self.is_open = is_open

    is_open = False
    filled: tuple[str, ...] = ()
    """Names of the fields that have something."""

    def render(self) -> RenderResult:
        """Mark, how many fields, and what is in them."""
        mark = "▾" if self.is_open else "▸"
        words = ", ".join(self.filled) if not self.is_open else ""
        return Content.assemble(f"  {mark} {len(LESS_USED)} more", (f"  {words}", theme.ACCENT))

    def on_click(self) -> None:
        """A click folds and unfolds."""
        self.action_fold()

    def action_fold(self, is_open: bool | None = None) -> None:
        """Show the fields, or hide them."""
        self.post_message(self.Toggled(not self.is_open if is_open is None else is_open))


class Adder(Widget, can_focus=True):
    """One line that begins a field which the form does not know."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Adder {
        height: 1;
        color: $text-muted;
        &:focus {
            color: $foreground;
            background: $primary-muted;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space,a", "add", "Add a field")]

    class Pressed(Message):
        """Another field is wanted."""

    def render(self) -> RenderResult:
        """What it does."""
        return Content("+ other field")

    def on_click(self) -> None:
        """A click adds."""
        self.action_add()

    def action_add(self) -> None:
        """Ask for the field."""
        self.post_message(self.Pressed())
