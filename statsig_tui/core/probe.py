"""A marked event on its way through every hop: which it passed, when, and what holds it up. Pure.

It is told from the trace alone, with what has to be known of the destination beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statsig_tui.core import jsontext
from statsig_tui.core.config import Destination
from statsig_tui.core.filters import Clause
from statsig_tui.core.ids import tag
from statsig_tui.core.records import AttemptRecord, DeliveryRecord, DeliveryState, SentRecord, Trace

NAME = "PROBE_statsig_tui"
"""The event's name, by which it is known wherever it arrives."""
HOPS = ("emulator", "filter", "batch", "delivery", "capture")


class Passing(StrEnum):
    """How far it is with a hop."""

    PASSED = "passed"
    WAITING = "waiting"
    LATE = "late"
    FAILED = "failed"
    UNSEEN = "unseen"
    """It is out of our sight."""
    SKIPPED = "skipped"
    """It was not come to."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One station."""

    name: str
    passing: Passing
    said: str = ""
    mend: str = ""
    """What to do about it; empty: nothing."""
    ms: int | None = None
    """Since the probe was sent."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What has to be known of the destination beside the trace."""

    destination: Destination
    """With its real URL."""
    leads_here: bool
    """Whether its URL is our own receiver's, directly or by its public URL."""
    receiver_listens: bool
    ailing: str = ""
    """`disabled` by a 410, `paused` after failures."""
    why: str = ""
    """Of that."""
    queued: int = 0
    """Events that wait for it, the probe included."""


def body(now: int, mark: str) -> bytes:
    """The incoming event; `mark` tells one probe from another."""
    return jsontext.dump(
        {
            "user": {"userID": "statsig-tui-probe"},
            "event": NAME,
            "metadata": {"probe": "sent by statsig-tui to see every hop", "mark": mark},
            "timestamp": now,
        }
    )


def hops(
    sent: SentRecord | None, trace: Trace | None, situation: Situation, *, late: bool
) -> tuple[Hop, ...]:
    """Every hop as far as is known; with `late` what has not come by now is called late."""
    way = _Way(sent, trace or Trace(""), situation, late)
    asks = (way.emulator, way.filter, way.batch, way.delivery, way.capture)
    found: list[Hop] = []
    for name, ask in zip(HOPS, asks, strict=True):
        stopped = bool(found) and found[-1].passing is not Passing.PASSED
        captured = name == "capture" and bool(way.trace.captures)
        found.append(Hop(name, Passing.SKIPPED) if stopped and not captured else ask())
    return tuple(found)


def is_settled(found: tuple[Hop, ...]) -> bool:
    """Whether nothing more is to be waited for."""
    return not any(hop.passing in (Passing.WAITING, Passing.LATE) for hop in found)


