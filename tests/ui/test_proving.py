"""Live's proof of life: the probe's panel and the tunnel's dialog, driven by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from statsig_tui.core.config import Config, Destination, Filter
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.probe import ProbeScreen
from statsig_tui.tui.screens.tunnel import TunnelDialog
from tests.ui.conftest import app_over

if TYPE_CHECKING:
    from tests.conftest import Got, StartEndpoint

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


async def test_the_panel_says_that_its_destination_is_gone(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    # Nobody listens there: the probe is under way as long as the panel is open.
    deaf = Destination("deaf", "http://127.0.0.1:9/")
    app = app_over(tmp_path, replace(config, destinations=(*config.destinations, deaf)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "DEMO_checkout_completed" in seen(app))
        await pilot.press("t")
        await ui(pilot, lambda: isinstance(app.screen, ProbeScreen) and "✓ capture" in seen(app))
        await pilot.press("right", "enter")
        await ui(pilot, lambda: "✓ filter" in seen(app))
        await app.bridge.do(lambda engine: engine.apply(config))
        await ui(pilot, lambda: "There is no destination deaf" in seen(app))


async def test_the_panel_shows_every_hop_and_what_holds_a_probe_up(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    deaf = Destination("deaf", "http://127.0.0.1:9/", filter=Filter(include_new_events=False))
    app = app_over(tmp_path, replace(config, destinations=(*config.destinations, deaf)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "DEMO_checkout_completed" in seen(app))
        await pilot.press("t")
        await ui(pilot, lambda: isinstance(app.screen, ProbeScreen) and "✓ capture" in seen(app))
        for words in ("✓ emulator", "202 accepted", "✓ filter", "✓ batch", "✓ delivery", "signature valid"):
            assert words in seen(app)
        await pilot.press("right")
        await ui(pilot, lambda: "to deaf alone" in seen(app) and "enter sends." in seen(app))
        assert app.bridge.engine is not None
        assert app.bridge.engine.archive.counters().events == 2, "choosing sends nothing"
        await pilot.press("enter")
        await ui(pilot, lambda: "✗ filter" in seen(app) and "→ Event Filtering of deaf" in seen(app))
        assert "· capture" in seen(app)
        await pilot.press("escape")
        await ui(pilot, lambda: not isinstance(app.screen, ProbeScreen))
        # A capture that stands for a probe says so where it arrived.
        assert "PROBE_statsig_tui" in seen(app)


async def test_a_probe_that_would_leave_this_machine_waits_to_be_sent(
    app: StatsigApp, ui: Until, seen: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statsig_tui.engine.connecting.is_local", lambda url: False)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "DEMO_checkout_completed" in seen(app))
        await pilot.press("t")
        await ui(pilot, lambda: "not this machine: enter sends" in seen(app))
        assert app.bridge.engine is not None
        assert app.bridge.engine.archive.counters().events == 1


async def test_a_hop_that_does_not_come_in_time_is_named(
    app: StatsigApp, ui: Until, seen: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statsig_tui.engine.probe.SECONDS", 0.2)
    slow = replace(
        app.config.destinations[0], batch=replace(app.config.destinations[0].batch, max_seconds=60)
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "DEMO_checkout_completed" in seen(app))
        await app.change(replace(app.config, destinations=(slow,)))
        await pilot.press("t")
        await ui(pilot, lambda: "⚠ batch" in seen(app) and "closes after 60 s" in seen(app))
        assert "→ Its Delivery sets both" in seen(app)


async def test_a_tunnel_is_entered_asked_about_tried_kept_and_shown(
    later_app: StatsigApp, ui: Until, seen: Text, endpoint: StartEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = later_app

    async def proxied(got: Got, writer: asyncio.StreamWriter) -> None:
        assert app.bridge.engine is not None
        port = str(app.bridge.engine.addresses.receiver).rpartition(":")[2]
        reader, onward = await asyncio.open_connection("127.0.0.1", int(port))
        head = f"POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: {len(got.body)}\r\n"
        onward.write(f"{head}Content-Type: application/json\r\nX-By: tunnel\r\n\r\n".encode() + got.body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        writer.write(answer + await reader.readexactly(length))
        onward.close()

    mine = await endpoint(proxied)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "T enters a tunnel's public URL" in seen(app))
        await pilot.press("T")
        await ui(pilot, lambda: isinstance(app.screen, TunnelDialog))
        await pilot.press(*"x", "enter")
        await ui(pilot, lambda: "must start with http" in seen(app))
        # What the test's own network allows, taken for another machine.
        monkeypatch.setattr("statsig_tui.engine.connecting.is_local", lambda url: False)
        app.screen.query_one(Input).value = mine.url
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("n")
        await ui(pilot, lambda: "Kept, and not tried" in seen(app))
        assert mine.requests == []
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await ui(pilot, lambda: "✓ arrived, and the answer came back" in seen(app))
        for words in ("as c1 at /x", "+ x-by: tunnel", f"paste {mine.url} as the Webhook URL"):
            assert words in seen(app)
        assert app.config.receiver.public_url == mine.url
        await pilot.press("escape")
        await ui(
            pilot,
            lambda: "url_verification" in seen(app) and f"⇄ {mine.url.split('/')[2]}" in seen(app),
        )
        await pilot.press("T")
        await ui(pilot, lambda: isinstance(app.screen, TunnelDialog))
        await pilot.press("ctrl+u", "enter")
        await ui(pilot, lambda: "No tunnel is known" in seen(app))
        assert app.config.receiver.public_url is None
