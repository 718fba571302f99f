"""Promises 1 and 3: what was acknowledged is delivered, though the program is killed again and again.

STATSIG_TUI_SOAK_SECONDS makes it longer; the default run kills for some ten seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx

SECONDS = float(os.environ.get("STATSIG_TUI_SOAK_SECONDS", "10"))
SEED = 20260101
SENDERS = 8
ENOUGH = 100
"""Events that must have been acknowledged, however slow the machine is."""
PATIENCE = 60.0
KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
SETTINGS = """
[emulator]
port = {emulator}
[receiver]
port = {receiver}
[[destinations]]
name = "faulty"
url = "{url}"
secret = {{ inline = "webhook-{secret}" }}
timeout_seconds = 0.5
[destinations.batch]
max_events = 20
max_seconds = 0.05
[destinations.retry]
schedule = [{schedule}]
[[destinations]]
name = "receiver"
url = "http://127.0.0.1:7829/"
secret = {{ inline = "webhook-{secret}" }}
[destinations.batch]
max_events = 50
max_seconds = 0.02
"""


class FaultyEndpoint:
    """Answers 200, 500 or 429, hangs or resets, by chance; once healed it only answers 200."""

    def __init__(self) -> None:
        self.bodies: Counter[bytes] = Counter()
        self.users: Counter[str] = Counter()
        self.healed = False
        self._chance = random.Random(SEED)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(size)
                self.bodies[hashlib.sha256(body).digest()] += 1
                fault = (
                    "none"
                    if self.healed
                    else self._chance.choice(["none", "none", "500", "429", "hang", "reset"])
                )
                if fault in ("none", "500"):
                    # A 500 is a failure to the sender, whatever the endpoint did with the events.
                    self.users.update(event["userID"] for event in json.loads(body)["data"])
                if fault == "hang":
                    await reader.read()
                    break
                if fault == "reset":
                    writer.transport.abort()
                    break
                status = {"none": b"200 OK", "500": b"500 Oops", "429": b"429 Slow"}[fault]
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()


class Program:
    """`statsig-tui serve`, started again whenever it was killed."""

    def __init__(self, directory: Path) -> None:
        self._command = (
            *(sys.executable, "-m", "statsig_tui", "serve", "--quiet"),
            *("--config", str(directory / "config.toml"), "--data", str(directory / "data")),
        )
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        assert self.process.stdout is not None
        ready = json.loads(await asyncio.wait_for(self.process.stdout.readline(), PATIENCE))
        assert ready["type"] == "ready"

    async def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        await asyncio.wait_for(self.process.communicate(), PATIENCE)
        assert self.process.returncode is not None
        return self.process.returncode


@contextlib.asynccontextmanager
async def listening(endpoint: FaultyEndpoint) -> AsyncIterator[str]:
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/"
    finally:
        server.close()


async def test_nothing_acknowledged_is_lost_and_duplicates_are_explained(tmp_path: Path) -> None:
    endpoint = FaultyEndpoint()
    emulator, receiver = free_port(), free_port()
    acknowledged: set[str] = set()
    async with listening(endpoint) as url:
        settings = SETTINGS.format(
            emulator=emulator,
            receiver=receiver,
            url=url,
            secret="s" * 43,
            schedule=", ".join(["0.05"] * 200),
        )
        (tmp_path / "config.toml").write_text(settings)
        program = Program(tmp_path)
        await program.start()
        over = asyncio.Event()
        base = f"http://127.0.0.1:{emulator}/v1/webhooks/event_webhook"
        senders = [asyncio.create_task(send(base, number, acknowledged, over)) for number in range(SENDERS)]
        kills = await kill_again_and_again(program, lambda: len(acknowledged) > ENOUGH)
        over.set()
        await asyncio.gather(*senders)
        endpoint.healed = True
        async with asyncio.timeout(PATIENCE):
            while open_work(tmp_path):
                await asyncio.sleep(0.05)
        assert await program.end(signal.SIGTERM) == 143
    assert kills >= 3
    lost = acknowledged - set(endpoint.users)
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged events never arrived"
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "statsig-tui.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        states = dict(db.execute("SELECT state, count(*) FROM deliveries GROUP BY state"))
        assert set(states) == {"delivered"}
        kept = {row[0] for row in db.execute("SELECT user_id FROM events")}
        assert acknowledged <= kept
        attempts = db.execute(
            "SELECT b.digest, count(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery"
            " JOIN batches b ON b.id = d.batch WHERE d.destination = 'faulty' GROUP BY b.id"
        )
        explained = Counter(dict(attempts))
        captured = {
            event["user_id"]
            for (summary,) in db.execute("SELECT summary FROM captures")
            for event in json.loads(summary)
        }
    assert acknowledged <= captured, "the receiver's own captures"
    unexplained = {digest for digest, count in endpoint.bodies.items() if count > explained[digest]}
    assert not unexplained, "a request was made that no attempt tells of"


async def send(url: str, sender: int, acknowledged: set[str], over: asyncio.Event) -> None:
    """Send events of their own until it is over; each again until it is acknowledged."""
    number = 0
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        while not over.is_set():
            user = f"s{sender}-{number}"
            body = {"user": {"userID": user}, "event": "kill_loop"}
            try:
                answer = await client.post(url, json=body, headers=KEY)
            except httpx.HTTPError:
                # Nobody listens until the next start; a short pause spares the processor.
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 202:
                acknowledged.add(user)
                number += 1


async def kill_again_and_again(program: Program, is_enough: Callable[[], bool]) -> int:
    """Kill it at random for a while, and until enough was acknowledged for losses to show."""
    chance = random.Random(SEED)
    loop = asyncio.get_running_loop()
    until = loop.time() + SECONDS
    kills = 0
    while loop.time() < until or not is_enough():
        # The pause is the load under which it is killed, not a wait for anything.
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        assert await program.end(signal.SIGKILL) == -signal.SIGKILL
        kills += 1
        await program.start()
    return kills


def open_work(directory: Path) -> int:
    with contextlib.closing(sqlite3.connect(directory / "data" / "statsig-tui.db")) as db:
        pending = db.execute("SELECT count(*) FROM verdicts WHERE forwarded = 1 AND delivery IS NULL")
        deliveries = db.execute(
            "SELECT count(*) FROM deliveries WHERE state NOT IN ('delivered', 'failed', 'cancelled')"
        )
        return int(pending.fetchone()[0]) + int(deliveries.fetchone()[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
