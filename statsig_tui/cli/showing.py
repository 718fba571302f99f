"""`show`: all there is of one thing that is stored, by any id."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import click

from statsig_tui.cli.lines import as_json as json_of
from statsig_tui.cli.lines import as_text, json_line
from statsig_tui.cli.options import Options
from statsig_tui.cli.trace import run_trace
from statsig_tui.core import marks
from statsig_tui.core.config import DEFAULT_RECEIVER_URL
from statsig_tui.core.exchange import Exchange, masked_bytes
from statsig_tui.core.ids import is_trace, numbered
from statsig_tui.core.marks import Mark
from statsig_tui.core.printable import from_bytes, printable
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, EventRecord, Headers
from statsig_tui.core.told import drifted, marks_of, told
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.captures import plain
from statsig_tui.engine.exchanges import exchange, without_secrets
from statsig_tui.engine.exporting import body_of, whole
from statsig_tui.engine.reading import reading
from statsig_tui.engine.search import Stored
from statsig_tui.errors import NotFound, UsageError

_BASE = DEFAULT_RECEIVER_URL.rstrip("/")
_LISTED = 20
"""Events of a capture that are named for how they came."""


def run_show(options: Options, of: str, *, raw: bool, as_json: bool) -> int:
    """Print all of it; with `raw` the bytes of its body alone. Raises NotFound."""
    if is_trace(of):
        if raw:
            raise UsageError("A trace has no body.", "Show one of its events, deliveries or captures.")
        return run_trace(options, of, as_json=as_json)
    options.load()
    with reading(options.places().database) as archive:
        kind, number = numbered(of) or ("", 0)
        if kind == "r" and not raw and (request := archive.request(number)) is not None:
            click.echo(options.secrets(json_of(request) if as_json else as_text(request)))
            return 0
        records = archive.found(kind, number)
        if not records:
            raise NotFound(
                f"Nothing is known of {printable(of)}.",
                "Give an event (e12), batch (b7), delivery (d7), capture (c57), trace (t…) or what was sent"
                " (s3); what is old may have been forgotten: see [retention].",
            )
        if raw:
            write_bytes(body_of(archive, records[0]))
            return 0
        for record in records:
            if as_json:
                it = whole(archive, record, options.secrets, _BASE)
                if isinstance(record, CaptureRecord):
                    said = _said(archive, record, options.secrets)
                    remarks = [
                        {"event": place, "lag_ms": lag, "said": words} for place, lag, words in said.events
                    ]
                    it |= {"marks": marks.fields(said.marks), "remarks": remarks, "note": said.note}
                click.echo(options.secrets(json_line(it)))
            else:
                for line in _lines(archive, record, options.secrets):
                    click.echo(line)
    return 0


def write_bytes(body: bytes) -> None:
    """Bytes as they are to stdout; where that is a terminal, so that they do not drive it."""
    if sys.stdout.isatty():
        for line in body.split(b"\n"):
            click.echo(from_bytes(line))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()


@dataclass(frozen=True, slots=True)
class _Said:
    """What Live says of a capture beside its own words."""

    marks: tuple[Mark, ...] = ()
    events: tuple[tuple[int, int | None, list[str]], ...] = ()
    """Of the events that came oddly: place, ms from when it happened to its coming, and what is odd."""
    is_final: bool = True
    """Whether it is known what came before."""
    note: str | None = None


def _said(archive: Archive, record: CaptureRecord, redact: Callable[[str], str]) -> _Said:
    detail = archive.capture(record.id)
    if detail is None:
        return _Said()
    beside = archive.beside(record.id)
    # Masked first: a mark names the beginning of a value, and half a secret is not recognised as one.
    body = masked_bytes(plain(detail.headers, detail.body), redact)
    found = marks_of(detail, None, body, beside, drifted(record, body))
    events = []
    for place, (event, it) in enumerate(
        zip(record.events, told(record, beside, 0, len(record.events)), strict=True)
    ):
        words = [it.lag] * it.is_strange + [it.odd] * bool(it.odd)
        if words:
            lag = record.at - event.timestamp if event.timestamp is not None else None
            events.append((place, lag, words))
    return _Said(found, tuple(events), beside.is_final or not record.events, archive.note(record.id))


def _remarks(record: CaptureRecord, said: _Said) -> Iterator[str]:
    for mark in said.marks:
        yield f"mark      {mark.oddity.value}: {mark.message}"
    for place, _, words in said.events[:_LISTED]:
        name = record.events[place].event_name or "(no name)"
        yield f"event {place:<3} {name}: {' · '.join(words)}"
    if len(said.events) > _LISTED:
        yield f"          and {len(said.events) - _LISTED:,} more such events"
    if not said.is_final:
        yield "          whether it came before is not known yet: that is noted when it is quiet"
    for line in (said.note or "").splitlines():
        yield f"note      {line}"


def _lines(archive: Archive, record: Stored, redact: Callable[[str], str]) -> Iterator[str]:
    yield redact(as_text(record))
    if isinstance(record, CaptureRecord):
        for line in _remarks(record, _said(archive, record, redact)):
            yield redact(printable(line))
    if isinstance(record, EventRecord):
        for verdict in archive.verdicts(record.id):
            yield redact(as_text(verdict))
    if isinstance(record, DeliveryRecord):
        for attempt in archive.attempts(record.id):
            yield redact(as_text(attempt))
    it = exchange(archive, record, _BASE)
    if it is None:
        yield ""
        yield from _body(masked_bytes(body_of(archive, record), redact))
        return
    yield from _request(without_secrets(it, redact))


def _request(it: Exchange) -> Iterator[str]:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(it.at / 1000))
    came = f"  from {it.peer}" if it.peer else ""
    yield printable(f"{at}{came}")
    if it.signature_reason:
        yield printable(f"signature {it.signature}: {it.signature_reason}")
    yield ""
    yield printable(f"{it.method} {it.path if it.peer else it.url} HTTP/{it.http_version}")
    yield from _headers(it.headers)
    yield ""
    yield from _body(it.body)
    yield ""
    took = f" in {it.ms:.1f} ms" if it.ms is not None else ""
    yield printable(f"answer: {it.status or 'none'} {it.reason}".rstrip() + took)
    yield from _headers(it.answer_headers)
    if it.answer_body:
        yield ""
        yield from _body(it.answer_body)


def _headers(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        yield printable(f"{name}: {value}")


def _body(body: bytes) -> Sequence[str]:
    return [from_bytes(line) for line in body.split(b"\n")]
