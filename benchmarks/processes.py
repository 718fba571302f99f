"""Programs as processes: bare uvicorn, statsig-tui headless and as an app, and what a process used."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bodies import SECRET
from statsig_tui.engine.lock import holder

_PATIENCE = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")
_SETTINGS = f"""
[receiver]
secrets = [{{ inline = "{SECRET}" }}]

[retention]
captures = 10000000
megabytes = 100000
"""


class Usage:
    """What a process takes from the machine."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """Seconds of processor time so far, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def megabytes(self) -> float:
        """Memory that is its own or touched by it now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise LookupError("no VmRSS")


@dataclass(frozen=True, slots=True)
class Place:
    """Settings and data of one run of the program."""

    directory: Path

    @property
    def database(self) -> Path:
        """The store's file."""
        return self.directory / "data" / "statsig-tui.db"

    def program(self, *arguments: str, runs: str = "statsig_tui") -> list[str]:
        """The command line of the program on this place, on free ports.

        `runs` is the module to run instead of the program itself.
        """
        config = self.directory / "config.toml"
        if not config.exists():
            self.write_settings(_SETTINGS)
        return [
            sys.executable, "-m", runs, *arguments,
            "--config", str(config), "--data", str(self.directory / "data"),
            "--emulator-port", "0", "--receiver-port", "0",
        ]  # fmt: skip

    def write_settings(self, text: str) -> None:
        """Use these settings."""
        config = self.directory / "config.toml"
        config.write_text(text)
        config.chmod(0o600)

    def receiver(self) -> int:
        """The receiver's port, once the program listens."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            owner = holder(self.directory / "data" / "lock")
            if owner is not None and owner.receiver is not None:
                return int(owner.receiver.rsplit(":", 1)[1])
            time.sleep(0.02)
        raise TimeoutError("statsig-tui does not listen")


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """A place that is gone afterwards; TMPDIR says on which disk."""
    with tempfile.TemporaryDirectory(prefix="statsig-tui-benchmark-") as directory:
        yield Place(Path(directory))


@contextlib.contextmanager
def running(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended at the end; its stdout is a pipe."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def bare() -> Iterator[int]:
    """Bare uvicorn; its port."""
    with running([sys.executable, "-m", "benchmarks.bare"]) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


@contextlib.contextmanager
def headless() -> Iterator[int]:
    """`statsig-tui serve --quiet`; the receiver's port."""
    with place() as at, running(at.program("serve", "--quiet")):
        yield at.receiver()
