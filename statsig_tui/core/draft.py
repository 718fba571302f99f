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

from statsig_tui.core import jsontext, notation, template
from statsig_tui.core.event import storable
from statsig_tui.core.notation import FieldError, Line
from statsig_tui.core.spans import Member, Object, new_member, object_at, respelled, splice, top, with_member

__all__ = ["SAMPLE", "Check", "Field", "FieldError", "Shown", "check", "decode", "edit", "encode", "fields"]

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
}"""
NOW = "now"
"""A timestamp that becomes the epoch ms of sending."""
LONGEST = 10_000
"""Characters of a field; what is longer is edited as JSON."""
_PLACE = re.compile(r"^The body is not JSON: (?=.)| at line \d+, column \d+")
"""What check() says apart, and in characters instead of bytes."""
_LATEST = 9_999_999_999_999


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
_EXPECTED = {Field.VALUE: ("text", "number"), Field.TIMESTAMP: ("number",)} | {
    field: ("object",) if field in OBJECTS else ("text",) for field in (*OBJECTS, *_TEXTS)
}


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
    """What a text is: a JSON object, other JSON, or not JSON, with the place where it breaks."""

    size: int
    """Bytes it is sent as."""
    is_object: bool = False
    has_now: bool = False
    fault: str = ""
    line: int = 0
    """From 1; 0: the fault has no place."""
    column: int = 0


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
    """Judge a text; variables are taken for the values they stand for."""
    shape = template.stand_in(text)
    raw = encode(shape)
    size = len(raw) if shape is text else len(encode(text))
    try:
        value = jsontext.parse(raw)
    except jsontext.JsonError as error:
        fault = _PLACE.sub("", error.message)
        if error.offset is None:
            return Check(size, fault=fault)
        before = raw[: error.offset].decode("utf-8", "replace")
        column = len(before) - before.rfind("\n")
        return Check(size, fault=fault, line=before.count("\n") + 1, column=column)
    if not isinstance(value, dict):
        return Check(size)
    if value.get("timestamp") != NOW:
        return Check(size, is_object=True)
    grown = len(resolved(shape, _LATEST)) - len(shape)
    return Check(size + grown, is_object=True, has_now=True)


def resolved(text: str, now: int) -> str:
    """The text as it is sent at `now` (epoch ms): a timestamp of `now` becomes that number."""
    if NOW not in text or not isinstance(_parsed(text), dict):
        return text
    for member in reversed(top(text).members):
        if member.name == "timestamp" and _is_now(member.raw(text)):
            text = f"{text[: member.value]}{now}{text[member.end :]}"
    return text


def event_name(text: str) -> str:
    """The event's name, fit to be stored; empty where the text has none."""
    value = _parsed(text)
    name = value.get("event") if isinstance(value, dict) else None
    return storable(name) if isinstance(name, str) else ""


def fields(text: str) -> dict[Field, Shown]:
    """Every field of a text that is a JSON object."""
    whole = top(text)
    user = whole.last("user")
    inner = _inner(text, user)
    found = {field: Shown() for field in Field}
    for field in Field:
        holder = inner if field in _USERS else whole
        member = holder.last(field) if holder is not None and field is not Field.OTHER else None
        if member is not None:
            found[field] = _show(member.raw(text), field)
    found[Field.OTHER] = _show_lines(text, _others(inner), Field.OTHER)
    if user is not None and inner is None and (kind := notation.kind(user.raw(text))) != "null":
        found[Field.USER_ID] = Shown(note=_not_a_user(kind))
    return found


def edit(text: str, field: Field, content: str) -> str:
    """The text with one field changed; an emptied field's member is gone.

    The text must be a JSON object. Raises FieldError where the content cannot be meant.
    """
    whole = top(text)
    if field is Field.OTHER:
        return _edit_user(text, whole, lambda inner: _edit_others(text, inner, content))
    if field in _USERS:
        return _edit_user(text, whole, lambda inner: _edit_member(text, inner, field, content))
    return splice(text, whole, _edit_member(text, whole, field, content))


def _edit_user(text: str, whole: Object, change: Callable[[Object | None], list[str]]) -> str:
    user = whole.last("user")
    inner = _inner(text, user)
    if inner is not None:
        return splice(text, inner, change(inner))
    if user is not None and user.raw(text) != "null":
        raise FieldError(_not_a_user(notation.kind(user.raw(text))))
    items = change(None)
    return splice(text, whole, with_member(text, whole, "user", _object(items))) if items else text


def _edit_member(text: str, holder: Object | None, field: Field, content: str) -> list[str]:
    """The members of the field's object, each as it is to be spelled."""
    member = holder.last(field) if holder is not None else None
    value = _read(member.raw(text) if member is not None else "", field, content)
    return with_member(text, holder, field, value)


