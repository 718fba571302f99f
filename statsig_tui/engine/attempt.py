"""One attempt: what goes out, signed where there is a secret, and what is kept of what comes of it."""

from __future__ import annotations

import asyncio
import email.utils
import math
from collections.abc import Awaitable, Callable
from datetime import UTC

from statsig_tui.core.config import Destination
from statsig_tui.core.records import AttemptRecord, Headers, Job, Replay, Sending
from statsig_tui.core.replaying import signature_of, with_kept
from statsig_tui.core.signing import signing_headers
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.outcome import CUT_OFF, Outcome, with_own

Post = Callable[[str, Headers, bytes, float], Awaitable[Outcome]]
"""URL, headers, body, seconds -> what became of it."""


class Requests:
    """Those of one destination that are under way, each of which can be cut off."""

    def __init__(self, post: Post, clock: Clock) -> None:
        self._post = post
        self._clock = clock
        self._limits: dict[int, asyncio.Timeout] = {}
        """What ends them, by delivery."""

    async def post(self, sending: Sending, seconds: float) -> Outcome:
        """Post what was begun and wait at most `seconds`, unless it is cut off."""
        delivery, began = sending.job.delivery, self._clock.monotonic()
        try:
            async with asyncio.timeout(None) as limit:
                self._limits[delivery] = limit
                return await self._post(sending.url, sending.headers, sending.job.body, seconds)
        except TimeoutError:
            ms = (self._clock.monotonic() - began) * 1000
            return Outcome(None, ms, error=CUT_OFF, certainty="unknown")
        finally:
            self._limits.pop(delivery, None)

    def cut_off(self, delivery: int) -> None:
        """End the request of a delivery at once, and close its connection."""
        limit = self._limits.pop(delivery, None)
        if limit is not None:
            limit.reschedule(0)


def sending_of(job: Job, destination: Destination, now: int) -> Sending:
    """What is sent of a delivery at `now` (epoch ms): as it was signed once, or signed with the secret."""
    headers = with_own(with_kept(job.headers, destination.headers.items()))
    if job.replay is Replay.AS_RECEIVED:
        return Sending(job, destination.url, headers, *signature_of(job.headers))
    secret = destination.secret.value if destination.secret is not None else None
    if not secret:
        return Sending(job, destination.url, headers, None, None)
    own = signing_headers(secret, now, job.body)
    (_, timestamp), (_, signature) = own
    return Sending(job, destination.url, (*headers, *own), signature, timestamp)


def attempted(sending: Sending, at: int, outcome: Outcome) -> AttemptRecord:
    """An attempt that was begun at `at` (epoch ms), and what came of it."""
    return AttemptRecord(
        delivery=sending.job.delivery,
        number=sending.job.attempt + 1,
        at=at,
        url=sending.url,
        request_headers=sending.headers,
        status=outcome.status,
        reason=outcome.reason,
        response_headers=outcome.headers,
        response_body=outcome.body,
        truncated=outcome.truncated,
        error=outcome.error,
        ms=outcome.ms,
        phases=outcome.phases,
    )


def retry_after(text: str | None, now: int) -> float | None:
    """A Retry-After header in seconds from `now` (epoch ms): a number or an HTTP date; None: nonsense."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(text)
            # A date without a zone, as C writes it, is one of UTC, wherever this machine is.
            seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now / 1000
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if seconds >= 0 and math.isfinite(seconds) else None
