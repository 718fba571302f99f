"""What is different between two bodies: as JSON by paths, else as lines of text or rows of bytes. Pure.

Order of members and white space do not count; spelling, duplicates and the order of items do.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from typing import Literal

from statsig_tui.core import jsontext, paths
from statsig_tui.core.spans import items_at, object_at

NOISE = ("timestamp", "time", "timeUUID", "sessionID", "serverSessionID")
"""Members that differ from one sending to the next, whatever was sent."""
_SPACE = " \t\r\n"
ROW = 16
"""Bytes of a row, where neither JSON nor text can be compared."""
Kind = Literal["added", "removed", "changed", "spelled"]
"""`spelled`: the same value, written differently."""
Form = Literal["json", "text", "bytes"]
_Block = tuple[int, int, int, int]
"""A stretch of the left, and what stands in its place on the right: from, to, from, to."""
Step = tuple[str | int, int]
"""A member's name and which of that name, from 0; or where an item, line or row is left, and right."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; a side that has nothing there is None, the other is as it is spelled."""

    path: tuple[Step, ...]
    kind: Kind
    left: str | None
    right: str | None
    form: Form = "json"

    @property
    def is_noise(self) -> bool:
        """Whether it is within a member that differs anyway."""
        return self.form == "json" and any(step in NOISE for step, _ in self.path)

    @property
    def where(self) -> str:
        """The path in words: `user.plan`, `event (no. 2)`, `line 3`, `byte 0x10`."""
        if self.form == "json":
            return _spelled(self.path, is_added=self.left is None)
        at = int(self.path[0][1 if self.left is None else 0])
        return f"line {at + 1}" if self.form == "text" else f"byte {at * ROW:#x}"

    def mirrored(self) -> Change:
        """The same, seen from the other side."""
        turned: dict[Kind, Kind] = {"added": "removed", "removed": "added"}
        path = tuple((nth, step) if isinstance(step, int) else (step, nth) for step, nth in self.path)
        return Change(path, turned.get(self.kind, self.kind), self.right, self.left, self.form)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every difference, in the order of the left side."""

    form: Form
    changes: tuple[Change, ...]
    is_identical: bool
    """To the byte."""


def compare(left: bytes, right: bytes) -> Comparison:
    """The differences between two bodies."""
    is_identical = left == right
    if _is_json(left) and _is_json(right):
        texts = (jsontext.without_bom(raw).decode().strip(_SPACE) for raw in (left, right))
        return Comparison("json", tuple(_values((), *texts)), is_identical)
    try:
        lines = left.decode().split("\n"), right.decode().split("\n")
    except UnicodeDecodeError:
        return Comparison("bytes", tuple(_lines(_rows(left), _rows(right), "bytes")), is_identical)
    return Comparison("text", tuple(_lines(*lines, "text")), is_identical)


def _is_json(raw: bytes) -> bool:
    try:
        jsontext.parse(raw)
    except jsontext.JsonError:
        return False
    return True


def _values(path: tuple[Step, ...], one: str, two: str) -> Iterator[Change]:
    if one == two:
        return
    both = one[0] + two[0]
    if both == "{{":
        ones, twos = _by_name(one), _by_name(two)
        for name in (*ones, *(name for name in twos if name not in ones)):
            for nth, pair in enumerate(zip_longest(ones.get(name, ()), twos.get(name, ()))):
                yield from _members((*path, (name, nth)), *pair)
    elif both == "[[":
        yield from _items(path, one, two)
    else:
        yield Change(path, "spelled" if _is_same(one, two) else "changed", one, two)


def _by_name(text: str) -> dict[str, list[tuple[str, str]]]:
    """Of each name its members, with key and value as they are spelled."""
    found: dict[str, list[tuple[str, str]]] = {}
    for member in object_at(text, 0).members:
        found.setdefault(member.name, []).append((text[member.start : member.name_end], member.raw(text)))
    return found


def _members(
    path: tuple[Step, ...], one: tuple[str, str] | None, two: tuple[str, str] | None
) -> Iterator[Change]:
    if one is None or two is None:
        kind: Kind = "added" if one is None else "removed"
        yield Change(path, kind, one and one[1], two and two[1])
        return
    if one[0] != two[0]:
        yield Change(path, "spelled", one[0], two[0])
    yield from _values(path, one[1], two[1])


def _items(path: tuple[Step, ...], one: str, two: str) -> Iterator[Change]:
    ones, twos = ([text[start:end] for start, end in items_at(text, 0)] for text in (one, two))
    # Which items are taken for the same may depend on the order of the sides, and should not.
    blocks = _blocks([*map(_likeness, ones)], [*map(_likeness, twos)], is_turned=one > two)
    for at, other, left, right in _in_pairs(ones, twos, blocks):
        here = (*path, (at, other))
        if left is None or right is None:
            yield Change(here, "added" if left is None else "removed", left, right)
        else:
            yield from _values(here, left, right)


def _likeness(item: str) -> str:
    """What items have in common that are the same but for order and noise."""
    if item[0] not in "[{":
        return item
    return json.dumps(_decoder.decode(item), sort_keys=True)


def _without_noise(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {name: value for name, value in pairs if name not in NOISE}


_decoder = json.JSONDecoder(parse_int=str, parse_float=str, object_pairs_hook=_without_noise)


def _is_same(one: str, two: str) -> bool:
    """Whether two values that are spelled differently are the same scalar."""
    if one[0] in "[{" or two[0] in "[{":
        return False
    if one[0] == '"' or two[0] == '"':
        return one[0] == two[0] and json.loads(one) == json.loads(two)
    try:
        return Decimal(one) == Decimal(two)
    except InvalidOperation:
        return False


def _spelled(path: Sequence[Step], *, is_added: bool) -> str:
    out = ""
    for place, (step, nth) in enumerate(path, 1):
        if isinstance(step, int):
            # What was added has a place on the right alone.
            out += f"[{nth if is_added and place == len(path) else step}]"
        else:
            out += ("." if out else "") + paths.spelled([step]) + (f" (no. {nth + 1})" if nth else "")
    return out or "(the whole)"


def _lines(one: list[str], two: list[str], form: Form) -> Iterator[Change]:
    for at, other, left, right in _in_pairs(one, two, _blocks(one, two, is_turned=one > two)):
        if left != right:
            kind: Kind = "added" if left is None else "removed" if right is None else "changed"
            yield Change(((at, other),), kind, left, right, form)


def _in_pairs(
    one: Sequence[str], two: Sequence[str], blocks: Iterable[_Block]
) -> Iterator[tuple[int, int, str | None, str | None]]:
    """What stands side by side, and its places; None beside what came or went."""
    at = other = 0
    for start, stop, start_of_other, until in (*blocks, (len(one), len(one), len(two), len(two))):
        for left, right in zip(range(at, start), range(other, start_of_other), strict=True):
            yield left, right, one[left], two[right]
        for by in range(max(stop - start, until - start_of_other)):
            left, right = min(start + by, stop), min(start_of_other + by, until)
            yield left, right, one[left] if left < stop else None, two[right] if right < until else None
        at, other = stop, until


def _blocks(one: Sequence[str], two: Sequence[str], *, is_turned: bool) -> Iterator[_Block]:
    """Where two sequences differ; what stayed is found again behind what came or went.

    What is there once on either side, in the same order, is taken for what stayed.
    """
    if is_turned:
        for start, stop, other, until in _blocks(two, one, is_turned=False):
            yield other, until, start, stop
        return
    often_one, often_two = Counter(one), Counter(two)
    places = {item: at for at, item in enumerate(two) if often_two[item] == 1}
    once = [(at, places[item]) for at, item in enumerate(one) if often_one[item] == 1 and item in places]
    start, other = 0, 0
    for stop, until in (*_rising(once), (len(one), len(two))):
        while start < stop and other < until and one[start] == two[other]:
            start, other = start + 1, other + 1
        last, end = stop, until
        while start < last and other < end and one[last - 1] == two[end - 1]:
            last, end = last - 1, end - 1
        if start < last or other < end:
            yield start, last, other, end
        start, other = stop, until


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs, by their first, in which the second rises too."""
    ends: list[int] = []
    lasts: list[int] = []
    before: list[int] = []
    for index, (_, value) in enumerate(pairs):
        length = bisect_left(ends, value)
        before.append(lasts[length - 1] if length else -1)
        if length == len(ends):
            ends.append(value)
            lasts.append(index)
        else:
            ends[length], lasts[length] = value, index
    found = []
    at = lasts[-1] if lasts else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def _rows(raw: bytes) -> list[str]:
    return [raw[at : at + ROW].hex(" ") for at in range(0, len(raw), ROW)]
