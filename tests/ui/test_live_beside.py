"""What Live says beside its rows: what came before, is new, late or out of order, and counts by name."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.capture_rows import header
from statsig_tui.tui.widgets.names_panel import NamesPanel
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.status_line import Rates, StatusLine

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


def post(app: StatsigApp, *events: dict[str, object]) -> None:
    """One batch, unsigned."""
    assert app.bridge.engine is not None
    url = f"{app.bridge.engine.addresses.receiver}/hook"
    assert httpx.post(url, json={"data": events}).status_code == 200


def named(name: str, **fields: object) -> dict[str, object]:
    return {"eventName": name, **fields}


def now() -> int:
    return time.time_ns() // 1_000_000


async def test_an_event_that_came_before_says_where_on_its_row_and_in_its_detail(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(140, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, named("first", timeUUID="u-1"), named("other", timeUUID="u-2"))
        post(app, named("third", timeUUID="u-3"), named("other", timeUUID="u-2"))
        await ui(pilot, lambda: "third, other" in seen(app))
        await pilot.press("right")
        # The row was drawn before it was known.
        await ui(pilot, lambda: "dup of #1" in seen(app))
        assert seen(app).count("dup of #1") == 1
        await pilot.press("right", "down")
        await ui(pilot, lambda: "⚠ dup  it came before, in #1." in seen(app))
        assert seen(app).count("dup of #1") == 2, "on the row, and beside the timeUUID"
        await pilot.press("up", "up")
        await ui(pilot, lambda: "⚠ dup  came before: event 1 in #1." in seen(app))


async def test_lag_order_and_what_is_new_stand_beside_the_values(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(200, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        at = now()
        post(
            app,
            named("soon", timestamp=at + 3_600_000 * 3),
            named("late", timestamp=at - 40 * 60_000 - 500, value=4, planet={"name": "mars"}),
            named("statsig::brand_new", timestamp=at),
        )
        await ui(pilot, lambda: "Live  1" in seen(app))
        await pilot.press("right", "right")
        await ui(pilot, lambda: "h from the future" in seen(app))
        row = next(line for line in seen(app).split("\n") if "1  late" in line)
        assert "out of order  40 min late" in row
        await pilot.press("down")
        await ui(pilot, lambda: "⚠ new here  value is a number, known as text" in seen(app))
        lines = seen(app).split("\n")
        assert any("timestamp" in line and "  40 min late │" in line for line in lines)
        assert any("value" in line and "new here │" in line for line in lines)
        assert any("planet" in line and "new here │" in line for line in lines)
        await pilot.press("down")
        await ui(pilot, lambda: "⚠ new here  eventName is a name of Statsig's" in seen(app))
        assert any("eventName" in line and "new here │" in line for line in seen(app).split("\n"))


async def test_a_sender_that_goes_back_in_time_from_batch_to_batch_is_seen(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        at = now()
        post(app, named("a", timestamp=at))
        post(app, named("b", timestamp=at - 5000), named("c", timestamp=at))
        await ui(pilot, lambda: "b, c" in seen(app))
        await pilot.press("right")
        await ui(pilot, lambda: seen(app).count("out of order") == 1)


async def test_counts_by_name_filter_the_list_and_let_it_go_again(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        assert not app.screen.query_one(NamesPanel).display
        for _ in range(3):
            post(app, named("page view"), named("page view"))
        post(app, named("statsig::gate_exposure"))
        await pilot.press("c")
        panel = app.screen.query_one(NamesPanel)
        await ui(pilot, lambda: "Events  7" in seen(app) and "gate_exposure" in seen(app))
        assert panel.has_focus
        assert [line.split()[-2:] for line in _panel(app, seen)] == [
            ["custom", "6"],
            ["view", "6"],
            ["exposure", "1"],
            ["gate_exposure", "1"],
        ]
        await pilot.press("down", "enter")
        await ui(pilot, lambda: 'Live  3 of 4 · event:"page view"' in seen(app))
        post(app, named("search"), named("page view"))
        await ui(pilot, lambda: "Live  4 of 5" in seen(app) and "Events  9" in seen(app))
        assert panel.cursor_line() == 1, "a new name does not move the cursor"
        await pilot.press("enter")
        await ui(pilot, lambda: "Live  5 ─" in seen(app))
        await pilot.press("up", "enter")
        await ui(pilot, lambda: "Live  4 of 5 · class:custom" in seen(app))
        # The filter that is on is also taken off by the line of it.
        await pilot.press("enter", "c")
        await ui(pilot, lambda: "Live  5 ─" in seen(app) and not panel.display)
        assert app.screen.query_one("#captures", RowList).has_focus


async def test_where_there_is_room_the_counts_are_there_and_a_click_chooses(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, named("one"))
        post(app, named("two"))
        await ui(pilot, lambda: "Events  2" in seen(app))
        await pilot.click(NamesPanel, offset=(8, 2))
        await ui(pilot, lambda: "Live  1 of 2 · event:" in seen(app))
        assert app.screen.query_one(NamesPanel).has_focus


async def test_times_are_ages_and_times_again(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, named("one"))
        await ui(pilot, lambda: "│   time  " in seen(app))
        await pilot.press("a")
        await ui(pilot, lambda: "│    age    answer" in seen(app) and "▸   0s    ✓ 200" in seen(app))
        # Nobody presses a key: the age grows.
        await ui(pilot, lambda: "▸   2s    ✓ 200" in seen(app))
        await pilot.press("a")
        await ui(pilot, lambda: "│   time  " in seen(app))


async def test_the_border_says_how_fast_they_come(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        for _ in range(3):
            post(app, named("a"), named("b"))
        # A second is told when it is over, so what came may be in two of them.
        await ui(pilot, lambda: "ev/s ·" in seen(app) and "batches/s" in seen(app))
        assert "█" in next(line for line in seen(app).split("\n") if "batches/s" in line)
        await ui(pilot, lambda: "batches/s" not in seen(app))


async def test_an_unusual_silence_is_told_in_the_header(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(140, 36)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        post(app, named("a"))
        await ui(pilot, lambda: "last batch" in seen(app))
        app.screen.query_one(StatusLine).quiet = (240_000, 10_000)
        await ui(pilot, lambda: "quiet for 4m, usually 10s" in seen(app))


def test_batches_are_counted_by_the_second() -> None:
    rates = Rates()
    for second, found in ((10, 4), (10, 6), (12, 1)):
        rates.add(second, found)
    assert rates.until(13)[-3:] == (10, 0, 1)
    assert [rates.batches(at) for at in (11, 12, 13, 14)] == [2, 0, 1, 0]


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (40, "time answer ev what sig"),
        (66, "time answer ev what sig ms"),
        (74, "time answer ev what sig size ms"),
        (104, "time answer ev what signature size ms"),
        (120, "time answer ev what signature size ms path"),
    ],
)
def test_columns_come_with_the_room_for_them(width: int, titles: str) -> None:
    assert header(width).plain.split() == titles.split()
    assert header(width, ages=True).plain.split() == titles.replace("time", "age").split()


def _panel(app: StatsigApp, seen: Text) -> list[str]:
    """The lines of the counts, as they are drawn."""
    region = app.screen.query_one(NamesPanel).region
    lines = seen(app).split("\n")[region.y + 1 : region.bottom - 1]
    return [text for line in lines if (text := line[region.x + 1 : region.right - 1].strip(" ▌●"))]
