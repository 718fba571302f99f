"""What became of a sent event, in words: the target's answer, and what there is to wait for."""

from __future__ import annotations

import json
import re
from http import HTTPStatus

from textual.content import Content

from statsig_tui.core.config import Config, is_statsig
from statsig_tui.core.records import DeliveryState, SentDetail, SentRecord, Timing, Trace
from statsig_tui.core.redact import Redactor
from statsig_tui.tui import theme
from statsig_tui.tui.commands import keys_of, spelled
from statsig_tui.tui.text import content, lines
from statsig_tui.tui.widgets.heads import header_lines

SHOWN = 2000
"""Characters of an answer's body that stand with what is said of it; a longer one has a view of its own."""
_ONE_LINE = 60
"""Characters of a JSON body that stay on their line."""
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[][{},:]|[^\s][^][{},:\s]*')
_NOT_SENT = "Nothing was posted: sending again is safe."
_UNKNOWN = "It may have arrived: sending again may count twice. It is not sent again by itself."
_TAKEN = "Taken; what is wrong inside may still be dropped later."
_TAKEN_BY_STATSIG = """\
Statsig took the request. It does not say that the event was kept: a bad name, user or time is dropped later
without a word, and the same event sent twice counts twice. Look for it in the console's event stream."""
_MEANINGS = {
    400: "The target refused the body.",
    401: "The target did not accept the key.",
    403: "The target did not accept the key.",
    404: "The target has no such endpoint: is its URL right?",
    413: "The body is too large for the target.",
    415: "The target does not take this content type.",
    429: "The target asks to slow down.",
}


def answer(sent: SentDetail, redact: Redactor, width: int, *, unfolded: bool = False) -> Content:
    """A sent event's answer, or why there is none and whether sending again is safe."""
    record = sent.record
    took = (f"  {record.ms:,.0f} ms", theme.QUIET) if record.ms is not None else ""
    if record.status is None:
        unknown = record.certainty == "unknown"
        head = ("? unknown", f"bold {theme.WARN}") if unknown else ("✗ not sent", f"bold {theme.BAD}")
        why = content(redact(record.error or ""))
        advice = Content.styled(
            _UNKNOWN if unknown else "Nothing was posted: sending again is safe.", theme.QUIET
        )
        return Content("\n").join([Content.assemble(head, took), *_timing(sent.timing), why, advice])
    denied = 200 <= record.status <= 299 and _denies(sent.response_body)
    mark, style = ("✗", theme.BAD) if denied else theme.status(record.status)
    parts = [
        Content.assemble((f"{mark} {record.status} {phrase(record.status)}", f"bold {style}"), took),
        *_timing(sent.timing),
        Content.styled(_meaning(record, denied=denied), theme.QUIET),
    ]
    if sent.response_headers:
        count = len(sent.response_headers)
        first = spelled(keys_of("answer.headers", "h").split(",")[0])
        fold = f"{'▾' if unfolded else '▸'} {count} header{'s' * (count != 1)}"
        parts.append(Content.assemble((fold, theme.ACCENT), ("" if unfolded else f"  {first}", theme.QUIET)))
        if unfolded:
            masked = tuple((name, redact.header(name, value)) for name, value in sent.response_headers)
            parts += header_lines(masked, str, width)
    if not sent.response_body:
        parts.append(Content.styled("The answer has no body.", theme.QUIET))
        return Content("\n").join(parts)
    if not long_body(sent, redact):
        text = redact(sent.response_body.decode("utf-8", "backslashreplace"))
        parts += [Content(), *(content(line) for line in lines(_laid_out(text)))]
    size = f"{len(sent.response_body):,} bytes"
    words = f"… the first {size}: no more of it was read" if sent.truncated else size
    parts.append(Content.styled(words, theme.QUIET))
    return Content("\n").join(parts)


def long_body(sent: SentDetail, redact: Redactor) -> bytes:
    """An answer's body, masked, that is too long to stand with what is said of it; empty: it is not."""
    if len(sent.response_body) <= SHOWN:
        return b""
    masked = redact(sent.response_body.decode("utf-8", "surrogateescape"))
    return masked.encode("utf-8", "surrogateescape")


def waiting(trace: Trace, config: Config, *, seen: bool) -> str:
    """What is still going to happen, or why nothing more is seen; empty: it is all there.

    `seen` says whether the target is the emulator, whose forwarding can be watched.
    """
    accepted = any(200 <= (sent.status or 0) <= 299 for sent in trace.sent)
    if not seen:
        return "What the target makes of it cannot be seen from here." if accepted else ""
    if not trace.events:
        return ""
    if not trace.verdicts:
        return "No destination is enabled: see 2 Destinations."
    open_batches = [item.destination for item in trace.verdicts if item.forwarded and item.delivery is None]
    for name in dict.fromkeys(open_batches):
        destination = config.destination(name)
        if destination is not None:
            policy = destination.batch
            return f"Waiting for the batch to close: {policy.max_seconds:g} s or {policy.max_events} events."
    if not any(item.forwarded for item in trace.verdicts):
        return "No destination takes it: see 2 Destinations, Event Filtering."
    return ""


def next_due(trace: Trace) -> int | None:
    """When the next attempt is due, epoch ms; None where none is planned."""
    due = [
        item.next_at
        for item in trace.deliveries
        if item.state is DeliveryState.RETRYING and item.next_at is not None
    ]
    return min(due, default=None)


def phrase(status: int) -> str:
    """The reason that belongs to a status, in lower case; empty for one that has none."""
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return ""


def _meaning(record: SentRecord, *, denied: bool) -> str:
    status = record.status or 0
    if denied:
        return "The status is good, but the body says success is false."
    if 200 <= status <= 299:
        return _TAKEN_BY_STATSIG if is_statsig(record.url) else _TAKEN
    if 300 <= status <= 399:
        return "A redirect, which is never followed with a key."
    if status >= 500:
        return "The target failed."
    return _MEANINGS.get(status, "The target refused it.")


def _timing(timing: Timing) -> list[Content]:
    parts = (("connect", timing.connect), ("wait", timing.wait), ("read", timing.read))
    known = [f"{name} {ms:,.{0 if ms >= 10 else 1}f}" for name, ms in parts if ms is not None]
    return [Content.styled(f"{' · '.join(known)} ms", theme.QUIET)] if known else []


def _laid_out(text: str) -> str:
    """A JSON text on lines of its own, every value spelled as it was; anything else as it is."""
    if len(text) < _ONE_LINE or "\n" in text.strip() or not _is_container(text):
        return text
    laid, depth = "", 0
    for piece in _PIECE.findall(text):
        if piece in "}]":
            depth -= 1
        indent = "\n" + "  " * depth
        if piece in "}]":
            laid = laid.rstrip() + ("" if laid.rstrip()[-1:] in ("{", "[") else indent) + piece
        elif piece in "{[":
            depth += 1
            laid += piece + indent + "  "
        else:
            laid += {",": f",{indent}", ":": ": "}.get(piece, piece)
    return laid


def _is_container(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _denies(body: bytes) -> bool:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("success") is False
