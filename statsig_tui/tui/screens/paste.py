"""The offer to convert what was pasted, and the question which file a body is in."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from statsig_tui.core.paste import Converted, Pasted
from statsig_tui.tui import theme
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.widgets.at_once import LineInput

_SHOWN = 60
"""Cells of an event's name."""
_NAMED = 12
"""Differences that are listed."""


class PasteDialog(ModalScreen[Converted | None]):
    """What the text is and what would be different; every event of a batch can be chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "As it is")]

    def __init__(self, pasted: Pasted, yes: str = "converts", no: str = "leaves it as it is") -> None:
        """`yes` and `no` say what enter and escape do, in constants of ours."""
        super().__init__()
        self._pasted = pasted
        self._yes, self._no = yes, no

    def compose(self) -> ComposeResult:
        """What it is, the events, the differences."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"This is {self._pasted.title}")
            reads = "reads the file and " * bool(self._pasted.files)
            box.border_subtitle = content(f"enter {reads}{self._yes} · esc {self._no}")
            yield OptionList(
                *(Option(content(fit(item.name or "(no name)", _SHOWN))) for item in self._pasted.events),
                markup=False,
                compact=True,
            )
            yield Static(id="paste-differences")

    def on_mount(self) -> None:
        """The first event is meant unless another is chosen."""
        self.query_one(OptionList).highlighted = 0

    @on(OptionList.OptionHighlighted)
    def _look(self, event: OptionList.OptionHighlighted) -> None:
        said = self._pasted.events[event.option_index].differences
        lines = [content(f"· {words}", theme.QUIET) for words in said[:_NAMED]]
        more = len(said) - _NAMED
        if more > 0:
            lines.append(Content.styled(f"· and {more:,} more", theme.QUIET))
        self.query_one("#paste-differences", Static).update(Content("\n").join(lines))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._pasted.events[event.option_index])


class FileDialog(ModalScreen[str | None]):
    """Asks for a path."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def compose(self) -> ComposeResult:
        """One field."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Body from a file"
            box.border_subtitle = "enter loads · esc cancels"
            yield Static(Content.styled("Its bytes become the body as they are.", theme.QUIET))
            yield LineInput(placeholder="path", compact=True)

    @on(Input.Submitted)
    def _chosen(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)
