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

from statsig_tui.core import jsontext, moments, notation, template
from statsig_tui.core.event import storable
from statsig_tui.core.moments import NOW
from statsig_tui.core.notation import FieldError
from statsig_tui.core.spans import Member, Object, dump, object_at, splice, top, with_member

__all__ = ["NOW", "SAMPLE", "Check", "Field", "FieldError", "Shown", "check", "decode", "edit", "encode"]

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
    TIER = "statsigEnvironment"
    """The environment's tier."""
    IP = "ip"
    USER_AGENT = "userAgent"
    COUNTRY = "country"
    LOCALE = "locale"
    APP_VERSION = "appVersion"
    PRIVATE = "privateAttributes"
    OTHER = "other"
    """Every member of the user that has no field."""
    ENVIRONMENT = "environment"
    """Every member of the environment beside the tier."""
    REST = "rest"
    """Every member of the event that has no field."""
    VALUE = "value"
    METADATA = "metadata"
    TIMESTAMP = "timestamp"


OTHERS = (Field.OTHER, Field.ENVIRONMENT, Field.REST)
"""What an object holds beside the members that have a field; they have no object of their own."""
OBJECTS = (Field.CUSTOM_IDS, Field.CUSTOM, Field.PRIVATE, Field.METADATA, *OTHERS)
"""Shown as tables."""
LESS_USED = (
    Field.IP, Field.USER_AGENT, Field.COUNTRY, Field.LOCALE, Field.APP_VERSION, Field.PRIVATE, Field.OTHER,
)  # fmt: skip
"""Fields of the user that most events do without."""
USER_FIELDS = (
    Field.USER_ID, Field.EMAIL, Field.CUSTOM_IDS, Field.CUSTOM, Field.TIER, *LESS_USED[:-1],
)  # fmt: skip
TEXTS = (Field.EVENT, Field.USER_ID, Field.EMAIL, *LESS_USED[:5])
EVENT_FIELDS = ("event", "user", "value", "metadata", "timestamp")
_EXPECTED = {Field.VALUE: ("text", "number")} | dict.fromkeys(TEXTS, ("text",))
TIERS = ("production", "staging", "development")
TIER = "tier"


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
    """Every field of one line, of a text that is a JSON object."""
    whole = top(text)
    user = whole.last("user")
    inner = _inner(text, user)
    found = {field: Shown() for field in Field if field not in OBJECTS}
    for field in found:
        holder = inner if field in USER_FIELDS else whole
        named = holder.last(field) if holder is not None else None
        if named is not None:
            found[field] = _show(named.raw(text), field)
    if user is not None and inner is None and (kind := notation.kind(user.raw(text))) != "null":
        found[Field.USER_ID] = Shown(note=_not_a_user(kind))
    return found


def member(text: str, field: Field) -> Member | None:
    """Where a field's member is, in a text that is a JSON object."""
    whole = top(text)
    holder = user_of(text, whole) if field in USER_FIELDS else whole
    return holder.last(field) if holder is not None else None


def user_of(text: str, whole: Object) -> Object | None:
    """The user, if it is an object."""
    return _inner(text, whole.last("user"))


def edit(text: str, field: Field, content: str) -> str:
    """The text with one field changed; an emptied field's member is gone.

    The text must be a JSON object. A table's field takes its whole value. Raises FieldError where the content
    cannot be meant.
    """
    whole = top(text)
    if field in USER_FIELDS:
        return _edit_user(text, whole, lambda inner: _edit_member(text, inner, field, content))
    return splice(text, whole, _edit_member(text, whole, field, content))


def with_user(text: str, items: list[str]) -> str:
    """The text with these spelled members as the user it does not have yet. Raises FieldError."""
    return _edit_user(text, top(text), lambda inner: items)


def with_environment(text: str, items: list[str]) -> str:
    """The text with these spelled members as the environment it does not have yet. Raises FieldError."""

    def changed(inner: Object | None) -> list[str]:
        named = inner.last(Field.TIER) if inner is not None else None
        _check_environment(named.raw(text) if named is not None else "")
        return with_member(text, inner, Field.TIER, _object(items))

    return _edit_user(text, top(text), changed)


def environment_of(text: str, whole: Object) -> Object | None:
    """The user's environment, if it is an object."""
    user = user_of(text, whole)
    return _inner(text, user.last(Field.TIER)) if user is not None else None


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
    named = holder.last(field) if holder is not None else None
    raw = named.raw(text) if named is not None else ""
    value = _read_tier(raw, content) if field is Field.TIER else _read(field, content)
    return with_member(text, holder, field, value)


def _read(field: Field, content: str) -> str | None:
    """The spelled value that a content means; None: no value."""
    if not (content if field in TEXTS else content.strip()):
        return None
    if field is Field.TIMESTAMP:
        return moments.read(content)
    return notation.read_text(content) if field in TEXTS else notation.read(content)


def _read_tier(raw: str, content: str) -> str | None:
    """The environment with another tier; None: no environment, because it would be empty."""
    _check_environment(raw)
    value = notation.read_text(content) if content.strip() else None
    if not raw or raw == "null":
        return None if value is None else _object([f"{dump(TIER)}: {value}"])
    holder = object_at(raw, 0)
    items = with_member(raw, holder, TIER, value)
    return splice(raw, holder, items) if items else None


def _check_environment(raw: str) -> None:
    if raw and notation.kind(raw) not in ("object", "null"):
        raise FieldError(f"statsigEnvironment is {notation.a(notation.kind(raw))}: mend it as JSON")


def _show(raw: str, field: Field) -> Shown:
    kind = notation.kind(raw)
    if len(raw) > LONGEST:
        return Shown(note=f"{len(raw):,} characters: edit it as JSON", too_long=True)
    if field is Field.TIER:
        return _show_tier(raw, kind)
    if field is Field.TIMESTAMP:
        return Shown(moments.shown(raw), kind)
    expected = _EXPECTED[field]
    fits = kind in (*expected, "variable") or (kind == "null" and field not in TEXTS)
    note = "" if fits else f"{notation.a(kind)}: {_AN[expected]} is expected"
    if field in TEXTS and kind == "text":
        return Shown(notation.shown_text(raw), kind)
    return Shown(notation.shown(raw, bare=field is Field.VALUE), kind, note)


def _show_tier(raw: str, kind: str) -> Shown:
    if kind != "object":
        note = "" if kind == "null" else f"{notation.a(kind)}: mend it as JSON"
        return Shown(kind=kind, note=note, too_long=kind != "null")
    tier = object_at(raw, 0).last(TIER)
    if tier is None:
        return Shown()
    spelled = tier.raw(raw)
    found = notation.kind(spelled)
    if found == "text":
        return Shown(notation.shown_text(spelled), found)
    return Shown(notation.shown(spelled, bare=False), found, f"{notation.a(found)}: text is expected")


_AN = {("text",): "text", ("text", "number"): "text or a number"}


def _not_a_user(kind: str) -> str:
    return f"user is {notation.a(kind)}: mend it as JSON"


def _is_now(raw: str) -> bool:
    return notation.kind(raw) == "text" and json.loads(raw) == NOW


def _object(items: Sequence[str]) -> str:
    return "{" + ", ".join(items) + "}"


def _inner(text: str, named: Member | None) -> Object | None:
    is_object = named is not None and notation.kind(named.raw(text)) == "object"
    return object_at(text, named.value) if named is not None and is_object else None


def _parsed(text: str) -> object:
    try:
        value: object = jsontext.parse(encode(text))
    except jsontext.JsonError:
        return None
    return value
