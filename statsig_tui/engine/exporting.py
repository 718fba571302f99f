"""What is stored, written as a file: piece by piece, so that whoever writes can stop between two of them."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

from statsig_tui import __version__
from statsig_tui.core import exporting
from statsig_tui.core.exchange import Exchange, body_fields, masked_bytes, to_fields
from statsig_tui.core.exporting import Format
from statsig_tui.core.fields import fields_of
from statsig_tui.core.query import Query
from statsig_tui.core.query import view as views
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, EventRecord
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.captures import plain
from statsig_tui.engine.exchanges import exchange, without_secrets
from statsig_tui.engine.search import Stored
from statsig_tui.errors import Unavailable

Redact = Callable[[str], str]
_CREATOR = {"name": "statsig-tui", "version": __version__}


class Export:
    """One export; `count` is how many records are written so far."""

    def __init__(self, archive: Archive, query: Query, redact: Redact | None, base: str, now: int) -> None:
        """Of a record's events a table holds those that fit `query`. Without `redact` secrets stay.

        `base` is the URL that captures are said to have been sent to, `now` the query's time, epoch ms.
        """
        self.count = 0
        self._archive = archive
        self._query = query
        self._redact = redact
        self._base = base
        self._now = now

    def pieces(self, format: Format, found: Iterable[Stored]) -> Iterator[bytes]:  # noqa: A002 its name everywhere
        """The bytes of the export, as records are found."""
        records = self._counted(found)
        match format:
            case "ndjson":
                return self._ndjson(records)
            case "har":
                return exporting.har(self._exchanges(records), _CREATOR)
            case "csv":
                return self._csv(records)
            case "curl" | "raw":
                return exporting.snippets(format, self._exchanges(records))

    def _counted(self, found: Iterable[Stored]) -> Iterator[Stored]:
        for record in found:
            self.count += 1
            yield record

    def _exchanges(self, records: Iterable[Stored]) -> Iterator[Exchange]:
        for record in records:
            it = exchange(self._archive, record, self._base)
            if it is None:
                # A delivery that was never attempted is no request yet.
                self.count -= 1
            else:
                yield without_secrets(it, self._redact) if self._redact is not None else it

    def _ndjson(self, records: Iterable[Stored]) -> Iterator[bytes]:
        for record in records:
            line = exporting.as_json(whole(self._archive, record, self._redact, self._base))
            yield self._masked(line) + b"\n"

    def _csv(self, records: Iterable[Stored]) -> Iterator[bytes]:
        yield exporting.csv_line(exporting.COLUMNS)
        for record in records:
            view = self._view(record)
            for index in self._query.fitting(view, self._now):
                cells = exporting.cells(view, index)
                yield exporting.csv_line([self._masked(cell).decode() for cell in cells])

    def _masked(self, text: bytes) -> bytes:
        return masked_bytes(text, self._redact) if self._redact is not None else text

    def _view(self, record: Stored) -> views.View:
        match record:
            case CaptureRecord():
                it = exchange(self._archive, record, self._base)
                body = plain(it.headers, it.body) if it is not None else b""
                before = cache(lambda: self._archive.beside(record.id).first)
                return views.of_capture(
                    record,
                    lambda: body,
                    lambda: self._archive.origin(record.id),
                    lambda index: index in before(),
                    lambda: self._archive.note(record.id),
                )
            case DeliveryRecord():
                return views.of_delivery(record, lambda: body_of(self._archive, record))
            case EventRecord():
                judged = self._archive.verdicts
                return views.of_accepted(
                    record,
                    lambda: body_of(self._archive, record),
                    lambda: [verdict.destination for verdict in judged(record.id) if verdict.forwarded],
                )
            case _:
                return views.of_sent(record, lambda: body_of(self._archive, record))


def whole(archive: Archive, record: Stored, redact: Redact | None, base: str) -> dict[str, object]:
    """A record's fields, and with them the request, its body and its answer, masked by `redact`."""
    fields = fields_of(record)
    it = exchange(archive, record, base)
    if it is None:
        body = body_of(archive, record)
        return fields | body_fields(masked_bytes(body, redact) if redact is not None else body)
    own = to_fields(without_secrets(it, redact) if redact is not None else it)
    if isinstance(record, DeliveryRecord):
        attempts = [fields_of(attempt) for attempt in archive.attempts(record.id)]
        return fields | {name: own[name] for name in own if name not in fields} | {"attempts": attempts}
    return fields | own | {"signature_reason": it.signature_reason}


def body_of(archive: Archive, record: Stored) -> bytes:
    """The bytes of a record's body."""
    if isinstance(record, EventRecord):
        return archive.event_body(record.id) or b""
    if isinstance(record, DeliveryRecord):
        return archive.batch_body(record.id) or b""
    it = exchange(archive, record, "")
    return it.body if it is not None else b""


@contextlib.contextmanager
def new_file(path: Path, *, replaces: bool = False) -> Iterator[BinaryIO]:
    """A file of the user's alone that was not there before; gone again where writing fails.

    With `replaces` one that was there is replaced, by a whole one. Raises Unavailable.
    """
    written = path.with_name(f".{path.name}.{secrets.token_hex(4)}") if replaces else path
    try:
        fd = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Unavailable(
            f"{path} is there already; nothing was written.", "Name a new file, or remove that one."
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(fd, "wb") as file:
            yield file
        if replaces:
            written.replace(path)
    except BaseException as error:
        written.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be written: {error.strerror}.", "Name another file.")
