"""Send Test Event, past the filter or through it, and what the filters said to it: the matrix."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial

from textual.widgets import OptionList

from statsig_tui.engine.engine import Engine
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.matrix import MatrixScreen
from statsig_tui.tui.screens.send_test import SendTestDialog
from statsig_tui.tui.widgets.destination_list import DestinationList
from statsig_tui.tui.widgets.destination_panes import SIGNING, DestinationPanes

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


async def test_a_template_is_sent_and_the_filter_asked_if_wanted(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await pilot.press("f7")
        await ui(pilot, lambda: bool(app.screen.query(DestinationList)))
        for keys, said in (
            (("t",), "Test event queued for receiver, past the filter"),
            (("t", "f", "down"), "Test event queued for receiver, through the filter"),
        ):
            await ui(pilot, lambda: app.screen.query_one(DestinationList).has_focus)
            await pilot.press(keys[0])
            await ui(pilot, lambda: isinstance(app.screen, SendTestDialog))
            await ui(pilot, lambda: app.screen.query_one(OptionList).has_focus)
            await pilot.press(*keys[1:], "enter")
            await ui(pilot, lambda said=said: said in seen(app))
        engine = app.bridge.engine
        assert engine is not None
        await ui(pilot, lambda: engine.archive.counters().captured_events == 2)
        captured = engine.archive.since(0, 10)
        assert all(record.status == 200 for record in captured)
        await pilot.press("v")
        await ui(pilot, lambda: isinstance(app.screen, MatrixScreen))
        await pilot.press("right")
        await ui(pilot, lambda: "newest: new event included" in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: app.screen.query_one(DestinationList).has_focus)
        panes = app.screen.query_one(DestinationPanes)
        await panes.open(SIGNING)
        app.screen.query_one("#self-test").focus()
        await pilot.press("enter")
        # Our receiver reports bad signatures unless it is told to refuse them.
        await ui(pilot, lambda: "2 of 8 passed" in seen(app))
        assert "it does not check the signature: anybody can post" in seen(app)


async def test_any_event_that_was_seen_is_found_and_sent(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        engine = app.bridge.engine
        assert engine is not None
        target = engine.targets()[0]
        # More than are listed at first, and a class that the filter's table does not have.
        names = [f"event_{number}" for number in range(40)]
        for name in ("statsig::gate_exposure", *names):
            body = json.dumps({"user": {"userID": "u"}, "event": name, "metadata": {}}).encode()
            await app.bridge.do(partial(Engine.send, target=target, body=body))
        await pilot.press("f7")
        await ui(pilot, lambda: bool(app.screen.query(DestinationList)))
        await ui(pilot, lambda: app.screen.query_one(DestinationList).has_focus)
        await pilot.press("t")
        await ui(pilot, lambda: isinstance(app.screen, SendTestDialog))
        await ui(pilot, lambda: app.screen.query_one(OptionList).has_focus)
        assert "event_39" in seen(app)
        await pilot.press("slash", *"nothing like it")
        await ui(pilot, lambda: "Nothing fits." in seen(app))
        await pilot.press("escape", *"gate_exp", "enter", "f", "enter")
        await ui(pilot, lambda: engine.archive.counters().captured_events == 42)
        newest = engine.archive.matrix()[0]
        assert (newest.name, newest.events) == ("statsig::gate_exposure", 2)
        assert newest.clause == "exposures on", "its filter was asked"
