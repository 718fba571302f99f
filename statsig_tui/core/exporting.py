"""What is exported, as bytes: NDJSON, HAR, curl, raw requests, CSV. Pure; it masks nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from statsig_tui.core import jsontext
from statsig_tui.core.exchange import Exchange, iso, to_har
from statsig_tui.core.printable import escaped
from statsig_tui.core.query.view import View
from statsig_tui.core.request import Request
from statsig_tui.core.snippets import Kind, Unwritable, snippet

Format = Literal["ndjson", "har", "curl", "raw", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
COLUMNS = (
    "id", "at", "event_name", "event_class", "user_id", "time_uuid", "timestamp", "value", "metadata", "user",
    "path", "status", "signature",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run."""
_OF_THE_WIRE = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})


def as_json(fields: Any) -> bytes:
    """One line of JSON without its end, fit for a terminal."""
    return escaped(json.dumps(fields, ensure_ascii=False)).encode("utf-8", "backslashreplace")


def har(found: Iterable[Exchange], creator: Mapping[str, str]) -> Iterator[bytes]:
    """An HTTP archive, entry by entry."""
    yield b'{"log":{"version":"1.2","creator":' + as_json(creator) + b',"entries":[\n'
    for index, it in enumerate(found):
        yield (b",\n" if index else b"") + as_json(to_har(it))
    yield b"\n]}}\n"


def snippets(kind: Literal["curl", "raw"], found: Iterable[Exchange]) -> Iterator[bytes]:
    """Requests one after the other; where one cannot be written, why."""
    for index, it in enumerate(found):
        try:
            text = again(kind, it)
        except Unwritable as error:
            text = f"# {it.id}: {error}"
        between = b"" if kind == "raw" else b"\n"
        yield (between if index else b"") + text.encode("utf-8", "surrogateescape") + between


def again(kind: Kind, it: Exchange) -> str:
    """What sends the request again. Raises Unwritable."""
    # These are the bytes' own affair, made anew by whoever sends them.
    headers = tuple(pair for pair in it.headers if pair[0].lower() not in _OF_THE_WIRE)
    return snippet(kind, Request(it.method, it.url, headers, it.body))


def cells(view: View, index: int) -> list[bytes]:
    """One event of a request as the cells of COLUMNS."""
    event, full = view.events[index], view.document(index)
    row = (
        view.id, iso(view.at), event.event_name, event.event_class.value, event.user_id, event.time_uuid,
        event.timestamp, full.get("value"), full.get("metadata"), full.get("user"), view.path, view.status,
        view.signature,
    )  # fmt: skip
    return [_cell(cell) for cell in row]


def csv_line(row: Iterable[str]) -> bytes:
    """Cells as a line that no spreadsheet takes for formulas."""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return line.getvalue().encode()


def _cell(value: object) -> bytes:
    if value is None:
        return b""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace")
    return jsontext.dump(value)
