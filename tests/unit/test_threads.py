"""Name lookups beside the pool: shared, handed over, and no hindrance to the end of a loop."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from statsig_tui.engine.threads import Threads

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


@dataclass
class Resolver:
    """Answers when it is told to."""

    asked: list[str] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)

    def look_up(self, host: str, *rest: Any, **options: Any) -> Any:
        self.asked.append(host)
        self.free.wait()
        if host == "bad":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return FOUND


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    """Stands in for the system's, which takes as long as it likes."""
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.look_up)
    yield resolver
    resolver.free.set()


async def look_up(host: str) -> object:
    return await asyncio.get_running_loop().getaddrinfo(host, 80, type=socket.SOCK_STREAM)


async def given_up(*hosts: str) -> None:
    """Ask, and wait no longer."""
    asking = [asyncio.ensure_future(look_up(host)) for host in hosts]
    await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)


def test_whoever_asks_for_a_name_that_is_being_looked_up_shares_the_answer(resolver: Resolver) -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(Threads())
        await given_up("slow", "slow")
        waiting = [asyncio.ensure_future(look_up(name)) for name in ("slow", "slow", "bad")]
        await asyncio.sleep(0)
        resolver.free.set()
        good, same, bad = await asyncio.gather(*waiting, return_exceptions=True)
        assert good == same == FOUND
        assert isinstance(bad, socket.gaierror)
        assert sorted(resolver.asked) == ["bad", "slow"]
        assert await look_up("slow") == FOUND
        assert sorted(resolver.asked) == ["bad", "slow", "slow"], "an answer is not kept"

    asyncio.run(main())


PROGRAM = """
import asyncio, socket, threading
from statsig_tui.engine.threads import Threads

socket.getaddrinfo = lambda *_, **__: threading.Event().wait()

async def main():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(Threads())
    asking = [asyncio.ensure_future(loop.getaddrinfo(f"slow{number}", 80)) for number in range(100)]
    await asyncio.sleep(0)
    print(await asyncio.to_thread(threading.active_count) > 100)

asyncio.run(main())
"""


async def test_a_lookup_that_hangs_holds_up_neither_work_nor_the_end(
    python: Callable[..., Awaitable[tuple[int, str, str]]],
) -> None:
    assert await python("-c", PROGRAM) == (0, "True\n", "")
