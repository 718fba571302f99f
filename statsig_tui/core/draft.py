"""The draft of an incoming event: one text, and form fields that each change only their part of it.

The text is the truth and may be anything; fields exist while it is a JSON object. What no field touched
keeps its order, its spelling and its white space. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from statsig_tui.core import jsontext
from statsig_tui.core.event import storable
from statsig_tui.core.printable import printable

SAMPLE = """\
{
  "user": {
    "userID": "user-1042",
    "email": "user@example.com",
    "customIDs": { "stableID": "3f2c9a" },
    "custom": { "plan": "pro", "seats": 3, "beta": true },
    "statsigEnvironment": { "tier": "development" }
  },
  "event": "checkout_completed",
  "value": 49.90,
  "metadata": { "currency": "EUR", "items": 3 },
  "timestamp": "now"
}
"""
NOW = "now"
"""A timestamp that becomes the epoch ms of sending."""
LONGEST = 10_000
"""Characters of a field; what is longer is edited as JSON."""
_NOW_DIGITS = 13
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_NAME = re.compile(r'[^\s="{}\[\],:](?:[^="]*[^\s="])?')
_LINE = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s="{}\[\],:][^=]*?)\s*=\s*(.*)', re.DOTALL)
_GAPS = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_decoder = json.JSONDecoder(parse_int=str, parse_float=str)


class Field(StrEnum):
    """A part of the text that the form shows on its own."""

    EVENT = "event"
    USER_ID = "userID"
    EMAIL = "email"
    CUSTOM_IDS = "customIDs"
    CUSTOM = "custom"
    OTHER = "other"
    """Every member of the user that has no field."""
    VALUE = "value"
    METADATA = "metadata"
    TIMESTAMP = "timestamp"


OBJECTS = (Field.CUSTOM_IDS, Field.CUSTOM, Field.OTHER, Field.METADATA)
"""Shown as lines of `name = value`."""
_TEXTS = (Field.EVENT, Field.USER_ID, Field.EMAIL)
_USERS = (Field.USER_ID, Field.EMAIL, Field.CUSTOM_IDS, Field.CUSTOM)


class FieldError(ValueError):
    """What a field holds cannot be meant; says why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as it is shown: its content, what kind of value that is, and what is odd about it."""

    content: str = ""
    kind: str = ""
    note: str = ""
    too_long: bool = False
    """The content is left out: the field cannot be edited here."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a text is: a JSON object, other JSON, or not JSON with the place where it breaks."""

    size: int
    """Bytes it is sent as."""
    is_object: bool = False
    has_now: bool = False
    fault: str = ""
    line: int = 0
    """From 1; 0: the fault has no place."""
    column: int = 0


@dataclass(frozen=True, slots=True)
class _Member:
    """A member's name and where it starts, its name ends, its value starts, and it ends."""

    name: str
    start: int
    name_end: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class _Object:
    """Where an object's braces are, and its members."""

    start: int
    end: int
    members: tuple[_Member, ...]

    def last(self, name: str) -> _Member | None:
        """The member that counts: later duplicates win."""
        return next((member for member in reversed(self.members) if member.name == name), None)


def encode(text: str) -> bytes:
    """The bytes of a text; those that were not UTF-8 are what they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def decode(raw: bytes) -> str:
    """A body as text, losing nothing: encode() gives the same bytes."""
    return raw.decode("utf-8", "surrogateescape")


def check(text: str) -> Check:
    """Judge a text."""
    raw = encode(text)
    try:
        value = jsontext.parse(raw)
    except jsontext.JsonError as error:
        if error.offset is None:
            return Check(len(raw), fault=error.message)
        before = raw[: error.offset].decode("utf-8", "replace")
        column = len(before) - (before.rfind("\n") + 1) + 1
        return Check(len(raw), fault=error.message, line=before.count("\n") + 1, column=column)
    if not isinstance(value, dict):
        return Check(len(raw))
    has_now = value.get("timestamp") == NOW
    return Check(len(encode(resolved(text, 10 ** (_NOW_DIGITS - 1)))) if has_now else len(raw), True, has_now)


def resolved(text: str, now: int) -> str:
    """The text as it is sent at `now` (epoch ms): a timestamp of `now` becomes that number."""
    if NOW not in text or not _is_object(text):
        return text
    for member in reversed(_top(text).members):
        raw = text[member.value : member.end]
        if member.name == "timestamp" and _kind(raw) == "text" and json.loads(raw) == NOW:
            text = f"{text[: member.value]}{now}{text[member.end :]}"
    return text


def event_name(text: str) -> str:
    """The event's name, fit to be stored; empty where the text has none."""
    try:
        value = jsontext.parse(encode(text))
    except jsontext.JsonError:
        return ""
    name = value.get("event") if isinstance(value, dict) else None
    return storable(name) if isinstance(name, str) else ""


