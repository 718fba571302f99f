"""What a pasted text is: a curl command, an incoming or outgoing event, a batch, or what an SDK sends.

What is not an incoming event is converted into one, and what was changed is listed. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from statsig_tui.core import curl, draft, jsontext
from statsig_tui.core.event import milliseconds
from statsig_tui.core.request import POST, Request, Shape, target_of
from statsig_tui.core.snippets import KEY_HEADER

Kind = Literal["curl", "incoming", "outgoing", "sdk"]
_MADE_ANEW = ("statsigMetadata", "timeUUID", "companyID", "unitID", "secondaryExposures")
_ENDPOINT = "/v1/webhooks/event_webhook"
_TITLES = {
    "curl": "a curl command",
    "incoming": "an incoming event",
    "outgoing": "an outgoing event",
    "sdk": "what an SDK sends to /v1/log_event",
}


@dataclass(frozen=True, slots=True)
class Converted:
    """An incoming event, and what is different from what was pasted."""

    name: str
    text: str
    differences: tuple[str, ...] = ()
    shape: Shape = field(default_factory=Shape)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of the user variables in it."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a text was recognised as."""

    kind: Kind
    events: tuple[Converted, ...]
    """At least one."""
    request: Request | None = None
    """Of a curl command, exactly."""
    files: tuple[str, ...] = ()
    """That a curl command names, and that are still to be read."""
    cannot: str = ""
    """Why nothing can be made of it, and what to write instead."""

    @property
    def title(self) -> str:
        """What it is, in words."""
        count = len(self.events)
        return _TITLES[self.kind] if count == 1 else f"{_TITLES[self.kind]}, with {count:,} events"

    @property
    def is_as_it_is(self) -> bool:
        """Whether nothing is to be converted."""
        return self.kind == "incoming" and len(self.events) == 1


def recognise(text: str, files: Mapping[str, bytes] = MappingProxyType({})) -> Pasted | None:
    """What a text is, with the bytes of the files that it names; None: nothing that is known."""
    command = curl.read(text, files)
    if command is not None:
        made = _from_command(command)
        return Pasted("curl", (made,), command.request, command.unread, command.cannot)
    if text.lstrip()[:1] not in ("{", "["):
        return None
    raw = draft.encode(text)
    try:
        value = jsontext.parse(raw)
    except jsontext.JsonError:
        return None
    if isinstance(value, dict) and "event" in value and "eventName" not in value:
        return Pasted("incoming", (Converted(draft.event_name(text), text),))
    return _from_json(raw, value)


def _from_json(raw: bytes, value: Any) -> Pasted | None:
    kind: Kind = "outgoing"
    outer: Mapping[str, bytes] = {}
    if isinstance(value, dict) and isinstance(value.get("events"), list):
        kind, outer = "sdk", jsontext.members(raw)
        raw, value = outer["events"], value["events"]
    elif isinstance(value, dict) and isinstance(value.get("data"), list):
        raw, value = jsontext.members(raw)["data"], value["data"]
    if isinstance(value, dict):
        items = [(raw, value)]
    elif isinstance(value, list):
        items = list(zip(jsontext.items(raw), value, strict=True))
    else:
        return None
    if not items or not all(isinstance(item, dict) for _, item in items):
        return None
    if kind == "outgoing" and all("event" in item and "eventName" not in item for _, item in items):
        found = tuple(
            Converted(str(item["event"]), part.decode("utf-8", "surrogateescape")) for part, item in items
        )
        return Pasted("incoming", found)
    if not all(isinstance(item.get("eventName"), str) for _, item in items):
        return None
    if kind == "outgoing" and all("time" in item and "timestamp" not in item for _, item in items):
        kind = "sdk"
    return Pasted(kind, tuple(_converted(part, item, outer) for part, item in items))


def _converted(raw: bytes, value: Mapping[str, Any], outer: Mapping[str, bytes]) -> Converted:
    parts = jsontext.members(raw)
    said = ["eventName is called event here"]
    made: dict[str, bytes] = {}
    user = parts.pop("user", b"null")
    if user == b"null" and outer.get("user", b"null") != b"null":
        user = outer["user"]
        said.append("the user is that of the request")
    copy = parts.pop("userID", None)
    if copy is not None:
        if user == b"null":
            user = b'{"userID": ' + copy + b"}"
            said.append("userID belongs into user")
        else:
            said.append("userID at the top is left out: it is a copy")
    made["user"] = user if user != b"null" else b"{}"
    made["event"] = parts.pop("eventName")
    given = parts.pop("value", None)
    if given in (b'""', b"null"):
        said.append("value was empty: left out")
    elif given is not None:
        made["value"] = given
    metadata = parts.pop("metadata", None)
    if metadata not in (None, b"null"):
        made["metadata"] = metadata or b"{}"
    made |= _time(parts, value, said)
    dropped = [name for name in _MADE_ANEW if parts.pop(name, None) is not None]
    if dropped:
        said.append(f"left out, made anew on the way: {', '.join(dropped)}")
    if parts:
        said.append(f"kept, but not known here: {', '.join(parts)}")
    made |= parts
    lines = [b"  " + jsontext.dump(name) + b": " + part for name, part in made.items()]
    whole = b"{\n" + b",\n".join(lines) + b"\n}"
    return Converted(str(value["eventName"]), whole.decode("utf-8", "surrogateescape"), tuple(said))


def _time(parts: dict[str, bytes], value: Mapping[str, Any], said: list[str]) -> dict[str, bytes]:
    name = "timestamp" if "timestamp" in parts else "time"
    given = parts.pop(name, None)
    if given in (None, b"null"):
        return {}
    if name == "time":
        said.append("time is called timestamp here")
    ms = milliseconds(value[name]) if isinstance(value[name], str) else None
    if ms is None:
        return {"timestamp": given or b"null"}
    said.append(f"{name} was text, and is a number now")
    return {"timestamp": str(ms).encode()}


def _from_command(command: curl.Command) -> Converted:
    request = command.request
    said = list(command.left_out)
    lines: list[str] = []
    given = {name.lower() for name, _ in request.headers}
    for name, value in request.headers:
        if name.upper() == KEY_HEADER:
            said.append("the key is the target's, not the command's")
        elif name.lower() == "authorization":
            said.append("Authorization is not taken: it would be kept in the draft")
        elif (name.lower(), value) != ("content-type", "application/json"):
            lines.append(f"{name}: {value}" if value else f"{name};")
    if "content-type" not in given:
        lines.append("Content-Type:")
    if KEY_HEADER.lower() not in given:
        lines.append(f"{KEY_HEADER}:")
    path = target_of(request.url)
    said.append(f"it goes to the target, not to {request.url}")
    shape = Shape(
        "" if request.method == POST else request.method, "" if path == _ENDPOINT else path, "\n".join(lines)
    )
    text = draft.decode(request.body)
    return Converted(draft.event_name(text), text, tuple(said), shape)
