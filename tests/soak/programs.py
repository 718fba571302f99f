"""The program under load, as `serve` and as the app in a terminal that shows Live; and what it takes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0
LIVE = b"\x1b[19~"
"""f8."""
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process and its files take, in bytes, at a time of the run in seconds."""

    kind: str
    at: float
    memory: int
    descriptors: int
    database: int
    log: int


class Program:
    """One life of the program: `serve`, or the app on a screen of its own."""

    def __init__(self, directory: Path, port: int, *, on_screen: bool) -> None:
        self.on_screen = on_screen
        self.drawn = 0
        """Bytes written to the terminal since Live was asked for."""
        self._port = port
        self._data = directory / "data"
        self._arguments = ["--config", str(directory / "config.toml"), "--data", str(self._data)]
        self._process: asyncio.subprocess.Process | None = None
        self._terminal = -1

    async def start(self) -> None:
        """Return when it accepts connections."""
        if self.on_screen:
            await self._start_on_screen()
        else:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "statsig_tui", "serve", "--quiet", *self._arguments),
                stdout=asyncio.subprocess.DEVNULL,
            )
        async with asyncio.timeout(PATIENCE):
            while not await self._is_listening():
                assert self._process is not None
                assert self._process.returncode is None, f"it ended with {self._process.returncode}"
                await asyncio.sleep(_PAUSE)
        if self.on_screen:
            os.write(self._terminal, LIVE)
            self.drawn = 0

    async def end(self, number: int) -> int:
        """Send a signal and wait; the exit code, negative for a signal."""
        assert self._process is not None
        self._process.send_signal(number)
        code = await asyncio.wait_for(self._process.wait(), PATIENCE)
        if self._terminal >= 0:
            asyncio.get_running_loop().remove_reader(self._terminal)
            os.close(self._terminal)
            self._terminal = -1
        return code

    def figures(self, at: float) -> Figures:
        """What it takes now."""
        assert self._process is not None
        proc = Path(f"/proc/{self._process.pid}")
        pages = int((proc / "statm").read_text().split()[1])
        database = self._data / "statsig-tui.db"
        return Figures(
            kind="app" if self.on_screen else "serve",
            at=at,
            memory=pages * os.sysconf("SC_PAGE_SIZE"),
            descriptors=len(os.listdir(proc / "fd")),
            database=database.stat().st_size,
            log=database.with_name("statsig-tui.db-wal").stat().st_size,
        )

    async def _start_on_screen(self) -> None:
        self._terminal, inside = os.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        os.set_blocking(self._terminal, False)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "statsig_tui", *self._arguments),
            stdin=inside, stdout=inside, stderr=inside, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip
        os.close(inside)
        asyncio.get_running_loop().add_reader(self._terminal, self._draw)

    def _draw(self) -> None:
        try:
            self.drawn += len(os.read(self._terminal, 65536))
        except OSError:
            asyncio.get_running_loop().remove_reader(self._terminal)

    async def _is_listening(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.close()
            return True
        return False


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
