"""`import`: captures out of NDJSON that was exported, or out of a HAR, to look at them here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from gzip import GzipFile
from typing import BinaryIO

import click

from statsig_tui.cli import reading
from statsig_tui.cli.options import Options
from statsig_tui.cli.reading import Line
from statsig_tui.core import jsontext
from statsig_tui.core.exchange import Exchange, NotAnExchange, from_fields, from_har
from statsig_tui.core.printable import printable
from statsig_tui.core.redact import Redactor
from statsig_tui.engine.exchanges import take
from statsig_tui.engine.lock import locked
from statsig_tui.errors import UsageError

_LARGEST_HAR = 256 * 1024 * 1024
_LONGEST_LINE = 64 * 1024 * 1024
_IN_MEMORY = 1024 * 1024
"""Bytes of a copy that need no file."""
_SAID = 5
"""Lines that cannot be read and are named one by one."""


def run_import(options: Options, source: str) -> int:
    """Keep what the file holds as captures; 1 where some of it could not be read."""
    places = options.places()
    places.prepare()
    redact = Redactor(options.load().config.secret_values())
    read = _Reading()

    async def keep(file: BinaryIO) -> int:
        taken = 0
        async for count in take(places.database, read.all(file), redact):
            taken += count
        return taken

    try:
        with contextlib.closing(reading.open_source(source)) as file, locked(places.lock):
            taken = asyncio.run(keep(file))
    except (*reading.BROKEN, sqlite3.Error) as error:
        raise UsageError(
            f"{source} cannot be read: {reading.why(error)}.", "Mend that, and import again."
        ) from None
    if not options.quiet:
        click.echo(f"{taken:,} captures imported", err=True)
    for where, why in read.named:
        click.echo(f"error: {where}: {printable(why)}", err=True)
    if read.wrong > _SAID:
        click.echo(f"error: and {read.wrong - _SAID:,} more", err=True)
    return 1 if read.wrong else 0


class _Reading:
    def __init__(self) -> None:
        self.wrong = 0
        self.named: list[tuple[str, str]] = []
        """The first of what cannot be read: where, and why."""

    def all(self, file: BinaryIO) -> Iterator[Exchange]:
        """Every exchange of a file, the oldest first; what cannot be read is counted in `wrong`."""
        start = file.tell() if file.seekable() else None
        stream = reading.unpacked(file)
        if isinstance(stream, GzipFile):
            start = None
        head = stream.readline(_LONGEST_LINE)
        is_lined = _is_line(head)
        if not is_lined:
            # The first line may be the bad one.
            second = stream.readline(_LONGEST_LINE)
            head, is_lined = head + second, _is_line(second, of_capture=True)
        if is_lined:
            yield from self._by_time(reading.behind(head, stream), file, start)
            return
        raw = head + stream.read(_LARGEST_HAR)
        if raw.strip():
            yield from sorted(self._har(raw), key=lambda it: it.at)

    def _by_time(self, stream: BinaryIO, file: BinaryIO, start: int | None) -> Iterator[Exchange]:
        """Lines in the order of time, without keeping them: where each one is stands on the disk.

        They are in `file` from `start` on; where that is None they cannot be read again, and are copied.
        """
        with (
            tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy,
            contextlib.closing(sqlite3.connect("")) as order,
        ):
            order.execute("CREATE TABLE lines (at INTEGER, place INTEGER)")
            for line in (line for group in reading.groups(stream, _LONGEST_LINE) for line in group):
                it = self._read(line)
                if it is None:
                    continue
                place = copy.tell() if start is None else start + line.start
                order.execute("INSERT INTO lines VALUES (?, ?)", (it.at, place))
                if start is None:
                    copy.write(line.raw + b"\n")
            source = copy if start is None else file
            for (place,) in order.execute("SELECT place FROM lines ORDER BY at, place"):
                source.seek(place)
                yield from_fields(jsontext.parse(source.readline(_LONGEST_LINE + 1)))

    def _read(self, line: Line) -> Exchange | None:
        if line.fault:
            self._note(f"line {line.number:,}", line.fault)
        elif line.raw.strip():
            try:
                return from_fields(jsontext.parse(line.raw))
            except (jsontext.JsonError, NotAnExchange) as error:
                self._note(f"line {line.number:,}", str(error))
        return None

    def _note(self, where: str, why: str) -> None:
        self.wrong += 1
        if len(self.named) < _SAID:
            self.named.append((where, why))

    def _har(self, raw: bytes) -> Iterator[Exchange]:
        try:
            entries = json.loads(raw)["log"]["entries"]
        except (ValueError, TypeError, KeyError, RecursionError):
            entries = None
        if not isinstance(entries, list):
            raise UsageError(
                "This is neither NDJSON of captures nor an HTTP archive (HAR).",
                "`statsig-tui export` writes both; browsers and proxies write HAR.",
            )
        for index, entry in enumerate(entries):
            try:
                yield from_har(entry)
            except NotAnExchange as error:
                self._note(f"entry {index:,}", str(error))


def _is_line(line: bytes, *, of_capture: bool = False) -> bool:
    try:
        value = jsontext.parse(line)
    except jsontext.JsonError:
        return False
    if not isinstance(value, dict):
        return False
    return value.get("type") == "capture" if of_capture else "log" not in value
