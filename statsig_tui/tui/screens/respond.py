"""The picker of response programs: presets, and a line to type one, with its error at its place."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from statsig_tui.core.programs import PRESETS, USUAL, ProgramError, parse
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.at_once import LineInput

_LANGUAGE = (
    "xN so many requests · N% of them, seed=N which · delay 2s then … · name=value a header · "
    "body=… · then the next · /path: for that path alone, ; the next rule"
)


class RespondDialog(Dialog[str | None]):
    """Dismissed with a program's text, empty for the usual answers; None: nothing is to change."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]
    DEFAULT_CSS = """
    RespondDialog {
        OptionList {
            height: auto;
            max-height: 36vh;
            margin: 0 0 1 0;
        }
        #said {
            height: auto;
            min-height: 3;
        }
    }
    """
    AUTO_FOCUS = "OptionList"

    def __init__(self, running: str | None) -> None:
        super().__init__()
        own = running is not None and running not in dict(PRESETS)
        self._choices = [*([(running or "", "runs now")] if own else []), *PRESETS]
        texts = [text for text, _ in self._choices]
        self._first = texts.index(running or USUAL)

    def compose(self) -> ComposeResult:
        """The presets, the line, and what is said of it."""
        with Vertical(classes="dialog") as box:
            box.border_title = "What the receiver answers"
            box.border_subtitle = "enter uses · tab edits · esc cancels"
            yield OptionList(
                *(
                    Option(Content.assemble(content(f"{text:<22}", theme.STRONG), ("  " + why, theme.QUIET)))
                    for text, why in self._choices
                ),
                markup=False,
            )
            yield LineInput(self._choices[self._first][0], compact=True, id="program")
            yield Static(id="said")

    def on_mount(self) -> None:
        """Start at what runs now."""
        self.query_one(OptionList).highlighted = self._first

    @on(OptionList.OptionHighlighted)
    def _shown(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one(Input).value = self._choices[event.option_index][0]

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._use(self._choices[event.option_index][0])

    @on(Input.Changed)
    def _judge(self, event: Input.Changed) -> None:
        self.query_one("#said", Static).update(_said(event.value))

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        try:
            parse(event.value)
        except ProgramError as error:
            event.input.cursor_position = error.position
        else:
            self._use(event.value.strip())

    def _use(self, text: str) -> None:
        self.dismiss("" if text == USUAL else text)


def _said(text: str) -> Content:
    try:
        parse(text)
    except ProgramError as error:
        hint = f": {error.hint}" if error.hint else ""
        rest = text[error.position :]
        return Content.assemble(
            content(text[: error.position], theme.QUIET),
            content(rest or "▁", theme.BAD),
            "\n",
            content(f"{error.what}{hint}", theme.BAD),
        )
    return Content.styled(_LANGUAGE, theme.QUIET)
