"""The Events tab: a batch taken apart, one event after the other."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
from textual.widgets import TabbedContent

from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.events_table import EventsTable
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.row_list import RowList

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


def post(app: StatsigApp, body: object, **headers: str) -> None:
    assert app.bridge.engine is not None
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert httpx.post(
        f"{app.bridge.engine.addresses.receiver}/hook",
        content=content,
        headers={"Content-Type": "application/json"} | headers,
        timeout=30,
    ).is_success


def batch(count: int) -> dict[str, object]:
    return {
        "data": [
            {
                "eventName": f"name-{place}",
                "user": {"userID": f"user-{place}"},
                "value": f"{place}.5",
                "timestamp": 1_767_225_600_000 + place,
            }
            for place in range(count)
        ]
    }


async def test_ten_thousand_events_are_listed_and_one_opens_its_tree(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(200, 40)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, batch(10_000))
        await ui(pilot, lambda: "+9,99" in seen(app))
        await pilot.press("[")
        await ui(pilot, lambda: "name-0 " in seen(app) and "user-0" in seen(app) and "0.5" in seen(app))
        await pilot.press("enter", "G")
        await ui(pilot, lambda: "9,999  name-9999" in seen(app) and "9999.5" in seen(app))
        assert "HELD" in seen(app), "what is read is not taken away by the next capture"
        await pilot.press("enter")
        await ui(pilot, lambda: "event 9999" in seen(app) and '"9999.5"' in seen(app))
        assert app.screen.query_one(JsonView).has_focus
        post(app, batch(1))
        await ui(pilot, lambda: "HELD +1" in seen(app))
        assert "event 9999" in seen(app)

        # Back to the table, on the same event, and from there to the list.
        await pilot.press("escape")
        await ui(pilot, lambda: app.screen.query_one(EventsTable).has_focus and "event 9999" not in seen(app))
        assert app.screen.query_one(EventsTable).cursor == (9999, None)
        await pilot.press("escape")
        await ui(pilot, lambda: app.screen.query_one("#captures", RowList).has_focus)
        await pilot.press("G")
        await ui(
            pilot, lambda: "FOLLOW" in seen(app) and app.screen.query_one(EventsTable).cursor == (0, None)
        )


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_the_events_of_a_packed_batch_are_there_as_those_of_any_other(
    later_app: StatsigApp, ui: Until, seen: Text, encoding: str
) -> None:
    app = later_app
    raw = json.dumps(batch(2)).encode()
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, gzip.compress(raw) if encoding == "gzip" else raw, **{"Content-Encoding": encoding})
        await ui(pilot, lambda: '"name-1"' in seen(app))
        await pilot.press("right", "right", "down")
        await ui(pilot, lambda: "event 1" in seen(app) and '"1.5"' in seen(app))
        assert '"name-0"' not in seen(app)


async def test_a_packed_body_says_so_and_hex_shows_what_was_received(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    packed = gzip.compress(json.dumps(batch(1)).encode(), mtime=0)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, packed, **{"Content-Encoding": "gzip"})
        await ui(pilot, lambda: f"gzip, {len(packed)} bytes received; shown unpacked" in seen(app))
        assert '"name-0"' in seen(app)
        await pilot.press("enter", "h")
        await ui(pilot, lambda: "00000000  1f 8b 08 00" in seen(app))
        # A text is looked for where there is text.
        await pilot.press("slash", *"name-0")
        await ui(pilot, lambda: "1 of 1" in seen(app) and '"name-0"' in seen(app))
        post(app, batch(1))
        await pilot.press("escape", "escape", "G")
        await ui(pilot, lambda: "gzip" not in seen(app))
        assert app.bridge.engine is not None
        url = f"{app.bridge.engine.addresses.receiver}/hook"
        assert httpx.post(url, content=b"{", headers={"Content-Encoding": "gzip"}).status_code == 415
        await ui(pilot, lambda: "gzip: not to be unpacked here, shown as received" in seen(app))


async def test_a_text_is_found_in_the_body_wherever_it_is_folded_away(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    metadata = {"note": "a NEEDLE here", "deep": {"er": {"x": 1, "list": ["hay", "needle, too"]}}}
    async with app.run_test(size=(200, 40)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(
            app, {"data": [{"eventName": f"hay-{place}"} for place in range(300)] + [{"metadata": metadata}]}
        )
        view = app.screen.query_one(JsonView)
        await ui(pilot, lambda: '"hay-0"' in seen(app))
        await pilot.press("enter", "slash", *"needle")
        await ui(pilot, lambda: "1 of 2" in seen(app) and "a NEEDLE here" in seen(app))
        assert view.path_at_cursor() == "data[300].metadata.note"
        await pilot.press("enter")
        await ui(pilot, lambda: "2 of 2" in seen(app))
        assert view.path_at_cursor() == "data[300].metadata.deep.er.list[1]"
        await pilot.press("escape")
        await ui(pilot, lambda: view.has_focus and "2 of 2" not in seen(app))
        await pilot.press("n")
        assert view.path_at_cursor() == "data[300].metadata.note", "around the end"
        await pilot.press("N", "w")
        await ui(pilot, lambda: "needle, too" in seen(app))
        await pilot.press("slash", *"nowhere")
        await ui(pilot, lambda: "not there" in seen(app))


async def test_a_verification_can_be_opened_too_and_what_is_no_batch_has_no_events(
    later_app: StatsigApp, ui: Until, seen: Text, data: Callable[[str], bytes]
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, data("url-verification.json"))
        await ui(pilot, lambda: "verification_code" in seen(app))
        await pilot.press("right", "right")
        await ui(pilot, lambda: "event 0" in seen(app) and "verification_code" in seen(app))
        await pilot.press("left", "left", "G")
        app.screen.query_one(TabbedContent).active = "events"
        await ui(pilot, lambda: "0  url_verification" in seen(app))
        assert app.bridge.engine is not None
        httpx.get(f"{app.bridge.engine.addresses.receiver}/nothing")
        await ui(pilot, lambda: "No events." in seen(app))


async def test_a_value_of_a_hostile_event_is_only_text(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    event = {"eventName": "[/x] \x1b[2J", "value": "[@click=app.quit]q[/]\x07", "timestamp": 10**17}
    async with app.run_test(size=(240, 40)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        app.screen.query_one(TabbedContent).active = "events"
        post(app, {"data": [event, {"eventName": "", "value": {"a": [1]}}]})
        await ui(pilot, lambda: "[/x] ␛[2J" in seen(app) and "[@click=app." in seen(app))
        assert "(no name)" in seen(app)
