"""The ground a corpus runs on: an engine that many cases share, and the rule that holds after each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from statsig_tui.core.config import Config, Secret
from statsig_tui.core.records import CaptureRecord, EventRecord, Record, RequestRecord
from statsig_tui.engine.clock import SystemClock
from statsig_tui.engine.framing import Limits
from statsig_tui.engine.listeners import Listener
from tests.conftest import PATIENCE, SECRET, R, Site, open_site
from tests.corpus.wire import (
    JSON_LINE,
    KEY_LINE,
    NOW,
    Answer,
    End,
    Part,
    answers,
    exchange,
    request,
    signed,
)

SLACK = 6
"""Files that the store's two reading threads open when they are first needed."""
FILES = 2048
"""That may be open at once."""
LARGER = 160.0
"""MiB: less than parsing the largest body takes (J20)."""


class StoppedClock(SystemClock):
    """Waits as the machine's does; the epoch stands still."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return NOW


@dataclass
class Ground:
    """A running engine, and what the case under way has made of it so far."""

    site: Site
    forwards: bool
    _count: int = 0
    _sockets: int = 0
    _files: int = 0
    _first: int = 0
    _refused: dict[str, int] = field(default_factory=dict)

    async def ask(self, listener: Listener, *parts: Part, end: End = "stay") -> list[Answer]:
        """The answers to what is sent over one connection."""
        bodiless = isinstance(parts[0], bytes) and parts[0].startswith(b"HEAD ")
        return answers(await exchange(self.port(listener), *parts, end=end), bodiless=bodiless)

    def port(self, listener: Listener) -> int:
        """Where a listener listens."""
        port = urlsplit(self.site.emulator if listener == "emulator" else self.site.receiver).port
        assert port is not None
        return port

    def new(self, kind: type[R], match: Callable[[R], bool] = lambda record: True) -> list[R]:
        """The records of a kind that the case has brought."""
        records: list[Record] = self.site.journal.records[self._first :]
        return [record for record in records if isinstance(record, kind) and match(record)]

    @property
    def captures(self) -> list[CaptureRecord]:
        """What the receiver has kept of the case."""
        return self.new(CaptureRecord)

    async def forwarded(self, events: int) -> list[CaptureRecord]:
        """What the receiver has kept of the case, once that holds so many events."""
        while sum(len(record.events) for record in self.captures) < events:
            known = len(self.site.journal.of(CaptureRecord))
            await self.site.journal.wait(CaptureRecord, count=known + 1)
        return self.captures

    @property
    def noted(self) -> list[RequestRecord]:
        """What the emulator shows of the case as not plainly accepted."""
        return self.new(RequestRecord)

    @property
    def refused(self) -> dict[str, int]:
        """What the case has added to the counts of what is not kept."""
        before, now = self._refused, self.site.engine.refused
        return {code: now[code] - before.get(code, 0) for code in now if now[code] > before.get(code, 0)}

    @contextlib.asynccontextmanager
    async def case(self, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
        """What is between is one case; then the rule: good requests work, nothing is left open or logged."""
        caplog.clear()
        if not self._sockets:
            # Only now every ground of the module is open.
            self._sockets, self._files = _open()
        self._first = len(self.site.journal.records)
        self._refused = dict(self.site.engine.refused)
        yield
        await self.good()
        await self._settled()
        assert [record.getMessage() for record in caplog.records] == []

    async def good(self) -> None:
        """A good batch is answered and shown, and a good event is, at their listeners."""
        self._count += 1
        name = f"good {self._count}"
        archive = self.site.engine.archive
        before = archive.rev
        batch = f'{{"data":[{{"eventName":"{name}","userID":"u1"}}]}}'.encode()
        (answer,) = await self.ask("receiver", signed(batch, JSON_LINE))
        assert (answer.status, answer.json()) == (200, {"success": True, "stored": 1})
        shown = [[event.event_name for event in record.events] for record in archive.since(before, 100)]
        assert [name] in shown
        event = f'{{"user":{{"userID":"u1"}},"event":"sent {name}"}}'.encode()
        (answer,) = await self.ask("emulator", request(event, JSON_LINE, KEY_LINE))
        assert (answer.status, answer.json()) == (202, {"success": True})
        assert self.new(EventRecord, lambda record: record.name == f"sent {name}")
        if self.forwards:
            await self.site.capture(lambda record: any(e.event_name == f"sent {name}" for e in record.events))

    def further_sockets(self) -> int:
        """Sockets that are open beside those that always are, of peers and of the listeners."""
        return _open()[0] - self._sockets

    async def _settled(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while (now := _open())[0] > self._sockets or now[1] > self._files + SLACK:
                    await asyncio.sleep(0.001)
        except TimeoutError:
            raise AssertionError(f"sockets and files: {(self._sockets, self._files)}, now {now}") from None


def _open() -> tuple[int, int]:
    """How many sockets, and how many other files, this process has open."""
    sockets = files = 0
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                sockets += 1
            else:
                files += 1
    return sockets, files


@pytest.fixture(scope="session")
def many_files() -> None:
    """Let this process hold open what a case with hundreds of peers needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))


class OpenGround(Protocol):
    """Opens a ground; it ends with the context."""

    def __call__(
        self,
        *,
        limits: Limits = ...,
        forwards: bool = ...,
        secret: str | None = ...,
        emulator: Any = ...,
        receiver: Any = ...,
    ) -> contextlib.AbstractAsyncContextManager[Ground]: ...


@pytest.fixture(scope="session")
def open_ground(
    tmp_path_factory: pytest.TempPathFactory,
    config: Callable[..., Config],
    destination: Callable[..., Any],
) -> OpenGround:
    """Open a ground: nothing is forwarded unless told otherwise, and few connections may be lost count of."""

    @contextlib.asynccontextmanager
    async def start(
        *,
        limits: Limits = Limits(connections=16),  # noqa: B008 - frozen
        forwards: bool = False,
        secret: str | None = SECRET,
        emulator: Any = None,
        receiver: Any = None,
    ) -> AsyncIterator[Ground]:
        signing = Secret.of(secret) if secret else None
        settings = config(destination(enabled=forwards, secret=signing), emulator=emulator, receiver=receiver)
        database: Path = tmp_path_factory.mktemp("ground") / "store.db"
        async with open_site(settings, database, limits=limits, clock=StoppedClock()) as site:
            ground = Ground(site, forwards)
            await ground.good()
            yield ground

    return start


@pytest.fixture(scope="module")
def bounded_memory() -> Iterator[None]:
    """A table leaves this process no larger than one body's worth of memory, whatever was sent."""
    before = _resident()
    yield
    assert _resident() - before < LARGER


def _resident() -> float:
    """This process's memory in MiB; where the system tells only the peak, the peak."""
    if sys.platform == "linux":
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
