"""What is odd about a body that was taken all the same: marks on a capture (reliability.md §2.3).

Nothing of it is asked while a request is answered: it is found out when somebody looks. Pure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from statsig_tui.core import jsontext
from statsig_tui.core.event import milliseconds, storable
from statsig_tui.core.lint.everywhere import rounding
from statsig_tui.core.records import CaptureDetail

_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999 in epoch ms: what a date can say."""
_NAMED = 3
_LONGEST = 40
_LOOKED_AT = ("data", "timestamp", "timeUUID")


class Oddity(StrEnum):
    """The word on a mark."""

    TWICE = "twice"
    ROUNDED = "rounded"
    UNPARSED = "unparsed"
    SURROGATE = "surrogate"
    NEW = "new here"
    """Found by core/drift.py."""
    AGAIN = "dup"
    """Found by the store: it came in an earlier capture."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One oddity, however often it occurs, and a sentence on it."""

    oddity: Oddity
    message: str


def of_batch(raw: bytes) -> tuple[Mark, ...]:
    """The marks on a batch in either envelope; none where it is no JSON."""

    def events(value: Any) -> Iterable[Any]:
        data = value.get("data") if isinstance(value, dict) else value
        return data if isinstance(data, list) else ()

    return _marks(raw, events)


def of_capture(detail: CaptureDetail) -> tuple[Mark, ...]:
    """The marks on a capture; none where it is no batch."""
    return of_batch(detail.body) if detail.record.envelope in ("data", "array") else ()


def of_event(raw: bytes) -> tuple[Mark, ...]:
    """The marks on one event."""
    return _marks(raw, lambda value: (value,))


def fields(marks: Iterable[Mark]) -> list[dict[str, str]]:
    """Marks for a JSON line."""
    return [{"mark": mark.oddity.value, "message": mark.message} for mark in marks]


class _Reader:
    """Goes through a JSON text; of its objects only what is asked later is held."""

    def __init__(self) -> None:
        self.twice: Counter[str] = Counter()
        self.rounded = 0
        self.example = ""

    def read(self, text: str) -> Any:
        return json.loads(
            text, object_pairs_hook=self._object, parse_int=self._integer, parse_float=self._fraction
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > 1 and len({name for name, _ in pairs}) < len(pairs):
            self.twice.update(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        return {name: value for name, value in pairs if name in _LOOKED_AT}

    def _integer(self, raw: str) -> int:
        if len(raw) > 15:
            self._round(raw)
        return int(raw)

    def _fraction(self, raw: str) -> float:
        self._round(raw)
        return float(raw)

    def _round(self, raw: str) -> None:
        if words := rounding(raw):
            self.rounded += 1
            self.example = self.example or f"{_short(raw)} ({words})"


def _marks(raw: bytes, events: Callable[[Any], Iterable[Any]]) -> tuple[Mark, ...]:
    reader = _Reader()
    try:
        jsontext.check_depth(raw)
        value = reader.read(jsontext.without_bom(raw).decode())
    except ValueError:
        return ()
    found = [item for item in events(value) if isinstance(item, dict)]
    sentences = (
        (Oddity.TWICE, [*_twice(reader.twice), *_same_id(found)]),
        (Oddity.ROUNDED, _rounded(reader)),
        (Oddity.UNPARSED, _unparsed(found)),
        (Oddity.SURROGATE, _surrogate(raw)),
    )
    return tuple(Mark(oddity, words) for oddity, said in sentences for words in said)


def _twice(names: Counter[str]) -> list[str]:
    if not names:
        return []
    return [f"{_listed(names)} {_is(len(names))} twice in an object: the last one counts."]


def _same_id(found: list[dict[str, Any]]) -> list[str]:
    places: dict[str, list[int]] = {}
    for place, event in enumerate(found):
        uuid = event.get("timeUUID")
        if isinstance(uuid, str) and uuid:
            places.setdefault(uuid, []).append(place)
    same = {uuid: at for uuid, at in places.items() if len(at) > 1}
    if not same:
        return []
    uuid, at = next(iter(same.items()))
    more = f", and {len(same) - 1:,} more such ids" if len(same) > 1 else ""
    return [f"timeUUID {_short(storable(uuid))} is that of events {_listed(map(str, at))}{more}."]


def _rounded(reader: _Reader) -> list[str]:
    if not reader.rounded:
        return []
    more = f", and {reader.rounded - 1:,} more such numbers" if reader.rounded > 1 else ""
    return [f"read as a double: {reader.example}{more}. Kept here as it is spelled."]


def _unparsed(found: list[dict[str, Any]]) -> list[str]:
    odd = [
        (place, event["timestamp"])
        for place, event in enumerate(found)
        if "timestamp" in event and not _is_time(event["timestamp"])
    ]
    if not odd:
        return []
    place, value = odd[0]
    more = f", and {len(odd) - 1:,} more such timestamps" if len(odd) > 1 else ""
    where = f" of event {place}" if len(found) > 1 else ""
    return [f"timestamp {_spelled(value)}{where} is no time{more}."]


def _is_time(value: object) -> bool:
    at = milliseconds(value)
    return at is not None and _FIRST <= at <= _LAST


def _surrogate(raw: bytes) -> list[str]:
    if b"\\u" not in raw:
        return []
    try:
        msgspec.json.decode(jsontext.without_bom(raw))
    except (msgspec.DecodeError, RecursionError):
        return ["half of a character (\\ud800 to \\udfff) is in it: not Unicode, receivers differ on it."]
    return []


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(_short(storable(name)) or '""' for name in every[:_NAMED])
    return f"{shown} and {len(every) - _NAMED:,} more" if len(every) > _NAMED else shown


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _spelled(value: object) -> str:
    if isinstance(value, dict | list):
        return "(an object)" if isinstance(value, dict) else "(an array)"
    return _short(jsontext.dump(value).decode())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
