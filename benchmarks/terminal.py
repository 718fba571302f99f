"""A program in a pseudo-terminal that is drained as fast as a terminal would; POSIX only."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.processes import Usage

PATIENCE = 60.0
"""Seconds after which something that should appear is given up."""
LIVE = "\x1b[19~"
"""f8, the key of Live."""
_SYNC_ASKED, _SYNC_YES = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
"""Whether frames may be marked as such: today's terminals say yes."""
_FRAME = b"\x1b[?2026h"
_COLOURS = re.compile(rb"\x1b\[[0-9;:]*m")
_COUNT = re.compile(rb"Live  ([0-9,]+)")
_KEPT = 1 << 20


class Terminal(Usage):
    """One running program and what it has drawn."""

    def __init__(self, arguments: Sequence[str], columns: int = 140, rows: int = 40) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = time.perf_counter()
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._process = subprocess.Popen(
            arguments, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=environ,
            # So that it is hung up on, and ends, should this process be killed.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        super().__init__(self._process.pid)
        self.drawn = bytearray()
        """What came lately, colours included."""
        self.bytes = 0
        self.frames = 0
        self.counts: list[tuple[float, int]] = []
        """When Live first said so many captures."""
        self._changed = threading.Condition()
        self._ended = False
        self._drain = threading.Thread(target=self._read, daemon=True)
        self._drain.start()

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._own, keys.encode())

    def wait_for(self, wanted: str) -> float:
        """Until this text was drawn; seconds since the start."""
        text = wanted.encode()
        return self._until(lambda: text in _COLOURS.sub(b"", bytes(self.drawn)), wanted) - self.started

    def has_drawn(self, wanted: str, within: float) -> bool:
        """Whether this text is drawn within so many seconds."""
        text = wanted.encode()
        with self._changed:
            return self._changed.wait_for(lambda: text in _COLOURS.sub(b"", bytes(self.drawn)), within)

    def wait_for_count(self, count: int) -> float:
        """Until Live says that it holds at least so many; when it did, by perf_counter()."""
        return self._until(lambda: bool(self.counts) and self.counts[-1][1] >= count, f"Live {count:,}")

    @property
    def count(self) -> int:
        """What Live said last; 0: nothing yet."""
        return self.counts[-1][1] if self.counts else 0

    def wait_for_output(self, after: int) -> float:
        """Until more than so many bytes were drawn; when that was, by perf_counter()."""
        return self._until(lambda: self.bytes > after, "any output")

    def settle(self, quiet: float = 0.3) -> None:
        """Until nothing was drawn for a while."""
        while True:
            before = self.bytes
            time.sleep(quiet)
            if self.bytes == before:
                return

    def close(self) -> None:
        """End the program, cleanly if it can be."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._drain.join()
        os.close(self._own)

    def _until(self, condition: Callable[[], bool], wanted: str) -> float:
        with self._changed:
            if not self._changed.wait_for(lambda: condition() or self._ended, PATIENCE) or not condition():
                shown = _COLOURS.sub(b"", bytes(self.drawn[-2000:])).decode(errors="replace")
                raise TimeoutError(f"{wanted} never came; the last that was drawn:\n{shown!r}")
            return self._at

    def _read(self) -> None:
        while True:
            select.select([self._own], [], [])
            try:
                data = os.read(self._own, 65536)
            except OSError:
                data = b""
            with self._changed:
                self._at = time.perf_counter()
                if data:
                    self._take(data)
                self._ended = not data
                self._changed.notify_all()
            if not data:
                return
            if _SYNC_ASKED in data:
                os.write(self._own, _SYNC_YES)

    def _take(self, data: bytes) -> None:
        self.bytes += len(data)
        self.frames += data.count(_FRAME)
        tail = len(self.drawn) - 64
        self.drawn += data
        for found in _COUNT.finditer(_COLOURS.sub(b"", bytes(self.drawn[max(0, tail) :]))):
            count = int(found[1].replace(b",", b""))
            if count != self.count:
                self.counts.append((self._at, count))
        if len(self.drawn) > _KEPT:
            del self.drawn[: _KEPT // 2]


@contextlib.contextmanager
def terminal(arguments: Sequence[str], columns: int = 140, rows: int = 40) -> Iterator[Terminal]:
    """A program in a terminal of its own, ended at the end."""
    running = Terminal(arguments, columns, rows)
    try:
        yield running
    finally:
        running.close()
