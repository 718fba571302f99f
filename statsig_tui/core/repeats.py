"""By what an event is known again when it comes once more (statsig-wire.md §3.2). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from statsig_tui.core.event import EventClass
from statsig_tui.core.records import EventSummary


@dataclass(frozen=True, slots=True)
class Beside:
    """What the captures around one say about its events."""

    first: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Place of an event that came before -> the capture it came in first, and its place there."""
    before: int | None = None
    """When the last event happened that its sender had sent before; epoch ms."""
    is_final: bool = False
    """Whether all that came before has been looked through; else ask again later."""


@dataclass(frozen=True, slots=True)
class NameCount:
    """How many events of one name are kept."""

    event_class: EventClass
    name: str
    volume: int


@dataclass(frozen=True, slots=True)
class Names:
    """What is kept by class and by name, the most frequent first."""

    names: tuple[NameCount, ...] = ()
    classes: Mapping[EventClass, int] = field(default_factory=dict)
    """Events of each class, those of names that are not listed included."""
    behind: int = 0
    """Captures that are not counted yet."""


def needs_body(event: EventSummary) -> bool:
    """Whether it is known again only by what stands in its metadata."""
    return event.time_uuid is None and event.event_class is EventClass.CONFIG_CHANGE


def key(event: EventSummary, changed: str | None = None) -> int | None:
    """A signed 64-bit number that a repetition has too; None: nothing tells it from others.

    `changed` is the `metadata.name` of a config change. Two different events with one number are so
    unlikely that nobody will meet them.
    """
    if event.time_uuid is not None:
        parts = ["timeUUID", event.time_uuid]
    elif event.timestamp is None:
        return None
    else:
        parts = ["", event.event_name, str(event.timestamp), event.user_id or "", changed or ""]
    digest = blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
