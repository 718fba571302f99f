"""What is posted in: one incoming event, judged and turned into the Event it becomes (§1, §3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from statsig_tui.core import jsontext
from statsig_tui.core.event import Event, EventClass, as_string, classify, forbidden_in, view, without_private

COMPANY_ID = "statsig-tui"
"""Emulated; a real one is Statsig's id of the customer."""
_KNOWN = ("user", "event", "value", "metadata", "timestamp")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something Statsig would likely refuse or drop: the field and a sentence."""

    field: str
    message: str


def problems(body: Any) -> list[Problem]:
    """Everything for which an incoming body is refused in strict mode, most telling first."""
    if isinstance(body, list):
        return [Problem("body", "the body is an array: send one JSON object, one event a request")]
    if not isinstance(body, dict):
        return [Problem("body", "the body is not a JSON object")]
    for batch in ("events", "data"):
        if batch in body and "event" not in body:
            return [
                Problem(
                    batch,
                    f"{batch}: batches are not taken here; send one event, or post to /v1/log_event",
                )
            ]
    found: list[Problem] = []
    name = body.get("event")
    if name is None:
        hint = " (eventName belongs to /v1/log_event: call it event here)" if "eventName" in body else ""
        found.append(Problem("event", f"event: missing{hint}"))
    elif not isinstance(name, str) or not name:
        found.append(Problem("event", "event: must be a string that is not empty"))
    user = body.get("user")
    if user is None:
        hint = "".join(f" ({key} belongs into user)" for key in ("userID", "userId") if key in body)
        found.append(Problem("user", f"user: missing{hint}"))
    elif not isinstance(user, dict):
        found.append(Problem("user", "user: must be an object"))
    if not isinstance(body.get("metadata"), dict | None):
        found.append(Problem("metadata", "metadata: must be an object"))
    if isinstance(body.get("value"), dict | list | bool):
        found.append(Problem("value", "value: must be a string or a number"))
    timestamp = body.get("timestamp")
    if timestamp is not None and (isinstance(timestamp, bool) or not isinstance(timestamp, int | float)):
        found.append(Problem("timestamp", "timestamp: must be epoch milliseconds, a number"))
    return found


def to_event(raw: bytes, body: dict[str, Any], *, now: int, time_uuid: str) -> Event:
    """The event that an incoming body becomes, arrived at `now` (epoch ms).

    `raw` is the object `body` was parsed from; every value keeps its spelling, unknown members stay.
    """
    parts = jsontext.members(raw)
    notes: list[str] = []
    user, stripped = without_private(parts.get("user", b"{}"))
    if stripped:
        notes.append("privateAttributes removed")
    name = parts.get("event", b'""')
    given = body.get("timestamp")
    takes_given = isinstance(given, int | float) and not isinstance(given, bool)
    if given is not None and not takes_given:
        notes.append("timestamp replaced by the time of arrival")
    kind = classify(body["event"]) if isinstance(body.get("event"), str) else EventClass.CUSTOM
    if kind is EventClass.CONFIG_CHANGE:
        return _change(parts, name, user, str(now).encode() if not takes_given else parts["timestamp"], notes)
    fields = {
        "eventName": name,
        "user": user,
        "userID": as_string(user_id(user)),
        "timestamp": parts["timestamp"] if takes_given else str(now).encode(),
        "value": as_string(parts.get("value", b"null")),
        "metadata": _object(parts.get("metadata")),
        "statsigMetadata": b"{}",
        "timeUUID": jsontext.dump(time_uuid),
        "companyID": jsontext.dump(COMPANY_ID),
    }
    if kind.is_exposure:
        fields["unitID"] = jsontext.dump(unit(user))
    fields |= {key: value for key, value in parts.items() if key not in _KNOWN and key not in fields}
    forbidden = forbidden_in(body["event"]) if isinstance(body.get("event"), str) else ""
    if forbidden:
        notes.append(f"Statsig drops names that hold {' '.join(forbidden)!r}")
    outgoing = jsontext.join(fields)
    return view(outgoing, jsontext.parse(outgoing), "; ".join(notes))


def user_id(user: bytes) -> bytes:
    """The `userID` of a StatsigUser as it is spelled; `null` where there is none."""
    if not user.lstrip().startswith(b"{"):
        return b"null"
    return jsontext.members(user).get("userID", b"null")


def unit(user: bytes) -> str:
    """The kind of ID by which an exposure was decided: `userID`, or the first custom one."""
    parts = jsontext.members(user) if user.startswith(b"{") else {}
    if parts.get("userID", b'""') not in (b'""', b"null"):
        return "userID"
    custom = parts.get("customIDs", b"null")
    return next(iter(jsontext.members(custom)), "userID") if custom.startswith(b"{") else "userID"


def _change(parts: dict[str, bytes], name: bytes, user: bytes, timestamp: bytes, notes: list[str]) -> Event:
    """A config change as the console's are: an actor, and none of a runtime event's own fields (§3.4)."""
    if "value" in parts:
        notes.append("value is no part of a config change")
    fields = {
        "user": user,
        "timestamp": timestamp,
        "eventName": name,
        "metadata": _object(parts.get("metadata")),
    }
    fields |= {key: value for key, value in parts.items() if key not in _KNOWN and key not in fields}
    outgoing = jsontext.join(fields)
    return view(outgoing, jsontext.parse(outgoing), "; ".join(notes))


def _object(raw: bytes | None) -> bytes:
    return b"{}" if raw is None or raw == b"null" else raw
