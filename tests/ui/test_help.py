"""The help says the keys that really act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from statsig_tui.core.config import Config, Interface
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.help import HelpScreen
from tests.ui.conftest import app_over

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]

MOVED = {
    "app.compose": "f11,1",
    "app.palette": "ctrl+y",
    "compose.send": "ctrl+e",
    "compose.save": "ctrl+w",
    "destinations.toggle": "o",
    "destinations.details": "i",
    "destinations.new": "f9",
    "live.probe": "b",
}
KEYS = {"live.mark": "b", "body.raw": "ctrl+w", "list.up": "i", "live.copy": "r"}


async def test_remapped_keys_are_in_the_help_and_clashes_are_said(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    app: StatsigApp = app_over(tmp_path, replace(config, interface=Interface(keys=KEYS)))
    async with app.run_test(size=(140, 130), notifications=True) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await ui(pilot, lambda: "live.replay and live.copy are both on r" in seen(app))
        await pilot.press("f8", "f1")
        await ui(pilot, lambda: isinstance(app.screen, HelpScreen) and "In bodies" in seen(app))
        lines = [" ".join(line.strip(" │╭╮").split()) for line in seen(app).splitlines()]
        assert any("b Mark the capture under the cursor" in line for line in lines)
        assert any("ctrl+w Raw" in line for line in lines)
        assert not any("w Raw" in line and "ctrl+w Raw" not in line for line in lines)
        assert any("i Up" in line for line in lines)


async def test_remapped_keys_are_in_every_text_that_names_one(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    off = replace(config.destinations[0], enabled=False)
    moved = replace(config, destinations=(off,), interface=Interface(keys=MOVED))
    app: StatsigApp = app_over(tmp_path, moved)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None and "Send  ^e" in seen(app))
        assert "^w saves" in seen(app)
        await pilot.press("f8")
        await ui(pilot, lambda: "Press f11, then ctrl+e: " in seen(app))
        assert "here; b probes every hop" in seen(app)
        await pilot.press("f7")
        await ui(pilot, lambda: "o in the list turns it on" in seen(app))
        await pilot.press("f")
        await ui(pilot, lambda: "View Detailed Options  i" in seen(app))
        await pilot.press("escape", "delete")
        await ui(pilot, lambda: "f9 adds a destination; u in the list" in seen(app))
