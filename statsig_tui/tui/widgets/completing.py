"""Completing a text of the query language: candidates taken in turn, told in one line, the first as a ghost.

It knows the keys that may be used, never what is looked through: what was seen is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.suggester import Suggester

from statsig_tui.core.query import KEYS, Completion, Key, QueryError, complete
from statsig_tui.tui import theme
from statsig_tui.tui.text import fit


@dataclass(frozen=True, slots=True)
class _Turn:
    """Candidates one after another in the place of what was begun."""

    completion: Completion
    at: int
    value: str
    """The whole text with the candidate in it."""


class Completer:
    """What may stand at the cursor of one text, and which of it was taken last."""

    def __init__(self, keys: Mapping[str, Key] = KEYS) -> None:
        self._keys = keys
        self._turn: _Turn | None = None
        self.seen: Mapping[str, Sequence[str]] = {}
        """Values that are offered, by key and by field."""

    def begin(self) -> None:
        """Forget what was taken of another text."""
        self._turn = None

    def changed(self, value: str) -> None:
        """The text is another one; by hand, unless it is what was taken."""
        if self._turn is not None and self._turn.value != value:
            self._turn = None

    def find(self, value: str, cursor: int) -> Completion:
        """What may stand at the cursor; while candidates are taken in turn, all of them."""
        return self._turn.completion if self._turn is not None else self._fresh(value, cursor)

    def may_mend(self, error: QueryError, value: str, cursor: int) -> bool:
        """Whether what is wrong is the term at the cursor, of which something may still become."""
        return error.position > value.rfind(" ", 0, cursor) and bool(self.find(value, cursor).candidates)

    def turn(self, value: str, cursor: int, step: int) -> tuple[str, int] | None:
        """The text with the next candidate or the one before, and the cursor behind it; None: none fits."""
        turn = self._turn
        if turn is None:
            found = self._fresh(value, cursor)
            at, before = 0 if step > 0 else len(found.candidates) - 1, value
        else:
            found, at = turn.completion, (turn.at + step) % len(turn.completion.candidates)
            before = _without(turn)
        if not found.candidates:
            return None
        text = found.candidates[at].text
        made = before[: found.start] + text + before[found.end :]
        # A lone candidate is taken at once: the next one completes what follows it.
        self._turn = _Turn(found, at, made) if len(found.candidates) > 1 else None
        return made, found.start + len(text)

    def offered(self, value: str, cursor: int, room: int) -> Content:
        """What may stand at the cursor as far as there is room in cells, and what the first of it is."""
        found = self.find(value, cursor)
        chosen = self._turn.at if self._turn is not None else None
        parts: list[Content] = []
        first = max(0, (chosen or 0) - 2)
        for at, candidate in enumerate(found.candidates[first:], first):
            shown = fit(candidate.text, 40)
            if room < cell_len(shown):
                break
            style = f"{theme.ACCENT} {theme.STRONG}" if at == chosen else ""
            parts += [Content.styled(shown, style), Content("  ")]
            room -= cell_len(shown) + 2
        about = found.candidates[chosen or 0].about if found.candidates else ""
        return Content.assemble(*parts, (fit(about, max(0, room)), theme.QUIET))

    def ghost(self, value: str) -> str | None:
        """The text with the first candidate, where that only adds to its end."""
        found = self._fresh(value, len(value))
        begun = value[found.start :]
        fits = (each.text for each in found.candidates if begun and each.text.startswith(begun))
        text = next(fits, None)
        return value[: found.start] + text if text is not None else None

    def _fresh(self, value: str, cursor: int) -> Completion:
        return complete(value, cursor, self.seen, self._keys)


class Ghost(Suggester):
    """The first candidate, behind what was begun at the end of the text."""

    def __init__(self, completer: Completer) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._completer = completer

    async def get_suggestion(self, value: str) -> str | None:
        """The text with the candidate, where there is one."""
        return self._completer.ghost(value)


def _without(turn: _Turn) -> str:
    """The text as it was, in the completion's places; what was begun does not matter any more."""
    start, end = turn.completion.start, turn.completion.end
    behind = turn.value[start + len(turn.completion.candidates[turn.at].text) :]
    return turn.value[:start] + " " * (end - start) + behind
