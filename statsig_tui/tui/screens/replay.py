"""The question before a replay: how, and to which destination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from statsig_tui.core.ids import tag
from statsig_tui.core.records import Replay
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content

_WAYS = (
    (Replay.AS_RECEIVED, "as received", "the same bytes and the same signature"),
    (Replay.RESIGNED, "re-signed", "the same bytes, signed now"),
)


class ReplayDialog(Dialog[tuple[str, Replay] | None]):
    """Every destination with both ways, on one list."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, capture: int, destinations: Sequence[str], likely: str) -> None:
        super().__init__()
        self._capture = capture
        ordered = sorted(destinations, key=lambda name: name != likely)
        self._choices = [(name, how) for name in ordered for how, _, _ in _WAYS]

    def compose(self) -> ComposeResult:
        """The list."""
        words = {how: (way, meaning) for how, way, meaning in _WAYS}
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"Replay {tag('c', self._capture)}")
            box.border_subtitle = "enter sends · esc cancels"
            yield Static(Content.styled("One attempt, kept as a delivery of its own.", theme.QUIET))
            yield OptionList(
                *(
                    Option(
                        Content.assemble(
                            content(name, theme.STRONG), f"  {words[how][0]}  ", (words[how][1], theme.QUIET)
                        )
                    )
                    for name, how in self._choices
                ),
                markup=False,
            )

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index])
