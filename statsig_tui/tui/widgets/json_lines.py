"""A JSON text as lines of offsets: nothing is decoded, so every spelling, duplicate and order is kept.

No widget and no screen, so that a thread can prepare a body of any size.
"""

from __future__ import annotations

import codecs
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

MAX_DEPTH = 1000
"""Nobody reads a deeper tree; such a body is shown raw."""
INLINE = 60
"""A container of scalars spelled in fewer characters starts folded: it can be read in its line."""

_WS = r"[ \t\n\r]*+"
_STRING_HEAD = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
_STRING = f'{_STRING_HEAD}"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_SCALAR = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"
_CLOSERS = r"[\]}][\]} \t\n\r]*+,?"
# One match is one line: a key, a scalar, then a comma or the brackets closed there; or the bracket it opens.
_REST = rf"(?:{_SCALAR}{_WS}(?:,|({_CLOSERS}))|([\[{{])){_WS}"
_item = re.compile(_REST)
_member = re.compile(f"{_STRING}{_WS}:{_WS}{_REST}")
_closers = re.compile(_CLOSERS + _WS)
_key = re.compile(f"({_STRING}){_WS}:{_WS}")
_scalar = re.compile(_SCALAR)
_string_head = re.compile(_STRING_HEAD)
_ws = re.compile(_WS)
_start = re.compile("\ufeff?" + _WS)


class NotJsonError(ValueError):
    """Where a text stops being JSON, and why."""

    def __init__(self, text: str, offset: int, reason: str) -> None:
        line = text.count("\n", 0, offset) + 1
        column = offset - text.rfind("\n", 0, offset)
        super().__init__(f"not JSON at line {line}, column {column}: {reason}")


class Line(NamedTuple):
    """One member or item: its key as it is spelled, None for an item, and where its value is."""

    key: str | None
    start: int
    end: int
    """For a container, behind its opening bracket."""


