"""A probe sent for one destination alone, and what has to be known of that to tell how it fares."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from statsig_tui.core import probe
from statsig_tui.core.probe import Hop, Situation
from statsig_tui.core.records import DestinationCounters, SentRecord, Trace

if TYPE_CHECKING:
    from statsig_tui.engine.engine import Engine

SECONDS = 10.0
"""After which a hop that was not passed is called late."""


def body(now: int) -> bytes:
    """A probe's incoming event, marked as no other one is."""
    return probe.body(now, secrets.token_hex(8))


def situation(engine: Engine, destination: str) -> Situation:
    """What has to be known of a destination; it asks the store. Raises NotFound."""
    found = engine.destination(destination)
    counts = engine.archive.counters().destinations.get(destination, DestinationCounters())
    here = {engine.addresses.receiver, engine.config.receiver.public_url} - {None}
    return Situation(
        found,
        leads_here=_place(found.url) in {_place(url) for url in here if url},
        receiver_listens=engine.addresses.receiver is not None,
        ailing=engine.ailing().get(destination, ""),
        why=engine.redact(counts.disabled or counts.paused or ""),
        queued=counts.queued,
    )


def look(engine: Engine, destination: str, sent: SentRecord | None, *, late: bool) -> tuple[Hop, ...]:
    """How a probe fares at present; it asks the store. Raises NotFound where its destination is gone."""
    trace: Trace | None = None
    if sent is not None and sent.trace is not None:
        trace = engine.archive.trace(sent.trace)
    return probe.hops(sent, trace, situation(engine, destination), late=late)


def _place(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, parts.port
