"""The form of a config change: what is filled in arrives in Statsig's shape, what is given up does not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.widgets import Input

from statsig_tui.core import drift
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.changing import ConfigChangeDialog
from statsig_tui.tui.widgets.destination_list import DestinationList

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


async def in_form(app: StatsigApp, pilot: Any, ui: Until) -> None:
    await pilot.press("f7")
    await ui(pilot, lambda: app.bridge.engine is not None)
    await ui(
        pilot, lambda: app.screen.query(DestinationList) and app.screen.query_one(DestinationList).has_focus
    )
    await pilot.press("C")
    await ui(pilot, lambda: isinstance(app.screen, ConfigChangeDialog) and isinstance(app.focused, Input))


def stored(app: StatsigApp) -> int:
    assert app.bridge.engine is not None
    return app.bridge.engine.archive.counters().captures


async def test_what_is_filled_in_arrives_as_the_console_sends_it(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await in_form(app, pilot, ui)
        assert app.screen.query_one("#yes").region.bottom <= 23, "all of it is in reach"
        await pilot.press("ctrl+u", *'gate [/x] "1"', "shift+tab", "right", "tab", "tab", "right")
        await pilot.press("tab", "ctrl+u", *r"- Rule\n    - 10", "enter")
        await ui(pilot, lambda: "Forwarded to receiver." in seen(app))
        assert "answered 202" in seen(app)
        await ui(pilot, lambda: stored(app) == 1)
        assert app.bridge.engine is not None
        detail = app.bridge.engine.archive.capture(1)
        assert detail is not None
        (event,) = json.loads(detail.body)["data"]
        assert set(event) == {"user", "timestamp", "eventName", "metadata"}
        assert event["user"] == {"name": "Console User", "email": "console@example.com"}
        assert event["eventName"] == "statsig::config_change"
        wanted = {
            "type": "Experiment", "name": 'gate [/x] "1"', "action": "deleted",
            "description": "- Rule\n    - 10", "environments": "development,staging,production",
        }  # fmt: skip
        assert {name: event["metadata"][name] for name in wanted} == wanted
        assert drift.of_body(detail.body, is_event=False) == (), (
            "nothing of it is new to Statsig's documentation"
        )

        # What was filled in is offered again; without a name nothing is sent.
        await in_form(app, pilot, ui)
        assert app.screen.query_one("#change-name", Input).value == 'gate [/x] "1"'
        await pilot.press("ctrl+u", "enter")
        await ui(pilot, lambda: "enter one" in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: not isinstance(app.screen, ConfigChangeDialog))
        assert stored(app) == 1


async def test_an_enter_in_the_same_breath_as_esc_sends_nothing(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await in_form(app, pilot, ui)
        for key in ("escape", "enter"):
            app.post_message(events.Key(key, None))
        await ui(pilot, lambda: not isinstance(app.screen, ConfigChangeDialog))
        # It went to the list instead. What was sent before would be before the next one.
        await ui(pilot, lambda: app.focused is not None and not isinstance(app.focused, DestinationList))
        await pilot.press("escape")
        await in_form(app, pilot, ui)
        await pilot.press("ctrl+u", *"wanted", "enter")
        await ui(pilot, lambda: "wanted updated: answered 202" in seen(app))
        assert app.bridge.engine is not None
        assert len(app.bridge.engine.archive.sent(5)) == 1
