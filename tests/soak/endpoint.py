"""Somebody's unreliable webhook endpoint, which asks the store about every request: is it explained?"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

FAULTS = ("none", "none", "500", "429", "hang", "reset")
_STATUS = {"none": b"200 OK", "500": b"500 Oops", "429": b"429 Slow"}


@dataclass
class FaultyEndpoint:
    """Answers 200, 500 or 429, hangs or resets, by chance; once healed it only answers 200."""

    database: Path
    chance: random.Random
    healed: bool = False
    requests: int = 0
    repeated: int = 0
    """Events that came again, each explained by a later attempt of the same delivery."""
    arrived: set[str] = field(default_factory=set)
    """User ids of the events in requests that were answered 200."""
    unexplained: list[str] = field(default_factory=list)
    url: str = ""
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    _db: sqlite3.Connection | None = None

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen on a free port while the context lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}/"
        try:
            yield
        finally:
            server.close()
            if self._db is not None:
                self._db.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                headers = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                events = json.loads(body)["data"]
                self._explain(headers["x-statsig-signature"], [event["timeUUID"] for event in events])
                fault = "none" if self.healed else self.chance.choice(FAULTS)
                if fault == "hang":
                    await reader.read()
                    break
                if fault == "reset":
                    writer.transport.abort()
                    break
                if fault == "none":
                    self.arrived.update(event["userID"] for event in events)
                writer.write(b"HTTP/1.1 " + _STATUS[fault] + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    def _explain(self, signature: str, uuids: list[str]) -> None:
        """Every request must stand in the store before it is made, and be needed."""
        if self._db is None:
            self._db = sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True, timeout=20)
        self.requests += 1
        attempt = self._db.execute(
            # The same batch goes to the receiver too: signed in the same millisecond, it is signed alike.
            "SELECT a.delivery, a.number FROM attempts a JOIN deliveries d ON d.id = a.delivery"
            " WHERE a.signature = ? AND d.destination = 'faulty'",
            (signature,),
        ).fetchone()
        if attempt is None:
            self.unexplained.append(f"request {self.requests} came before its attempt was stored")
            return
        done = self._db.execute(
            "SELECT number FROM attempts WHERE delivery = ? AND number < ? AND status BETWEEN 200 AND 299",
            attempt,
        ).fetchone()
        if done is not None:
            self.unexplained.append(f"delivery {attempt[0]} was sent again after attempt {done[0]} succeeded")
        for uuid in uuids:
            before = self._seen.get(uuid)
            self._seen[uuid] = attempt
            if before is None:
                continue
            self.repeated += 1
            if before[0] != attempt[0] or before[1] >= attempt[1]:
                self.unexplained.append(f"event {uuid} came in attempts {before} and {attempt}")
