"""`import`: captures out of NDJSON that was exported, or out of a HAR, to look at them here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from statsig_tui.cli.options import Options
from statsig_tui.core import jsontext
from statsig_tui.core.exchange import Exchange, NotAnExchange, from_fields, from_har
from statsig_tui.core.printable import printable
from statsig_tui.core.redact import Redactor
from statsig_tui.engine.exchanges import take
from statsig_tui.engine.lock import locked
from statsig_tui.errors import UsageError

_LARGEST_HAR = 256 * 1024 * 1024
_LONGEST_LINE = 64 * 1024 * 1024
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

    with _opened(source) as file, locked(places.lock):
        taken = asyncio.run(keep(file))
    if not options.quiet:
        click.echo(f"{taken:,} captures imported", err=True)
    for where, why in read.wrong[:_SAID]:
        click.echo(f"error: {where}: {printable(why)}", err=True)
    if len(read.wrong) > _SAID:
        click.echo(f"error: and {len(read.wrong) - _SAID:,} more", err=True)
    return 1 if read.wrong else 0


class _Reading:
    def __init__(self) -> None:
        self.wrong: list[tuple[str, str]] = []

    def all(self, file: BinaryIO) -> Iterator[Exchange]:
        """Every exchange of a file, the oldest first where that can be told before they are read.

        What cannot be read is noted in `wrong`.
        """
        first = file.readline(_LONGEST_LINE)
        if not _is_line(first):
            raw = first + file.read(_LARGEST_HAR)
            if raw.strip():
                yield from sorted(self._har(raw), key=lambda it: it.at)
        elif file.seekable():
            yield from self._by_time(file)
        else:
            for number, line in enumerate(_lines(file, first), 1):
                if (it := self._read(number, line)) is not None:
                    yield it

    def _by_time(self, file: BinaryIO) -> Iterator[Exchange]:
        """Lines in the order of time, without keeping them."""
        file.seek(0)
        places: list[tuple[int, int]] = []
        place = 0
        for number, line in enumerate(_lines(file, file.readline(_LONGEST_LINE)), 1):
            it = self._read(number, line)
            if it is not None:
                places.append((it.at, place))
            place += len(line)
        for _, place in sorted(places):
            file.seek(place)
            yield from_fields(jsontext.parse(file.readline(_LONGEST_LINE)))

    def _read(self, number: int, line: bytes) -> Exchange | None:
        if not line.strip():
            return None
        try:
            return from_fields(jsontext.parse(line))
        except (jsontext.JsonError, NotAnExchange) as error:
            self.wrong.append((f"line {number:,}", str(error)))
            return None

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
                self.wrong.append((f"entry {index:,}", str(error)))


def _lines(file: BinaryIO, first: bytes) -> Iterator[bytes]:
    while first:
        yield first
        first = file.readline(_LONGEST_LINE)


def _is_line(line: bytes) -> bool:
    try:
        value = jsontext.parse(line)
    except jsontext.JsonError:
        return False
    return isinstance(value, dict) and "log" not in value


@contextlib.contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(
            f"{source} cannot be read: {error.strerror}.", "Name a file, or - for standard input."
        ) from None
    with file:
        yield file
