"""What SDKs post to `log_event` and `rgstr`, turned into the events it becomes (§3.3, §5)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from statsig_tui.core import jsontext
from statsig_tui.core.envelope import MAX_EVENTS
from statsig_tui.core.event import (
    Event,
    as_string,
    classify,
    forbidden_in,
    milliseconds,
    view,
    without_private,
)
from statsig_tui.core.incoming import COMPANY_ID, unit, user_id

_CONSUMED = frozenset({"eventName", "user", "value", "metadata", "time", "statsigMetadata"})


@dataclass(frozen=True, slots=True)
class SdkBatch:
    """The events of one SDK request, and the places of what is not an event."""

    events: tuple[Event, ...]
    rejected: tuple[int, ...]


def problem(body: Any) -> str | None:
    """Why a body is no SDK batch, in a sentence that names the field; None where it is one."""
    if not isinstance(body, dict):
        return "the body is not a JSON object"
    if "events" not in body:
        hint = (
            " (one event with event and user belongs to /v1/webhooks/event_webhook)"
            if "event" in body
            else ""
        )
        return f"events: missing{hint}"
    if not isinstance(body["events"], list):
        return "events: must be an array"
    count = len(body["events"])
    return f"events: {count:,} in one request; {MAX_EVENTS:,} are the limit" if count > MAX_EVENTS else None


def to_events(
    raw: bytes,
    *,
    now: int,
    client_time: int | None,
    known_experiments: Collection[str],
    new_uuid: Callable[[], str],
) -> SdkBatch:
    """The events of a body that has no problem(); `now` and `client_time` in epoch ms.

    The clock skew that `client_time` (STATSIG-CLIENT-TIME) shows is taken out of every event's time.
    """
    parts = jsontext.members(raw)
    shift = 0 if client_time is None else now - client_time
    shared_user = parts.get("user")
    shared_metadata = _sdk_metadata(parts.get("statsigMetadata"))
    events: list[Event] = []
    rejected: list[int] = []
    for index, item in enumerate(jsontext.items(parts["events"])):
        if not item.startswith(b"{"):
            rejected.append(index)
            continue
        own = jsontext.members(item)
        user = own.get("user")
        if user is None or user == b"null":
            user = shared_user if shared_user is not None and shared_user != b"null" else b"{}"
        metadata = shared_metadata | _sdk_metadata(own.get("statsigMetadata"))
        events.append(_to_event(own, user, metadata, now, shift, known_experiments, new_uuid()))
    return SdkBatch(tuple(events), tuple(rejected))


def unscramble(raw: bytes) -> bytes:
    """The JSON under `se=1`: base64 text, reversed (§5). Raises ValueError where it is something else."""
    try:
        return base64.b64decode(raw.strip()[::-1], validate=True)
    except binascii.Error as error:
        raise ValueError("se=1 says base64 text, reversed, but it is not") from error


def _to_event(
    own: dict[str, bytes],
    user: bytes,
    sdk_metadata: dict[str, bytes],
    now: int,
    shift: int,
    known_experiments: Collection[str],
    time_uuid: str,
) -> Event:
    notes: list[str] = []
    user, stripped = without_private(user)
    if stripped:
        notes.append("privateAttributes removed")
    raw_name = own.get("eventName", b'""')
    name = jsontext.parse(raw_name)
    metadata = own.get("metadata", b"{}")
    if metadata == b"null":
        metadata = b"{}"
    if name == "statsig::config_exposure" and _config(metadata) in known_experiments:
        raw_name = b'"statsig::experiment_exposure"'
        notes.append("config exposure of a known experiment")
    time = milliseconds(jsontext.parse(own["time"])) if "time" in own else None
    fields = {
        "eventName": raw_name,
        "user": user,
        "userID": as_string(user_id(user)),
        "timestamp": str(now if time is None else time + shift).encode(),
        "value": as_string(own.get("value", b"null")),
        "metadata": metadata,
        "statsigMetadata": jsontext.join(sdk_metadata),
        "timeUUID": jsontext.dump(time_uuid),
        "companyID": jsontext.dump(COMPANY_ID),
    }
    if isinstance(name, str) and classify(name).is_exposure:
        fields["unitID"] = jsontext.dump(unit(user))
    fields |= {key: value for key, value in own.items() if key not in _CONSUMED and key not in fields}
    forbidden = forbidden_in(name) if isinstance(name, str) else ""
    if forbidden:
        notes.append(f"Statsig drops names that hold {' '.join(forbidden)!r}")
    outgoing = jsontext.join(fields)
    return view(outgoing, jsontext.parse(outgoing), "; ".join(notes))


def _sdk_metadata(raw: bytes | None) -> dict[str, bytes]:
    if raw is None or not raw.startswith(b"{"):
        return {}
    parts = jsontext.members(raw)
    if b"server" in parts.get("sdkType", b"") and "sessionID" in parts:
        return {"serverSessionID" if key == "sessionID" else key: value for key, value in parts.items()}
    return parts


def _config(metadata: bytes) -> object:
    fields = jsontext.parse(metadata)
    return fields.get("config") if isinstance(fields, dict) else None
