"""The rows of the form: a label, what is typed or chosen, the kind of value, and what is wrong with it.

Each shows what it is given and tells what is typed; the text and its rules are elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static

from statsig_tui.core import moments, notation
from statsig_tui.core.draft import TIERS, USER_FIELDS, Field, Shown
from statsig_tui.core.moments import Form, Meaning
from statsig_tui.core.tables import Table
from statsig_tui.tui import theme
from statsig_tui.tui.privacy import marked
from statsig_tui.tui.text import content, printable
from statsig_tui.tui.times import age, day_and_clock
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.fields import Choice
from statsig_tui.tui.widgets.member_edit import Change
from statsig_tui.tui.widgets.member_table import MemberTable

_PLACEHOLDERS = {
    Field.EVENT: "a name",
    Field.VALUE: '49.90, or "49.90" for text',
    Field.TIMESTAMP: "the time of arrival",
    Field.COUNTRY: "KR",
    Field.LOCALE: "en_US",
}
_LABELS = {Field.TIER: "tier", Field.PRIVATE: "private", Field.REST: "other"}
_OTHER, _NONE = "other", "none"
_FAR = 366 * 86_400_000


_PRIVATE = (Field.USER_ID, Field.EMAIL, Field.IP)
"""Fields whose content says who somebody is."""


class PersonalInput(LineInput):
    """A field that may say who somebody is."""

    says_who = False
    """Whether what is typed says who somebody is."""

    def render_line(self, y: int) -> Strip:
        """Draw it, so that it can be masked."""
        line = super().render_line(y)
        return marked(line) if self.says_who and self.value else line


Control = TypeVar("Control", bound=Widget)


class FieldRow(Horizontal, Generic[Control]):
    """What all rows share."""

    class Edited(Message):
        """Something was typed or chosen."""

    def __init__(self, field: Field, control: Control) -> None:
        super().__init__(id=f"row-{field}", classes="-first" if field is Field.VALUE else "")
        self.field = field
        self.control = control
        self._kind = Static(classes="kind")
        self._note = Static(classes="note")

    def compose(self) -> ComposeResult:
        """Left to right."""
        indent = "  " if self.field in (*USER_FIELDS, Field.OTHER, Field.ENVIRONMENT) else ""
        yield Static(Content(indent + _LABELS.get(self.field, str(self.field))), classes="label")
        with Vertical(classes="typed"):
            with Horizontal(classes="box"):
                yield from self.controls()
                yield self._kind
            yield self._note

    def controls(self) -> ComposeResult:
        """What is typed in, left of the kind."""
        yield self.control

    def refuse(self, words: str) -> None:
        """Say why what is typed is not in the text."""
        self._kind.update(Content.styled("not taken", theme.BAD))
        self._say(words, theme.BAD)

    def go_to(self, name: str) -> None:
        """Put the cursor here."""
        self.control.focus()

    def bring(self) -> None:
        """Scroll the form to what is typed in, and to what is said of it."""
        self.scroll_visible(animate=False, force=True)

    def _say(self, words: str, style: str) -> None:
        self._note.update(content(words, style))
        self._note.display = bool(words)
        if self.has_pseudo_class("focus-within"):
            self.call_after_refresh(self.bring)


class LineRow(FieldRow[Control]):
    """A row whose content is one line of text."""

    told = ""
    """The content that was shown or told last."""

    @property
    def content(self) -> str:
        """What is typed."""
        raise NotImplementedError

    def untold(self) -> str | None:
        """What was typed and not told yet; it counts as told now."""
        if self.content == self.told:
            return None
        self.told = self.content
        return self.told

    def show(self, shown: Shown, *, is_typed_in: bool) -> None:
        """Show a field as the text has it; one that is being typed in keeps what was typed."""
        if self.content != self.told:
            return  # this is older than what was typed here
        # What cannot be seen is shown as it is spelled, there too.
        if not is_typed_in or printable(self.content) != self.content:
            if self.content != shown.content:
                self.fill(shown.content)
            self.told = self.content
            self.control.disabled = shown.too_long
        self.annotate(shown)

    def fill(self, text: str) -> None:
        """Show another content."""
        raise NotImplementedError

    def annotate(self, shown: Shown) -> None:
        """Show the kind and the notes, and leave what is typed alone."""
        self._say(shown.note, theme.WARN)


class TextRow(LineRow[Input]):
    """A field that is typed into."""

    def __init__(self, field: Field) -> None:
        hint = _PLACEHOLDERS.get(field, "none")
        control = PersonalInput(id=f"field-{field}", placeholder=hint, compact=True, select_on_focus=False)
        control.says_who = field in _PRIVATE
        super().__init__(field, control)

    @property
    def content(self) -> str:
        """What is typed."""
        return self.control.value

    def fill(self, text: str) -> None:
        """Show another content."""
        with self.prevent(Input.Changed):
            self.control.value = text

    def annotate(self, shown: Shown) -> None:
        """Show the notes."""
        self._kind.update("")
        super().annotate(shown)

    def suggest(self, texts: Sequence[str]) -> None:
        """Offer what begins with what is typed."""
        self.control.suggester = SuggestFromList(texts)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited())

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()


class ValueRow(TextRow):
    """The value: text or a number."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+y", "kind", "Text/number")]

    def annotate(self, shown: Shown) -> None:
        """Show which of them it is."""
        super().annotate(shown)
        self._kind.update(Content.styled(f"{shown.kind} ▾" if shown.kind else "", theme.QUIET))

    def action_kind(self) -> None:
        """Text where it is a number, a number where it is text that reads as one."""
        typed = self.content.strip()
        bare = typed[1:-1] if typed.startswith('"') and typed.endswith('"') else typed
        if notation.kind(bare) != "number" or not notation.is_spelled(bare):
            self._say("It does not read as a number: it stays text.", theme.WARN)
        else:
            self.control.value = f'"{bare}"' if bare == typed else bare

    def on_click(self, event: events.Click) -> None:
        """The word for the kind is its switch."""
        if event.widget is self._kind:
            self.action_kind()


