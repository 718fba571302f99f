"""A line for a query: completed while it is typed, its error under its place, what was asked before.

It knows the language, never what is looked through: what was seen is given, a query leaves as a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from statsig_tui.core.query import Query, QueryError, parse
from statsig_tui.tui import theme
from statsig_tui.tui.text import fit, sentences
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.completing import Completer, Ghost

_REMEMBERED = 100
"""Texts that were entered."""


class QueryInput(LineInput):
    """The text, with keys to complete it and to bring back former ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", "Complete"),
        Binding("shift+tab", "complete(-1)", "Complete back", show=False),
        Binding("up", "recall(-1)", "Former", show=False),
        Binding("down", "recall(1)", "Later", show=False),
    ]

    class Turned(Message):
        """The next candidate is wanted, or the one before."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Recalled(Message):
        """A former text is wanted, or a later one."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def action_complete(self, step: int) -> None:
        """Ask for a candidate."""
        self.post_message(self.Turned(step))

    def action_recall(self, step: int) -> None:
        """Ask for a former text."""
        self.post_message(self.Recalled(step))


class QueryLine(Vertical):
    """Hidden until it is opened; enter asks, escape leaves."""

    DEFAULT_CSS = """
    QueryLine {
        display: none;
        height: 2;
        padding: 0 1;
        Horizontal {
            height: 1;
        }
        .what {
            width: auto;
            color: $text-primary;
            padding: 0 1 0 0;
        }
        Input {
            width: 1fr;
        }
        .message {
            height: 1;
            text-wrap: nowrap;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    class Asked(Message):
        """A text was entered; the query that it is, None where it is empty."""

        def __init__(self, purpose: str, text: str, query: Query | None) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text
            self.query = query

    class Left(Message):
        """It was left without asking."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id)
        self._purpose = ""
        self._history: dict[str, list[str]] = {}
        self._recalled = 0
        """How many texts ago the shown one was entered; 0: it is being typed."""
        self._typed = ""
        self._completer = Completer()
        self._what = Static(classes="what")
        self._message = Static(classes="message")
        self._input = QueryInput(compact=True, select_on_focus=False, suggester=Ghost(self._completer))

    def compose(self) -> ComposeResult:
        """The line, and a message below it."""
        with Horizontal():
            yield self._what
            yield self._input
        yield self._message

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return bool(self.display)

    @property
    def seen(self) -> Mapping[str, Sequence[str]]:
        """Values that are offered, by key and by field."""
        return self._completer.seen

    @seen.setter
    def seen(self, seen: Mapping[str, Sequence[str]]) -> None:
        self._completer.seen = seen
        if self.is_open:
            self._tell()

    @property
    def history(self) -> Mapping[str, Sequence[str]]:
        """What was entered, by purpose, the oldest first."""
        return self._history

    @history.setter
    def history(self, history: Mapping[str, Sequence[str]]) -> None:
        self._history = {purpose: list(texts) for purpose, texts in history.items()}

    def open(self, purpose: str, text: str, example: str) -> None:
        """Show it with this text and take the keys; each purpose has its own history."""
        self._purpose = purpose
        self._recalled, self._typed = 0, text
        self._completer.begin()
        self._what.update(Content(purpose))
        self._input.placeholder = example
        self.display = True
        self._input.value = text
        self._input.cursor_position = len(text)
        self._input.focus()
        self._tell()

    def close(self) -> None:
        """Hide it."""
        self.display = False

    def on_resize(self) -> None:
        """Say as much as there is room for."""
        if self.is_open:
            self._tell()

    def action_leave(self) -> None:
        """Hide it, and change nothing."""
        self.close()
        self.post_message(self.Left())

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._completer.changed(event.value)
        self._tell()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        try:
            query = parse(text) if text else None
        except QueryError as error:
            self._input.cursor_position = min(error.position, len(self._input.value))
            self._tell_error(error, theme.BAD)
            return
        history = self._history.setdefault(self._purpose, [])
        if text:
            if text in history:
                history.remove(text)
            history.append(text)
            del history[:-_REMEMBERED]
        self.close()
        self.post_message(self.Asked(self._purpose, text, query))

    @on(QueryInput.Turned)
    def _turned(self, event: QueryInput.Turned) -> None:
        event.stop()
        made = self._completer.turn(self._input.value, self._input.cursor_position, event.step)
        if made is not None:
            self._input.value, self._input.cursor_position = made
            self._tell()

    @on(QueryInput.Recalled)
    def _recall(self, event: QueryInput.Recalled) -> None:
        event.stop()
        history = self._history.get(self._purpose, [])
        recalled = max(0, min(self._recalled - event.step, len(history)))
        if not self._recalled:
            self._typed = self._input.value
        self._recalled = recalled
        self._input.value = history[-recalled] if recalled else self._typed
        self._input.cursor_position = len(self._input.value)

    def _tell(self) -> None:
        """What may stand at the cursor; what is wrong elsewhere, or where nothing may."""
        value, cursor = self._input.value, self._input.cursor_position
        try:
            parse(value)
        except QueryError as error:
            if not self._completer.may_mend(error, value, cursor):
                self._tell_error(error, theme.WARN)
                return
        self._message.update(self._offered(value, cursor))

    def _offered(self, value: str, cursor: int) -> Content:
        return self._completer.offered(value, cursor, self._message.size.width)

    def _tell_error(self, error: QueryError, style: str) -> None:
        before = cell_len(f"{self._purpose} {self._input.value[: error.position]}")
        place = before - self._input.scroll_offset.x
        room = self._message.size.width
        place = max(0, min(place, room - 1))
        both = sentences(error.message, error.hint)
        for words in (both, error.message):
            if place + 2 + cell_len(words) <= room:
                shown = f"{' ' * place}▲ {words}"
                break
            if cell_len(words) + 1 <= place:
                shown = f"{' ' * (place - cell_len(words) - 1)}{words} ▲"
                break
        else:
            shown = both
        self._message.update(Content.styled(fit(shown, room), style))
