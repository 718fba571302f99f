"""The line for a destination's condition: completed while it is typed, with the keys that can be meant there.

The down and up keys take the candidates in turn; what is wrong is for the form around it to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from statsig_tui.core.query import CONDITION_KEYS, QueryError, parse_condition
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.completing import Completer, Ghost


class ConditionInput(LineInput):
    """A condition."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "complete(1)", "Complete"),
        Binding("up", "complete(-1)", "Complete back", show=False),
    ]

    def __init__(self, value: str, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        self._completer = Completer(CONDITION_KEYS)
        super().__init__(
            value,
            compact=True,
            id=id,
            placeholder="metadata.plan=pro user.country=KR,JP",
            suggester=Ghost(self._completer),
        )

    def see(self, seen: Mapping[str, Sequence[str]]) -> None:
        """Take the values that are offered, by key and by field."""
        self._completer.seen = seen

    def action_complete(self, step: int) -> None:
        """Take the next candidate, or the one before."""
        made = self._completer.turn(self.value, self.cursor_position, step)
        if made is not None:
            self.value, self.cursor_position = made

    def offered(self, room: int) -> Content:
        """What may stand at the cursor, in so many cells."""
        self._completer.changed(self.value)
        return self._completer.offered(self.value, self.cursor_position, room)

    @property
    def is_being_typed(self) -> bool:
        """Whether what is wrong is the term at the cursor, and something may still become of it."""
        try:
            parse_condition(self.value)
        except QueryError as error:
            return self._completer.may_mend(error, self.value, self.cursor_position)
        return False