class TimeRow(TextRow):
    """The timestamp, and what it comes to."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+y", "form", "Form of time")]

    def annotate(self, shown: Shown) -> None:
        """Show how it is written, what it comes to, and whether that is wrong."""
        if shown.note:
            super().annotate(shown)
            return
        now = _now()
        found = moments.meaning(self.content, now)
        form = f"{'when sent' if found.form is Form.NOW else found.form} ▾" if found.form else ""
        self._kind.update(Content.styled(form, theme.WARN if found.wrong else theme.QUIET))
        self._say(_resolved(found, now), theme.WARN if found.wrong else theme.QUIET)

    def action_form(self) -> None:
        """The same time in the next form."""
        found = moments.meaning(self.content, _now())
        self.control.value = moments.written(moments.next_form(found.form), self.content, _now())

    def on_click(self, event: events.Click) -> None:
        """The word for the form is its switch."""
        if event.widget is self._kind:
            self.action_form()


class TierRow(LineRow[Choice]):
    """The environment's tier: one of Statsig's, one that is typed, or none."""

    def __init__(self, field: Field) -> None:
        super().__init__(field, Choice((*TIERS, _NONE, _OTHER), id=f"field-{field}"))
        self.control.value = _NONE
        self._typed = LineInput(id="tier-other", placeholder="a tier", compact=True, select_on_focus=False)
        self._typed.display = False

    def controls(self) -> ComposeResult:
        """The choice; beside it what is typed."""
        yield self.control
        yield self._typed

    @property
    def content(self) -> str:
        """The tier."""
        chosen = self.control.value
        return self._typed.value if chosen == _OTHER else "" if chosen == _NONE else chosen

    def fill(self, text: str) -> None:
        """Show another tier."""
        with self.prevent(Input.Changed):
            self._typed.value = "" if text in TIERS else text
        self._choose(text if text in TIERS else _OTHER if text else _NONE)

    def _choose(self, option: str) -> None:
        self.control.value = option
        self._typed.display = option == _OTHER
        self.set_class(option == _OTHER, "-other")

    @on(Choice.Changed)
    def _chosen(self, event: Choice.Changed) -> None:
        event.stop()
        self._choose(event.value)
        self.post_message(self.Edited())

    @on(Input.Changed)
    def _tier_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Edited())

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()


class TableRow(FieldRow[MemberTable]):
    """An object of the text as a table."""

    def __init__(self, field: Field) -> None:
        super().__init__(field, MemberTable(field))
        self._kind.display = False
        self._shown_note = ""

    def show(self, table: Table) -> None:
        """Show an object as the text has it, unless something was edited that is not in the text yet."""
        if self.control.change is None:
            self.replace(table)

    def replace(self, table: Table) -> None:
        """Show an object as the text has it."""
        self.control.show(table)
        self._shown_note = table.note
        self._note_table()

    def refuse(self, words: str) -> None:
        """Say why an edit is not in the text."""
        self.control.refuse(words)
        self._note_table()

    def bring(self) -> None:
        """Scroll the form to the row under the cursor."""
        self.control.bring()

    def untold(self) -> Change | None:
        """What was edited and is not in the text yet."""
        return self.control.change

    def suggest(self, names: Sequence[str], values: Mapping[str, Sequence[str]]) -> None:
        """Offer names and values that begin with what is typed."""
        self.control.suggest(names, values)

    def go_to(self, name: str) -> None:
        """Put the cursor on the row of a name."""
        self.control.go_to(name)

    @on(MemberTable.Edited)
    def _edited(self, event: MemberTable.Edited) -> None:
        event.stop()
        self._note_table()
        self.post_message(self.Edited())

    def _note_table(self) -> None:
        if self.control.refused:
            self._say(self.control.refused, theme.BAD)
        else:
            self._say(self._shown_note, theme.WARN)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _resolved(found: Meaning, now: int) -> str:
    if found.ms is None or found.form is Form.NOW:
        return found.wrong
    words = day_and_clock(found.ms) if 0 <= found.ms < 253_402_214_400_000 else "beyond every calendar"
    apart = f"{age(now - found.ms)} ago" if found.ms <= now else f"in {age(found.ms - now)}"
    when = f"{apart} · {words}" if abs(found.ms - now) < _FAR else words
    return f"{found.wrong} · likely {when}" if found.wrong else when