def fields(text: str) -> dict[Field, Shown]:
    """Every field of a text that is a JSON object."""
    top = _top(text)
    user = top.last("user")
    inner = _inner(text, user)
    found = {field: Shown() for field in Field}
    for field in Field:
        if field is Field.OTHER:
            found[field] = _show_lines(text, _others(inner), field) if inner is not None else Shown()
            continue
        holder = inner if field in _USERS else top
        member = holder.last(field) if holder is not None else None
        if member is not None:
            found[field] = _show(text, member, field)
    if user is not None and inner is None and (kind := _kind(text[user.value : user.end])) != "null":
        found[Field.USER_ID] = Shown(note=f"user is {_a(kind)}: mend it as JSON")
    return found


def edit(text: str, field: Field, content: str) -> str:
    """The text with one field changed; an emptied field's member is gone.

    The text must be a JSON object. Raises FieldError where the content cannot be meant.
    """
    top = _top(text)
    if field is Field.OTHER:
        return _edit_user(text, top, lambda inner: _edit_others(text, inner, content))
    if field in _USERS:
        return _edit_user(text, top, lambda inner: _edit_member(text, inner, field, content))
    return _splice(text, top, _edit_member(text, top, field, content))


def _edit_user(text: str, top: _Object, change: Callable[[_Object | None], list[str]]) -> str:
    user = top.last("user")
    inner = _inner(text, user)
    if inner is None and user is not None and text[user.value : user.end] != "null":
        raise FieldError(f"user is {_a(_kind(text[user.value : user.end]))}: mend it as JSON")
    items = change(inner)
    if inner is not None:
        return _splice(text, inner, items)
    if not items:
        return text
    return _splice(text, top, _with(text, top, "user", "{" + ", ".join(items) + "}"))


def _edit_member(text: str, holder: _Object | None, field: Field, content: str) -> list[str]:
    """The members of the field's object, each as it is to be spelled."""
    member = holder.last(field) if holder is not None else None
    raw = text[member.value : member.end] if member is not None else ""
    if field in OBJECTS:
        value = _read_object(raw, field, content)
    elif field is Field.TIMESTAMP:
        value = _read_timestamp(content)
    else:
        value = _read_text(content) if field in _TEXTS else _read_value(content)
    return _with(text, holder, field, value)


def _with(text: str, holder: _Object | None, name: str, value: str | None) -> list[str]:
    """An object's members with one set, or with none of that name."""
    members = holder.members if holder is not None else ()
    if value is None:
        return [text[item.start : item.end] for item in members if item.name != name]
    changed = holder.last(name) if holder is not None else None
    items = [
        text[item.start : item.value] + value if item is changed else text[item.start : item.end]
        for item in members
    ]
    return items if changed is not None else [*items, _spelled_member(text, holder, name, value)]


def _edit_others(text: str, inner: _Object | None, content: str) -> list[str]:
    mine = _others(inner)
    if not content.strip():
        lines: list[tuple[str, str]] = []
    elif content.lstrip().startswith("{"):
        lines = _pairs(content)
    else:
        lines = _read_lines(content, Field.OTHER)
    if taken := [name for name, _ in lines if name in _USERS]:
        raise FieldError(f"{taken[0]} has a field of its own")
    new = iter(_matched(text, inner, mine, lines, Field.OTHER))
    items: list[str] = []
    for member in inner.members if inner is not None else ():
        item = next(new, "") if member in mine else text[member.start : member.end]
        if item:
            items.append(item)
    return [*items, *new]


# Showing


