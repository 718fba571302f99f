"""The form over a draft: one line or more a field, and what is wrong with a field under it.

It shows what it is given and tells what is typed; the text and its rules are elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static, TextArea

from statsig_tui.core.draft import NOW, OBJECTS, Check, Field, Shown
from statsig_tui.tui import theme
from statsig_tui.tui.text import content, printable
from statsig_tui.tui.times import day_and_clock
from statsig_tui.tui.widgets.json_editor import ExactArea

_LABELS = {
    field: f"  {field}" for field in (Field.USER_ID, Field.EMAIL, Field.CUSTOM_IDS, Field.CUSTOM, Field.OTHER)
}
_PLACEHOLDERS = {
    Field.EVENT: "a name",
    Field.USER_ID: "none",
    Field.EMAIL: "none",
    Field.CUSTOM_IDS: "name = value",
    Field.CUSTOM: 'name = value; "3" is text',
    Field.OTHER: "country = KR",
    Field.VALUE: '49.90, or "49.90" for text',
    Field.METADATA: 'name = value; "3" is text',
    Field.TIMESTAMP: "the time of arrival",
}
_KEPT = """\
The text stays as it is, and can be sent as it is.
The fields come back when it is mended."""
_MS_DIGITS = 14


class FieldArea(ExactArea):
    """Lines of `name = value`, as high as they need; the arrows leave it at its ends."""

    def on_key(self, event: events.Key) -> None:
        """Go on to the next field where there is no line left."""
        row = self.cursor_location[0]
        if (event.key == "up" and row == 0) or (event.key == "down" and row == self.document.line_count - 1):
            event.prevent_default()
            event.stop()
            (self.screen.focus_previous if event.key == "up" else self.screen.focus_next)()


class FieldRow(Horizontal):
    """A label, what is typed, the kind of value that is, and what is wrong with it."""

    def __init__(self, field: Field) -> None:
        super().__init__(id=f"row-{field}", classes="-first" if field is Field.VALUE else "")
        self.field = field
        hint = _PLACEHOLDERS[field]
        if field in OBJECTS:
            self.control: Input | FieldArea = FieldArea(id=f"field-{field}", placeholder=hint)
        else:
            self.control = Input(id=f"field-{field}", placeholder=hint, compact=True, select_on_focus=False)
            self.control.cursor_blink = False
        self.told = ""
        """The content that was shown or told last."""
        self._kind = Static(classes="kind")
        self._note = Static(classes="note")

    def compose(self) -> ComposeResult:
        """Left to right."""
        yield Static(Content(_LABELS.get(self.field, str(self.field))), classes="label")
        with Vertical(classes="typed"):
            with Horizontal(classes="box"):
                yield self.control
                yield self._kind
            yield self._note

    @property
    def content(self) -> str:
        """What is typed."""
        return self.control.value if isinstance(self.control, Input) else self.control.text

    def show(self, shown: Shown) -> None:
        """Show a field as the text has it."""
        if self.content != shown.content:
            with self.prevent(Input.Changed, TextArea.Changed):
                if isinstance(self.control, Input):
                    self.control.value = shown.content
                else:
                    self.control.load_text(shown.content)
        self.told = shown.content
        self.control.disabled = shown.too_long
        self.annotate(shown)

    def annotate(self, shown: Shown) -> None:
        """Show the kind and the notes, and leave what is typed alone."""
        self._kind.update(Content.styled(_kind(self.field, shown), theme.QUIET))
        when = _date(shown.content) if self.field is Field.TIMESTAMP else ""
        self._say(shown.note or when, theme.WARN if shown.note else theme.QUIET)

    def refuse(self, words: str) -> None:
        """Say why what is typed is not in the text."""
        self._kind.update(Content.styled("not taken", theme.BAD))
        self._say(words, theme.BAD)

    def _say(self, words: str, style: str) -> None:
        self._note.update(content(words, style))
        self._note.display = bool(words)


class EventForm(VerticalScroll, can_focus=False):
    """Every field of an incoming event, or why there are none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Field above", show=False),
        Binding("down", "app.focus_next", "Field below", show=False),
    ]

    class Edited(Message):
        """Fields were changed by hand: untold() says which."""

    def compose(self) -> ComposeResult:
        """The fields in the order of the wire, the user's under their own head."""
        yield Static(id="fault")
        yield FieldRow(Field.EVENT)
        yield Static(Content("user"), id="user-head", classes="label")
        for field in (Field.USER_ID, Field.EMAIL, Field.CUSTOM_IDS, Field.CUSTOM, Field.OTHER):
            yield FieldRow(field)
        for field in (Field.VALUE, Field.METADATA, Field.TIMESTAMP):
            yield FieldRow(field)

    def show(self, fields: Mapping[Field, Shown], typed_in: Field | None = None) -> None:
        """Show a text's fields; the one that is being typed in keeps what was typed."""
        self.remove_class("-broken")
        for row in self._rows():
            if row.content != row.told:
                continue  # these fields are older than what was typed here
            # What cannot be seen is shown as it is spelled, there too.
            if row.field is typed_in and not _is_unseen(row.content):
                row.annotate(fields[row.field])
            else:
                row.show(fields[row.field])

    def show_fault(self, check: Check) -> None:
        """Say why there are no fields."""
        self.add_class("-broken")
        where = f" at line {check.line}, column {check.column}" if check.line else ""
        head = f"Not JSON{where}" if check.fault else "JSON, but not an object"
        why = check.fault[:1].upper() + check.fault[1:] or "The form shows the members of one object."
        shown = Content.assemble(
            (head, f"bold {theme.WARN}"), "\n", content(why), "\n\n", (_KEPT, theme.QUIET)
        )
        self.query_one("#fault", Static).update(shown)

    def refuse(self, field: Field, words: str) -> None:
        """Say at a field why what is typed there is not in the text."""
        self.query_one(f"#row-{field}", FieldRow).refuse(words)

    def untold(self) -> list[tuple[Field, str]]:
        """What was typed and not told yet; it counts as told now."""
        found = []
        for row in self._rows():
            if row.content != row.told:
                row.told = row.content
                found.append((row.field, row.told))
        return found

    def focus_first(self) -> None:
        """Put the cursor into the first field, if there is one."""
        if not self.has_class("-broken"):
            self.query_one(f"#field-{Field.EVENT}").focus()

    def go_to(self, field: Field, name: str = "") -> bool:
        """Put the cursor into a field, at the line of a name; False where it cannot be edited here."""
        row = self.query_one(f"#row-{field}", FieldRow)
        if self.has_class("-broken") or row.control.disabled:
            return False
        row.control.focus()
        if isinstance(row.control, FieldArea):
            lines = row.control.text.split("\n")
            starts = (f"{name} =", f"{json.dumps(name)} =")
            at = next((index for index, line in enumerate(lines) if line.startswith(starts)), 0)
            row.control.move_cursor((at, len(lines[at])))
        return True

    def _rows(self) -> Iterator[FieldRow]:
        yield from self.query(FieldRow)

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _typed(self, event: Input.Changed | TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Edited())

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()


def _kind(field: Field, shown: Shown) -> str:
    if field is Field.TIMESTAMP:
        return "when sent" if shown.content == NOW else ""
    return shown.kind if field is Field.VALUE else ""


def _date(digits: str) -> str:
    """The day that epoch milliseconds mean: seconds are found out by it."""
    is_ms = digits.isascii() and digits.isdigit() and len(digits) <= _MS_DIGITS
    return day_and_clock(int(digits)) if is_ms else ""


def _is_unseen(text: str) -> bool:
    return any(printable(line) != line for line in text.split("\n"))
