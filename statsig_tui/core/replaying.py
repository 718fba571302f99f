"""What a replay sends of what was captured: which headers, which bytes, which events, and what became of it.

A replay is a POST to the destination's own URL: neither the method nor the path of the capture go along.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from statsig_tui.core import jsontext
from statsig_tui.core.envelope import encode
from statsig_tui.core.event import Event, view
from statsig_tui.core.records import CaptureDetail, DeliveryState, Headers, Replay
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER

MOST = 10_000
"""Requests of one replay."""
Part = tuple[int, int | None]
"""A capture, whole, or of its events the one with this number."""
_OF_THE_WIRE = frozenset(
    {"host", "content-length", "connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}
)
_OF_THE_CLIENT = frozenset({"accept-encoding", "expect", "proxy-connection"})
"""What the one who sends it says for itself."""
_OF_THE_BYTES = ("content-encoding", "content-md5", "content-digest", "digest")
SIGNED = frozenset({SIGNATURE_HEADER.lower(), TIMESTAMP_HEADER.lower()})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Wish:
    """How something is replayed, and whereto."""

    how: Replay = Replay.AS_RECEIVED
    destinations: tuple[str, ...] = ()
    """By name; as events, those whose filters are asked."""
    urls: tuple[str, ...] = ()
    """Typed ones: no destination of the settings."""
    times: int = 1
    rate: float | None = None
    """Requests a second; None: as fast as they are taken."""
    secret: str | None = None
    """Signs what goes to a typed URL re-signed."""

    @property
    def places(self) -> int:
        """Requests for each time that something is replayed."""
        return 1 if self.how is Replay.AS_EVENTS else len(self.destinations) + len(self.urls)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to so far, by the delivery; as events, by the event and destination."""

    total: int = 0
    """Deliveries that were opened, or verdicts that were given."""
    delivered: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    """By the status, or `no answer`."""
    waiting: int = 0
    """Not settled yet."""
    retrying: Mapping[str, int] = field(default_factory=dict)
    """Of these, what failed and is tried again; by the status, or `no answer`."""
    cancelled: int = 0
    filtered: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is going to happen."""
        return not self.waiting

    def words(self) -> str:
        """`2 delivered, 1 failed 503`; empty: nothing was sent yet."""
        parts = [
            *([f"{self.delivered:,} delivered"] if self.delivered else ()),
            *(f"{count:,} failed {what}" for what, count in sorted(self.failed.items())),
            *([f"{self.filtered:,} filtered"] if self.filtered else ()),
            *([f"{self.cancelled:,} cancelled"] if self.cancelled else ()),
            *(f"{count:,} retrying after {what}" for what, count in sorted(self.retrying.items())),
        ]
        rest = self.waiting - sum(self.retrying.values())
        return ", ".join([*parts, *([f"{rest:,} waiting"] if rest else ())])


def counted(rows: Sequence[tuple[bool, DeliveryState | None, int | None, int]]) -> Replayed:
    """The outcomes: whether it was forwarded, its delivery's state and status, and how many are alike."""
    total = delivered = waiting = cancelled = filtered = 0
    failed: dict[str, int] = {}
    retrying: dict[str, int] = {}
    for is_forwarded, state, status, count in rows:
        total += count
        what = str(status) if status is not None else "no answer"
        if not is_forwarded:
            filtered += count
        elif state is DeliveryState.DELIVERED:
            delivered += count
        elif state is DeliveryState.FAILED:
            failed[what] = failed.get(what, 0) + count
        elif state is DeliveryState.CANCELLED:
            cancelled += count
        else:
            waiting += count
            if state is DeliveryState.RETRYING:
                retrying[what] = retrying.get(what, 0) + count
    return Replayed(total, delivered, failed, waiting, retrying, cancelled, filtered)


def end_to_end(headers: Headers) -> Headers:
    """What of a received head can be sent on: not what is of one connection, nor what was masked."""
    named = {
        word.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for word in value.split(",")
    }
    # What was masked before it was stored is no longer what was received, and no header can carry it.
    return tuple(
        (name, value)
        for name, value in headers
        if name.lower() not in _OF_THE_WIRE | named and _NAME.fullmatch(name) and _VALUE.fullmatch(value)
    )


def kept(headers: Headers, *, is_whole: bool, is_signed: bool) -> Headers:
    """The headers that a replayed body takes along: all that speak of it, and its signature if asked for.

    A part of a body is neither packed nor digested as the whole was.
    """
    without = _OF_THE_CLIENT | (frozenset() if is_signed else SIGNED)
    without |= frozenset() if is_whole else frozenset(_OF_THE_BYTES)
    return tuple(pair for pair in end_to_end(headers) if pair[0].lower() not in without)


def with_kept(headers: Headers, own: Collection[tuple[str, str]]) -> Headers:
    """A replay's kept headers under those of the destination itself, and a type where there is none."""
    names = {name.lower() for name, _ in own}
    merged = [*(pair for pair in headers if pair[0].lower() not in names), *own]
    if not any(name.lower() == "content-type" for name, _ in merged):
        merged.insert(0, ("Content-Type", "application/json"))
    return tuple(merged)


def signature_of(headers: Headers) -> tuple[str | None, str | None]:
    """Signature and timestamp of a head."""
    found = {name.lower(): value for name, value in headers}
    return found.get(SIGNATURE_HEADER.lower()), found.get(TIMESTAMP_HEADER.lower())


def events_of(detail: CaptureDetail, body: bytes) -> list[bytes]:
    """The events of a capture, each as it is spelled; `body` is without its Content-Encoding."""
    if detail.record.envelope not in ("data", "array"):
        return []
    array = body if detail.record.envelope == "array" else jsontext.members(body)["data"]
    return [item for item in jsontext.items(array) if item.startswith(b"{")]


def alone(detail: CaptureDetail, event: bytes) -> bytes:
    """One event of a capture as a batch of its own, in the capture's envelope."""
    return encode([event], "array" if detail.record.envelope == "array" else "data", "number")


def accepted(raw: bytes, note: str) -> Event:
    """An event as if the emulator had just made it, the same to the byte."""
    return view(raw, jsontext.parse(raw), note)
