"""How the rows of an object are drawn: a mark, the name, the value and the type, in columns of one width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.content import Content

from statsig_tui.core import cells, notation
from statsig_tui.core.cells import Kind
from statsig_tui.core.tables import Row, Table
from statsig_tui.tui import theme
from statsig_tui.tui.privacy import private
from statsig_tui.tui.text import fit
from statsig_tui.tui.widgets.fields import TICKED, UNTICKED

Column = Literal["name", "value"]
MARK = 3
"""Cells before the name."""
_GAP = 2
_LONGEST_NAME = 28
_ROOMY = 44
"""Cells from which a type is spelled out."""
_SHORT = {Kind.STRING: "str", Kind.NUMBER: "num", Kind.VARIABLE: "var"}
_CURSOR = "$text-primary bold"


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column."""

    name: int
    value: int
    kind: int

    @property
    def value_at(self) -> int:
        """The value's first cell."""
        return MARK + self.name + _GAP

    def under(self, x: int) -> Column | Literal["mark", "type"]:
        """What is at a cell."""
        if x < MARK:
            return "mark"
        if x >= self.value_at + self.value:
            return "type"
        return "name" if x < MARK + self.name + 1 else "value"


def columns(rows: tuple[Row, ...], width: int) -> Columns:
    """The columns of these rows in so many cells."""
    kind = 8 if width >= _ROOMY else 4
    left = max(4, width - MARK - _GAP - 1 - kind)
    longest = max((len(row.name) for row in rows), default=0)
    name = min(_LONGEST_NAME, left * 3 // 5, max(longest, left * 2 // 5))
    return Columns(name, left - name, kind)


def line(row: Row, widths: Columns, cursor: Column | None, *, is_overruled: bool, says_who: bool) -> Content:
    """One row, with the cursor in a column of it; `is_overruled`: a later one has the same name.

    `says_who`: its value says who somebody is.
    """
    name = fit(row.name, widths.name) or '""'
    value = fit(_shown(row), widths.value)
    kind = _SHORT.get(row.kind, str(row.kind)) if widths.kind < 8 else str(row.kind)
    plain = theme.QUIET if not row.is_on or is_overruled else ""
    typed = Content.styled(_padded(value, widths.value), _CURSOR if cursor == "value" else plain)
    return Content.assemble(
        (f" {TICKED if row.is_on else UNTICKED} ", theme.ACCENT if row.is_on else theme.QUIET),
        Content.styled(_padded(name, widths.name), _CURSOR if cursor == "name" else plain),
        " " * _GAP,
        private(typed) if says_who else typed,
        (
            " " + ("unused" if is_overruled else kind)[: widths.kind],
            theme.WARN if is_overruled else theme.QUIET,
        ),
    )


def last_line(table: Table, *, is_empty: bool, has_cursor: bool) -> Content:
    """The line that adds a row."""
    empty = "{}  " if table.is_there and is_empty else ""
    return Content.assemble(" " * MARK, (f"{empty}+ add", _CURSOR if has_cursor else theme.QUIET))


def whole_line(value: str, width: int, *, has_cursor: bool) -> Content:
    """What stands in the place of the object."""
    shown = fit(notation.shown(value, bare=False), width - MARK)
    return Content.assemble(" " * MARK, Content.styled(shown, _CURSOR if has_cursor else ""))


def _shown(row: Row) -> str:
    if len(row.raw) > cells.LONGEST:
        return row.raw[: cells.LONGEST].removeprefix('"')
    return cells.content(row.raw) or '""'


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - Content(text).cell_length)
