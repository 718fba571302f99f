"""The endpoint's self-test while it runs: each request as it is answered, and a key that gives it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from statsig_tui.tui.screens.destinations import DestinationsScreen
from statsig_tui.tui.screens.modal import Palette
from tests.conftest import Got, StartEndpoint
from tests.ui.desk import SECRET, Desk, Open, made

Text = Callable[..., str]


class Door:
    """An endpoint's answers: as many as were let through, each a 401."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(0)

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> None:
        await self._free.acquire()
        writer.write(b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n")

    def let(self, count: int) -> None:
        """Let so many requests be answered."""
        for _ in range(count):
            self._free.release()


async def begun(at: Desk) -> None:
    """Press the key of the self-test."""
    await at.select("mine")
    await at.turn("signing")
    at.screen.query_one("#self-test").focus()
    await at.press("enter")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_each_request_is_told_as_it_is_answered_and_the_score_in_the_end(
    desk: Open, seen: Text, endpoint: StartEndpoint, size: tuple[int, int]
) -> None:
    door = Door()
    site = await endpoint(door)
    async with desk(made("mine", site.url), size=size) as at:
        await begun(at)
        await at.until(at.pilot, lambda: "0 of 8 tried · esc cancels" in seen(at.app))
        assert "… url verification  asking…" in seen(at.app)
        assert "good request" not in seen(at.app)
        door.let(2)
        await at.until(
            at.pilot,
            lambda: (
                "✗ good request" in seen(at.app)
                and "… flipped byte" in seen(at.app)
                and "2 of 8 tried · esc cancels" in seen(at.app)
            ),
        )
        assert "passed" not in seen(at.app)
        door.let(6)
        await at.until(at.pilot, lambda: "6 of 8 passed" in seen(at.app))
        assert "asking" not in seen(at.app)
        assert len(site.requests) == 8


async def test_escape_gives_the_test_up_and_leaves_only_then(
    desk: Open, seen: Text, endpoint: StartEndpoint
) -> None:
    door = Door()
    site = await endpoint(door)
    async with desk(made("mine", site.url)) as at:
        await begun(at)
        door.let(1)
        await at.until(at.pilot, lambda: "… good request" in seen(at.app))
        await at.press("escape")
        await at.until(at.pilot, lambda: "cancelled: 1 of 8 were tried" in seen(at.app))
        assert "asking" not in seen(at.app)
        assert at.screen.query_one("#self-test").has_focus
        door.let(20)
        await at.event()
        await at.until(at.pilot, lambda: bool(at.deliveries("mine")))
        assert len(site.requests) <= 3, "no other request of the test followed"
        assert "cancelled: 1 of 8 were tried" in seen(at.app)
        await at.press("enter")
        await at.until(at.pilot, lambda: "8 passed" in seen(at.app))
        await at.press("escape")
        await at.until(at.pilot, lambda: not at.screen.query_one("#self-test").has_focus)


async def test_what_signing_has_buttons_for_is_in_the_palette(
    desk: Open, seen: Text, endpoint: StartEndpoint
) -> None:
    door = Door()
    site = await endpoint(door)
    door.let(100)
    async with desk(made("mine", site.url), size=(120, 36)) as at:
        await at.select("mine")
        for words, shown in (
            ("self-test", "6 of 8 passed"),
            ("reveal", SECRET),
            ("verifier for go", "Copied a verifier for Go"),
            ("generate", "unsaved"),
        ):
            await at.press("ctrl+p")
            await at.until(at.pilot, lambda: isinstance(at.app.screen, Palette))
            await at.press(*words, "enter")
            await at.until(at.pilot, lambda: isinstance(at.app.screen, DestinationsScreen))
            await at.until(at.pilot, lambda shown=shown: shown in seen(at.app))
