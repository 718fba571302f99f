"""What the lines of a body say: gated text in pieces, each with what it is; no widget, no colour."""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from rich.cells import cell_len

from statsig_tui.tui.text import bound, cut, fit, from_bytes, printable
from statsig_tui.tui.widgets.json_lines import Folds, JsonTree

INDENT = 2
FOLDED, OPEN, PLAIN = "▸", "▾", " "
_MARK = 2
_GAP = 2
_ALIGNED = 24
"""Keys up to this width share a column of values with their siblings."""
_SIBLINGS = 100
"""So many of them are measured for that column."""
_ENDS = (" }", " ]")
"""What alone may fill a preview's last cells: behind everything else something follows."""
_KINDS = {'"': "string", "t": "bool", "f": "bool", "n": "null", "{": "punctuation", "[": "punctuation"}
_bare = re.compile(r'"([^\s"\\](?:[^"\\]*[^\s"\\])?)"')
_identifier = re.compile(r'"([A-Za-z_$][\w$]*)"', re.ASCII)

Piece = tuple[str, str]
"""Gated text, and its kind: key, string, number, bool, null, punctuation, or "" for plain."""


class TreeText:
    """The shown lines of a tree at a width."""

    def __init__(self, folds: Folds, width: int) -> None:
        self.folds = folds
        self.tree = folds.tree
        self.width = width
        self._label_widths: dict[int, int] = {}
        for index in list(folds.opened):
            self.open(index)

    def pieces(self, at: int) -> Iterator[Piece]:
        """The line shown at a place."""
        tree, folds, index = self.tree, self.folds, self.folds.lines[at]
        row = folds.row(at)
        value = self._column(index)
        line = tree.line(index)
        kind = _KINDS.get(tree.text[line.start], "number")
        if index in folds.opened:
            rows = folds.opened[index]
            end = rows[row + 1] if row + 1 < len(rows) else line.end
            if row:
                yield " " * value, ""
            else:
                yield from self._head(index, OPEN, value)
            yield shown(tree.text[rows[row] : end]), kind
        elif not tree.is_container(index):
            yield from self._head(index, FOLDED if self.is_long(index) else PLAIN, value)
            yield fit(self._seen(line.start, line.end), self.width - value), kind
        else:
            yield from self._container(index, value)

    def offset(self, at: int) -> int:
        """Where in the text the line shown at a place starts, or the last one there is."""
        folds = self.folds
        at = min(at, len(folds) - 1)
        index, row = folds.lines[at], folds.row(at)
        return folds.opened[index][row] if row else self.tree.offset(index)

    def line_of(self, offset: int) -> int:
        """At which place the line is shown in which a place of the text is."""
        index = self.tree.at(offset)
        rows = self.folds.opened.get(index)
        return self.folds.shown(index) + (row_at(rows, offset) if rows is not None else 0)

    def mark_column(self, index: int) -> int:
        """Where a line's fold mark is."""
        depth = self.tree.depth(index) - (1 if self.folds.lines[0] else 0)
        return min(depth * INDENT, self.width // 3)

    def is_long(self, index: int) -> bool:
        """Whether a value does not fit its line."""
        _, start, end = self.tree.line(index)
        room = self.width - self._column(index)
        value = self._seen(start, end)
        return end - start > room and (len(value) < end - start or cell_len(printable(value)) > room)

    def open(self, index: int) -> None:
        """Show a value on as many rows as it needs."""
        _, start, end = self.tree.line(index)
        room = max(1, self.width - self._column(index))
        self.folds.open(index, wrapped(self.tree.text, room, start, end))

    def _container(self, index: int, value: int) -> Iterator[Piece]:
        tree = self.tree
        count = tree.count(index)
        is_object = tree.text[tree.line(index).start] == "{"
        if not count and not tree.is_open(index):
            yield from self._head(index, PLAIN, value)
            yield "{}" if is_object else "[]", "punctuation"
            return
        is_folded = self.folds.is_folded(index)
        noun = ("key" if is_object else "item") + ("" if count == 1 else "s")
        counted = "…" if tree.is_open(index) else f"{count:,} {noun}"
        yield from self._head(index, FOLDED if is_folded else OPEN, value)
        room = max(0, self.width - value - cell_len(counted) - _GAP)
        preview = list(_clipped(self._preview(index, room), room)) if is_folded else []
        yield from preview
        used = value + sum(cell_len(text) for text, _ in preview)
        yield " " * max(0, self.width - used - cell_len(counted)), ""
        yield counted, "punctuation"

    def _head(self, index: int, mark: str, value: int) -> Iterator[Piece]:
        column = self.mark_column(index)
        label = self._label(index)
        yield f"{' ' * column}{mark} ", "punctuation"
        yield label, "punctuation" if self.tree.line(index).key is None else "key"
        yield " " * (value - column - _MARK - cell_len(label)), ""

    def _preview(self, index: int, room: int) -> Iterator[Piece]:
        tree = self.tree
        is_object = tree.text[tree.line(index).start] == "{"
        yield "{ " if is_object else "[ ", "punctuation"
        # A member takes two cells at least: more of them than that cannot be seen.
        for place, child in enumerate(islice(tree.children(index), room // 2 + 1)):
            if place:
                yield ", ", "punctuation"
            key, start, end = tree.line(child)
            if key is not None:
                yield _plain(key), "key"
                yield ": ", "punctuation"
            opening = tree.text[start]
            if opening in "[{":
                inside = "…" if tree.stop(child) > child + 1 else ""
                yield f"{opening}{inside}{']' if opening == '[' else '}'}", "punctuation"
            else:
                yield fit(self._seen(start, end), room), _KINDS.get(opening, "number")
        yield " }" if is_object else " ]", "punctuation"

    def _seen(self, start: int, end: int) -> str:
        """As much of a value as can make a difference to a line."""
        return self.tree.text[start : min(end, start + bound(self.width) + 1)]

    def _label(self, index: int) -> str:
        key = self.tree.line(index).key
        if key is not None:
            return cut(_plain(key), self.width // 2)
        return str(self.tree.nth(index)) if self.tree.parent(index) >= 0 else ""

    def _column(self, index: int) -> int:
        """Where a line's value starts: under those of its siblings, unless its own key is too wide."""
        parent = self.tree.parent(index)
        shared = self._label_widths.get(parent)
        if shared is None:
            shared = self._label_widths[parent] = self._widest(parent)
        label = max(shared, cell_len(self._label(index)))
        return self.mark_column(index) + _MARK + label + (_GAP if label else 0)

    def _widest(self, parent: int) -> int:
        if parent < 0:
            return 0
        if self.tree.text[self.tree.line(parent).start] == "[":
            return len(str(max(0, self.tree.count(parent) - 1)))
        siblings = islice(self.tree.children(parent), _SIBLINGS)
        widths = (cell_len(self._label(child)) for child in siblings)
        return min(max((width for width in widths if width <= _ALIGNED), default=0), self.width // 3)


def path(tree: JsonTree, index: int) -> str:
    """Where a line is, as in data[0].user.userID; empty for the whole value."""
    steps: list[str] = []
    while (parent := tree.parent(index)) >= 0:
        key = tree.line(index).key
        if key is None:
            steps.append(f"[{tree.nth(index)}]")
        elif bare := _identifier.fullmatch(key):
            steps.append(f".{bare[1]}")
        else:
            steps.append(f"[{printable(key)}]")
        index = parent
    return "".join(reversed(steps)).removeprefix(".")


def copied(source: str) -> str:
    """A value as somebody would paste it: a string's text, or anything else as it is spelled."""
    if not source.startswith('"'):
        return source
    text = str(json.loads(source))
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates: no clipboard takes them
        return source[1:-1]
    return text


def hex_columns(width: int) -> int:
    """How many bytes a row of hex has room for: 16, 8 or 4."""
    return next((count for count in (16, 8) if _hex_width(count) <= width), 4)


def hex_pieces(raw: bytes, offset: int, count: int) -> Iterator[Piece]:
    """A row of hex: where it is, its bytes, and those of them that are ASCII."""
    row = raw[offset : offset + count]
    digits = "  ".join(row[part : part + 8].hex(" ") for part in range(0, len(row), 8))
    yield f"{offset:08x}  ", "punctuation"
    yield digits.ljust(_hex_width(count) - count - 10), ""
    yield "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row), "string"


def shown(text: str) -> str:
    r"""A piece of a decoded body, gated; bytes that were no UTF-8 as `\xNN`."""
    if text.isascii() and text.isprintable():
        return text
    return from_bytes(text.encode("utf-8", "surrogateescape"))


def wrapped(text: str, width: int, start: int = 0, end: int | None = None) -> array[int]:
    """Where rows of at most `width` cells start; a line feed ends a row."""
    end = len(text) if end is None else end
    rows, position = array("i"), start
    while position < end:
        rows.append(position)
        piece = text[position : min(end, position + width + 1)]
        feed = piece.find("\n")
        if feed >= 0:
            piece = piece[:feed]
        elif len(piece) > width:
            piece = piece[:width]
        fitting = len(piece) if piece.isascii() and piece.isprintable() else _fitting(piece, width)
        position += fitting + (fitting == feed)
    return rows


def row_at(rows: array[int], offset: int) -> int:
    """The row in which a place of the text is."""
    return max(0, bisect_left(rows, offset + 1) - 1)


def _hex_width(count: int) -> int:
    return 8 + 2 + count * 3 - 1 + (count > 8) + 2 + count


def _plain(key: str) -> str:
    bare = _bare.fullmatch(key)
    return printable(bare[1] if bare else key)


def _clipped(pieces: Iterator[Piece], width: int) -> Iterator[Piece]:
    for text, kind in pieces:
        size = cell_len(text)
        if size > width or (size == width and text not in _ENDS):
            yield cut(text + "…", width), kind
            return
        yield text, kind
        width -= size


def _fitting(piece: str, width: int) -> int:
    room, count = width, 0
    while count < len(piece) and (room := room - _cells(piece[count])) >= 0:
        count += 1
    while count > 1 and cell_len(shown(piece[:count])) > width:
        count -= 1
    return max(1, count) if piece else 0


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    return cell_len(shown(character))


def noted(pieces: Sequence[Piece], note: tuple[str, bool], width: int) -> Iterator[Piece]:
    """A line of a tree with its note at the right end, as far as there is room for both."""
    words, is_odd = note
    room = width - cell_len(words) - _GAP
    used = 0
    for text, kind in pieces:
        taken = _within(text, room - used)
        used += cell_len(taken)
        yield taken, kind
    if room >= used:
        yield " " * (room - used + _GAP), ""
        yield words, "odd" if is_odd else "note"


def _within(text: str, room: int) -> str:
    # Of the blanks before a count at the right end nothing is missed.
    return cut(text, max(0, room)) if text.strip() else text[: max(0, room)]
