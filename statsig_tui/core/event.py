"""The outgoing Event: its exact bytes, and the view of them that filters and lists need.

Shapes and names: statsig-wire.md §3.2–3.4. No key set is assumed; unknown fields survive in `raw`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from statsig_tui.core import jsontext

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_USUAL = 128
"""Characters of a name up to which what it means is remembered: the same few come again and again."""
_FORBIDDEN = frozenset("\\[]{}<>#=;&$%|\0\n\r")


class EventClass(StrEnum):
    """What an event is to the Event Filter."""

    CUSTOM = "custom"
    GATE_EXPOSURE = "gate_exposure"
    CONFIG_EXPOSURE = "config_exposure"
    EXPERIMENT_EXPOSURE = "experiment_exposure"
    LAYER_EXPOSURE = "layer_exposure"
    HOLDOUT_EXPOSURE = "holdout_exposure"
    CONFIG_CHANGE = "config_change"
    INTERNAL = "internal"
    VERIFICATION = "verification"

    @property
    def is_exposure(self) -> bool:
        """Whether the console's Exposures check box governs it."""
        return self.endswith("_exposure")


_CLASSES = {
    "statsig::gate_exposure": EventClass.GATE_EXPOSURE,
    "statsig::config_exposure": EventClass.CONFIG_EXPOSURE,
    "statsig::experiment_exposure": EventClass.EXPERIMENT_EXPOSURE,
    "statsig::layer_exposure": EventClass.LAYER_EXPOSURE,
    "statsig::holdout_exposure": EventClass.HOLDOUT_EXPOSURE,
    "statsig::config_change": EventClass.CONFIG_CHANGE,
    "statsig::diagnostics": EventClass.INTERNAL,
    "statsig::non_exposed_checks": EventClass.INTERNAL,
    "statsig::log_line": EventClass.INTERNAL,
}
_FIRST_EXPOSURE = "statsig::first_exposure"


def classify(name: str) -> EventClass:
    """The class of an event by its name (statsig-wire.md §3.3); first exposures count as experiments."""
    if not name.startswith("statsig::"):
        return EventClass.CUSTOM
    if name.startswith(_FIRST_EXPOSURE):
        return EventClass.EXPERIMENT_EXPOSURE
    return _CLASSES.get(name, EventClass.CUSTOM)


def forbidden_in(name: str) -> str:
    """The characters of a name for which Statsig drops the event, in order, without repeats (§1)."""
    if _FORBIDDEN.isdisjoint(name):
        return ""
    return "".join(dict.fromkeys(char for char in name if char in _FORBIDDEN))


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event as it goes out."""

    raw: bytes
    """The JSON object, spelled as it is sent."""
    name: str
    event_class: EventClass
    user_id: str | None
    time_uuid: str | None
    timestamp: int | None
    """Milliseconds since the epoch; None where absent or not a time."""
    note: str = ""
    """What was changed or is wrong with it, in words; empty: nothing."""
    forbidden: str = ""
    """Characters for which Statsig drops it: of its real name, which `name` may show with escapes."""


def view(raw: bytes, fields: dict[str, Any], note: str = "") -> Event:
    """The Event over its bytes and their parsed members."""
    name, event_class, user_id, time_uuid, timestamp, forbidden = told_by(fields)
    return Event(raw, name, event_class, user_id, time_uuid, timestamp, note, forbidden)


def told_by(fields: dict[str, Any]) -> tuple[str, EventClass, str | None, str | None, int | None, str]:
    """Name, class, user, timeUUID, timestamp and forbidden characters, as an event's members tell them."""
    name = fields.get("eventName")
    if not isinstance(name, str):
        name = ""
    text, event_class, forbidden = (_named if len(name) <= _USUAL else _named.__wrapped__)(name)
    user_id = fields.get("userID")
    if user_id is None or user_id == "":
        user = fields.get("user")
        user_id = user.get("userID") if isinstance(user, dict) else None
    time_uuid = fields.get("timeUUID")
    return (
        text,
        event_class,
        storable(str(user_id)) if isinstance(user_id, (str, int)) and user_id != "" else None,
        storable(time_uuid) if isinstance(time_uuid, str) and time_uuid else None,
        milliseconds(fields.get("timestamp")),
        forbidden,
    )


@lru_cache(maxsize=1024)
def _named(name: str) -> tuple[str, EventClass, str]:
    text = storable(name)
    return text, classify(text), forbidden_in(name)


def storable(text: str) -> str:
    """The text with lone surrogates as visible escapes, for whatever takes only Unicode."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def is_unicode(text: str) -> bool:
    """Whether a text is free of lone surrogates."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def milliseconds(value: object) -> int | None:
    """A timestamp field as epoch ms: a number, digits as text, or ISO 8601; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        number = int(value)
    elif isinstance(value, str):
        text = value.strip()
        if text.isascii() and text.isdigit() and len(text) <= 16:
            number = int(text)
        else:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                return None
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            # Not by way of a float, which would lose a millisecond now and then.
            number = (moment - _EPOCH) // timedelta(milliseconds=1)
    else:
        return None
    return number if abs(number) < 2**62 else None


def as_string(raw: bytes) -> bytes:
    """A JSON value as the JSON string Statsig makes of it: numbers keep their spelling, null is empty."""
    raw = raw.strip()
    if raw.startswith(b'"'):
        return raw
    return b'""' if raw == b"null" else jsontext.dump(raw.decode(errors="surrogatepass"))


def again(raw: bytes, *, now: int | None, time_uuid: str) -> Event:
    """The same event as another one, happening `now` if that is given; all else as it is spelled."""
    parts = jsontext.members(raw)
    if now is not None:
        parts["timestamp"] = str(now).encode()
    if "timeUUID" in parts:
        parts["timeUUID"] = jsontext.dump(time_uuid)
    renewed = jsontext.join(parts)
    return view(renewed, jsontext.parse(renewed))


def without_private(user: bytes) -> tuple[bytes, bool]:
    """A StatsigUser without `privateAttributes`, which must never be forwarded (§2), and if it had any."""
    # A name can hide behind escapes: only a user without any is known to be free of it at a glance.
    if (b"privateAttributes" not in user and b"\\" not in user) or not user.lstrip().startswith(b"{"):
        return user, False
    parts = jsontext.members(user)
    if parts.pop("privateAttributes", None) is None:
        return user, False
    return jsontext.join(parts), True
