"""The form over a draft: every field of an incoming event, the less used ones of the user behind a fold.

It shows what it is given and tells what is typed; the text and its rules are elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from statsig_tui.core.draft import LESS_USED, OBJECTS, Check, Field, Shown
from statsig_tui.core.seen import Seen
from statsig_tui.core.tables import Table
from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.field_rows import (
    FieldRow,
    LineRow,
    TableRow,
    TextRow,
    TierRow,
    TimeRow,
    ValueRow,
)
from statsig_tui.tui.widgets.form_lines import Adder, Fold
from statsig_tui.tui.widgets.member_edit import Change
from statsig_tui.tui.widgets.member_table import MemberTable

_KEPT = """\
The text stays as it is, and can be sent as it is.
The fields come back when it is mended."""
_STALE_SECONDS = 10.0
"""So long what has been seen is offered without asking again."""
_KINDS: dict[Field, Callable[[Field], FieldRow[Any]]] = {
    Field.VALUE: ValueRow,
    Field.TIMESTAMP: TimeRow,
    Field.TIER: TierRow,
    **dict.fromkeys(OBJECTS, TableRow),
}
_BEHIND = {Field.ENVIRONMENT: Field.TIER, Field.REST: Field.TIMESTAMP}
"""Tables that are seldom there, and the row that each comes behind."""


class EventForm(VerticalScroll, can_focus=False):
    """Every field of an incoming event, or why there are none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Field above", show=False),
        Binding("down", "app.focus_next", "Field below", show=False),
    ]

    class Edited(Message):
        """Fields were changed by hand: untold() and changes() say which."""

    class Wanted(Message):
        """What has been seen is to be offered while something is typed."""

    def __init__(self) -> None:
        super().__init__()
        self._fields: Mapping[Field, Shown] = {}
        self._tables: Mapping[Field, Table] = {}
        self._seen = Seen()
        self._asked = 0.0

    def compose(self) -> ComposeResult:
        """The fields in the order of the wire, the user's under their own head."""
        yield Static(id="fault")
        yield _row(Field.EVENT)
        yield Static(Content("user"), id="user-head", classes="label")
        for field in (Field.USER_ID, Field.EMAIL, Field.CUSTOM_IDS, Field.CUSTOM, Field.TIER):
            yield _row(field)
        yield Fold()
        yield Vertical(id="less-used")
        for field in (Field.VALUE, Field.METADATA, Field.TIMESTAMP):
            yield _row(field)
        yield Adder()

    def show(
        self, fields: Mapping[Field, Shown], tables: Mapping[Field, Table], typed_in: Field | None = None
    ) -> None:
        """Show a text's fields; the one that is being typed in keeps what was typed."""
        self.remove_class("-broken")
        self._fields, self._tables = fields, tables
        for row in self._rows():
            if isinstance(row, LineRow):
                row.show(fields[row.field], is_typed_in=row.field is typed_in)
            elif isinstance(row, TableRow):
                row.show(tables[row.field])
        fold = self.query_one(Fold)
        fold.filled = tuple(field for field in LESS_USED if self._has(field))
        fold.refresh()
        self._make_room()

    def show_table(self, field: Field, table: Table) -> None:
        """Show one table as the text has it now."""
        self._tables = {**self._tables, field: table}
        row = self.query_one_optional(f"#row-{field}", TableRow)
        if row is not None:
            row.replace(table)
        self._make_room()

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
        """What was typed in fields of one line and not told yet; it counts as told now."""
        found = ((row.field, row.untold()) for row in self._rows() if isinstance(row, LineRow))
        return [(field, typed) for field, typed in found if typed is not None]

    def changes(self) -> list[tuple[Field, Change]]:
        """What was edited in tables and is not in the text yet."""
        found = ((row.field, row.untold()) for row in self._rows() if isinstance(row, TableRow))
        return [(field, change) for field, change in found if change is not None]

    def suggest(self, seen: Seen) -> None:
        """Offer what has been seen."""
        self._seen = seen
        for row in self._rows():
            self._offer(row)

    def focus_first(self) -> None:
        """Put the cursor into the first field, if there is one."""
        if not self.has_class("-broken"):
            self.query_one(f"#field-{Field.EVENT}").focus()

    def go_to(self, field: Field, name: str = "") -> bool:
        """Put the cursor into a field, at the row of a name; False where it cannot be edited here."""
        shown = self._tables.get(field)
        is_off = shown.too_large if shown is not None else self._fields.get(field, Shown()).too_long
        if self.has_class("-broken") or is_off:
            return False
        self._go_to(field, name)
        return True

    async def _unfold(self, is_open: bool) -> None:
        fold, below = self.query_one(Fold), self.query_one("#less-used")
        fold.is_open = is_open
        fold.refresh()
        if is_open and not below.children:
            rows = [_row(field) for field in LESS_USED]
            await below.mount(*rows)
            for row in rows:
                self._offer(row)
            if self._fields:
                self.show(self._fields, self._tables)
        below.display = is_open
        self._make_room()

    def _make_room(self) -> None:
        """Show what has no field where there is some, or where it is being added."""
        for field in _BEHIND:
            table, row = self._tables.get(field), self.query_one_optional(f"#row-{field}", TableRow)
            is_wanted = table is not None and bool(table.rows)
            is_wanted |= field is Field.ENVIRONMENT and self.query_one(Fold).is_open
            if row is not None:
                is_wanted |= row.has_pseudo_class("focus-within")
                row.set_class(not is_wanted, "-empty")
            elif is_wanted:
                self.call_next(self._row_of, field)
            if field is Field.REST:
                self.query_one(Adder).set_class(is_wanted, "-empty")

    async def _row_of(self, field: Field) -> TableRow:
        """The row of what has no field, made when it is first needed."""
        row = self.query_one_optional(f"#row-{field}", TableRow)
        if row is None:
            row = TableRow(field)
            await self.mount(row, after=f"#row-{_BEHIND[field]}")
            self._offer(row)
            row.show(self._tables.get(field, Table()))
        row.remove_class("-empty")
        return row

    @on(Adder.Pressed)
    async def _add(self, event: Adder.Pressed) -> None:
        event.stop()
        row = await self._row_of(Field.REST)

        def begin() -> None:
            row.control.action_add()
            self.query_one(Adder).add_class("-empty")

        self.call_after_refresh(begin)

    def _go_to(self, field: Field, name: str) -> None:
        async def go() -> None:
            if field in LESS_USED and not self.query_one(Fold).is_open:
                await self._unfold(True)
            if field in _BEHIND:
                await self._row_of(field)
            self.query_one(f"#row-{field}", FieldRow).go_to(name)

        self.call_next(go)

    def _has(self, field: Field) -> bool:
        table, shown = self._tables.get(field), self._fields.get(field)
        if table is not None:
            return bool(table.rows) or table.is_there
        return shown is not None and shown != Shown()

    def _offer(self, row: FieldRow[Any]) -> None:
        offered = self._seen.of(row.field)
        if offered and isinstance(row, TableRow):
            row.suggest(offered, self._seen.values_of(row.field))
        elif offered and isinstance(row, TextRow):
            row.suggest(offered)

    def _rows(self) -> Iterator[FieldRow[Widget]]:
        yield from self.query(FieldRow)

    @on(Fold.Toggled)
    async def _toggled(self, event: Fold.Toggled) -> None:
        event.stop()
        await self._unfold(event.is_open)

    @on(FieldRow.Edited)
    def _typed(self, event: FieldRow.Edited) -> None:
        event.stop()
        self.post_message(self.Edited())

    def on_resize(self) -> None:
        """What is typed in stays in sight where lint or variables take room below."""
        self.call_after_refresh(self._bring)

    def _bring(self) -> None:
        row = next((each for each in self._rows() if each.has_pseudo_class("focus-within")), None)
        if row is not None:
            row.bring()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Ask for what has been seen, now and then, once something is about to be typed."""
        now = time.monotonic()
        if isinstance(event.widget, Input | MemberTable) and now - self._asked > _STALE_SECONDS:
            self._asked = now
            self.post_message(self.Wanted())


def _row(field: Field) -> FieldRow[Widget]:
    return _KINDS.get(field, TextRow)(field)
