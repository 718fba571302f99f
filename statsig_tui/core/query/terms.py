"""The words of the query language: its keys, what each takes, and the tree that a query is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from statsig_tui.core.event import EventClass
from statsig_tui.core.paths import Step
from statsig_tui.core.records import DeliveryState
from statsig_tui.core.signing import SignatureState

Operator = Literal["=", ">", ">=", "<", "<="]


class Takes(StrEnum):
    """What stands behind a key."""

    TEXT = "text"
    CHOICE = "one of its words"
    NUMBER = "a number"
    SIZE = "a size such as 512, 10k or 2M"
    DURATION = "a duration such as 250ms, 10s or 5m"
    STATUS = "a status such as 200, 5xx or none"
    MOMENT = "an age such as 10m or 2h, or a time such as 2026-01-31T12:00Z"
    TIME = "a time such as 2026-01-31T12:00Z"
    PATH = "a field such as metadata.plan"


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it is meant; `*` in it stands for any text unless it is literal."""

    text: str
    literal: bool = False
    number: int | float | None = None
    """Bytes, milliseconds, or the number itself, where the text is one."""

    @property
    def is_pattern(self) -> bool:
        """Whether a `*` of it stands for any text."""
        return not self.literal and "*" in self.text

    @property
    def pieces(self) -> list[str]:
        """What stands between the `*` that stand for any text."""
        return self.text.split("*") if self.is_pattern else [self.text]

    def fits(self, text: str) -> bool:
        """Whether it is this text, case and all."""
        if not self.is_pattern:
            return text == self.text
        first, *middle, last = self.pieces
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in middle:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True


@dataclass(frozen=True, slots=True)
class Word:
    """Text that occurs anywhere: in a name, an id, the path, or the body; A–Z in either case."""

    value: Value


@dataclass(frozen=True, slots=True)
class Clause:
    """A key and what it is to be: any one of the values."""

    key: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an event by its path, and what it is to be; without an operator: it is there."""

    path: tuple[Step, ...]
    operator: Operator | None = None
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class All:
    """What must hold together; none: everything fits."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Of which one must hold."""

    parts: tuple[Node, ...]


Leaf = Word | Clause | Field
Node = Leaf | Not | All | AnyOf


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the language."""

    name: str
    takes: Takes
    about: str
    of_event: bool = False
    """It asks something of each event, not of the request as a whole."""
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Its words, and what each stands for."""


def _same(*words: str) -> dict[str, frozenset[str]]:
    return {word: frozenset({word}) for word in words}


_SHORT = {
    f"{name.removesuffix('_exposure')}": frozenset({name.value}) for name in EventClass if name.is_exposure
}
_CLASSES = {
    **_same(*EventClass),
    **_SHORT,
    "exposure": frozenset(name.value for name in EventClass if name.is_exposure),
    "change": frozenset({EventClass.CONFIG_CHANGE.value}),
}
_SIGNATURES = {
    **_same(*SignatureState),
    "good": frozenset({SignatureState.VALID.value}),
    "bad": frozenset({state.value for state in SignatureState} - {"valid", "unchecked"}),
}
_STATES = {
    **_same(*DeliveryState),
    "open": frozenset(state.value for state in DeliveryState if state.is_open),
}
_YES_NO = _same("yes", "no")

_KEYS = (
    Key("event", Takes.TEXT, "an event's name", of_event=True),
    Key("user", Takes.TEXT, "an event's user id", of_event=True),
    Key("class", Takes.CHOICE, "an event's class", of_event=True, choices=_CLASSES),
    Key("uuid", Takes.TEXT, "an event's timeUUID", of_event=True),
    Key("dup", Takes.CHOICE, "whether an event came before", of_event=True, choices=_YES_NO),
    Key("drift", Takes.CHOICE, "whether an event holds what Statsig does not document",
        of_event=True, choices=_YES_NO),
    Key("lag", Takes.DURATION, "how much older an event is than its arrival", of_event=True),
    Key("has", Takes.PATH, "whether an event has a field", of_event=True),
    Key("status", Takes.STATUS, "the answer's status"),
    Key("sig", Takes.CHOICE, "the signature", choices=_SIGNATURES),
    Key("path", Takes.TEXT, "the request's path, with or without its query"),
    Key("method", Takes.TEXT, "the request's method"),
    Key("envelope", Takes.CHOICE, "the body's shape",
        choices=_same("data", "array", "verification", "none")),
    Key("fault", Takes.TEXT, "what was wrong with it; fault:* is anything"),
    Key("size", Takes.SIZE, "the body's size"),
    Key("events", Takes.NUMBER, "how many events it holds"),
    Key("took", Takes.DURATION, "how long the answer took"),
    Key("since", Takes.MOMENT, "not older than that"),
    Key("until", Takes.MOMENT, "older than that"),
    Key("dest", Takes.TEXT, "the destination it went to or came from"),
    Key("state", Takes.CHOICE, "a delivery's state", choices=_STATES),
    Key("attempts", Takes.NUMBER, "a delivery's attempts so far"),
    Key("target", Takes.TEXT, "where Compose or `send` posted it"),
    Key("id", Takes.TEXT, "its id, such as c57"),
    Key("note", Takes.TEXT, "words of the note on it, in either case; note:* is any note"),
    Key("imported", Takes.CHOICE, "whether it was imported", choices=_YES_NO),
)  # fmt: skip
KEYS: Mapping[str, Key] = {key.name: key for key in _KEYS}
CONDITION_KEYS: Mapping[str, Key] = {
    **{name: KEYS[name] for name in ("event", "user", "class", "uuid", "drift", "has")},
    "size": replace(KEYS["size"], about="the event's size"),
    "since": replace(KEYS["since"], takes=Takes.TIME, about="the event is not older than that"),
    "until": replace(KEYS["until"], takes=Takes.TIME, about="the event is older than that"),
}
"""What can be asked of an event before it is delivered; its own time is all the time there is to it."""
EVENT_FIELDS = (
    "eventName", "event", "user", "userID", "value", "metadata", "statsigMetadata", "timestamp", "timeUUID",
    "unitID", "companyID",
)  # fmt: skip
"""What a path may begin with unquoted."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_AMOUNT = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,6})?)([a-zA-Z]*)")
_BYTES = {"": 1, "b": 1, "k": 1024, "kb": 1024, "m": 1024**2, "mb": 1024**2}
_MS = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def number(text: str) -> int | float | None:
    """The number that a text spells as JSON does; None where it spells none."""
    if len(text) > 100 or _NUMBER.fullmatch(text) is None:
        return None
    if text.lstrip("-").isdigit():
        return int(text)
    value = float(text)
    return value if abs(value) != float("inf") else None


def byte_count(text: str) -> int | None:
    """`10k` in bytes."""
    return _amount(text, _BYTES)


def duration(text: str) -> int | None:
    """`10s` in milliseconds; without a unit they are milliseconds."""
    return _amount(text, _MS)


def is_age(text: str) -> bool:
    """Whether a moment is written as how long ago it is."""
    match = _AMOUNT.fullmatch(text)
    return match is not None and match[2].lower() in _MS and bool(match[2]) and not text.startswith("-")


def _amount(text: str, units: Mapping[str, int]) -> int | None:
    match = _AMOUNT.fullmatch(text)
    if match is None or match[2].lower() not in units:
        return None
    amount = round(float(match[1]) * units[match[2].lower()])
    return amount if abs(amount) < 2**53 else None
