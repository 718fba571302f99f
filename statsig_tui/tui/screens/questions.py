"""Dialogs that ask for text: a template's name, and the answers to a payload's prompts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from statsig_tui.core.library import name_fault
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.widgets.at_once import LineInput

T = TypeVar("T")


class Question(Dialog[T | None]):
    """What such dialogs share: keys and buttons; dismissed with None where nothing is answered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # At once as well: an `enter` in the same breath must not send what was given up.
        Binding("escape", "cancel", "Cancel", priority=True),
        Binding("ctrl+s,ctrl+j", "accept", "Accept", priority=True),
        # At once, so that what is typed after it in the same breath goes to the next field.
        Binding("tab", "app.focus_next", "On", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Back", show=False, priority=True),
    ]

    def action_cancel(self) -> None:
        """Answer nothing."""
        self.dismiss(None)

    def _buttons(self, yes: str) -> Horizontal:
        return Horizontal(
            Button("Cancel", id="no", compact=True),
            Button(Content(yes), id="yes", compact=True, variant="primary"),
            classes="buttons",
        )

    @on(Button.Pressed, "#no")
    def _cancelled(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#yes")
    def _accepted(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Answer with what is typed."""
        raise NotImplementedError


class NameDialog(Question[str]):
    """Asks for a template's name; dismissed with it, or with None."""

    def __init__(self, title: str, yes: str, name: str, taken: Collection[str], *, replaces: bool) -> None:
        """`title` and `yes` are constants of ours; with `replaces` a name that is taken is replaced."""
        super().__init__()
        self._heading, self._yes, self._first = title, yes, name
        self._taken = taken
        self._replaces = replaces

    def compose(self) -> ComposeResult:
        """The name, what is said of it, buttons."""
        with Vertical(classes="dialog confirm") as box:
            box.border_title = Content(self._heading)
            box.border_subtitle = "enter · esc cancels"
            yield LineInput(self._first, id="name", placeholder="a name", compact=True)
            yield Static(id="said")
            yield self._buttons(self._yes)

    @on(Input.Changed)
    def _judge(self) -> None:
        name = self.query_one(Input).value
        words, style = self._words(name)
        self.query_one("#said", Static).update(Content.styled(words, style))
        self.query_one("#yes", Button).disabled = style == theme.BAD

    def _words(self, name: str) -> tuple[str, str]:
        fault = name_fault(name)
        if fault is not None:
            return f"That cannot be: {fault}." if name else "", theme.BAD
        if name in self._taken:
            if not self._replaces:
                return "There is a template of that name already.", theme.BAD
            return "Replaces the template of that name.", theme.WARN
        return "", theme.QUIET

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Take the name, if it can be one."""
        name = self.query_one(Input).value
        if self._words(name)[1] != theme.BAD:
            self.dismiss(name)


class PromptDialog(Question[Mapping[str, str]]):
    """Asks for the answers to prompts; dismissed with them by label, or with None."""

    def __init__(self, labels: Sequence[str], answers: Mapping[str, str]) -> None:
        super().__init__()
        self._labels = labels
        self._answers = answers

    def compose(self) -> ComposeResult:
        """A line for each."""
        with Vertical(classes="dialog confirm") as box:
            box.border_title = "The event asks"
            box.border_subtitle = "enter goes on · esc cancels"
            with VerticalScroll(id="prompts", can_focus=False):
                for label in self._labels:
                    yield Static(content(fit(label, 60), theme.QUIET))
                    yield LineInput(self._answers.get(label, ""), compact=True, classes="prompt")
            yield self._buttons("Send")

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        event.stop()
        inputs = list(self.query(Input))
        at = inputs.index(event.input)
        if at + 1 < len(inputs):
            inputs[at + 1].focus()
        else:
            self.action_accept()

    def action_accept(self) -> None:
        """Take what is typed; an empty line is an empty text."""
        typed = [each.value for each in self.query(Input)]
        self.dismiss(dict(zip(self._labels, typed, strict=True)))


def behind_keys(fields: Sequence[Widget], act: Callable[[], None]) -> None:
    """Act behind the keys that were pressed before and that the fields have not taken yet."""
    if fields:
        fields[0].call_later(behind_keys, fields[1:], act)
    else:
        act()
