"""Live, driven by keys against a real engine on real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest
from textual.widgets import Input, TabbedContent

from statsig_tui.core.config import Config
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.row_list import RowList

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
HOSTILE = "evil \x1b]0;title\x07 [/x] [@click=app.quit]q[/]"


def post(app: StatsigApp, body: object) -> httpx.Response:
    assert app.bridge.engine is not None
    return httpx.post(f"{app.bridge.engine.addresses.receiver}/hook", json=body)


async def test_the_demo_of_the_first_run_is_on_the_list(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "DEMO_checkout_completed" in seen(app))
        assert "✓ 200" in seen(app)
        assert app.bridge.engine is not None
        assert app.bridge.engine.archive.counters().captures == 1


async def test_an_empty_list_says_what_to_press_and_gives_a_curl_line(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with later_app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "curl -H" in seen(later_app))
        assert "ctrl+j" in seen(later_app)


async def test_foreign_text_is_shown_as_it_is_spelled(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    async with later_app.run_test(size=(200, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        post(later_app, {"data": [{"eventName": HOSTILE, "user": {"userID": "u"}}]})
        await ui(pilot, lambda: "evil ␛]0;title␇ [/x] [@click=app.quit]q[/]" in seen(later_app))


async def test_moving_up_holds_and_g_follows_again(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    async with later_app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        rows = later_app.screen.query_one("#captures", RowList)
        for name in ("one", "two"):
            post(later_app, {"data": [{"eventName": name}]})
        await ui(pilot, lambda: rows.cursor is not None and rows.cursor[0] == 2)
        await pilot.press("k")
        post(later_app, {"data": [{"eventName": "three"}]})
        await ui(pilot, lambda: "HELD +1" in seen(later_app))
        assert rows.cursor == (1, None)
        await pilot.press("G")
        await ui(pilot, lambda: "FOLLOW" in seen(later_app))
        assert rows.cursor == (3, None)


async def test_a_row_unfolds_into_its_events_and_each_can_be_looked_at(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with later_app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        post(later_app, {"data": [{"eventName": "first"}, {"eventName": "second", "value": "7"}]})
        await ui(pilot, lambda: "first, second" in seen(later_app))
        await pilot.press("right", "right", "down")
        await ui(pilot, lambda: "event 1" in seen(later_app) and '"7"' in seen(later_app))
        assert '"first"' not in seen(later_app)


@pytest.mark.parametrize(
    ("tab", "expected"),
    [
        ("headers", "POST /hook HTTP/1.1"),
        ("signature", "missing"),
        ("answer", '"stored":1'),
        ("trace", "captured c1"),
    ],
)
async def test_the_tab_stays_while_stepping_through_rows(
    later_app: StatsigApp, ui: Until, seen: Text, tab: str, expected: str
) -> None:
    async with later_app.run_test(size=(160, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        post(later_app, {"data": [{"eventName": "a"}]})
        post(later_app, {"data": [{"eventName": "b"}]})
        rows = later_app.screen.query_one("#captures", RowList)
        await ui(pilot, lambda: rows.cursor is not None and rows.cursor[0] == 2)
        tabs = later_app.screen.query_one(TabbedContent)
        tabs.active = tab
        await pilot.press("k")
        await ui(pilot, lambda: "#1" in seen(later_app) and expected in seen(later_app))
        assert tabs.active == tab


async def test_a_flood_is_counted_to_the_last_capture_while_keys_are_obeyed(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    """Promise 15: what was acknowledged was stored, and is shown."""
    batch = {"data": [{"eventName": "flood"}] * 20}
    async with later_app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        assert later_app.bridge.engine is not None
        base = f"{later_app.bridge.engine.addresses.receiver}/"

        async def send(client: httpx.AsyncClient) -> None:
            for _ in range(150):
                assert (await client.post(base, json=batch)).status_code == 200

        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            sending = asyncio.gather(*(send(client) for _ in range(4)))
            rows = later_app.screen.query_one("#captures", RowList)
            # Up from the only row is nowhere, and holds nothing.
            await ui(pilot, lambda: rows.cursor is not None and rows.cursor[0] > 1)
            await pilot.press("k")
            await ui(pilot, lambda: "FOLLOW" not in seen(later_app))
            await pilot.press("G")
            await ui(pilot, lambda: "FOLLOW" in seen(later_app))
            await sending
        await ui(pilot, lambda: "Live  600" in seen(later_app))
        counters = later_app.bridge.engine.archive.counters()
        assert (counters.captures, counters.captured_events) == (600, 12_000)


async def test_an_acknowledgement_waits_for_no_screen(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    """Promise 15: batches are taken while the screen's loop is stuck, and shown when it is not any more."""
    async with later_app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        for _ in range(20):
            # Nothing on the screen goes on until the answer is there.
            assert post(later_app, {"data": [{"eventName": "e"}]}).status_code == 200
        assert "Live  20" not in seen(later_app)
        await ui(pilot, lambda: "Live  20" in seen(later_app))


