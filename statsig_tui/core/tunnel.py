"""What a knock at a tunnel's public URL came to: whether it arrived at our receiver, and how. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statsig_tui.core import jsontext
from statsig_tui.core.records import CaptureDetail, Headers

_ITSELF = {"host", "content-length", "connection", "content-type", "user-agent", "accept", "accept-encoding"}
"""Headers that any program sends of itself, or that the knock has."""
_GATEWAY = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome in words, and what was seen of the request at our end."""

    is_well: bool
    said: str
    mend: str = ""
    ms: float | None = None
    """From sending to the answer."""
    capture: int | None = None
    path: str = ""
    """That arrived."""
    peer: str = ""
    added: Headers = ()
    """Headers that came on the way."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int | None
    body: bytes
    error: str | None
    ms: float
    location: str = ""
    """Where a redirect leads."""


def judge(code: str, answer: Answered, arrived: CaptureDetail | None, receiver: str | None) -> Report:
    """The report on a verification with this code."""
    here = receiver or "the receiver, which does not listen"
    seen = _seen(arrived)
    if arrived is None:
        said, mend = _lost(code, answer, here)
        return Report(False, said, mend, answer.ms)
    if _echoes(code, answer):
        return Report(True, "arrived, and the answer came back", "", answer.ms, *seen)
    came = f"answered {answer.status}" if answer.status is not None else answer.error or "no answer"
    said = f"arrived here, but what came back is not the receiver's answer: {came}"
    mend = "Let the tunnel pass answers on unchanged; a response program (P) may have answered, too."
    return Report(False, said, mend, answer.ms, *seen)


def _seen(arrived: CaptureDetail | None) -> tuple[int | None, str, str, Headers]:
    if arrived is None:
        return None, "", "", ()
    added = tuple(pair for pair in arrived.headers if pair[0].lower() not in _ITSELF)
    return arrived.record.id, arrived.record.path, arrived.peer, added


def _lost(code: str, answer: Answered, here: str) -> tuple[str, str]:
    """What is wrong where nothing arrived, and what to do."""
    status = answer.status
    if status is None:
        words = answer.error or "no answer"
        if "does not resolve" in words:
            return (
                words,
                "The tunnel's name is gone or mistyped: a tunnel that restarts often gets a new one.",
            )
        if "timeout" in words:
            return words, "Does the tunnel's program run, and is this machine on line?"
        return words, "Start the tunnel's program, and mind http or https."
    if _echoes(code, answer):
        return "somebody else's receiver answered", f"The tunnel leads to another one: point it at {here}."
    if 300 <= status <= 399:
        return (
            f"answered {status}: a redirect to {answer.location or 'nowhere'}",
            "Enter the URL it leads to.",
        )
    if status in _GATEWAY:
        return (
            f"the tunnel answers {status}: it runs, but does not reach the receiver",
            f"Point it at {here}.",
        )
    if status in (401, 403, 407):
        return f"the tunnel answers {status}", "It wants a login or has a list: Statsig cannot log in there."
    page = " with an HTML page" if answer.body.lstrip()[:1] == b"<" else ""
    warns = "A page of the tunnel's own, such as a warning, stands before the receiver: turn that off."
    return f"something else answered {status}{page}", warns if page else f"Point the tunnel at {here}."


def _echoes(code: str, answer: Answered) -> bool:
    try:
        value = jsontext.parse(answer.body)
    except jsontext.JsonError:
        return False
    return answer.status == 200 and isinstance(value, dict) and value.get("verification_code") == code


def steps(url: str | None, receiver: str | None) -> Sequence[str]:
    """How a tunnel comes about and how Statsig gets its URL, a line each."""
    here = receiver or "the receiver"
    if url is None:
        return (
            f"Let a tunnel (cloudflared, ngrok, ssh -R …) lead to {here}/,",
            "and enter its public URL here: Statsig can then reach this machine.",
        )
    return (
        "In Statsig's console: Project Settings, Integrations, Generic Webhook:",
        f"paste {url} as the Webhook URL.",
        "Put its Webhook Signing Secret into secrets of [receiver], or STATSIG_WEBHOOK_SECRET.",
    )
