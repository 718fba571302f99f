"""The real program in a real pseudo-terminal, with pyte as the screen a person would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

_LEAVES = b"\x1b[?1049l"
PATIENCE = 30.0
"""Seconds after which a test gives up waiting; many times what the slowest machine needs."""


class Terminal:
    """One program in one terminal."""

    def __init__(self, arguments: list[str], columns: int, rows: int, environ: dict[str, str]) -> None:
        self.raw = b""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            # Where the test run itself was told a size, that one would win over the terminal's own.
            own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            os.execvpe(arguments[0], arguments, {**own, "TERM": "xterm-256color", **environ})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._code: int | None = None

    @property
    def text(self) -> str:
        """What is on the screen."""
        # Not pyte's own `display`: that fails where half of a wide character was drawn over.
        cells, (rows, columns) = self.screen.buffer, (self.screen.lines, self.screen.columns)
        return "\n".join("".join(cells[row][column].data for column in range(columns)) for row in range(rows))

    def says(self, words: str) -> bool:
        """Whether these words are on the screen, wherever the terminal breaks its full lines."""
        return "".join(words.split()) in "".join(self.text.split())

    def press(self, keys: str | bytes) -> None:
        """Type; escape sequences are keys too."""
        left = memoryview(keys.encode() if isinstance(keys, str) else keys)
        while left:
            # What the program draws meanwhile has to be read, or both would wait for each other.
            readable, writable, _ = select.select([self._fd], [self._fd], [], PATIENCE)
            assert readable or writable, "the program takes no input"
            if readable:
                assert self._read(time.monotonic()), f"the program has ended:\n{self.text}"
            if writable:
                left = left[os.write(self._fd, left[:4096]) :]

    def wait_for(self, *wanted: str) -> None:
        """Until all of this is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while not all(text in self.text for text in wanted):
            assert self._read(deadline), f"{wanted} never came:\n{self.text}"

    def wait_until_gone(self, unwanted: str) -> None:
        """Until this is not on the screen any more."""
        deadline = time.monotonic() + PATIENCE
        while unwanted in self.text:
            assert self._read(deadline), f"{unwanted} never went:\n{self.text}"

    def wait_for_bytes(self, wanted: bytes) -> None:
        """Until the program has written this."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.raw:
            assert self._read(deadline), f"{wanted!r} never came"

    def ends(self) -> int:
        """Until the program has ended; its exit code, negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self._wait()

    def ends_on(self, key: str) -> int:
        """Press a key until the program has ended; its exit code. For what may not listen to keys yet."""
        deadline = time.monotonic() + PATIENCE
        pressed = float("-inf")
        while self._code is None:
            assert time.monotonic() < deadline, f"it never ended:\n{self.text}"
            if time.monotonic() > pressed + PATIENCE / 4:
                pressed = time.monotonic()
                with contextlib.suppress(OSError):
                    os.write(self._fd, key.encode())
            self._read(time.monotonic() + 0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size, and wait until the program has drawn something for it."""
        self.screen.resize(max(1, rows), max(1, columns))
        before = len(self.raw)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        deadline = time.monotonic() + PATIENCE
        while len(self.raw) == before:
            assert self._read(deadline), f"nothing was drawn at {columns}×{rows}"

    def kill(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def hang_up(self) -> int:
        """Close the terminal, as a window is closed; the exit code."""
        os.close(self._fd)
        self._fd = -1
        return self._wait()

    def is_cooked(self) -> bool:
        """Whether the terminal echoes and takes whole lines, as a shell needs it."""
        flags = termios.tcgetattr(self._fd)[3]
        return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)

    def close(self) -> None:
        """Leave nothing behind."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)
            self._wait()
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        self.raw += data
        before, left, after = data.partition(_LEAVES)
        self._stream.feed(before)
        if left:
            # What a terminal does and pyte does not: the alternate screen's content goes with it.
            self.screen.reset()
        self._stream.feed(after)
        return bool(data)

    def _wait(self) -> int:
        if self._code is None:
            ended: list[int] = []
            waiting = threading.Thread(target=lambda: ended.append(os.waitpid(self.pid, 0)[1]), daemon=True)
            waiting.start()
            waiting.join(PATIENCE)
            assert ended, "the program does not end"
            self._code = os.waitstatus_to_exitcode(ended[0])
        return self._code


Start = Callable[..., Terminal]


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """The app on free ports, with settings and data of its own."""
    places = ["--config", str(tmp_path / "config.toml"), "--data", str(tmp_path / "data")]
    return [sys.executable, "-m", "statsig_tui", *places, "--emulator-port", "0", "--receiver-port", "0"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run a program in a terminal of its own."""
    terminals: list[Terminal] = []

    def begin(arguments: list[str], columns: int = 120, rows: int = 36, **environ: str) -> Terminal:
        terminals.append(Terminal(arguments, columns, rows, environ))
        return terminals[-1]

    yield begin
    for terminal in terminals:
        terminal.close()
