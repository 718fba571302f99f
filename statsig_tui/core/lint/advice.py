"""What advice is, and the sheet it is noted on while a text is gone through. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from statsig_tui.core.spans import dump

Span = tuple[int, int]
Step = str | int
_MOST = 50
"""Advice by one rule that is listed; more of it is counted."""
_LONGEST_STEP = 40


class Severity(StrEnum):
    """How much is at stake."""

    ERROR = "error"
    """Statsig would likely refuse, drop or cut it, or must not have it."""
    WARNING = "warning"
    """It likely means something else than was meant."""
    HINT = "hint"
    """Worth knowing."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters of the text and what stands in their place then."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What mends the text, in a few words, and the edits that do; they do not overlap."""

    title: str
    edits: tuple[Edit, ...]

    def applied(self, text: str) -> str:
        """The text with this changed and nothing else."""
        for edit in sorted(self.edits, key=lambda edit: edit.start, reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return text


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to say about a text."""

    severity: Severity
    rule: str
    """The same for all advice of one kind, whatever the words."""
    path: str
    """`metadata.items`; empty: the text as a whole."""
    message: str
    """A clause that follows the path and a colon."""
    start: int = 0
    """Characters from the beginning of the text."""
    end: int = 0
    line: int = 0
    """From 1; 0: it is about something outside the text."""
    column: int = 0
    """From 1, in characters."""
    fix: Fix | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def path_of(steps: Sequence[Step]) -> str:
    """Steps into a JSON text as one word: `metadata.items`, `user.custom.tags[0]`, `metadata."a.b"`."""
    out = ""
    for step in steps:
        if isinstance(step, int):
            out += f"[{step}]"
            continue
        name = step if len(step) <= _LONGEST_STEP else step[: _LONGEST_STEP - 1] + "…"
        plain = name and not set(name) & set('."[] ')
        out += ("." if out else "") + (name if plain else dump(name))
    return out


class Sheet:
    """Takes advice on one text, tells the places in lines and columns, and counts what is too much."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._breaks: list[int] | None = None
        self._found: list[Advice] = []
        self._counts: Counter[str] = Counter()
        self._rooms: list[tuple[Span, int]] = []

    def error(self, rule: str, path: str, message: str, at: Span, fix: Fix | None = None) -> None:
        """Note what would likely be refused, dropped or cut."""
        self._note(Severity.ERROR, rule, path, message, at, fix)

    def warning(self, rule: str, path: str, message: str, at: Span, fix: Fix | None = None) -> None:
        """Note what likely means something else than was meant."""
        self._note(Severity.WARNING, rule, path, message, at, fix)

    def hint(self, rule: str, path: str, message: str, at: Span, fix: Fix | None = None) -> None:
        """Note what is worth knowing."""
        self._note(Severity.HINT, rule, path, message, at, fix)

    def bound(self, span: Span, room: int) -> None:
        """Take no fix by which what stands there would grow by more characters than that."""
        self._rooms.append((span, room))

    def lists(self, rule: str) -> bool:
        """Whether more advice by a rule is listed, and a fix for it worth making."""
        return self._counts[rule] < _MOST

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, from 1."""
        if self._breaks is None:
            self._breaks = [match.start() for match in re.finditer("\n", self.text)]
        line = bisect_right(self._breaks, offset - 1)
        return line + 1, offset - (self._breaks[line - 1] if line else -1)

    def advice(self) -> tuple[Advice, ...]:
        """All that was noted, the worst first, then in the order of the text."""
        found = [item if self._fits(item) else replace(item, fix=None) for item in self._found]
        found.sort(key=lambda item: (item.severity.rank, item.start, item.end))
        for rule, count in self._counts.items():
            if count > _MOST:
                last = next(item for item in reversed(found) if item.rule == rule)
                words = f"{count - _MOST:,} more like this are not listed"
                found.insert(found.index(last) + 1, replace(last, message=words, fix=None))
        return tuple(found)

    def _note(
        self, severity: Severity, rule: str, path: str, message: str, at: Span, fix: Fix | None
    ) -> None:
        self._counts[rule] += 1
        if self._counts[rule] <= _MOST:
            self._found.append(Advice(severity, rule, path, message, *at, *self.place(at[0]), fix))

    def _fits(self, item: Advice) -> bool:
        edits = item.fix.edits if item.fix is not None else ()
        grown = [(edit.start, len(edit.text) - (edit.end - edit.start)) for edit in edits]
        return all(
            sum(growth for at, growth in grown if start <= at < end) <= room
            for (start, end), room in self._rooms
        )
