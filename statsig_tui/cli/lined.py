"""One payload a line: each is read, judged and changed when it is asked for, and a bad one only told.

Memory holds the lines that were read together, however many there are. What is to be sent again is read
again: a file from its start, standard input from a copy on the disk.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import BinaryIO, TypeVar, cast

from statsig_tui.cli import reading
from statsig_tui.cli.payload import Changes, Payload, changed, check_variables, is_object, variables
from statsig_tui.cli.reading import Line
from statsig_tui.core import draft
from statsig_tui.engine.series import Request
from statsig_tui.errors import UsageError

T = TypeVar("T")

LONGEST = 16 * 1024 * 1024
"""Bytes of a line: more than any endpoint here takes as a body."""
_IN_MEMORY = 1024 * 1024
"""Bytes of a copy of standard input that need no file."""


class Lined:
    """The payloads of a file's lines; `tell` hears what is wrong with one, by its number."""

    def __init__(self, file: BinaryIO, lines: BinaryIO, changes: Changes, start: int | None) -> None:
        """`lines` are read out of `file`, from `start` on if it can be read again."""
        self.bad = 0
        """Lines that were left out so far, each once."""
        self.unused: list[str] = []
        """Variables that a value was given for, and that no line has."""
        self.tell: Callable[[str], None] = lambda words: None
        self._file = file
        self._start = start
        self._changes = changes
        self._given = changes.given
        self._first = _with_content(reading.groups(lines, LONGEST))
        self._ahead: list[list[Line]] = []
        self._asked_for: set[str] = set()
        self._is_again = False
        self._is_waiting = False
        self._made = 0
        """Requests that were made so far."""

    def close(self) -> None:
        """Close the file, unless a thread still waits in it: closing would wait for that one."""
        if not self._is_waiting:
            self._file.close()

    def alone(self) -> Payload | None:
        """The payload of a file with one good line, which is closed then. Raises UsageError."""
        if self.count(1) != 1:
            return None
        [[line]] = self._ahead
        if self._fault(line):
            return None
        self.close()
        payload = self._payload(line)
        check_variables(self._given, variables(payload.text))
        payload.body(1)
        return payload

    def count(self, most: int) -> int | None:
        """How many lines there are; None: more than `most`, after which nothing is looked at."""
        ahead = sum(len(group) for group in self._ahead)
        while ahead <= most:
            group = next(self._first, None)
            if group is None:
                return ahead
            self._ahead.append(group)
            ahead += len(group)
        return None

    def requests(self, repeat: int) -> Iterator[Request]:
        """What to send, each made when it is asked for; reading waits for what is to come."""
        self._made = 0
        for group in self._groups(repeat):
            yield from self._requests(group)
        self._end()

    async def requests_beside(self, repeat: int) -> AsyncIterator[Request]:
        """The same, with a thread that waits."""
        self._made = 0
        groups = self._groups(repeat)
        while group := await self._waited_for(groups):
            for request in self._requests(group):
                yield request
        self._end()

    def _requests(self, group: Iterable[Line]) -> Iterator[Request]:
        for line in group:
            request = self._request(line, self._made + 1)
            if request is not None:
                self._made += 1
                yield request

    async def _waited_for(self, groups: Iterator[list[Line]]) -> list[Line] | None:
        self._is_waiting = True
        group = await _beside(lambda: next(groups, None))
        self._is_waiting = False
        return group

    def _groups(self, repeat: int) -> Iterator[list[Line]]:
        is_spooled = repeat > 1 and self._start is None
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            for group in self._from_the_start():
                if is_spooled:
                    try:
                        spool.writelines(line.raw + b"\n" for line in group)
                    except OSError as error:
                        fault = f"no room to keep what is to be sent again: {reading.why(error)}"
                        yield [Line(group[0].number, group[0].start, fault=fault)]
                        return
                yield group
            again = cast("BinaryIO", spool) if is_spooled else self._file
            for _ in range(repeat - 1):
                self._is_again = True
                again.seek(self._start or 0)
                lines = again if is_spooled else reading.unpacked(again)
                yield from _with_content(reading.groups(lines, LONGEST))

    def _from_the_start(self) -> Iterator[list[Line]]:
        while self._ahead:
            yield self._ahead.pop(0)
        yield from self._first

    def _request(self, line: Line, seq: int) -> Request | None:
        try:
            if fault := self._fault(line):
                raise UsageError(fault)
            payload = self._payload(line)
            return payload.body(seq), payload.shape
        except UsageError as error:
            if not self._is_again:
                self.bad += 1
                # The payload's only line is not the file's first one.
                self.tell(f"line {line.number:,}: {error.message.replace('line 1, column', 'column')}")
            return None

    def _payload(self, line: Line) -> Payload:
        text = changed(draft.decode(line.raw).strip(), self._changes)
        if self._given and not self._is_again:
            self._asked_for |= variables(text)
        return Payload(text, self._changes.shape, self._given)

    def _fault(self, line: Line) -> str:
        """Why a line is no payload, or nothing."""
        if line.fault:
            return line.fault
        text = draft.decode(line.raw).strip()
        if is_object(text):
            return ""
        found = draft.check(text)
        if not found.fault:
            return "it is JSON, but no object"
        where = f", at column {found.column:,}" if found.column else ""
        return f"it is not JSON: {found.fault.rstrip('.')}{where}"

    def _end(self) -> None:
        self.unused = [name for name in self._given if name not in self._asked_for]


def _with_content(groups: Iterator[list[Line]]) -> Iterator[list[Line]]:
    """Without blank lines."""
    for group in groups:
        if found := [line for line in group if line.fault or line.raw.strip()]:
            yield found


async def _beside(call: Callable[[], T]) -> T:
    """What a call gives, made in a thread that nobody waits for: it may wait for ever."""
    future: Future[T] = Future()
    # Whoever asked may be gone before the answer is there.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            answer = call()
        except BaseException as error:  # noqa: BLE001 - whoever asked is told, whatever it is
            future.set_exception(error)
        else:
            future.set_result(answer)

    threading.Thread(target=run, name="lines", daemon=True).start()
    return await asyncio.wrap_future(future)
