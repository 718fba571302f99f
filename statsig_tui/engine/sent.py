"""What is kept of a request to a target: without the key, and of a series only examples."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from statsig_tui.core import draft
from statsig_tui.core.config import Target
from statsig_tui.core.records import SentDetail, SentRecord
from statsig_tui.core.redact import Redactor
from statsig_tui.core.request import Request
from statsig_tui.engine.emulator import PASS_HEADER, TRACE_HEADER
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.series import Note, Series
from statsig_tui.engine.series import Request as Posted
from statsig_tui.engine.target import request_for
from statsig_tui.errors import StoreBroken

EXAMPLES = 10
"""Requests of a series that are kept: the first of each outcome."""


def kept(
    target: Target, request: Request, outcome: Outcome, redact: Redactor, *, at: int, event_name: str
) -> SentDetail:
    """A request and how it was answered, as it is kept; `at` is when it was sent, epoch ms."""
    answered = {name.lower(): value for name, value in outcome.headers}
    record = SentRecord(
        id=0,
        rev=0,
        at=at,
        target=target.name,
        url=redact(request.url),
        event_name=event_name,
        size=len(request.body),
        status=outcome.status,
        error=redact(outcome.error) if outcome.error else None,
        certainty=outcome.certainty,
        ms=outcome.ms,
        trace=answered.get(TRACE_HEADER.decode()),
    )
    shown = [pair for pair in request.headers if pair[0].lower() != PASS_HEADER.decode()]
    return SentDetail(
        record,
        redact.pairs(shown),
        request.body,
        redact.pairs(outcome.headers),
        outcome.body,
        outcome.truncated,
        method=request.method,
        timing=outcome.timing,
    )


def keeping_examples(
    series: Series,
    redact: Callable[[], Redactor],
    now: Callable[[], int],
    keep: Callable[[SentDetail], Awaitable[object]],
) -> Note:
    """What keeps the first request of each outcome of a series, ten at most: history is not flooded."""
    seen: set[tuple[int | None, str]] = set()

    async def note(outcome: Outcome, posted: Posted) -> None:
        kind = (outcome.status, outcome.certainty)
        if kind in seen or len(seen) == EXAMPLES:
            return
        seen.add(kind)
        body, shape = posted
        request = request_for(series.target, body, shape=shape)
        name = draft.event_name(draft.decode(body))
        at = now() - round(outcome.ms)
        detail = kept(series.target, request, outcome, redact(), at=at, event_name=name)
        # A store that takes nothing is said by the listeners; the series goes on without the example.
        with contextlib.suppress(StoreBroken):
            await keep(detail)

    return note