async def test_the_signature_tab_names_the_mistake_and_its_mend(
    later_app: StatsigApp, config: Config, ui: Until, seen: Text
) -> None:
    async with later_app.run_test(size=(220, 40)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        engine = later_app.bridge.engine
        assert engine is not None
        (secret,) = config.signing_secrets()
        now = str(time.time_ns() // 1_000_000)
        body = b'{"data": [{"eventName": "a"}]}'
        good = sign(secret, now, body)
        for signature in (good, sign(secret + "\n", now, body)):
            httpx.post(
                f"{engine.addresses.receiver}/hook",
                content=body,
                headers={
                    "Content-Type": "application/json",
                    TIMESTAMP_HEADER: now,
                    SIGNATURE_HEADER: signature,
                },
            )
        rows = later_app.screen.query_one("#captures", RowList)
        await ui(pilot, lambda: rows.cursor is not None and rows.cursor[0] == 2)
        later_app.screen.query_one(TabbedContent).active = "signature"
        await ui(pilot, lambda: "with a newline at its end." in seen(later_app))
        await ui(pilot, lambda: "Strip it where it is read." in seen(later_app) and good in seen(later_app))
        assert secret not in seen(later_app)
        await pilot.press("k")
        await ui(pilot, lambda: "✓ matches" in seen(later_app))
        assert "Mend" not in seen(later_app)


async def test_brackets_turn_the_tabs_from_the_list_and_from_inside(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with later_app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        post(later_app, {"data": [{"eventName": "a"}]})
        await ui(pilot, lambda: '"a"' in seen(later_app))
        await pilot.press("]")
        await ui(pilot, lambda: "POST /hook HTTP/1.1" in seen(later_app))
        assert later_app.screen.query_one("#captures", RowList).has_focus
        await pilot.press("enter", "[")
        await ui(pilot, lambda: later_app.screen.query_one(JsonView).has_focus)
        await pilot.press("[", "[")
        await ui(pilot, lambda: later_app.screen.query_one("#note").has_focus)
        await pilot.press("escape", "[")
        await ui(pilot, lambda: "captured c1" in seen(later_app))
        await pilot.press("escape")
        await ui(pilot, lambda: later_app.screen.query_one("#captures", RowList).has_focus)


async def test_the_net_below_every_widget_is_the_same_in_every_frame(later_app: StatsigApp) -> None:
    """Textual keeps filtered lines under their filter: another net a frame, and all is drawn anew."""
    async with later_app.run_test(size=(120, 36)):
        assert later_app.get_line_filters() == later_app.get_line_filters()


async def test_a_response_program_is_chosen_by_key_typed_with_its_error_and_shown_beside_what_it_answered(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with later_app.run_test(size=(140, 36), notifications=True) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: later_app.bridge.engine is not None)
        await pilot.press("P")
        await ui(pilot, lambda: "fail twice, then recover" in seen(later_app))
        await pilot.press("down", "down", "tab")
        await ui(pilot, lambda: later_app.screen.query_one(Input).has_focus)
        line = later_app.screen.query_one(Input)
        await ui(pilot, lambda: line.value == "500 x2 then 200")
        line.value = "418 x2 hten cut"
        await pilot.press("enter")
        await ui(pilot, lambda: '"hten" means nothing here: did you mean then?' in seen(later_app))
        await ui(pilot, lambda: line.cursor_position == len("418 x2 "))
        line.value = "418 x1 then cut"
        await pilot.press("enter")
        await ui(pilot, lambda: "answers 418 x1 then cut" in seen(later_app))
        await ui(pilot, lambda: "From now on: 418 x1 then cut." in seen(later_app))
        assert post(later_app, {"data": [{"eventName": "a"}]}).status_code == 418
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            post(later_app, {"data": [{"eventName": "b"}]})
        await ui(pilot, lambda: "a  by program: 418 x1" in seen(later_app))
        await ui(pilot, lambda: "✗ none" in seen(later_app) and "b  by program: cut" in seen(later_app))
        assert later_app.config.receiver.respond == "418 x1 then cut"
        await pilot.press("P")
        await ui(pilot, lambda: "runs now" in seen(later_app))
        await pilot.press("down", "enter")
        await ui(pilot, lambda: "From now on: as usual." in seen(later_app))
        await ui(pilot, lambda: "answers 418" not in seen(later_app))
        assert post(later_app, {"data": [{"eventName": "c"}]}).status_code == 200
