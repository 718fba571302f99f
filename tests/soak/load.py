"""Load on both endpoints: each sender repeats what it sends until it is acknowledged, and remembers that."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from statsig_tui.engine.target import ENDPOINT

SENDERS = 4
"""Of each kind."""
KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
BACKLOG = 2000
"""Events accepted and not yet delivered, above which the senders wait: they are not to fill the disk."""
_RECENT = 200
_PAUSE = 0.02


@dataclass
class Load:
    """Senders of events to the emulator and of requests to the receiver."""

    emulator: str
    receiver: str
    arrived: Callable[[], int]
    """How many of the events have been delivered."""
    over: bool = False
    events: set[str] = field(default_factory=set)
    """User ids that the emulator acknowledged."""
    captures: int = 0
    """Requests that the receiver acknowledged."""
    recent_events: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))
    recent_paths: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))

    async def run(self) -> None:
        """Send until it is over."""
        async with httpx.AsyncClient(trust_env=False, timeout=10, headers=KEY) as client:
            await asyncio.gather(
                *(self._send_events(client, number) for number in range(SENDERS)),
                *(self._send_requests(client, number) for number in range(SENDERS)),
            )

    async def _send_events(self, client: httpx.AsyncClient, sender: int) -> None:
        number = 0
        while not self.over:
            user = f"s{sender}-{number}"
            event = {"user": {"userID": user}, "event": "soak"}
            waits = len(self.events) - self.arrived() > BACKLOG
            if waits or not await self._acknowledged(client, self.emulator + ENDPOINT, event):
                await asyncio.sleep(_PAUSE)
                continue
            self.events.add(user)
            self.recent_events.append(user)
            number += 1

    async def _send_requests(self, client: httpx.AsyncClient, sender: int) -> None:
        number = 0
        while not self.over:
            path = f"/soak/{sender}/{number}"
            if await self._acknowledged(client, self.receiver + path, [{"eventName": "direct"}]):
                self.captures += 1
                self.recent_paths.append(path)
                number += 1
            await asyncio.sleep(_PAUSE)

    async def _acknowledged(self, client: httpx.AsyncClient, url: str, body: object) -> bool:
        """False where nobody listens or it is refused: it is sent again, as every sender does."""
        try:
            return (await client.post(url, json=body)).is_success
        except httpx.HTTPError:
            return False
