"""One dialog leads to everything that has a name or an id, from any screen, by keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import pytest

from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.screens.destinations import DestinationsScreen
from statsig_tui.tui.screens.jump import JumpDialog
from statsig_tui.tui.screens.live import LiveScreen
from statsig_tui.tui.widgets.row_list import RowList
from tests.ui.conftest import draft_of

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_names_and_ids_lead_to_what_they_name(
    later_app: StatsigApp, ui: Until, seen: Text, size: tuple[int, int]
) -> None:
    app = later_app
    async with app.run_test(size=size, notifications=True) as pilot:
        said = partial(ui, pilot)
        await said(lambda: app.bridge.engine is not None and "local" in seen(app))

        async def jump(text: str) -> None:
            await pilot.press("ctrl+o")
            await said(lambda: isinstance(app.screen, JumpDialog))
            await pilot.press(*text, "enter")
            await said(lambda: not isinstance(app.screen, JumpDialog))

        await pilot.press("ctrl+j")
        engine = app.bridge.engine
        assert engine is not None
        await said(lambda: len(engine.archive.capture_ids()) == 1)
        base = engine.addresses.receiver
        for name in ("second", "third"):
            httpx.post(f"{base}/hook", json={"data": [{"eventName": name, "userID": "u"}]})

        # An id, of a screen that was not shown yet: the capture with its detail, and held there.
        await jump("c1")
        await said(lambda: isinstance(app.screen, LiveScreen))
        captures = app.screen.query_one("#captures", RowList)
        await said(lambda: captures.cursor == (1, None) and not captures.follow)
        await said(lambda: "checkout_completed" in seen(app) and "userID" in seen(app))
        httpx.post(f"{base}/hook", json={"data": []})
        await said(lambda: captures.held_count > 0)
        assert captures.cursor == (1, None)

        # One that is hidden is shown.
        await pilot.press("z")
        await jump("#2")
        await said(lambda: captures.cursor == (2, None) and "hidden." in seen(app))

        # A delivery is among the attempts of its destination; an event leads to where it went.
        await jump("d1")
        await said(lambda: isinstance(app.screen, DestinationsScreen) and "d1" in seen(app))
        await said(lambda: app.screen.query_one("#deliveries", RowList).cursor == (-1, None))
        assert app.focused is app.screen.query_one("#deliveries")
        await jump("e1")
        await said(lambda: isinstance(app.screen, LiveScreen) and captures.cursor == (1, None))

        # Screens, destinations, templates and what was sent go by their names.
        await jump("dest")
        await said(lambda: isinstance(app.screen, DestinationsScreen))
        await jump("compose")
        await said(lambda: isinstance(app.screen, ComposeScreen))
        await jump("template gate exposure")
        await said(lambda: "gate_exposure" in draft_of(app).text)
        await jump("s1")
        await said(lambda: "Leave this event?" in seen(app) or '"user-1042"' in draft_of(app).text)

        # What leads nowhere is said, and stays to be mended; escape leaves all as it was.
        await pilot.press("f7")
        await pilot.press("ctrl+o", *"c999", "enter")
        await said(lambda: "Nothing has this id." in seen(app))
        assert isinstance(app.screen, JumpDialog)
        await pilot.press("escape")
        await said(lambda: isinstance(app.screen, DestinationsScreen))


async def test_a_capture_that_is_forgotten_meanwhile_takes_no_filter_off(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None and isinstance(app.screen, LiveScreen))
        engine, screen = app.bridge.engine, app.screen
        assert engine is not None
        assert isinstance(screen, LiveScreen)
        for name in ("first", "second", "second"):
            httpx.post(
                f"{engine.addresses.receiver}/hook", json={"data": [{"eventName": name, "userID": "u"}]}
            )
        captures = screen.query_one("#captures", RowList)
        await ui(pilot, lambda: len(captures.rows) == 3)
        gone = engine.archive.captures([1])[0]
        await pilot.press("f", *"event:second", "enter")
        await ui(pilot, lambda: len(captures.rows) == 2 and screen.filtered_by == "event:second")
        screen.forget_before(2)
        await screen.reveal(gone)
        await ui(pilot, lambda: "#1 was forgotten" in seen(app))
        assert screen.filtered_by == "event:second"
        # What comes next is one to look for no longer.
        httpx.post(
            f"{engine.addresses.receiver}/hook", json={"data": [{"eventName": "third", "userID": "u"}]}
        )
        await ui(pilot, lambda: "2 of 3" in seen(app))
        assert screen.filtered_by == "event:second"
