"""`export`: what fits a query as NDJSON, HAR, curl, raw requests or CSV, without secrets unless asked."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import click

from statsig_tui import __version__
from statsig_tui.cli.options import Options
from statsig_tui.cli.queries import found, kind_and_query
from statsig_tui.cli.showing import body_of, whole, write_bytes
from statsig_tui.core import jsontext
from statsig_tui.core.config import DEFAULT_RECEIVER_URL
from statsig_tui.core.exchange import Exchange, iso, masked_bytes, to_har
from statsig_tui.core.printable import escaped
from statsig_tui.core.query import Query
from statsig_tui.core.query import view as views
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, EventRecord
from statsig_tui.core.request import Request
from statsig_tui.core.snippets import Unwritable, snippet
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.captures import plain
from statsig_tui.engine.exchanges import exchange, without_secrets
from statsig_tui.engine.lock import holder
from statsig_tui.engine.reading import reading
from statsig_tui.engine.search import Kind, Stored
from statsig_tui.errors import Unavailable, UsageError

Format = Literal["ndjson", "har", "curl", "raw", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run."""
_COLUMNS = (
    "id", "at", "event_name", "event_class", "user_id", "time_uuid", "timestamp", "value", "metadata", "user",
    "path", "status", "signature",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """How to export."""

    format: Format
    out: Path | None
    limit: int | None
    with_secrets: bool


def run_export(options: Options, words: Sequence[str], wish: Wish) -> int:
    """Write what fits, newest first, to a new file or to stdout."""
    kind, query = kind_and_query(words)
    if kind == "events" and wish.format in ("har", "curl", "raw"):
        raise UsageError(f"An event alone is no request: {wish.format} has none.", "Take ndjson or csv.")
    options.load()
    redact = None if wish.with_secrets else options.secrets
    owner = holder(options.places().lock)
    base = (owner and owner.receiver) or DEFAULT_RECEIVER_URL.rstrip("/")
    with reading(options.places().database) as archive:
        export = _Export(archive, kind, query, redact, base)
        pieces = export.pieces(wish)
        if wish.out is None:
            for piece in pieces:
                write_bytes(piece)
        else:
            with _new_file(wish.out) as file:
                for piece in pieces:
                    file.write(piece)
    if not options.quiet:
        where = f" to {wish.out}" if wish.out is not None else ""
        click.echo(f"{export.count:,} {kind if export.count != 1 else _one(kind)} exported{where}", err=True)
    return 0


class _Export:
    def __init__(
        self, archive: Archive, kind: Kind, query: Query, redact: Callable[[str], str] | None, base: str
    ) -> None:
        self.count = 0
        self._archive = archive
        self._kind: Kind = kind
        self._query = query
        self._redact = redact
        self._base = base
        self._now = time.time_ns() // 1_000_000

    def pieces(self, wish: Wish) -> Iterator[bytes]:
        """The bytes of the export, as they are found."""
        records = self._records(wish.limit)
        match wish.format:
            case "ndjson":
                return self._ndjson(records)
            case "har":
                return self._har(records)
            case "csv":
                return self._csv(records)
            case "curl" | "raw":
                return self._snippets(wish.format, records)

    def _records(self, limit: int | None) -> Iterator[Stored]:
        for record in found(self._archive, self._kind, self._query, limit):
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
            line = _json(whole(self._archive, record, self._redact, self._base))
            yield self._masked(line) + b"\n"

    def _har(self, records: Iterable[Stored]) -> Iterator[bytes]:
        creator = _json({"name": "statsig-tui", "version": __version__})
        yield b'{"log":{"version":"1.2","creator":' + creator + b',"entries":[\n'
        for index, it in enumerate(self._exchanges(records)):
            yield (b",\n" if index else b"") + _json(to_har(it))
        yield b"\n]}}\n"

    def _snippets(self, kind: Literal["curl", "raw"], records: Iterable[Stored]) -> Iterator[bytes]:
        for index, it in enumerate(self._exchanges(records)):
            # These are the bytes' own affair, made anew by whoever sends them.
            headers = tuple(pair for pair in it.headers if pair[0].lower() not in _OF_THE_WIRE)
            try:
                text = snippet(kind, Request(it.method, it.url, headers, it.body))
            except Unwritable as error:
                text = f"# {it.id}: {error}"
            between = b"" if kind == "raw" else b"\n"
            yield (between if index else b"") + text.encode("utf-8", "surrogateescape") + between

    def _csv(self, records: Iterable[Stored]) -> Iterator[bytes]:
        yield _csv_line(_COLUMNS)
        for record in records:
            for row in self._rows(record):
                yield _csv_line([self._masked(_cell(cell)).decode() for cell in row])

    def _masked(self, text: bytes) -> bytes:
        return masked_bytes(text, self._redact) if self._redact is not None else text

    def _rows(self, record: Stored) -> Iterator[Sequence[object]]:
        """One row for each event that fits."""
        view = self._view(record)
        for index in self._query.fitting(view, self._now):
            event, full = view.events[index], view.document(index)
            yield (
                view.id, iso(record.at), event.event_name, event.event_class.value, event.user_id,
                event.time_uuid, event.timestamp, full.get("value"), full.get("metadata"), full.get("user"),
                view.path, view.status, view.signature,
            )  # fmt: skip

    def _view(self, record: Stored) -> views.View:
        match record:
            case CaptureRecord():
                it = exchange(self._archive, record, self._base)
                body = plain(it.headers, it.body) if it is not None else b""
                return views.of_capture(record, lambda: body)
            case DeliveryRecord():
                return views.of_delivery(record, lambda: body_of(self._archive, record))
            case EventRecord():
                return views.of_accepted(record, lambda: body_of(self._archive, record))
            case _:
                return views.of_sent(record, lambda: body_of(self._archive, record))


_OF_THE_WIRE = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file of the user's alone that was not there before; gone again where writing fails."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Unavailable(
            f"{path} is there already; nothing was written.", "Name a new file, or remove that one."
        ) from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", "Name another file.") from None
    try:
        with os.fdopen(fd, "wb") as file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Unavailable(f"{path} cannot be written: {error.strerror}.", "Name another file.") from None
        raise


def _json(fields: Any) -> bytes:
    return escaped(json.dumps(fields, ensure_ascii=False)).encode("utf-8", "backslashreplace")


def _cell(value: object) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace")
    return jsontext.dump(value)


def _csv_line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return line.getvalue().encode()


def _one(kind: Kind) -> str:
    return {"captures": "capture", "deliveries": "delivery", "events": "event", "history": "request"}[kind]