class JsonTree:
    """The members and items of a JSON text, in its order; line 0 is the whole value.

    A partial tree is what can be read of the head of a longer text.
    """

    def __init__(self, text: str, partial: bool = False) -> None:
        """Read the text; raises NotJsonError."""
        self.text = text
        self.partial = partial
        self.short = array("i")
        """Lines of the containers that can be read in their line."""
        self._at = array("i")
        # By container: its line, the container it is in, its place there, the line after its last one,
        # and its brackets.
        self._box_line, self._box_parent, self._box_nth = array("i"), array("i"), array("i")
        self._box_stop, self._box_start, self._box_end = array("i"), array("i"), array("i")
        try:
            self._read()
        except NotJsonError:
            if not partial:
                raise
        for box, stop in enumerate(self._box_stop):
            if not stop:
                self._box_stop[box] = len(self._at)

    def __len__(self) -> int:
        return len(self._at)

    def line(self, index: int) -> Line:
        """The parts of a line."""
        at, key = self._at[index], None
        box = self._around(index)[0]
        if box >= 0 and self.text[self._box_start[box]] == "{":
            found = _key.match(self.text, at)
            assert found is not None
            key, at = found[1], found.end()
        value = _scalar.match(self.text, at)
        return Line(key, at, value.end() if value is not None else at + 1)

    def at(self, offset: int) -> int:
        """The line in which a place of the text is."""
        return max(0, bisect_right(self._at, offset) - 1)

    def offset(self, index: int) -> int:
        """Where a line starts in the text."""
        return self._at[index]

    def parent(self, index: int) -> int:
        """The line of the container it is in; -1 for the whole value."""
        box = self._around(index)[0]
        return self._box_line[box] if box >= 0 else -1

    def nth(self, index: int) -> int:
        """Its place among its siblings."""
        parent, before = self._around(index)
        if before >= 0:
            return self._box_nth[before] + index - self._box_stop[before] + 1
        return index - self._box_line[parent] - 1 if parent >= 0 else 0

    def depth(self, index: int) -> int:
        """How many containers it is in."""
        box, depth = self._around(index)[0], 0
        while box >= 0:
            box, depth = self._box_parent[box], depth + 1
        return depth

    def is_container(self, index: int) -> bool:
        """Whether it is an object or an array."""
        return self._box(index) >= 0

    def is_open(self, index: int) -> bool:
        """Whether a container's end is beyond a partial tree."""
        box = self._box(index)
        return box >= 0 and not self._box_end[box]

    def stop(self, index: int) -> int:
        """The line after the last one below it."""
        box = self._box(index)
        return self._box_stop[box] if box >= 0 else index + 1

    def count(self, index: int) -> int:
        """How many members or items it has."""
        last = self.stop(index) - 1
        if last == index:
            return 0
        while (parent := self.parent(last)) != index:
            last = parent
        return self.nth(last) + 1

    def children(self, index: int) -> Iterator[int]:
        """Its members or items."""
        line, stop = index + 1, self.stop(index)
        while line < stop:
            yield line
            line = self.stop(line)

    def source(self, index: int) -> str:
        """Its value, exactly as it is spelled."""
        box = self._box(index)
        if box >= 0:
            return self.text[self._box_start[box] : self._box_end[box] + 1 or None]
        _, start, end = self.line(index)
        return self.text[start:end]

    def _box(self, index: int) -> int:
        box = bisect_left(self._box_line, index)
        return box if box < len(self._box_line) and self._box_line[box] == index else -1

    def _around(self, index: int) -> tuple[int, int]:
        """The container a line is in, and the last one that ended there before the line; -1 for none."""
        box, before = bisect_left(self._box_line, index) - 1, -1
        while box >= 0 and self._box_stop[box] <= index:
            box, before = self._box_parent[box], box
        return box, before

    def _read(self) -> None:
        text = self.text
        found = _start.match(text)
        position = found.end() if found is not None else 0
        if text[position : position + 1] not in ("[", "{"):
            scalar = _scalar.match(text, position)
            if scalar is None:
                _explain(text, position, "]")
            self._at.append(position)
            position = _skip(text, scalar.end())
        else:
            position = self._read_lines(position)
        if position < len(text):
            raise NotJsonError(text, position, "something follows the end of the value")

    def _read_lines(self, position: int) -> int:
        # The body of a second of waiting: a match a line, a few appends a container, no calls but those.
        text, at, member, item = self.text, self._at.append, _scanner(_member), _scanner(_item)
        boxes, stops, ends, short = self._box_line, self._box_stop, self._box_end, self.short
        stack: list[tuple[int, str, int]] = []
        box, closer, scan = -1, "]", item
        base = opened = 0  # base: a child's line less its place among its siblings
        is_flat = False
        while True:
            for found in iter(scan(text, position).match, None):
                at(position)
                position = found.end()
                if found.lastindex is not None:
                    break
            else:
                _explain(text, position, closer)
            line = len(self._at)
            if found.lastindex == 1:
                brackets, place = found[1], found.start(1)
            else:
                stack.append((box, closer, base))
                if len(stack) > MAX_DEPTH:
                    raise NotJsonError(text, position, f"nested more than {MAX_DEPTH:,} levels deep")
                opened = found.start(2)
                boxes.append(line - 1)
                self._box_parent.append(box)
                self._box_nth.append(line - 1 - base)
                self._box_start.append(opened)
                stops.append(0)
                ends.append(0)
                box, base, is_flat = len(boxes) - 1, line, True
                closer, scan = ("}", member) if text[opened] == "{" else ("]", item)
                closing = _closers.match(text, position)
                if closing is None:
                    continue
                brackets, place, position = closing[0], position, closing.end()
            for bracket in brackets:
                if bracket == closer and stack:
                    stops[box], ends[box] = line, place
                    if is_flat and line > base and place - opened < INLINE and len(stack) > 1:
                        short.append(boxes[box])
                    is_flat = False
                    below = line - boxes[box] - 1
                    box, closer, base = stack.pop()
                    base += below
                elif bracket == ",":
                    break
                elif bracket not in " \t\n\r":
                    raise _expected(text, place, f"a comma or {closer}" if stack else "the end")
                place += 1
            else:
                if not stack:
                    return position
                raise _expected(text, position, f"a comma or {closer}")
            if not stack:
                raise NotJsonError(text, place, "something follows the end of the value")
            scan = member if closer == "}" else item


