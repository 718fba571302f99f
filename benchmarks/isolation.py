"""One healthy destination among ten that hang, drip or are never found: how much later it gets its events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx

from benchmarks.measure import Aim, Plan, Row, Rows, alternate, percentile, ratios, say
from benchmarks.processes import Place, place, running
from statsig_tui.cli import main
from statsig_tui.engine.target import ENDPOINT

_DESTINATION = """
[[destinations]]
name = "{name}"
url = "{url}"
secret = {{ inline = "webhook-{name:-<43}" }}
[destinations.batch]
max_events = 1
"""
_KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
_LOST = ".hangs"
"""Names that end so are looked up until the process ends."""
_UNFOUND = 8
_PER_SECOND = 50
_WARM = 50
"""Events before those that count: by then every destination is busy with what it never finishes."""
_PATIENCE = 60.0
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
"""The next delivery has to look the name up again."""
_DRIP_SECONDS = 0.1
Answer = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


def isolated(plan: Plan) -> Rows:
    """How long it takes from an event to its delivery, beside ten sick destinations and without them."""
    count = int(plan.scaled(1000, 500))
    found, alone = alternate(plan, lambda: _late(count, sick=True), lambda: _late(count, sick=False))
    yield Row(
        "an event until a healthy destination gets it, p99, beside 1 that hangs, 1 that drips, 8 never found",
        "the healthy one alone",
        ratios(found, alone),
        Aim("<=", 2),
        f"{median(found):.1f} ms against {median(alone):.1f} ms, {count} deliveries",
    )


def _late(count: int, *, sick: bool) -> float:
    """The p99 in ms of a run of its own."""
    with place() as at:
        lateness = asyncio.run(_Run(at, count, sick).measure())
    p99 = percentile(lateness, 99)
    say(f"  {'beside ten' if sick else 'alone'}: p50 {percentile(lateness, 50):.1f} ms, p99 {p99:.1f} ms")
    return p99


@dataclass
class _Run:
    """Endpoints and a sender in this process, the forwarder in another."""

    at: Place
    count: int
    sick: bool
    _sent: dict[str, float] = field(default_factory=dict)
    _came: dict[str, float] = field(default_factory=dict)
    _held: set[str] = field(default_factory=set)
    """Destinations that were sent something they never finish."""
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    async def measure(self) -> Sequence[float]:
        """Milliseconds from the sending of an event to its delivery, of each that counts."""
        names = [f"e{number}" for number in range(_WARM + self.count)]
        self.at.write_settings(await self._settings())
        with running(self.at.program("serve", runs="benchmarks.isolation")) as process:
            assert process.stdout is not None
            emulator = json.loads(await asyncio.to_thread(process.stdout.readline))["emulator"]
            threading.Thread(target=process.stdout.read, daemon=True).start()
            async with (
                asyncio.timeout(_PATIENCE + len(names) / _PER_SECOND),
                httpx.AsyncClient(headers=_KEY, trust_env=False) as client,
                asyncio.TaskGroup() as sending,
            ):
                for number, name in enumerate(names):
                    url = f"{emulator}{ENDPOINT}"
                    sending.create_task(self._send(client, url, name, number / _PER_SECOND))
                await self._done.wait()
            if self.sick and self._held != {"stuck", "slow"}:
                raise RuntimeError("no sick destination was under way")
        return [(self._came[name] - self._sent[name]) * 1000 for name in names[_WARM:]]

    async def _settings(self) -> str:
        fine = await _listening(self._take)
        urls = {"fine": f"http://localhost:{fine}/"}
        if self.sick:
            urls |= {
                "stuck": f"http://127.0.0.1:{await _listening(self._hang)}/",
                "slow": f"http://127.0.0.1:{await _listening(self._drip)}/",
            }
            urls |= {f"unfound-{number}": f"http://n{number}{_LOST}/" for number in range(_UNFOUND)}
        return "".join(_DESTINATION.format(name=name, url=url) for name, url in urls.items())

    async def _send(self, client: httpx.AsyncClient, url: str, name: str, after: float) -> None:
        await asyncio.sleep(after)
        self._sent[name] = time.perf_counter()
        answer = await client.post(url, json={"user": {"userID": "u"}, "event": name})
        answer.raise_for_status()

    async def _take(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        at = time.perf_counter()
        for event in json.loads(body)["data"]:
            self._came.setdefault(event["eventName"], at)
        writer.write(_OK)
        if len(self._came) == _WARM + self.count:
            self._done.set()

    async def _hang(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        self._held.add("stuck")
        await asyncio.Event().wait()

    async def _drip(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        self._held.add("slow")
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(_DRIP_SECONDS)


async def _listening(answer: Answer) -> int:
    """An endpoint that ends with the loop; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            await answer(writer, await reader.readexactly(length))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


def _look_up(host: Any, *rest: Any, **options: Any) -> Any:
    if str(host).endswith(_LOST):
        threading.Event().wait()
    return _resolve(host, *rest, **options)


if __name__ == "__main__":
    _resolve = socket.getaddrinfo
    socket.getaddrinfo = _look_up
    main()