@dataclass(frozen=True, slots=True)
class _Way:
    sent: SentRecord | None
    trace: Trace
    situation: Situation
    late: bool

    def emulator(self) -> Hop:
        sent = self.sent
        if sent is None:
            return self._open("emulator", "no answer yet", "Nothing answers: see the header.")
        if sent.status is not None and 200 <= sent.status <= 299:
            return Hop("emulator", Passing.PASSED, f"{sent.status} accepted", ms=round(sent.ms or 0))
        said = f"answered {sent.status}" if sent.status is not None else sent.error or "no answer"
        mend = "See Requests and refusals, in the palette."
        return Hop("emulator", Passing.FAILED, said, mend, round(sent.ms or 0))

    def filter(self) -> Hop:
        verdict = next(iter(self.trace.verdicts), None)
        if verdict is None:
            return self._open("filter", "not judged yet", "No destination of that name is served.")
        ms = self._since(verdict.at)
        if verdict.forwarded:
            return Hop("filter", Passing.PASSED, verdict.clause, ms=ms)
        return Hop(
            "filter", Passing.FAILED, f"filtered: {verdict.clause}", self._unfiltered(verdict.clause), ms
        )

    def _unfiltered(self, clause: str) -> str:
        name, ailing = self.situation.destination.name, self.situation.ailing
        if clause == Clause.DISABLED:
            gone = f"It was disabled: {self.situation.why}. Space in 2 Destinations resumes it."
            return gone if ailing == "disabled" else "It is off: space in 2 Destinations turns it on."
        if clause in (Clause.NOT_TRACKED, Clause.NEW_NOT_INCLUDED):
            return f"Event Filtering of {name}: track {NAME}, or include new events by default."
        return f"Event Filtering of {name}, Details (o): patterns, tiers, condition, sample."

    def _delivery(self) -> DeliveryRecord | None:
        return next(iter(self.trace.deliveries), None)

    def batch(self) -> Hop:
        delivery, policy = self._delivery(), self.situation.destination.batch
        if delivery is None:
            said = f"open: it closes after {policy.max_seconds:g} s or {policy.max_events:,} events"
            return self._open(
                "batch", said, "Its Delivery sets both; s in 2 Destinations lets waiting go faster."
            )
        said = f"{delivery.events:,} event{'s' * (delivery.events != 1)}, closed by {delivery.closed_by}"
        return Hop("batch", Passing.PASSED, said, ms=self._since(delivery.created))

    def delivery(self) -> Hop:
        delivery, attempt = self._delivery(), next(reversed(self.trace.attempts), None)
        assert delivery is not None
        if delivery.state is DeliveryState.DELIVERED and attempt is not None:
            return Hop("delivery", Passing.PASSED, f"answered {attempt.status}", ms=self._ended(attempt))
        if delivery.state in (DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.RETRYING):
            said = (
                f"{delivery.state}: {delivery.error or (attempt and attempt.error) or 'no reason is known'}"
            )
            at = self._ended(attempt) if attempt is not None else None
            return Hop("delivery", Passing.FAILED, said, self._undelivered(), at)
        if self.situation.ailing == "paused":
            return Hop(
                "delivery", Passing.FAILED, f"the circuit is paused: {self.situation.why}",
                "Space in 2 Destinations resumes it; what waits goes out then.",
            )  # fmt: skip
        if delivery.state is DeliveryState.SENDING:
            seconds = self.situation.destination.timeout_seconds
            return self._open(
                "delivery", f"sent, no answer yet; it is given {seconds:g} s", self._undelivered()
            )
        limit = self.situation.destination.rate_limit
        said = f"its turn has not come: {self.situation.queued:,} events wait"
        return self._open("delivery", said, f"A rate limit of {limit:g} a second holds it." if limit else "")

    def _undelivered(self) -> str:
        name = self.situation.destination.name
        if self.situation.leads_here and not self.situation.receiver_listens:
            return "The receiver does not listen: Use a free port, in the palette."
        attempt = next(reversed(self.trace.attempts), None)
        if attempt is not None and attempt.status is None:
            return f"Is anything there? {name} goes to {attempt.url}"
        return f"Attempts of {name} in 2 Destinations show request and answer."

    def capture(self) -> Hop:
        capture = next(iter(self.trace.captures), None)
        if capture is not None:
            said = f"{tag('c', capture.id)}, signature {capture.signature}"
            return Hop("capture", Passing.PASSED, said, ms=self._since(capture.at))
        if not self.situation.leads_here:
            said = "it went to another endpoint: what that makes of it cannot be seen from here"
            return Hop("capture", Passing.UNSEEN, said)
        return self._open("capture", "not captured yet", "Something else answered at the receiver's address.")

    def _open(self, name: str, said: str, mend: str) -> Hop:
        return Hop(name, Passing.LATE, said, mend) if self.late else Hop(name, Passing.WAITING, said)

    def _since(self, at: int) -> int:
        return max(0, at - self.sent.at) if self.sent is not None else 0

    def _ended(self, attempt: AttemptRecord) -> int:
        return self._since(attempt.at + round(attempt.ms or 0))