def _read(raw: str, field: Field, content: str) -> str | None:
    """The spelled value that a content means, `raw` being the former one; None: no value."""
    if not (content if field in _TEXTS else content.strip()):
        return None
    if field in OBJECTS:
        return _read_object(raw, field, content)
    if field is Field.TIMESTAMP:
        content = content.strip().casefold() if content.strip().casefold() == NOW else content.strip()
        if content != NOW and not notation.is_spelled(content):
            raise FieldError('write epoch milliseconds, now, or nothing; anything else as JSON: "…"')
        return notation.read(content)
    return notation.read_text(content) if field in _TEXTS else notation.read(content)


def _read_object(raw: str, field: Field, content: str) -> str:
    if content.strip() == "null":
        return "null"
    if template.alone(content) is not None:
        return content.strip()
    lines = notation.read_lines(content, texts=field is Field.CUSTOM_IDS)
    if content.lstrip().startswith("{"):
        return content.strip()
    holder = object_at(raw, 0) if raw and notation.kind(raw) == "object" else None
    items = _matched(raw, holder, holder.members if holder is not None else (), lines, field)
    return splice(raw, holder, items) if holder is not None else _object(items)


def _edit_others(text: str, inner: Object | None, content: str) -> list[str]:
    mine = _others(inner)
    lines = notation.read_lines(content, texts=False)
    if taken := [line.name for line in lines if line.name in _USERS]:
        raise FieldError(f"{taken[0]} has a field of its own")
    new = iter(_matched(text, inner, mine, lines, Field.OTHER))
    kept = (
        next(new, "") if member in mine else member.spelled(text)
        for member in (inner.members if inner is not None else ())
    )
    return [*(item for item in kept if item), *new]


def _matched(
    text: str, holder: Object | None, mine: Sequence[Member], lines: Sequence[Line], field: Field
) -> list[str]:
    """Typed members as they are to be spelled: as they were, where their line is the same."""
    left = [(member, _line(text, member, field).text) for member in mine]
    items: dict[int, str] = {}
    for index, line in enumerate(lines):
        same = next((pair for pair in left if pair[1] == line.text), None)
        if same is not None:
            left.remove(same)
            items[index] = same[0].spelled(text)
    for index, line in enumerate(lines):
        if index in items:
            continue
        former = next((pair for pair in left if pair[0].name == line.name), None)
        if former is not None:
            left.remove(former)
            items[index] = respelled(text, former[0], line.value)
        else:
            items[index] = new_member(text, holder, line.name, line.value)
    return [items[index] for index in sorted(items)]


def _show(raw: str, field: Field) -> Shown:
    kind = notation.kind(raw)
    if len(raw) > LONGEST:
        return _too_long(len(raw))
    expected = _EXPECTED[field]
    if field is Field.TIMESTAMP and _is_now(raw):
        return Shown(NOW)
    fits = kind in (*expected, "variable") or (kind == "null" and field not in _TEXTS)
    note = "" if fits else f"{notation.a(kind)}: {_AN[expected]} is expected"
    if field in OBJECTS and kind == "object":
        members = object_at(raw, 0).members
        return _show_lines(raw, members, field) if members else Shown("{}")
    if field in _TEXTS and kind == "text":
        return Shown(notation.shown_text(raw), kind)
    return Shown(notation.shown(raw, bare=field is Field.VALUE), kind, note)


def _show_lines(text: str, members: Sequence[Member], field: Field) -> Shown:
    size = sum(item.end - item.start for item in members)
    if size > LONGEST:
        return _too_long(size)
    return Shown("\n".join(_line(text, member, field).text for member in members))


def _line(text: str, member: Member, field: Field) -> Line:
    return notation.shown_line(member.name, member.raw(text), texts=field is Field.CUSTOM_IDS)


_AN = {
    ("text",): "text",
    ("number",): "a number",
    ("object",): "an object",
    ("text", "number"): "text or a number",
}


def _too_long(size: int) -> Shown:
    return Shown(note=f"{size:,} characters: edit it as JSON", too_long=True)


def _not_a_user(kind: str) -> str:
    return f"user is {notation.a(kind)}: mend it as JSON"


def _is_now(raw: str) -> bool:
    return notation.kind(raw) == "text" and json.loads(raw) == NOW


def _object(items: Sequence[str]) -> str:
    return "{" + ", ".join(items) + "}"


def _inner(text: str, user: Member | None) -> Object | None:
    is_object = user is not None and notation.kind(user.raw(text)) == "object"
    return object_at(text, user.value) if user is not None and is_object else None


def _others(inner: Object | None) -> tuple[Member, ...]:
    return tuple(item for item in inner.members if item.name not in _USERS) if inner is not None else ()


def _parsed(text: str) -> object:
    try:
        value: object = jsontext.parse(encode(text))
    except jsontext.JsonError:
        return None
    return value
