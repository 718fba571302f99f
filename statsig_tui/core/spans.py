"""Where the members of a JSON object are in its text, and the text with other members in their place.

Offsets are characters; every text must be valid JSON, but for variables where it wants a value. What is not
replaced keeps its spelling and its white space. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from statsig_tui.core import jsontext
from statsig_tui.core.template import stand_in

_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_decoder = json.JSONDecoder(parse_int=str, parse_float=str)


@dataclass(frozen=True, slots=True)
class Member:
    """A member's name, and where it starts, its name ends, its value starts, and it ends."""

    name: str
    start: int
    name_end: int
    value: int
    end: int

    def raw(self, text: str) -> str:
        """The value as it is spelled."""
        return text[self.value : self.end]

    def spelled(self, text: str) -> str:
        """Name and value as they are spelled."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Object:
    """Where an object starts and ends, and its members in their order, duplicates too."""

    start: int
    end: int
    members: tuple[Member, ...]

    def last(self, name: str) -> Member | None:
        """The member that counts: later duplicates win."""
        return next((member for member in reversed(self.members) if member.name == name), None)


def top(text: str) -> Object:
    """The object that a text is."""
    return object_at(text, _skip(text, 0))


def object_at(text: str, start: int) -> Object:
    """The object that starts at a place."""
    text = stand_in(text)
    found: list[Member] = []
    at = _skip(text, start + 1)
    while text[at] != "}":
        name, name_end = _decoder.raw_decode(text, at)
        value = _skip(text, _skip(text, name_end) + 1)
        _, end = _decoder.raw_decode(text, value)
        found.append(Member(name, at, name_end, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return Object(start, at + 1, tuple(found))


def items_at(text: str, start: int) -> list[tuple[int, int]]:
    """Where each item of the list that starts at a place starts and ends."""
    text = stand_in(text)
    found: list[tuple[int, int]] = []
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        found.append((at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def with_member(text: str, holder: Object | None, name: str, value: str | None) -> list[str]:
    """The spelled members of an object (or of none) with one set, or with none of that name."""
    members = holder.members if holder is not None else ()
    if value is None:
        return [item.spelled(text) for item in members if item.name != name]
    changed = holder.last(name) if holder is not None else None
    items = [respelled(text, item, value) if item is changed else item.spelled(text) for item in members]
    return items if changed is not None else [*items, new_member(text, holder, name, value)]


def respelled(text: str, member: Member, value: str) -> str:
    """A member with another value."""
    return text[member.start : member.value] + value


def new_member(text: str, holder: Object | None, name: str, value: str) -> str:
    """A member spelled like the others of its object."""
    first = holder.members[0] if holder is not None and holder.members else None
    return dump(name) + (text[first.name_end : first.value] if first is not None else ": ") + value


def counting(holder: Object) -> tuple[Member, ...]:
    """The members that count, in their order: of duplicates the last."""
    last = {member.name: member for member in holder.members}
    return tuple(member for member in holder.members if last[member.name] is member)


def removal(holder: Object, gone: Collection[Member]) -> list[tuple[int, int]]:
    """What to cut out so that members are gone, with the commas that are too many then."""
    members = holder.members
    starts = {member.start for member in gone}
    cuts: list[tuple[int, int]] = []
    at = 0
    while at < len(members):
        first = at
        while at < len(members) and members[at].start in starts:
            at += 1
        if at > first:
            start = members[first - 1].end if first and at == len(members) else members[first].start
            cuts.append((start, members[at].start if at < len(members) else members[-1].end))
        at += 1
    return cuts


def splice(text: str, holder: Object, items: Sequence[str]) -> str:
    """The text with these spelled members in an object, set apart as the former ones were."""
    inside = ", ".join(items)
    if items and holder.members:
        members = holder.members
        lead = text[holder.start + 1 : members[0].start]
        gaps = [text[one.end : two.start] for one, two in pairwise(members)]
        usual = gaps[0] if gaps else "," + (lead if "\n" in lead else " ")
        gaps += [usual] * (len(items) - 1 - len(gaps))
        pieces = [piece for pair in zip(["", *gaps], items, strict=False) for piece in pair]
        inside = lead + "".join(pieces) + text[members[-1].end : holder.end - 1]
    return f"{text[: holder.start]}{{{inside}}}{text[holder.end :]}"


def dump(text: str) -> str:
    """A text as a JSON string."""
    return jsontext.dump(text).decode()


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
