"""What becomes of a request that leaves, in words: the same for every client that sends one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from statsig_tui import __version__
from statsig_tui.core.phases import Phases
from statsig_tui.core.records import Headers, Timing
from statsig_tui.core.request import Request

PROGRAM = "statsig-tui/"
USER_AGENT = f"{PROGRAM}{__version__}"
OWN = (("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
"""What every request has that does not give its own."""
ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer's body that are read and kept."""
STALE = "the idle connection had been closed: sent again at once"
"""The error of a request whose kept connection the server closed before it answered."""
INTERRUPTED = "interrupted while waiting for the answer: it may have arrived"
"""The error of a request that was begun when this program, or its destination, ended."""
CUT_OFF = "cancelled by hand while waiting for the answer: it may have arrived"
"""The error of a request that was ended because its delivery was given up."""
UNCOUNTED = (STALE, INTERRUPTED, CUT_OFF)
"""Errors that say nothing of the endpoint: they are no failures of it and use up nothing of a schedule."""
ILLEGAL = "not sent: illegal header"
"""Which one is not said: its value may be a secret."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: an answer, or an error in words."""

    status: int | None
    ms: float
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    truncated: bool = False
    error: str | None = None
    certainty: Literal["answered", "not sent", "unknown"] = "answered"
    """`unknown`: bytes may have arrived, but no answer came."""
    retry_after: str | None = field(default=None)
    timing: Timing = field(default_factory=Timing)
    phases: Phases | None = None
    """Of what leaves over connections of our own; None: it went by httpx."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer."""

    status: int
    reason: str
    headers: Headers

    def header(self, name: str) -> str | None:
        """The values of a header, joined; None: it is not there."""
        values = [value for given, value in self.headers if given.lower() == name]
        return ", ".join(values) if values else None


def answered(
    head: Head,
    body: bytes,
    *,
    truncated: bool,
    ms: float,
    credential: str,
    timing: Timing | None = None,
    phases: Phases | None = None,
) -> Outcome:
    """The outcome of a request whose answer's head has come, at least.

    `credential` is what to check, in words, where the other side does not let us in.
    """
    valid = 100 <= head.status <= 599
    return Outcome(
        status=head.status if valid else None,
        ms=ms,
        reason=head.reason,
        headers=head.headers,
        body=body,
        truncated=truncated,
        error=_status_error(head, credential) if valid else f"protocol error: status {head.status}",
        retry_after=head.header("retry-after"),
        timing=timing or Timing(),
        phases=phases,
    )


def with_own(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers with those that every request has, where it does not give its own."""
    headers = tuple(headers)
    given = {name.lower() for name, _ in headers}
    return (*headers, *(own for own in OWN if own[0].lower() not in given))


def asked_of(request: Request) -> Headers:
    """The headers without what this program sends of itself: other programs have their own."""
    return tuple(header for header in request.headers if header not in OWN)


def left_out_of(request: Request) -> tuple[str, ...]:
    """Names of headers that every program sends of itself, and that this request leaves out on purpose."""
    given = {name.lower() for name, _ in request.headers}
    return tuple(name for name, _ in OWN if name.lower() not in given)


def as_text(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers from the wire: every byte is a character."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def words(error: BaseException) -> str:
    """What an error says, or at least its name."""
    return str(error) or type(error).__name__


def late(seconds: float) -> str:
    """The error of a request that was not answered in time."""
    return f"timeout: no answer within {seconds:g} s"


def _status_error(head: Head, credential: str) -> str | None:
    status = head.status
    if 200 <= status <= 299:
        return None
    if 300 <= status <= 399:
        return f"{status}: redirect to {head.header('location') or 'nowhere'} not followed"
    hint = {
        401: f": check the {credential}",
        403: f": check the {credential}",
        410: ": the endpoint is gone for good",
        413: ": more than the endpoint takes at once",
        429: ": the endpoint asks to slow down",
    }.get(status, "")
    return f"{status} {head.reason}".strip() + hint
