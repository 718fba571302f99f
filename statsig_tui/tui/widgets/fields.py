"""Small fields of one line for forms: a tick, a choice, a secret, and a label with note and error.

They know how a value looks and which keys change it, never what it means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.line_view import GUTTER

TICKED, UNTICKED, MIXED = "☑", "☐", "▣"
_MOVES = [
    Binding("up,k", "app.focus_previous", "Up", show=False),
    Binding("down,j", "app.focus_next", "Down", show=False),
]


class Tick(Widget, can_focus=True):
    """A check box or a switch with its label, on one line."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Tick {
        height: 1;
        width: 1fr;
        &:focus {
            background: $primary-muted;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *_MOVES,
        Binding("space,enter", "check", "Check"),
    ]
    value: reactive[bool | None] = reactive(False, init=False)
    """None: some of what it stands for is on, some off."""
    label: reactive[Content] = reactive(Content)

    class Toggled(Message):
        """The user changed it."""

        def __init__(self, tick: Tick, value: bool) -> None:
            super().__init__()
            self.tick = tick
            self.value = value

        @property
        def control(self) -> Tick:
            """For @on."""
            return self.tick

    def __init__(
        self,
        label: Content | None = None,
        *,
        is_switch: bool = False,
        gutter: int = GUTTER,
        id: str | None = None,  # noqa: A002 Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(Tick.label, label if label is not None else Content())
        self._is_switch = is_switch
        self._gutter = gutter

    def render(self) -> RenderResult:
        """Mark and label, over the gutter that lists have."""
        bar = ("▌" if self.has_focus else " ", theme.ACCENT)
        style = theme.ACCENT if self.value is not False else theme.QUIET
        gutter = Content.assemble(bar, " " * (self._gutter - 1)) if self._gutter else Content()
        return Content.assemble(gutter, (self._mark(), style), "  ", self.label)

    def _mark(self) -> str:
        if self._is_switch:
            return "━●" if self.value else "○━"
        return MIXED if self.value is None else TICKED if self.value else UNTICKED

    def on_click(self) -> None:
        """A click changes it."""
        self.action_check()

    def action_check(self) -> None:
        """On, or off where it was wholly on."""
        self.value = not self.value
        self.post_message(self.Toggled(self, self.value))


class Choice(Widget, can_focus=True):
    """One of a few values, all of them seen where there is room."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Choice {
        height: 1;
        width: 1fr;
        &:focus {
            background: $primary-muted;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Previous", show=False),
        Binding("right,l,space", "step(1)", "Next", show=False),
    ]
    value: reactive[str] = reactive("", init=False)

    class Changed(Message):
        """Another value was chosen."""

        def __init__(self, choice: Choice, value: str) -> None:
            super().__init__()
            self.choice = choice
            self.value = value

        @property
        def control(self) -> Choice:
            """For @on."""
            return self.choice

    def __init__(self, options: Sequence[str], *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes=classes)
        self.options = tuple(options)
        self.set_reactive(Choice.value, self.options[0])

    def render(self) -> RenderResult:
        """Every option with the chosen one marked; only that one where the room is too small."""
        whole = self._whole()
        if whole.cell_length <= self.size.width:
            return whole
        at = self.options.index(self.value) + 1 if self.value in self.options else 0
        chosen = Content.assemble(("◂ ", theme.QUIET), (self.value, theme.ACCENT), (" ▸", theme.QUIET))
        counted = Content.assemble(chosen, (f"  {at} of {len(self.options)}", theme.QUIET))
        return counted if counted.cell_length <= self.size.width else chosen

    def on_click(self, event: events.Click) -> None:
        """Choose the option under the mouse; where one alone is shown, a neighbour."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if self._whole().cell_length > self.size.width:
            self.action_step(-1 if at.x < 2 else 1)
            return
        start = 0
        for option in self.options:
            stop = start + len(option) + 2
            if start <= at.x < stop:
                self._choose(option)
                return
            start = stop + 3

    def action_step(self, by: int) -> None:
        """Choose a neighbour; the last is beside the first."""
        at = self.options.index(self.value) if self.value in self.options else -1
        self._choose(self.options[(at + by) % len(self.options)])

    def _whole(self) -> Content:
        return Content("   ").join(
            Content.styled(f"● {option}", theme.ACCENT)
            if option == self.value
            else Content.styled(f"○ {option}", theme.QUIET)
            for option in self.options
        )

    def _choose(self, option: str) -> None:
        if option != self.value:
            self.value = option
            self.post_message(self.Changed(self, option))


class SecretInput(LineInput):
    """An input whose text is neither shown nor given away: what is selected in it cannot be copied."""

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(placeholder=placeholder, password=True, compact=True, id=id)

    @property
    def selected_text(self) -> str:
        """Nothing: Textual would copy the clear text."""
        return ""

    def action_copy(self) -> None:
        """Nothing is copied."""

    def action_cut(self) -> None:
        """Delete what is selected, without copying it."""
        self.delete_selection()


class VeiledInput(LineInput):
    """An input that masks the secrets in its text, until it has the focus to be edited."""

    def __init__(self, placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, compact=True, highlighter=_Veil(self))
        self.redact: Callable[[str], str] = str


class _Veil(Highlighter):
    def __init__(self, field: VeiledInput) -> None:
        self._field = field

    def highlight(self, text: Text) -> None:
        """Nothing is coloured."""

    def __call__(self, text: str | Text) -> Text:
        plain = text.plain if isinstance(text, Text) else text
        shown = plain if self._field.has_focus else self._field.redact(plain)
        return Text(shown, no_wrap=True, overflow="ignore", end="")


class SearchInput(LineInput):
    """A search box; escape empties it, then leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear_or_leave", "Back")]

    class Left(Message):
        """Escape in an empty box."""

    def action_clear_or_leave(self) -> None:
        """Empty the box; from an empty one go back."""
        if self.value:
            self.value = ""
        else:
            self.post_message(self.Left())


class Field(Vertical):
    """A label, a field, what is to be noted beside it, and below it what is wrong with it."""

    DEFAULT_CSS = """
    Field {
        height: auto;
        & > Horizontal {
            height: auto;
        }
        .label {
            width: 18;
            color: $text-muted;
        }
        &:focus-within .label {
            color: $foreground;
        }
        .note {
            width: auto;
            max-width: 40%;
            padding: 0 1;
            color: $text-muted;
        }
        .error {
            display: none;
            padding: 0 0 0 18;
            color: $text-error;
            &.-quiet {
                color: $text-muted;
            }
        }
        &.-narrow .note {
            width: 1fr;
            max-width: 100%;
        }
        &.-words .note {
            width: 1fr;
            max-width: 100%;
            padding: 0;
        }
    }
    """

    def __init__(self, label: str, field: Widget, note: str = "", *, name: str) -> None:
        super().__init__(name=name)
        self._label = label
        self.field = field
        self._note = Static(content(note), classes="note")
        self._error = Static(classes="error")
        self._shown = Content()

    def compose(self) -> ComposeResult:
        """One line, and the error's below."""
        with Horizontal():
            yield Static(content(self._label), classes="label")
            yield self.field
            yield self._note
        yield self._error

    def on_resize(self) -> None:
        """What is said below the field is to be seen by whoever types in it."""
        if self.has_focus_within:
            self.scroll_visible(animate=False)

    def note(self, text: str) -> None:
        """Say something beside the field."""
        self._note.update(content(text))

    def complain(self, error: str) -> None:
        """Say what is wrong with the field; nothing, with an empty text."""
        self._show(content(f"✗ {error}" if error else ""), is_error=True)

    def offer(self, words: Content) -> None:
        """Say what may stand in the field, in the place of what is wrong with it."""
        self._show(words, is_error=False)

    def _show(self, words: Content, *, is_error: bool) -> None:
        if words.is_same(self._shown):
            return
        self._shown = words
        self._error.set_class(not is_error, "-quiet")
        self._error.update(words)
        self._error.display = bool(words.plain)
