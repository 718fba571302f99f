"""Promise 16: neither bodies in flight nor history grow without bound."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from statsig_tui.core.config import Config, Retention

if TYPE_CHECKING:
    from tests.conftest import StartEngine
    from tests.contract.conftest import Spawn

MIB = 1024 * 1024
PORTS = ("--emulator-port", "0", "--receiver-port", "0")
JSON = {"Content-Type": "application/json"}


async def test_bodies_in_flight_take_bounded_memory(spawn: Spawn) -> None:
    it = await spawn("serve", *PORTS, "--quiet")
    assert it.process.stdout is not None
    base = json.loads(await it.process.stdout.readline())["receiver"]
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=JSON) as client:
        many_arrays = b"[" + b"[]," * (3 * MIB) + b"[]]"
        large_batch = json.dumps([{"eventName": "e", "metadata": {"noise": "n" * 900}}] * 9000).encode()
        for bodies, status in (([endless()], 413), ([many_arrays] * 48, 413), ([large_batch] * 8, 200)):
            answers = await asyncio.gather(*(client.post(base, content=body) for body in bodies))
            assert {answer.status_code for answer in answers} == {status}
    assert peak(it.process.pid) < 300 * MIB
    assert (await it.end(signal.SIGTERM))[0] == 143


async def endless() -> AsyncIterator[bytes]:
    """256 MiB whose size nobody announced."""
    for _ in range(256):
        yield b"\0" * MIB


def peak(pid: int) -> int:
    """The most memory that a process ever had resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


async def test_a_slow_large_body_holds_up_no_small_one(engine: StartEngine) -> None:
    async with engine() as site:
        host, _, port = site.receiver.removeprefix("http://").rpartition(":")
        writers = []
        for _ in range(8):  # more than there is room for
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n[")
            writers.append(writer)
        assert (await site.webhook(b'{"data":[]}')).status_code == 200
        large = asyncio.create_task(site.webhook(b"[" + b" " * MIB + b"]"))
        assert (await site.webhook(b'{"data":[]}')).status_code == 200
        assert not large.done()
        for writer in writers:
            writer.close()
        assert (await large).status_code == 200


async def test_history_stays_within_its_size_and_is_not_forgotten_beyond_need(
    engine: StartEngine, config: Callable[..., Config], tmp_path: Path
) -> None:
    keep = replace(config(), retention=Retention(captures=1_000_000, megabytes=16))
    async with engine(keep) as site:
        for number in range(60):
            assert (await site.webhook(os.urandom(MIB), f"/{number}")).status_code == 400
        kept = site.engine.archive.capture_ids()
    assert (tmp_path / "store.db").stat().st_size < 48 * MIB
    assert list(kept)[-1] == 60
    assert len(kept) >= 8
