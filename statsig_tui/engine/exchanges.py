"""What is stored as requests with their answers, and such requests taken into a store from a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from statsig_tui.core.envelope import decode, listed
from statsig_tui.core.exchange import Exchange
from statsig_tui.core.ids import tag
from statsig_tui.core.phases import Phases
from statsig_tui.core.records import Captured, CaptureDetail, CaptureRecord, DeliveryRecord, SentRecord
from statsig_tui.core.redact import Redactor
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, SignatureVerdict
from statsig_tui.engine import captures
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.captures import plain
from statsig_tui.engine.search import Stored
from statsig_tui.engine.store import Store, Tx

_OF_THE_PACKED = ("content-encoding", "content-length")
_AT_ONCE = 100
"""Captures taken in one transaction."""


def exchange(archive: Archive, record: Stored, receiver: str) -> Exchange | None:
    """The request that a record is of; None: it is of none, or was forgotten meanwhile.

    `receiver` is the base URL that captures are said to have been sent to.
    """
    match record:
        case CaptureRecord():
            detail = archive.capture(record.id)
            return of_detail(detail, receiver) if detail is not None else None
        case DeliveryRecord():
            return _of_delivery(archive, record)
        case SentRecord():
            return _of_sent(archive, record)
        case _:
            return None


def of_detail(detail: CaptureDetail, receiver: str) -> Exchange:
    """The request that a capture is of, said to have been sent to the base URL `receiver`."""
    record = detail.record
    return Exchange(
        id=tag("c", record.id),
        at=record.at,
        method=record.method,
        url=receiver + record.path,
        headers=detail.headers,
        body=detail.body,
        status=record.status or None,
        answer_headers=detail.answer_headers,
        answer_body=detail.answer_body,
        ms=record.ms,
        http_version=detail.http_version,
        peer=detail.peer,
        signature=record.signature,
        signature_reason=detail.signature_reason,
        fault=record.fault,
    )


def without_secrets(it: Exchange, redact: Callable[[str], str]) -> Exchange:
    """The same with every secret masked; a packed body is unpacked first, or nothing in it could be."""
    body = plain(it.headers, it.body)
    if body is not it.body:
        kept = tuple(pair for pair in it.headers if pair[0].lower() not in _OF_THE_PACKED)
        it = replace(it, headers=kept, body=body)
    return it.masked(redact)


async def take(database: Path, found: Iterable[Exchange], redact: Redactor) -> AsyncIterator[int]:
    """Keep exchanges as captures, marked as imported; after each commit, how many it held.

    Raises StoreBroken. The caller owns the data directory.
    """
    store = await Store.open(database)
    try:
        left = iter(found)
        while group := [_captured(each, redact) for each in islice(left, _AT_ONCE)]:

            def keep(tx: Tx, group: list[Captured] = group) -> int:
                return len(captures.insert(tx, group))

            yield await store.write(keep)
    finally:
        await store.close()


def _of_delivery(archive: Archive, record: DeliveryRecord) -> Exchange | None:
    body, attempts = archive.batch_body(record.id), archive.attempts(record.id)
    if body is None or not attempts:
        return None
    last = attempts[-1]
    return Exchange(
        id=tag("d", record.id),
        at=last.at,
        method="POST",
        url=last.url,
        headers=last.request_headers,
        body=body,
        status=last.status,
        reason=last.reason,
        answer_headers=last.response_headers,
        answer_body=last.response_body,
        ms=last.ms,
        phases=last.phases,
        fault=last.error,
    )


def _of_sent(archive: Archive, record: SentRecord) -> Exchange | None:
    detail = archive.sent_detail(record.id)
    if detail is None:
        return None
    timing = detail.timing
    return Exchange(
        id=tag("s", record.id),
        at=record.at,
        method=detail.method,
        url=record.url,
        headers=detail.request_headers,
        body=detail.body,
        status=record.status,
        answer_headers=detail.response_headers,
        answer_body=detail.response_body,
        ms=record.ms,
        phases=Phases(connect=timing.connect, wait=timing.wait, read=timing.read),
        fault=record.error,
    )


def _captured(it: Exchange, redact: Redactor) -> Captured:
    envelope, events = listed(decode(plain(it.headers, it.body)))
    headers = {name.lower(): value for name, value in it.headers}
    return Captured(
        at=it.at,
        method=it.method,
        path=redact(it.path),
        http_version=it.http_version,
        peer=captures.IMPORTED,
        headers=redact.pairs(it.headers),
        body=it.body,
        envelope=envelope,
        events=events,
        signature=headers.get(SIGNATURE_HEADER.lower()),
        timestamp=headers.get(TIMESTAMP_HEADER.lower()),
        verdict=SignatureVerdict(it.signature, "imported", it.signature_reason),
        status=it.status or 0,
        fault=it.fault,
        answer_headers=redact.pairs(it.answer_headers),
        answer_body=it.answer_body,
        ms=it.ms or 0.0,
    )
