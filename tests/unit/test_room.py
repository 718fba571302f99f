"""Room for large bodies: given in order, given back whatever happens, and never waited for by small ones."""

from __future__ import annotations

import asyncio
from typing import Any

from statsig_tui.engine.framing import Limits
from statsig_tui.engine.http import Receive, Scope, Send
from statsig_tui.engine.room import Room

LARGE = 1_000_000


class Site:
    """An application with room for two large bodies; a request ends when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self._app = Room(2 * LARGE).within(self._answer, Limits())

    async def ask(self, name: str, *headers: tuple[bytes, bytes]) -> asyncio.Task[None]:
        """Begin a request, and go on when it has begun or waits."""
        self.ends[name] = asyncio.Event()
        scope = {"path": name, "headers": headers or [(b"content-length", b"%d" % LARGE)]}

        async def request() -> None:
            await self._app(scope, nothing, nothing)

        task = asyncio.create_task(request())
        await turn()
        return task

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])
        await self.ends[scope["path"]].wait()


async def nothing(*_: object) -> Any:
    """Neither sends nor receives."""


async def turn() -> None:
    """Let every task go on as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_finds_no_room_waits_in_order_and_small_ones_never() -> None:
    site = Site()
    tasks = [await site.ask(name) for name in ("a", "b", "c", "d")]
    assert site.begun == ["a", "b"]
    tasks.append(await site.ask("small", (b"content-length", b"1000")))
    tasks.append(await site.ask("empty", (b"host", b"x")))
    assert site.begun[2:] == ["small", "empty"]
    site.ends["b"].set()
    await turn()
    assert site.begun[4:] == ["c"]
    for end in site.ends.values():
        end.set()
    await asyncio.gather(*tasks)
    assert site.begun[5:] == ["d"]


async def test_a_body_of_unknown_size_counts_as_the_largest_there_may_be() -> None:
    site = Site()
    first = await site.ask("chunked", (b"transfer-encoding", b"chunked"))
    second = await site.ask("a")
    assert site.begun == ["chunked"]
    for end in site.ends.values():
        end.set()
    await asyncio.gather(first, second)


async def test_who_leaves_gives_back_its_room_and_its_place() -> None:
    site = Site()
    a, b, c, d, e = [await site.ask(name) for name in "abcde"]
    c.cancel()  # while it waits
    a.cancel()  # while it is answered
    await turn()
    assert site.begun == ["a", "b", "d"]
    site.ends["b"].set()
    await asyncio.sleep(0)
    e.cancel()  # perhaps when its turn has just come
    await turn()
    site.ends["d"].set()
    await asyncio.wait([a, b, c, d, e])
    f, g = [await site.ask(name) for name in "fg"]
    assert site.begun[-2:] == ["f", "g"]
    site.ends["f"].set()
    site.ends["g"].set()
    await asyncio.gather(f, g)
