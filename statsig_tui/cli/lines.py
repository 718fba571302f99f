"""Records as JSON lines, the contract of product.md §5, and as lines for reading."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

from statsig_tui.core.exchange import body_fields
from statsig_tui.core.fields import fields_of
from statsig_tui.core.ids import tag
from statsig_tui.core.printable import escaped, printable
from statsig_tui.core.records import (
    AttemptRecord,
    CaptureRecord,
    DeliveryRecord,
    EventRecord,
    Record,
    RequestRecord,
    SentRecord,
    VerdictRecord,
)

_NAMED = 20
"""Names on the line of a capture."""


def json_line(fields: Mapping[str, Any]) -> str:
    """Fields as one JSON line, fit for stdout whatever its encoding, and for a terminal."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return escaped(json.dumps(fields, ensure_ascii=not is_utf8))


def as_json(record: Record | AttemptRecord, body: bytes | None = None) -> str:
    """One record as one JSON line; `body` is a capture's, where it is to be added."""
    fields = fields_of(record)
    if body is not None:
        fields |= body_fields(body)
    return json_line(fields)


def as_text(record: Record | AttemptRecord) -> str:
    """One record as a line for a person."""
    clock = time.strftime("%H:%M:%S", time.localtime(record.at / 1000)) + f".{record.at % 1000:03d}"
    match record:
        case EventRecord():
            who = f"  user {record.user_id}" if record.user_id else ""
            note = f"  ({record.note})" if record.note else ""
            text = f"event     {tag('e', record.id)}  {record.name or '(no name)'}{who}{note}"
        case VerdictRecord():
            answer = "forwarded" if record.forwarded else "filtered"
            text = f"verdict   {tag('e', record.event)}  {record.destination}: {answer}, {record.clause}"
        case DeliveryRecord():
            attempt = f", attempt {record.attempt}" if record.attempt > 1 else ""
            reason = f"  {record.error}" if record.error else ""
            text = (
                f"delivery  {tag('d', record.id)}  {record.destination}: {record.state}{attempt},"
                f" {plural(record.events, 'event')}{reason}"
            )
        case CaptureRecord():
            fault = f"  {record.fault}" if record.fault else ""
            came = "  imported" if record.imported else ""
            by = f"  by program: {record.program}" if record.program is not None else ""
            text = (
                f"capture   {tag('c', record.id)}  {record.status or 'none'}  {record.method} {record.path}"
                f"  {plural(len(record.events), 'event')}  {names(record)}"
                f"  signature {record.signature}  {record.size:,} bytes{fault}{by}{came}"
            )
        case RequestRecord():
            fault = f"  {record.fault}" if record.fault else ""
            text = f"request   emulator  {record.status}  {record.method} {record.path}{fault}"
        case SentRecord():
            answer = str(record.status) if record.status is not None else record.certainty
            reason = f"  {record.error}" if record.error else ""
            text = f"sent      {tag('s', record.id)}  {record.target}: {answer}  {record.event_name}{reason}"
        case AttemptRecord():
            answer = str(record.status) if record.status is not None else "no answer"
            if record.ms is None and record.error is None:
                answer = "under way"
            took = f" in {record.ms:.0f} ms" if record.ms is not None else ""
            said = record.error or record.flag
            reason = f"  {said}" if said else ""
            text = f"attempt   {tag('d', record.delivery)}  {record.number}: {answer}{took}{reason}"
    return f"{clock}  {printable(text)}"


def names(record: CaptureRecord) -> str:
    """The event names of a capture, each once, with how often it occurs; of very many the first."""
    counted = Counter(event.event_name for event in record.events)
    named = [f"{name} ×{count}" if count > 1 else name for name, count in islice(counted.items(), _NAMED)]
    return ", ".join(named) + (f", +{len(counted) - _NAMED:,} more" if len(counted) > _NAMED else "")


def plural(count: int, noun: str) -> str:
    """How many there are of something: `1 line`, `2,000 lines`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
