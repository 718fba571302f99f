"""Replaying from Live by keys and mouse: what goes out, where it is asked, and what is said in place."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button, Input, TabbedContent

from statsig_tui.core.config import Config, Destination
from statsig_tui.core.records import CaptureDetail, DeliveryState
from statsig_tui.engine.archive import Archive
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.live import LiveScreen
from statsig_tui.tui.screens.replay import ReplayDialog
from statsig_tui.tui.screens.series import HostDialog
from statsig_tui.tui.widgets.fields import Tick
from statsig_tui.tui.widgets.replay_line import ReplayLine
from statsig_tui.tui.widgets.row_list import RowList
from tests.ui.conftest import app_over

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
TWO = {"data": [{"eventName": "first", "timeUUID": "one"}, {"eventName": "second", "timeUUID": "two"}]}


def archive_of(app: StatsigApp) -> Archive:
    assert app.bridge.engine is not None
    return app.bridge.engine.archive


def capture(app: StatsigApp, number: int) -> CaptureDetail:
    found = archive_of(app).capture(number)
    assert found is not None
    return found


def signed(detail: CaptureDetail) -> list[tuple[str, str]]:
    return sorted(pair for pair in detail.headers if pair[0].startswith("x-statsig-"))


async def live(app: StatsigApp, pilot: Pilot[int], ui: Until) -> RowList:
    """Live, with nothing in it yet."""
    await pilot.press("f8")
    await ui(pilot, lambda: app.bridge.engine is not None and isinstance(app.screen, LiveScreen))
    return app.screen.query_one("#captures", RowList)


async def post(app: StatsigApp, pilot: Pilot[int], ui: Until, body: object = TWO) -> None:
    """One more capture, under the cursor."""
    assert app.bridge.engine is not None
    count = archive_of(app).counters().captures
    httpx.post(f"{app.bridge.engine.addresses.receiver}/hook", json=body)
    rows = app.screen.query_one("#captures", RowList)
    await ui(pilot, lambda: rows.cursor is not None and rows.cursor[0] == count + 1)


async def test_r_sends_it_as_received_to_where_it_came_from_and_says_what_became_of_it(
    app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        rows = await live(app, pilot, ui)
        await ui(pilot, lambda: rows.cursor == (1, None))
        await pilot.press("r")
        await ui(pilot, lambda: archive_of(app).counters().captures == 2)
        assert capture(app, 1).body == capture(app, 2).body
        assert signed(capture(app, 1)) == signed(capture(app, 2))
        await ui(pilot, lambda: "#1 as received to receiver:  1 delivered" in seen(app))
        # Enter on the row that was replayed opens its trace.
        await pilot.press("g", "enter")
        await ui(pilot, lambda: "replayed received" in seen(app))
        assert app.screen.query_one("#detail-tabs", TabbedContent).active == "trace"
        await pilot.press("escape", "escape")
        await ui(pilot, lambda: "1 delivered" not in seen(app))


async def test_the_form_is_filled_by_keys_and_its_choice_is_repeated(
    app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        rows = await live(app, pilot, ui)
        await ui(pilot, lambda: rows.cursor == (1, None))
        await pilot.press("R")
        await ui(pilot, lambda: isinstance(app.screen, ReplayDialog) and "1 request." in seen(app))
        assert app.screen.query_one("#yes", Button).region.bottom <= 23
        # In one breath, as keys come that are typed ahead.
        for key in ("right", "tab", "tab", "tab", "end", "backspace", "2", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await ui(pilot, lambda: archive_of(app).counters().captures == 3)
        assert signed(capture(app, 1)) != signed(capture(app, 2))
        assert capture(app, 3).record.signature == "valid"
        await ui(pilot, lambda: "#1 re-signed to receiver ×2:  2 delivered" in seen(app))
        await pilot.press("G", "r")
        await ui(pilot, lambda: archive_of(app).counters().captures == 5)
        await ui(pilot, lambda: "#3 re-signed to receiver ×2:" in seen(app))


async def test_one_event_goes_through_the_filters_and_not_as_received(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        rows = await live(app, pilot, ui)
        await post(app, pilot, ui)
        await pilot.press("right", "down", "down")
        assert rows.cursor == (1, 1)
        await pilot.press("r")
        await ui(pilot, lambda: "One event of a batch cannot go as received" in seen(app))
        await pilot.press("R")
        await ui(
            pilot, lambda: "event 1 of #1" in seen(app) and app.screen.query_one("#yes", Button).disabled
        )
        await pilot.press("right", "right")
        await ui(pilot, lambda: "1 capture." in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: "1 delivered" in seen(app))
        (event,) = json.loads(capture(app, 2).body)["data"]
        assert (event["eventName"], event["timeUUID"]) == ("second", "two")


async def test_marked_ones_go_to_a_typed_url_and_each_outcome_is_counted(
    later_app: StatsigApp, ui: Until, seen: Text, endpoint: StartEndpoint, say: Callable[..., Answer]
) -> None:
    app, away = later_app, await endpoint(say(200, 503))
    async with app.run_test(size=(120, 36)) as pilot:
        rows = await live(app, pilot, ui)
        for name in ("one", "two", "three"):
            await post(app, pilot, ui, {"data": [{"eventName": name}]})
        await pilot.press("m", "k", "m", "R")
        await ui(pilot, lambda: isinstance(app.screen, ReplayDialog) and "2 marked" in seen(app))
        dialog = app.screen
        for tick in dialog.query(Tick):
            await pilot.click(tick)
        await ui(pilot, lambda: "Nothing was chosen" in seen(app))
        await pilot.press("shift+tab", "shift+tab", "right")
        dialog.query_one("#replay-url", Input).focus()
        await pilot.press(*"ftp:")
        await ui(pilot, lambda: "http:// or https://" in seen(app))
        dialog.query_one("#replay-url", Input).value = away.url
        await ui(pilot, lambda: "2 requests." in seen(app))
        await pilot.click("#yes")
        await ui(pilot, lambda: "1 delivered, 1 failed 503" in seen(app))
        assert [json.loads(got.body)["data"][0]["eventName"] for got in away.requests] == ["two", "three"]
        assert archive_of(app).deliveries(away.url, 1)[0].state is DeliveryState.FAILED
        await pilot.click(ReplayLine)
        await ui(pilot, lambda: app.screen.query_one("#detail-tabs", TabbedContent).active == "trace")
        assert rows.cursor == (2, None)


async def test_what_leaves_this_machine_is_asked_for(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    far = Destination("far", "http://far.example/hook", enabled=False)
    app = app_over(tmp_path, replace(config, destinations=(*config.destinations, far)))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        rows = await live(app, pilot, ui)
        await ui(pilot, lambda: rows.cursor == (1, None))
        await pilot.press("R")
        await ui(pilot, lambda: "REMOTE  off" in seen(app))
        app.screen.query_one("#replay-url", Input).value = "http://other.example/hook"
        await ui(pilot, lambda: "2 requests. REMOTE." in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog) and "other.example" in seen(app))
        await pilot.press("n")
        await ui(pilot, lambda: "Not sent." in seen(app))
        assert len(archive_of(app).deliveries("receiver", 9)) == 1
        await pilot.press("R")
        await ui(pilot, lambda: isinstance(app.screen, ReplayDialog))
        app.screen.query_one("#replay-url", Input).value = ""
        app.screen.query_one("#replay-times", Input).value = "11"
        await pilot.click(list(app.screen.query(Tick))[1])
        await ui(pilot, lambda: "22 requests. REMOTE. It waits: far is off." in seen(app))
        await pilot.click("#yes")
        await ui(pilot, lambda: isinstance(app.screen, HostDialog) and "11 requests" in seen(app))
        await pilot.press(*"far.example", "enter")
        await ui(pilot, lambda: "11 delivered, 11 waiting" in seen(app))
        # What waits is given up when it is stopped.
        await pilot.press("escape")
        await ui(pilot, lambda: "cancelled" in seen(app) and "waiting" not in seen(app))
        states = {item.state for item in archive_of(app).deliveries("far", 20)}
        assert states == {DeliveryState.CANCELLED}
