"""What holds on every screen: the keys of the screens, and an end at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.dialogs import NewDestination
from statsig_tui.tui.widgets.destination_list import DestinationList

Until = Callable[..., Awaitable[None]]
SCREENS = {"f6": "compose", "f7": "destinations", "f8": "live"}


async def to(app: StatsigApp, pilot: Pilot[int], ui: Until, key: str) -> None:
    """Show a screen."""
    await pilot.press(key)
    await ui(pilot, lambda: app.current_mode == SCREENS[key])


async def test_the_keys_of_screens_and_help_act_wherever_the_focus_is(app: StatsigApp, ui: Until) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        tried = 0
        for key in SCREENS:
            await to(app, pilot, ui, key)
            for widget in app.screen.query("*"):
                if widget.can_focus:
                    app.screen.set_focus(widget)
                    acting = app.screen.active_bindings
                    actions = {name: acting[name].binding.action for name in (*SCREENS, "f1")}
                    assert actions == {f: f"mode('{mode}')" for f, mode in SCREENS.items()} | {"f1": "help"}
                    tried += 1
        assert tried > 30


async def test_a_dialog_is_answered_before_another_screen_is_shown(app: StatsigApp, ui: Until) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await to(app, pilot, ui, "f7")
        await pilot.press("ctrl+n")
        await ui(pilot, lambda: isinstance(app.screen, NewDestination))
        headers = app.screen.query_one("#own-headers", TextArea)
        headers.focus()
        await pilot.press("a", *SCREENS, "f1", "b")
        assert isinstance(app.screen, NewDestination)
        assert app.current_mode == "destinations"
        assert headers.text == "ab", "what was typed is not selected and overwritten"
        await pilot.press("escape", "f8")
        await ui(pilot, lambda: app.current_mode == "live")


async def test_an_end_while_the_store_is_being_read_is_no_crash(
    app: StatsigApp, ui: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await to(app, pilot, ui, "f7")
        found = app.screen.query_one(DestinationList)
        ask = app.bridge.ask

        async def late(question: Callable[[Any], Any]) -> Any:
            """Answer when the widgets are gone, as a slow disk may."""
            asked.set()
            while found.is_attached:
                await asyncio.sleep(0)
            return await ask(question)

        monkeypatch.setattr(app.bridge, "ask", late)
        app.pull_soon()
        await asked.wait()
    assert app.return_code in (None, 0)
