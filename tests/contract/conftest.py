"""Commands as processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30.0
Line = dict[str, Any]
FIELDS = {
    "ready": {"type", "at", "emulator", "receiver", "pid"},
    "event": {"type", "at", "id", "trace", "event_name", "event_class", "user_id", "time_uuid", "note"},
    "verdict": {"type", "at", "event", "destination", "forwarded", "clause"},
    "delivery": {
        "type", "at", "id", "batch", "destination", "events", "state", "attempt", "status", "error",
        "next_at",
        "closed_by",
    },
    "capture": {
        "type", "at", "id", "method", "path", "size", "envelope", "events", "signature", "status", "fault",
        "program", "imported",
    },
    "request": {"type", "at", "id", "listener", "method", "path", "status", "fault"},
    "sent": {"type", "at", "target", "status", "ms", "trace", "error"},
    "replayed": {"type", "at", "id", "to", "as", "status", "ms", "error"},
    "forwarded": {"type", "at", "capture", "url", "status", "ms", "error"},
    "would_send": {"type", "at", "target", "url", "size"},
    "summary": {"type", "at", "target", "count", "seconds", "rate", "statuses", "not_sent", "unknown", "ms"},
    "template": {"type", "at", "name", "group", "about", "expect", "answer"},
    "error": {"type", "at", "message", "hint"},
    "advice": {"type", "at", "severity", "rule", "path", "message", "line", "column", "fix"},
}  # fmt: skip
"""The contract of product.md §5."""

PROGRAM = ("-m", "statsig_tui")


@dataclass
class Program:
    """A running command and what it has printed."""

    process: Process
    data: Path

    async def line(self, kind: str, **wanted: object) -> Line:
        """The next line of a kind with these fields; those before it are passed over."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while raw := await self.process.stdout.readline():
                line = _checked(raw)
                if line["type"] == kind and all(line[name] == value for name, value in wanted.items()):
                    return line
        raise AssertionError(f"no {kind} line came: {await self.end()}")

    async def end(self, number: int | None = None, stdin: bytes | None = None) -> tuple[int | None, str, str]:
        """Exit code and what was printed since, after a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate(stdin)
        return self.process.returncode, (out or b"").decode(), (err or b"").decode()

    async def lines(self, stdin: bytes | None = None) -> tuple[int | None, list[Line], str]:
        """Exit code, JSON lines and stderr of a command that ends by itself."""
        code, out, err = await self.end(stdin=stdin)
        return code, [_checked(line.encode()) for line in out.splitlines()], err


def _checked(raw: bytes) -> Line:
    line: Line = json.loads(raw)
    assert set(line) - {"body", "body_base64"} == FIELDS[line["type"]]
    return line


Spawn = Callable[..., Awaitable[Program]]


@pytest.fixture
async def spawn(tmp_path: Path) -> AsyncIterator[Spawn]:
    """Start `statsig-tui …`, on a data directory of the test's own unless told otherwise.

    `runs` is what Python runs instead of the program itself.
    """
    processes: list[Process] = []

    async def spawn(
        *arguments: str,
        data: Path | None = tmp_path / "data",
        stdout: int = PIPE,
        runs: Sequence[str] = PROGRAM,
        **env: str,
    ) -> Program:
        options = [] if data is None else ["--data", str(data)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *runs, arguments[0], *options, *arguments[1:],
            stdin=PIPE, stdout=stdout, stderr=PIPE, env={**os.environ, **env},
        )  # fmt: skip
        processes.append(process)
        return Program(process, data or tmp_path)

    yield spawn
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def settings(tmp_path: Path) -> Callable[[str], tuple[str, str]]:
    """Write a settings file and give the options that name it."""

    def write(text: str) -> tuple[str, str]:
        file = tmp_path / "settings.toml"
        file.write_text(text)
        file.chmod(0o600)
        return "--config", str(file)

    return write