class Folds:
    """Which lines of a tree are shown; an opened long value repeats its line once for each further row."""

    def __init__(
        self, tree: JsonTree, toggled: Iterable[int] = (), opened: Mapping[int, array[int]] | None = None
    ) -> None:
        """The short containers start folded; `toggled` ones are the other way round."""
        self.tree = tree
        self.toggled = set(toggled)
        self.opened: dict[int, array[int]] = {}
        """Where the rows of opened values start."""
        self._hidden: dict[int, array[int]] = {}
        first = 0 if len(tree) == 1 or not tree.is_container(0) else 1
        self.lines = self._between(first, len(tree))
        for index, rows in (opened or {}).items():
            self.open(index, rows)

    def __len__(self) -> int:
        return len(self.lines)

    def is_folded(self, index: int) -> bool:
        """Whether a container's lines are hidden."""
        at = bisect_left(self.tree.short, index)
        short = at < len(self.tree.short) and self.tree.short[at] == index
        return short != (index in self.toggled)

    def shown(self, index: int) -> int:
        """Where a line is among those shown, or else the folded one it is in."""
        at = bisect_left(self.lines, index)
        return at if at < len(self.lines) and self.lines[at] == index else max(0, at - 1)

    def row(self, shown: int) -> int:
        """Which row of an opened value a shown line is; 0 is the line itself."""
        return shown - bisect_left(self.lines, self.lines[shown])

    def toggle(self, index: int) -> None:
        """Fold or unfold a container."""
        at, stop = bisect_left(self.lines, index) + 1, self.tree.stop(index)
        if self.is_folded(index):
            self.toggled ^= {index}
            self.lines[at:at] = self._hidden.pop(index, array("i")) or self._between(index + 1, stop)
        else:
            self.toggled ^= {index}
            end = bisect_left(self.lines, stop)
            if not (opened := [line for line in self.opened if index < line < stop]):
                self._hidden[index] = self.lines[at:end]
            for line in opened:
                del self.opened[line]
            del self.lines[at:end]

    def open(self, index: int, rows: array[int] | None) -> None:
        """Show a value on several rows, or on one again."""
        at = bisect_left(self.lines, index)
        end = bisect_right(self.lines, index)
        if at == end:
            return
        self.opened.pop(index, None)
        if rows:
            self.opened[index] = rows
        self.lines[at:end] = array("i", [index]) * max(1, len(rows or ()))

    def _between(self, first: int, stop: int) -> array[int]:
        short = self.tree.short
        inside = set(short[bisect_left(short, first) : bisect_left(short, stop)])
        inside ^= {line for line in self.toggled if first <= line < stop}
        lines, at = array("i"), first
        for folded in sorted(inside):
            if folded >= at:
                lines.extend(range(at, folded + 1))
                at = self.tree.stop(folded)
        lines.extend(range(at, stop))
        return lines


class Body(NamedTuple):
    """A body's text, its tree or why it has none."""

    text: str
    """Bytes that are no UTF-8 are lone surrogates in it."""
    folds: Folds | None
    broken: str


def read(raw: bytes) -> Body:
    """Read a whole body; never raises."""
    if not raw:
        return Body("", None, "the body is empty")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return Body(raw.decode("utf-8", "surrogateescape"), None, f"not UTF-8 from byte {error.start:,}")
    try:
        return Body(text, Folds(JsonTree(text)), "")
    except NotJsonError as error:
        return Body(text, None, str(error))


def read_head(head: bytes) -> Body:
    """Read what can be shown of a body before all of it is read."""
    # The incremental decoder keeps back a character that is cut in two.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(head)
    tree = JsonTree(text, partial=True)
    return Body(text, Folds(tree) if len(tree) else None, "")


def _scanner(pattern: re.Pattern[str]) -> Callable[[str, int], Any]:
    # What re.Scanner is made of: matches that follow each other without a gap, at the speed of finditer.
    scanner: Callable[[str, int], Any] = pattern.scanner  # type: ignore[attr-defined]
    return scanner


def _skip(text: str, position: int) -> int:
    found = _ws.match(text, position)
    return found.end() if found is not None else position


def _expected(text: str, position: int, what: str) -> NotJsonError:
    return NotJsonError(
        text, position, f"expecting {what}" if position < len(text) else "the text ends too early"
    )


def _explain(text: str, position: int, closer: str) -> NoReturn:
    """Walk over the line that no pattern matched, and say where it breaks."""
    if closer == "}":
        position = _walk_string(text, position, "a key in quotes")
        position = _skip(text, position)
        if text[position : position + 1] != ":":
            raise _expected(text, position, "a colon")
        position = _skip(text, position + 1)
    scalar = _scalar.match(text, position)
    if scalar is None:
        _walk_string(text, position, "a value")
    else:
        position = _skip(text, scalar.end())
    raise _expected(text, position, f"a comma or {closer}")


def _walk_string(text: str, position: int, what: str) -> int:
    head = _string_head.match(text, position)
    if head is None:
        raise _expected(text, position, what)
    end = head.end()
    after = text[end : end + 1]
    if after == "":
        raise NotJsonError(text, position, "a string that is never closed")
    if after != '"':
        raise NotJsonError(
            text, end, "an escape that is none" if after == "\\" else "a control character in a string"
        )
    return end + 1
