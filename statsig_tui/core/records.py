"""What the store hands out: frozen facts, small enough for a list. Times are epoch ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import msgspec

from statsig_tui.core.event import EventClass
from statsig_tui.core.phases import Phases
from statsig_tui.core.signing import SignatureState, SignatureVerdict

Headers = tuple[tuple[str, str], ...]
ISOLATING = "isolating"
"""What closed a batch that is a part of a refused one."""
HALVED = ": halved"
"""In the error of a delivery whose place its halves have taken: its events are theirs."""
FLAGGED_BY = 100
"""Bytes at the beginning of an answer's body that tell a web page."""


class DeliveryState(StrEnum):
    """Where a delivery stands; every delivery is always in exactly one."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    RETRYING = "retrying"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether something is still going to happen to it."""
        return self in (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.RETRYING)


class Replay(StrEnum):
    """How a delivery came to repeat a capture."""

    AS_RECEIVED = "received"
    RESIGNED = "resigned"
    AS_EVENTS = "events"
    """Through the filters again; the deliveries that come of it are like any other."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event the emulator accepted."""

    id: int
    rev: int
    at: int
    trace: str
    name: str
    event_class: EventClass
    user_id: str | None
    time_uuid: str | None
    note: str


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """A destination's answer to one event."""

    event: int
    destination: str
    at: int
    forwarded: bool
    clause: str
    delivery: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A batch on its way to a destination."""

    id: int
    rev: int
    at: int
    """When it came into its present state."""
    created: int
    batch: int
    destination: str
    events: int
    size: int
    state: DeliveryState
    attempt: int
    """Attempts made or begun; 0 before the first."""
    status: int | None
    error: str | None
    next_at: int | None
    replay: Replay | None = None
    closed_by: str = ""
    """Of its batch; `halved` or `isolating` where it is part of another delivery's."""
    is_rate_limited: bool = False
    """Whether it had to wait for its destination's rate limit."""

    @property
    def can_be_due(self) -> bool:
        """Whether it may be made due by hand: it is not on its way, has not arrived, and was not halved."""
        is_halved = self.state is DeliveryState.CANCELLED and HALVED in (self.error or "")
        return not is_halved and self.state not in (DeliveryState.SENDING, DeliveryState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Job:
    """A delivery whose turn it is, or will be."""

    delivery: int
    due: int
    """Epoch ms."""
    scheduled: int
    """When that was decided, epoch ms."""
    attempt: int
    """Attempts made so far."""
    events: int
    body: bytes
    replay: Replay | None
    headers: Headers
    """What a replay takes along of its capture's head; as received, with the signature."""
    is_isolating: bool = False
    """Part of a batch that was refused, to find what in it is refused."""
    was_refused: bool = False
    """By an earlier attempt, for what is in it."""
    uncounted: int = 0
    """Attempts among those made that use up nothing of the schedule: they say nothing of the endpoint."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One request of a delivery and what came of it."""

    delivery: int
    number: int
    at: int
    url: str
    request_headers: Headers
    status: int | None
    reason: str
    response_headers: Headers
    response_body: bytes
    truncated: bool
    error: str | None
    ms: float | None
    """None while it is under way."""
    phases: Phases | None = None
    """None where they were not measured: under way, by a former version, or by a proxy."""

    @property
    def flag(self) -> str:
        """What is odd about an answer that counts as success; empty: nothing."""
        if self.status is None or not 200 <= self.status <= 299:
            return ""
        named = any(
            name.lower() == "content-type" and "html" in value.lower()
            for name, value in self.response_headers
        )
        if named or self.response_body[:FLAGGED_BY].lstrip().lower().startswith(
            (b"<!doctype html", b"<html")
        ):
            return "an HTML page answered: a login page, or another page that is no webhook?"
        return ""


@dataclass(frozen=True, slots=True)
class Sending:
    """An attempt that is about to be made."""

    job: Job
    url: str
    headers: Headers
    signature: str | None
    timestamp: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that was made, and where that leaves its delivery."""

    attempt: AttemptRecord
    state: DeliveryState
    error: str | None = None
    next_at: int | None = None


class EventSummary(msgspec.Struct, frozen=True, gc=False):
    """One event of a capture, as far as a line shows it."""

    event_name: str
    event_class: EventClass
    user_id: str | None
    time_uuid: str | None
    timestamp: int | None


class CaptureRecord(msgspec.Struct, frozen=True):
    """One request that the receiver got whole."""

    id: int
    rev: int
    at: int
    method: str
    path: str
    size: int
    envelope: Literal["data", "array", "verification"] | None
    events: tuple[EventSummary, ...]
    signature: SignatureState
    status: int
    """0: none, the connection was left open or cut, or the file says none."""
    fault: str | None
    ms: float
    imported: bool = False
    """Taken from a file, not from the wire."""
    program: str | None = None
    """The step of a response program that answered; None: answered as usual."""


@dataclass(frozen=True, slots=True)
class CaptureDetail:
    """All there is of a capture."""

    record: CaptureRecord
    peer: str
    http_version: str
    headers: Headers
    body: bytes
    signature_reason: str
    answer_headers: Headers
    answer_body: bytes


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """That a capture came, for whoever only counts."""

    rev: int
    at: int
    events: int


class Captured(msgspec.Struct, frozen=True):
    """A whole request and the answer it is about to get; heads are already free of secrets."""

    at: int
    method: str
    path: str
    http_version: str
    peer: str
    headers: Headers
    body: bytes
    envelope: Literal["data", "array", "verification"] | None
    events: tuple[EventSummary, ...]
    signature: str | None
    timestamp: str | None
    verdict: SignatureVerdict
    status: int
    fault: str | None
    answer_headers: Headers
    answer_body: bytes
    ms: float
    program: str | None = None


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request to the emulator that was not plainly accepted: a mistake, or an SDK's poll."""

    id: int
    rev: int
    at: int
    method: str
    path: str
    status: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A request to either listener that was not kept; of this run only, and no byte of it."""

    at: int
    listener: str
    peer: str
    status: int | None
    """None where the connection was closed without an answer."""
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SentRecord:
    """An incoming event that Compose or `send` posted to a target, and the answer."""

    id: int
    rev: int
    at: int
    target: str
    url: str
    event_name: str
    size: int
    status: int | None
    error: str | None
    certainty: Literal["answered", "not sent", "unknown"]
    ms: float | None
    trace: str | None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the parts of a request took, in ms; None: it never came to that part."""

    connect: float | None = None
    """Name, connection, TLS; nothing on a connection that was kept."""
    wait: float | None = None
    """Sending, and waiting for the answer's head."""
    read: float | None = None
    """The answer's body."""


@dataclass(frozen=True, slots=True)
class SentDetail:
    """All there is of a sent event."""

    record: SentRecord
    request_headers: Headers
    body: bytes
    response_headers: Headers
    response_body: bytes
    truncated: bool = False
    method: str = "POST"
    timing: Timing = Timing()


Record = EventRecord | VerdictRecord | DeliveryRecord | CaptureRecord | RequestRecord | SentRecord
"""What one commit may have written; the JSON lines of product.md §5 are made of these."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The way of one event, from what was sent to what was captured."""

    trace: str
    sent: tuple[SentRecord, ...] = ()
    events: tuple[EventRecord, ...] = ()
    verdicts: tuple[VerdictRecord, ...] = ()
    deliveries: tuple[DeliveryRecord, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    captures: tuple[CaptureRecord, ...] = ()
    untold: int = 0
    """Deliveries and captures that are left out, for there are very many: replays of the same capture."""


@dataclass(frozen=True, slots=True)
class DestinationCounters:
    """What happened for one destination so far."""

    forwarded: int = 0
    filtered: int = 0
    delivered: int = 0
    failed: int = 0
    rate_limited: int = 0
    queued: int = 0
    """Events forwarded by the filter and not yet delivered, failed or cancelled."""
    retrying: int = 0
    disabled: str | None = None
    """Why the destination takes nothing at present, though it is enabled."""
    paused: str | None = None
    """Why it is sent nothing but probes at present; what it is to get is queued."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals over the store."""

    rev: int = 0
    captures: int = 0
    captured_events: int = 0
    last_capture_at: int | None = None
    events: int = 0
    refused: int = 0
    """Requests that never arrived whole or were over a limit."""
    destinations: Mapping[str, DestinationCounters] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiagnosticsRow:
    """A minute of one destination, in the console's columns (statsig-wire.md §4)."""

    at: int
    events: int
    forwarded: int
    filtered: int
    rate_limited: int
    failed: int
    error: str | None
