"""What is odd is seen: marks on a capture and on each event of it, and requests that were not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.requests import RequestsScreen

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200)
ODD = b"""{"data":[
    {"eventName":"a","value":1,"value":2,"timeUUID":"t"},
    {"eventName":"b","timestamp":"soon","timeUUID":"t"},
    {"eventName":"c","value":1.00000000000000000001}
]}"""


async def test_marks_are_on_a_capture_and_on_the_event_they_are_about(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with later_app.run_test(size=(220, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        assert later_app.bridge.engine is not None
        url = f"{later_app.bridge.engine.addresses.receiver}/"
        json = {"Content-Type": "application/json"}
        assert httpx.post(url, content=ODD, headers=json).status_code == 200
        await ui(pilot, lambda: "⚠ twice, rounded, unparsed" in seen(later_app))
        for words in (
            "⚠ twice  value is twice in an object: the last one counts.",
            "⚠ twice  timeUUID t is that of events 0, 1.",
            "⚠ rounded  read as a double: 1.00000000000000000001 (21 digits",
            '⚠ unparsed  timestamp "soon" of event 1 is no time.',
        ):
            assert words[:60] in seen(later_app)
        await pilot.press("right", "right")
        await ui(pilot, lambda: "event 0" in seen(later_app) and "⚠ twice  value" in seen(later_app))
        assert "timeUUID t is" not in seen(later_app)
        await pilot.press("down")
        await ui(pilot, lambda: "event 1" in seen(later_app) and "⚠ unparsed" in seen(later_app))
        assert "⚠ twice" not in seen(later_app)
        assert httpx.post(url, content=b'[{"eventName":"plain"}]', headers=json).status_code == 200
        await pilot.press("G")
        await ui(pilot, lambda: "#2" in seen(later_app) and "⚠" not in seen(later_app))


async def test_what_was_not_kept_is_told_and_listed_though_nothing_is_committed(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with later_app.run_test(size=(160, 36), notifications=True) as pilot:
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        engine = later_app.bridge.engine
        assert engine is not None
        before = engine.archive.rev
        await speak(engine.addresses.receiver, HELLO)
        await ui(pilot, lambda: "receiver: TLS came to a plain listener" in seen(later_app))
        await later_app.action_requests()
        assert isinstance(later_app.screen, RequestsScreen)
        await ui(pilot, lambda: "✗ no answer  receiver, from 127.0.0.1:" in seen(later_app))
        assert "Requests and refusals  1" in seen(later_app)
        assert "Not kept. TLS came to a plain listener: write http:// in" in seen(later_app)
        await speak(engine.addresses.emulator, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        await ui(pilot, lambda: "✗ 400  emulator, from 127.0.0.1:" in seen(later_app))
        assert "Requests and refusals  2" in seen(later_app)
        assert engine.archive.rev == before


async def speak(base: str | None, said: bytes) -> None:
    address = urlsplit(base or "")
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(said)
    await reader.read()
    writer.close()
