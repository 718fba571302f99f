"""What the rows of one table are to be: each edit makes others of them, and the text is told later.

It knows neither keys nor a screen. What cannot be meant is refused in words, and the rows stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from statsig_tui.core import cells, tables
from statsig_tui.core.draft import Field
from statsig_tui.core.notation import FieldError
from statsig_tui.core.tables import Row, Table

Rows = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a table is to become, and what it was when that was decided."""

    base: Table
    rows: Rows
    whole: str | None
    """The value to put in the place of the object; None: the rows are meant."""
    step: int
    """The same while one cell is typed in: what is to be taken back at once."""


class MemberEdit:
    """The rows as they are to be, beside the table as the text has it."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.table = Table()
        """What the text has, and the rows that are off."""
        self.rows: Rows = ()
        self.refused = ""
        """Why the last edit is not in the rows."""
        self._whole: str | None = None
        self._step = 0
        self._before: Rows = ()
        """The rows when a cell was entered."""
        self._former: str | None = None
        """What stood in the place of the object when something else began to be typed there."""
        self._typing: tuple[int, str, str] | None = None
        """The row whose type is being stepped through, what it was, and what it is now."""

    @property
    def is_whole(self) -> bool:
        """Whether there is something else in the place of the object."""
        return bool(self.table.other) or self._former is not None

    @property
    def keeps_place(self) -> bool:
        """Whether something is being typed in the place of the object, whatever the text has by now."""
        return self._former is not None

    @property
    def change(self) -> Change | None:
        """What is not shown yet as a part of the text."""
        if self._whole is None and self.rows == self.table.rows:
            return None
        return Change(self.table, self.rows, self._whole, self._step)

    @property
    def listing(self) -> str:
        """The rows as one text, for an editor."""
        return self.table.other or tables.listing(self.rows)

    def show(self, table: Table) -> bool:
        """Take an object as the text has it; whether it is another one than before."""
        # Where it is the same its places in the text may be others.
        is_other = table != self.table or self.change is not None
        self.table, self.rows, self._whole = table, table.rows, None
        return is_other

    def refuse(self, words: str) -> None:
        """Go back to what the text has, and say why."""
        self.rows, self._whole, self.refused = self.table.rows, None, words

    # A cell that is typed in

    def enter(self) -> None:
        """Begin an edit that is taken back at once, however often it is typed in."""
        self._step += 1
        self._before = self.rows

    def enter_whole(self) -> None:
        """The same for what is in the place of the object."""
        self._former = self.table.other

    def leave(self) -> None:
        """The edit is over."""
        self._former, self.refused = None, ""

    def give_up(self) -> None:
        """What was typed since a cell was entered is not meant."""
        if self._former is None:
            self.rows = self._before
        elif self._former != self.table.other or self._whole is not None:
            self._whole = self._former

    def type_whole(self, content: str) -> None:
        """What is typed in the place of the object. Raises FieldError."""
        if not content.strip():
            raise FieldError("a value is expected")
        self._whole = content

    def type_new(self, key: str) -> None:
        """The name of a row to be added; a spelled one."""
        self.rows = (*self.rows, tables.new_row(self.rows, key))

    def type_name(self, at: int, content: str) -> None:
        """A row's name. Raises FieldError."""
        self.rows = self._with(at, tables.renamed(self.rows[at], content))

    def type_value(self, at: int, content: str, *, is_new: bool) -> None:
        """A row's value, of which a new one takes its type. Raises FieldError."""
        self.rows = self._with(at, tables.respelled(self.rows[at], content, self.field, is_new=is_new))

    # Whole edits

    def flip(self, at: int) -> None:
        """Make a truth value the other one."""
        row = self.rows[at]
        self._do(self._with(at, replace(row, raw=cells.flipped(row.raw))))

    def switch(self, at: int) -> None:
        """Take a row out of the text, or put it back where it was."""
        row = self.rows[at]
        self._do(self._with(at, replace(row, is_on=not row.is_on)))

    def retype(self, at: int, by: int) -> str:
        """Make a value one of the next type, and give it; once round it is what it was."""
        row = self.rows[at]
        first = row.raw
        if self._typing is not None and self._typing[::2] == (at, row.raw):
            first = self._typing[1]
        raw = cells.retyped(first, cells.next_kind(row.kind, by))
        self._typing = (at, first, raw)
        self._do(self._with(at, replace(row, raw=raw)))
        return raw

    def delete(self, at: int) -> bool:
        """Delete a row; of an object without rows the object itself. Whether there was one."""
        if at < len(self.rows):
            self._do((*self.rows[:at], *self.rows[at + 1 :]))
        elif self.table.is_there and not self.rows:
            self._do_whole("")
        else:
            return False
        return True

    def shift(self, at: int, to: int) -> None:
        """Let two rows change places."""
        rows = list(self.rows)
        rows[at], rows[to] = rows[to], rows[at]
        self._do(tuple(rows))

    def take(self, text: str) -> None:
        """Make the rows what an editor made of their listing; those that are off stay."""
        if self.is_whole:
            self._do_whole(text.strip())
            return
        try:
            rows = list(tables.listed(text, self.field))
        except FieldError as error:
            self.refused = str(error)
            return
        for index, row in tables.off(self.rows):
            rows.insert(index, row)
        self._do(tuple(rows))

    def paste(self, text: str) -> None:
        """Add rows; a name that is there gets the value."""
        try:
            found = tables.listed(text, self.field)
        except FieldError as error:
            self.refused = str(error)
            return
        rows = list(self.rows)
        for new in found:
            at = next((index for index, row in enumerate(rows) if row.is_on and row.name == new.name), None)
            if at is None:
                rows.append(new)
            else:
                rows[at] = replace(rows[at], raw=new.raw)
        self._do(tuple(rows))

    def _with(self, at: int, row: Row) -> Rows:
        return (*self.rows[:at], row, *self.rows[at + 1 :])

    def _do(self, rows: Rows) -> None:
        self._step += 1
        self.rows, self.refused = rows, ""

    def _do_whole(self, value: str) -> None:
        self._step += 1
        self._whole, self.refused = value, ""
