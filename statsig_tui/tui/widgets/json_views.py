"""The views of a body: what a line of its tree, its text and its hex says, and where that is in the text.

What is looked for is marked in it, and what is private masked; no widget, no colour.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from statsig_tui.tui.privacy import AROUND, dots, identifies, masked, masked_part
from statsig_tui.tui.widgets.json_find import Search, raw_row
from statsig_tui.tui.widgets.json_pieces import (
    Piece,
    TreeText,
    hex_pieces,
    noted,
    path,
    row_at,
    shown,
    wrapped,
)

AT_ONCE = 64 * 1024
"""Bytes, or characters, that are prepared before the next frame; the rest of a larger body follows."""
_VALUES = ("string", "number", "bool")
"""Kinds of pieces that are values."""
Notes = Callable[[str], tuple[str, bool] | None]
"""By the path of a value what to say beside it, and whether that is odd."""


def tree_pieces(
    tree: TreeText, line: int, width: int, search: Search | None, notes: Notes | None, *, hides: bool
) -> Iterator[Piece]:
    """A line of a tree, with its note."""
    pieces = tree.pieces(line)
    if search is not None:
        pieces = search.marked(list(pieces))
    where = path(tree.tree, tree.folds.lines[line]) if notes is not None or hides else ""
    note = notes(where) if notes is not None and not tree.folds.row(line) else None
    if note is not None:
        pieces = noted(list(pieces), note, width)
    if hides and identifies(where):
        return ((dots(text) if kind in _VALUES or kind == "found" else text, kind) for text, kind in pieces)
    return pieces


class RawRows:
    """A text in rows of a width: of a long one those of its head, until it is given all."""

    def __init__(self, text: str, width: int) -> None:
        self.text = text
        self.width = width
        self.is_whole = len(text) <= AT_ONCE
        self._starts = wrapped(text, width, 0, min(len(text), AT_ONCE))

    def __len__(self) -> int:
        return len(self._starts)

    def take_all(self, starts: array[int]) -> None:
        """Where all its rows start, as `wrapped` says it."""
        self._starts, self.is_whole = starts, True

    def row(self, line: int, *, hides: bool = False) -> str:
        """The text of a row; empty behind the last one."""
        if line >= len(self):
            return ""
        text, start = self.text, self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self) else len(text)
        return (masked_part(text, start, end) if hides else text[start:end]).removesuffix("\n")

    def pieces(self, line: int, search: Search | None, *, hides: bool) -> Iterator[Piece]:
        """A row as it is drawn."""
        row, start = self.row(line, hides=hides), self._starts[line]
        if search is None:
            return iter([(shown(row), "")])
        return raw_row(row, search.inside(start, start + len(row)))

    def offset(self, line: int) -> int:
        """Where in the text a row starts, or the last one there is."""
        return self._starts[min(line, len(self) - 1)] if len(self) else 0

    def line_of(self, offset: int) -> int:
        """The row in which a place of the text is."""
        return row_at(self._starts, offset)


@dataclass(frozen=True, slots=True)
class HexRows:
    """Bytes in rows of so many."""

    raw: bytes
    columns: int

    def __len__(self) -> int:
        return -(-len(self.raw) // self.columns)

    def row(self, line: int) -> str:
        """The bytes of a row, as somebody would paste them."""
        return self.raw[line * self.columns :][: self.columns].hex(" ")

    def pieces(self, line: int, *, hides: bool) -> Iterator[Piece]:
        """A row as it is drawn."""
        start = line * self.columns
        return self._masked(start) if hides else hex_pieces(self.raw, start, self.columns)

    def offset(self, line: int) -> int:
        """Where in the text of these bytes a row starts."""
        return len(self.raw[: line * self.columns].decode("utf-8", "surrogateescape"))

    def line_of(self, text: str, offset: int) -> int:
        """The row in which a place of their text is."""
        return len(text[:offset].encode("utf-8", "surrogateescape")) // self.columns

    def _masked(self, start: int) -> Iterator[Piece]:
        """A row with dots for what is private, byte for byte."""
        count = self.columns
        first = max(0, start - AROUND)
        text = self.raw[first : start + count + AROUND].decode("latin-1")
        hidden = masked(text)[start - first :][:count]
        row = text[start - first :][:count]
        for place, (text, kind) in enumerate(hex_pieces(self.raw, start, count)):
            if place == 1:
                for at, (before, after) in enumerate(zip(row, hidden, strict=True)):
                    column = at * 3 + at // 8
                    text = text if before == after else f"{text[:column]}••{text[column + 2 :]}"
            elif place == 2:
                pairs = zip(text, row, hidden, strict=True)
                text = "".join(seen if before == after else "•" for seen, before, after in pairs)
            yield text, kind
