"""Where in a TOML text each field stands. Knows lines, not values: tomllib reads those."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

Route = tuple[str | int, ...]
"""A field's way from the root: keys, and indexes of list elements."""

MOST_DEPTH = 50
MOST_PARTS = 50

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]++)
    | (?P<comment>\#[^\n]*+)
    | (?P<newline>\n)
    | (?P<text>
        \"\"\" (?:[^\\]|\\.)*? (?:\"\"\"|\\?\Z)
      | ''' .*? (?:'''|\Z)
      | " (?:[^"\\\n]|\\.)*+ "?
      | ' [^'\n]*+ '? )
    | (?P<mark>[\[\]{}=,.])
    | (?P<bare>[^\s"'\#\[\]{}=,.]++)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""Linear on any input: what is never closed is one token to the end."""


class TooComplex(ValueError):
    """A text that takes a parser too long or too deep, refused before it gets there."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class Lines:
    """The line, from 1, of every field."""

    places: dict[Route, int] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    def of(self, path: Route) -> int | None:
        """The line of a field, or of the nearest thing around it."""
        ways = (path[:end] for end in range(len(path), 0, -1))
        return next((self.places[way] for way in ways if way in self.places), None)


@dataclass(slots=True)
class _Frame:
    """An open bracket: an inline table, or a list with the index of its current element."""

    path: Route
    index: int | None = None


def scan(text: str) -> Lines:
    """Find the lines of all fields, as far as the text is valid; raises TooComplex."""
    return _Scanner().scan(text)


class _Scanner:
    def __init__(self) -> None:
        self.lines = Lines()
        self.line = 1
        self.frames: list[_Frame] = []
        self.lists: dict[Route, int] = {}
        """Elements so far of each list of tables."""
        self.table: Route = ()
        self.key: list[str] = []
        self.value: Route | None = None
        """The field whose value is being read; None where a key is expected."""
        self.header = 0
        """Brackets of the table header being read."""
        self.dots = 0

    def scan(self, text: str) -> Lines:
        for token in _TOKEN.finditer(text):
            kind, word = token.lastgroup, token.group()
            if kind == "newline":
                self._end_of_line()
            elif kind == "comment":
                self.lines.comments.append(word.rstrip())
            elif kind == "mark":
                self._mark(word)
            elif kind in {"text", "bare"}:
                self._word(word)
            self.line += word.count("\n")
        return self.lines

    def _end_of_line(self) -> None:
        if not self.frames:
            self.key, self.value, self.header, self.dots = [], None, 0, 0

    def _word(self, word: str) -> None:
        self._element()
        if self.value is None:
            self.key.append(_unquoted(word))

    def _mark(self, mark: str) -> None:
        self.dots = self.dots + 1 if mark == "." else 0
        if self.dots >= MOST_PARTS:
            raise TooComplex(f"a key has more than {MOST_PARTS} parts", self.line)
        if self.value is None and not self.frames and mark in "[]":
            self._header(mark)
        elif mark == "=" and self.value is None and self.key:
            self.value = self._record(self.frames[-1].path if self.frames else self.table)
        elif mark in "[{" and self.value is not None:
            self._element()
            self._open(mark, self.value)
        elif mark in "]}" and self.frames:
            self._close()
        elif mark == "," and self.frames:
            self._next()

    def _header(self, mark: str) -> None:
        if mark == "[":
            self.header += 1
            return
        if not self.key:
            return
        path: Route = ()
        for name in self.key:
            path = self._inside((*path, name))
        if self.header > 1:
            path = path[:-1] if isinstance(path[-1], int) else path
            self.lists[path] = self.lists.get(path, 0) + 1
            self.lines.places.setdefault(path, self.line)
            path = (*path, self.lists[path] - 1)
        self.lines.places.setdefault(path, self.line)
        self.table, self.key = path, []

    def _inside(self, path: Route) -> Route:
        """The path, or that of its latest element where it is a list of tables."""
        return (*path, self.lists[path] - 1) if path in self.lists else path

    def _record(self, path: Route) -> Route:
        for name in self.key:
            path = (*path, name)
            self.lines.places.setdefault(path, self.line)
        self.key = []
        return path

    def _element(self) -> None:
        """Note the line of a list's element where its first token stands."""
        if self.frames and self.value is not None and self.frames[-1].index is not None:
            self.lines.places.setdefault(self.value, self.line)

    def _open(self, mark: str, path: Route) -> None:
        if len(self.frames) >= MOST_DEPTH:
            raise TooComplex(f"brackets are nested more than {MOST_DEPTH} deep", self.line)
        self.frames.append(_Frame(path, 0 if mark == "[" else None))
        self.key, self.value = [], (*path, 0) if mark == "[" else None

    def _close(self) -> None:
        self.key, self.value = [], self.frames.pop().path

    def _next(self) -> None:
        frame = self.frames[-1]
        if frame.index is None:
            self.key, self.value = [], None
        else:
            frame.index += 1
            self.value = (*frame.path, frame.index)


def _unquoted(word: str) -> str:
    if word[0] not in "\"'":
        return word
    if "\\" in word:
        try:
            return str(tomllib.loads(f"key = {word}")["key"])
        except tomllib.TOMLDecodeError:
            return word
    return word[1:-1]
