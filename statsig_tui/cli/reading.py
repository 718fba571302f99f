"""A file or standard input that is read as it comes: unpacked where it is gzip, and a line at a time.

Nothing here takes more memory than the longest line, however many there are.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from statsig_tui.errors import UsageError
from statsig_tui.settings import files

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_STDIN = 0
AT_ONCE = 256 * 1024
"""Bytes read at a time."""
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, OSError)
"""What reading may raise."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end, or why it could not be read."""

    number: int
    """From 1."""
    start: int
    """Bytes before it."""
    raw: bytes = b""
    fault: str = ""


def open_source(source: str, hint: str = "Name a file, or - for standard input.") -> BinaryIO:
    """The file, or with `-` standard input, as it is. Raises UsageError."""
    try:
        if source == "-":
            return _standard_input()
        return Path(source).open("rb")
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {files.reason(error)}.", hint) from None


def unpacked(file: BinaryIO) -> BinaryIO:
    """The same from here on, unpacked if its first bytes are gzip's. Raises what is in BROKEN."""
    head = file.read(len(_GZIP))
    whole = behind(head, file)
    return cast("BinaryIO", gzip.GzipFile(fileobj=whole)) if head == _GZIP else whole


def behind(head: bytes, rest: BinaryIO) -> BinaryIO:
    """What was read already, and then the rest."""
    return io.BufferedReader(_Behind(head, rest), AT_ONCE)


def some(file: BinaryIO) -> bytes:
    """What is to be had next without waiting for more; nothing at the end."""
    return cast("io.BufferedReader", file).read1(AT_ONCE)


def why(error: Exception) -> str:
    """What is wrong with a file, in words, for one of BROKEN."""
    if isinstance(error, EOFError):
        return "its gzip data is cut"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return "its gzip data is broken"
    return files.reason(error) if isinstance(error, OSError) else str(error)


def groups(file: BinaryIO, longest: int) -> Iterator[list[Line]]:
    """All lines, as many at a time as there are to be had without waiting for more.

    A BOM is left out. Of what cannot be read further the last line's fault says where it ended.
    """
    number, start, end = 1, 0, 0
    pieces: list[bytes] = []
    size = 0
    while True:
        try:
            chunk = some(file)
        except BROKEN as error:
            yield [Line(number, start, fault=f"{why(error)} here: {_last_whole(number - 1)}")]
            return
        found: list[Line] = []
        parts = chunk.split(b"\n") if chunk else [b"", b""] if size else []
        for index, part in enumerate(parts):
            size += len(part)
            end += len(part)
            if size <= longest:
                pieces.append(part)
            else:
                pieces.clear()
            if index + 1 < len(parts):
                end += 1
                found.append(_line(number, start, pieces, size, longest))
                number, start, size = number + 1, end, 0
                pieces.clear()
        if found:
            yield found
        if not chunk:
            return


def _line(number: int, start: int, pieces: list[bytes], size: int, longest: int) -> Line:
    if size > longest:
        return Line(number, start, fault=f"it is longer than {longest // 1024 // 1024} MiB")
    raw = b"".join(pieces)
    return Line(number, start, raw.removeprefix(_BOM) if number == 1 else raw)


def _last_whole(number: int) -> str:
    return f"line {number:,} is the last whole one" if number else "no line is whole"


def _standard_input() -> BinaryIO:
    try:
        descriptor = sys.stdin.fileno() if sys.stdin is not None else _STDIN
    except io.UnsupportedOperation:
        return sys.stdin.buffer
    # Not sys.stdin itself: a thread that still waits in it at the exit is fatal to Python.
    return open(descriptor, "rb", closefd=False)


class _Behind(io.RawIOBase):
    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        data = self._head[: len(buffer)] or cast("io.BufferedReader", self._rest).read1(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)