def _show(text: str, member: _Member, field: Field) -> Shown:
    raw = text[member.value : member.end]
    kind = _kind(raw)
    if len(raw) > LONGEST:
        return Shown(kind=kind, note=f"{len(raw):,} characters: edit it as JSON", too_long=True)
    if field in OBJECTS:
        if kind != "object":
            note = "" if kind == "null" else f"{_a(kind)}: an object is expected"
            return Shown(_one_line(raw), kind, note)
        return _show_lines(raw, _object(raw, 0).members, field) if _object(raw, 0).members else Shown("{}")
    if field in _TEXTS:
        if kind != "text":
            return Shown(_one_line(raw), kind, f"{_a(kind)}: text is expected")
        return Shown(_plain(raw) or _quoted(raw), kind)
    if field is Field.TIMESTAMP:
        if kind == "text" and json.loads(raw) == NOW:
            return Shown(NOW)
        note = "" if kind in ("number", "null") else f"{_a(kind)}: a number is expected"
        return Shown(_one_line(raw), kind, note)
    if kind == "text":
        plain = _plain(raw)
        return Shown(plain if plain and not _is_spelled(plain) else _quoted(raw), kind)
    note = "" if kind in ("number", "null") else f"{_a(kind)}: text or a number is expected"
    return Shown(_one_line(raw), kind, note)


def _show_lines(text: str, members: Sequence[_Member], field: Field) -> Shown:
    size = sum(item.end - item.start for item in members)
    if size > LONGEST:
        return Shown(note=f"{size:,} characters: edit it as JSON", too_long=True)
    lines = (
        f"{_shown_name(item.name)} = {_shown_value(text[item.value : item.end], field)}" for item in members
    )
    return Shown("\n".join(lines))


def _shown_name(name: str) -> str:
    bare = _NAME.fullmatch(name) is not None and printable(name) == name
    return name if bare else _quoted(json.dumps(name))


def _shown_value(raw: str, field: Field) -> str:
    """A value on one line; custom ids are text nearly always, and are shown without quotes."""
    plain = _plain(raw) if field is Field.CUSTOM_IDS and _kind(raw) == "text" else None
    return plain if plain and not _is_spelled(plain) else _one_line(raw)


def _plain(raw: str) -> str | None:
    """A string's text where that reads as nothing else; None where it needs its quotes."""
    text: str = json.loads(raw)
    seen = text and text == text.strip() and not text.startswith('"') and printable(text) == text
    return text if seen else None


def _quoted(raw: str) -> str:
    return raw if printable(raw) == raw else json.dumps(json.loads(raw))


def _one_line(raw: str) -> str:
    """A value as it is spelled, without white space around its parts; what cannot be seen is escaped."""
    tight = _GAPS.sub(lambda match: match[1] or "", raw)
    return tight if printable(tight) == tight else json.dumps(json.loads(tight), separators=(",", ":"))


def _kind(raw: str) -> str:
    return {'"': "text", "{": "object", "[": "array", "t": "boolean", "f": "boolean", "n": "null"}.get(
        raw[:1], "number"
    )


def _a(kind: str) -> str:
    return {"text": "text", "null": "null"}.get(kind, f"an {kind}" if kind[0] in "ao" else f"a {kind}")


# Reading what was typed


def _read_text(content: str) -> str | None:
    if not content:
        return None
    if not content.startswith('"'):
        return _dump(content)
    return _json(content.strip(), "the text in quotes")


def _read_value(content: str) -> str | None:
    return _read_spelled(content) if content.strip() else None


def _read_timestamp(content: str) -> str | None:
    content = content.strip()
    if not content:
        return None
    if content.casefold() == NOW:
        return _dump(NOW)
    if _is_spelled(content):
        return _read_spelled(content)
    raise FieldError('epoch milliseconds, now, or empty; anything else as JSON: "…"')


def _read_object(raw: str, field: Field, content: str) -> str | None:
    if not content.strip():
        return None
    if content.lstrip().startswith("{"):
        _pairs(content)
        return content.strip()
    lines = _read_lines(content, field)
    holder = _object(raw, 0) if raw.startswith("{") else None
    items = _matched(raw, holder, holder.members if holder is not None else (), lines, field)
    return _splice(raw, holder, items) if holder is not None else "{" + ", ".join(items) + "}"


def _read_lines(content: str, field: Field) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise FieldError(f"line {number}: write name = value")
        name: str = json.loads(_json(match[1], "the name")) if match[1].startswith('"') else match[1]
        if not match[2]:
            raise FieldError(f'line {number}: the value is missing; "" is an empty text')
        if field is Field.CUSTOM_IDS and not match[2].startswith(('"', "{", "[")):
            found.append((name, _dump(match[2])))
            continue
        try:
            found.append((name, _read_spelled(match[2])))
        except FieldError as error:
            raise FieldError(f"line {number}: {error}") from None
    return found


