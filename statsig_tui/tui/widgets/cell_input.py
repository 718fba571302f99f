"""The cell of a table that is being typed in: the keys that leave it, and what is offered meanwhile.

It knows the table's rows by what it asks for, and changes none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from textual import events
from textual.strip import Strip
from textual.suggester import Suggester

from statsig_tui.core import cells, tables
from statsig_tui.core.draft import Field
from statsig_tui.core.notation import FieldError
from statsig_tui.core.tables import Row
from statsig_tui.tui.privacy import marked
from statsig_tui.tui.widgets.at_once import LineInput

LEAVES = {
    "enter": "enter", "tab": "tab", "shift+tab": "back", "escape": "escape", "up": "up", "down": "down",
}  # fmt: skip


class Owner(Protocol):
    """The table that a cell belongs to."""

    @property
    def says_who(self) -> bool:
        """Whether its values say who somebody is."""

    @property
    def is_editing(self) -> bool:
        """Whether a cell is being typed in."""

    def on_key(self, event: events.Key) -> None:
        """Take a key that is none of the cell's."""

    def leave(self, how: str) -> None:
        """Leave the cell by one of LEAVES."""


class CellInput(LineInput):
    """The cell that is being typed in; the keys that leave it are the table's."""

    def __init__(self, owner: Owner) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self._owner = owner

    def render_line(self, y: int) -> Strip:
        """Draw it, so that it can be masked."""
        line = super().render_line(y)
        return marked(line) if self._owner.says_who and self.value else line

    async def _on_key(self, event: events.Key) -> None:
        # At once, not when the key has bubbled up to a binding: what is typed behind it is for the next cell.
        if not self._owner.is_editing:
            event.prevent_default()
            self._owner.on_key(event)  # it was pressed behind the one that closed the cell
        elif event.key in LEAVES:
            event.stop()
            event.prevent_default()
            self._owner.leave(LEAVES[event.key])


class _Offered(Suggester):
    """Offers the first that begins with what is typed."""

    def __init__(self, offered: Callable[[], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._offered = offered

    async def get_suggestion(self, value: str) -> str | None:
        """The first that begins with what is typed."""
        return next((text for text in self._offered() if text.startswith(value)), None)


class Offers:
    """What was seen in a table: names that its rows do not have yet, and the values of a name."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._seen: Sequence[str] = ()
        self._values: Mapping[str, Sequence[str]] = {}

    def use(self, names: Sequence[str], values: Mapping[str, Sequence[str]]) -> None:
        """Offer these; values are spelled."""
        self._seen, self._values = names, values

    def names(self, rows: Callable[[], Sequence[Row]]) -> Suggester:
        """Names for a row of these."""
        return _Offered(lambda: self._unused(rows()))

    def values(self, row: Row, *, is_new: bool) -> Suggester:
        """Values for a row; a new one takes its type from them, another one keeps its own."""
        return _Offered(lambda: self._fitting(row, is_new=is_new))

    def _unused(self, rows: Sequence[Row]) -> Iterable[str]:
        used = {row.name for row in rows}
        return (name for name in self._seen if name not in used)

    def _fitting(self, row: Row, *, is_new: bool) -> Iterable[str]:
        for raw in self._values.get(row.name, ()):
            content = cells.content(raw)
            try:
                # What is not read as the value that was seen cannot be taken over by a key.
                if tables.respelled(row, content, self._field, is_new=is_new).raw == raw:
                    yield content
            except FieldError:
                continue