def _pairs(content: str) -> list[tuple[str, str]]:
    """The members of an object that was typed as JSON, each value as it is spelled."""
    raw = _json(content.strip(), "this")
    return [(item.name, raw[item.value : item.end]) for item in _object(raw, 0).members]


def _read_spelled(content: str) -> str:
    """JSON where it is spelled as JSON, else text."""
    content = content.strip() if _is_spelled(content.strip()) else content
    return _json(content, "this") if _is_spelled(content) else _dump(content)


def _is_spelled(content: str) -> bool:
    """Whether a content is meant as JSON rather than as text."""
    if content.startswith(('"', "{", "[")) or content in ("true", "false", "null"):
        return True
    return _NUMBER.fullmatch(content) is not None


def _json(content: str, what: str) -> str:
    try:
        jsontext.parse(encode(content))
    except jsontext.JsonError as error:
        if error.code in ("bad_number", "too_deep"):
            raise FieldError(error.message) from None
        raise FieldError(f"{what} is not complete JSON yet") from None
    return content


def _dump(text: str) -> str:
    return jsontext.dump(text).decode()


# Places in the text


def _is_object(text: str) -> bool:
    try:
        return isinstance(jsontext.parse(encode(text)), dict)
    except jsontext.JsonError:
        return False


def _top(text: str) -> _Object:
    return _object(text, _skip(text, 0))


def _inner(text: str, member: _Member | None) -> _Object | None:
    return _object(text, member.value) if member is not None and text[member.value] == "{" else None


def _others(inner: _Object | None) -> tuple[_Member, ...]:
    return tuple(item for item in inner.members if item.name not in _USERS) if inner is not None else ()


def _object(text: str, start: int) -> _Object:
    """The object that starts at a place of valid JSON."""
    found: list[_Member] = []
    at = _skip(text, start + 1)
    while text[at] != "}":
        name, name_end = _decoder.raw_decode(text, at)
        value = _skip(text, _skip(text, name_end) + 1)
        _, end = _decoder.raw_decode(text, value)
        found.append(_Member(name, at, name_end, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return _Object(start, at + 1, tuple(found))


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _matched(
    text: str, holder: _Object | None, mine: Sequence[_Member], lines: Sequence[tuple[str, str]], field: Field
) -> list[str]:
    """Typed members as they are to be spelled: like the ones that were there, where they are the same."""
    left = list(mine)
    found: list[_Member | None] = []
    for name, value in lines:
        same = (item for item in left if item.name == name and _same(text, item, value, field))
        member = next(same, None)
        if member is not None:
            left.remove(member)
        found.append(member)
    items: list[str] = []
    for (name, value), member in zip(lines, found, strict=True):
        if member is not None:
            items.append(text[member.start : member.end])
            continue
        former = next((item for item in left if item.name == name), None)
        if former is not None:
            left.remove(former)
            items.append(text[former.start : former.value] + value)
        else:
            items.append(_spelled_member(text, holder, name, value))
    return items


def _same(text: str, member: _Member, value: str, field: Field) -> bool:
    return _shown_value(text[member.value : member.end], field) == _shown_value(value, field)


def _spelled_member(text: str, holder: _Object | None, name: str, value: str) -> str:
    first = holder.members[0] if holder is not None and holder.members else None
    return _dump(name) + (text[first.name_end : first.value] if first is not None else ": ") + value


def _splice(text: str, holder: _Object, items: Sequence[str]) -> str:
    """The text with these members in an object, set apart as the former ones were."""
    if not items:
        inside = ""
    elif not holder.members:
        inside = ", ".join(items)
    else:
        members = holder.members
        lead = text[holder.start + 1 : members[0].start]
        gaps = [text[one.end : two.start] for one, two in zip(members, members[1:], strict=False)]
        usual = gaps[0] if gaps else "," + (lead if "\n" in lead else " ")
        gaps += [usual] * (len(items) - 1 - len(gaps))
        tail = text[members[-1].end : holder.end - 1]
        parts = [part for pair in zip(["", *gaps], items, strict=False) for part in pair]
        inside = lead + "".join(parts) + tail
    return f"{text[: holder.start]}{{{inside}}}{text[holder.end :]}"
