"""Live's list beside Compose and Destinations: it draws what arrives and leaves the keys where they are."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from textual.pilot import Pilot

from statsig_tui.core.config import Config
from statsig_tui.core.records import CaptureRecord
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.live_dock import DockedRows, LiveDock
from statsig_tui.tui.widgets.row_list import RowList
from tests.ui.conftest import app_over, draft_of, started

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
SIZE = (160, 40)


async def arrive(app: StatsigApp, *names: str) -> None:
    """Let the receiver get one batch."""
    assert app.bridge.engine is not None
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{app.bridge.engine.addresses.receiver}/hook"
        await client.post(url, json={"data": [{"eventName": name} for name in names]})


def docked(app: StatsigApp) -> LiveDock:
    """The docked list of the screen that is shown."""
    return app.screen.query_one(LiveDock)


async def test_the_docked_list_draws_what_arrives_and_leaves_the_keys_alone(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        before = app.focused
        await pilot.press("ctrl+l")
        await ui(pilot, lambda: "Nothing has arrived yet" in seen(app))
        await arrive(app, "one")
        await ui(pilot, lambda: "Live  1" in seen(app) and "one" in seen(app) and "FOLLOW" in seen(app))
        assert app.focused is before
        await pilot.press("f5")
        await ui(pilot, lambda: "Live  2" in seen(app))
        assert app.focused is before
        await pilot.press("f7")
        await ui(pilot, lambda: "Destinations  1" in seen(app) and "Live  2" in seen(app))
        await arrive(app, "three")
        await ui(pilot, lambda: "Live  3" in seen(app))
        await pilot.press("ctrl+l")
        await ui(pilot, lambda: "Live  3" not in seen(app))
        await pilot.press("f6")
        await ui(pilot, lambda: "What happened next" in seen(app))
        assert "Live  3" not in seen(app)


async def test_a_docked_capture_opens_in_live_and_esc_comes_back(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+l")
        for name in ("one", "two", "three"):
            await arrive(app, name, f"{name}_again")
        await ui(pilot, lambda: "Live  3" in seen(app))
        before = app.focused
        await pilot.press("4", "up")
        await ui(pilot, lambda: "HELD +0" in seen(app))
        await arrive(app, "four")
        await ui(pilot, lambda: "HELD +1" in seen(app))
        assert docked(app).list.cursor == (2, None), "what is under the cursor stays there"
        await pilot.press("right", "right", "down", "enter")
        await ui(pilot, lambda: app.current_mode == "live" and "#2 · event 1" in seen(app))
        await ui(pilot, lambda: '"two_again"' in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: app.current_mode == "compose" and docked(app).has_focus_within)
        await pilot.press("escape")
        assert app.focused is before

        await pilot.press("4", "enter")
        await ui(pilot, lambda: app.current_mode == "live" and "#2 · event 1" in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: app.current_mode == "compose")
        await pilot.press("enter")
        await ui(
            pilot, lambda: app.current_mode == "live" and not app.screen.query_one("#captures").has_focus
        )
        app.screen.query_one("#captures", RowList).focus()
        await pilot.press("G")
        await ui(pilot, lambda: "#4" in seen(app))
        await pilot.press("escape")
        assert app.current_mode == "live", "who moves on has come to stay"


async def test_what_live_hides_is_shown_when_it_is_opened_and_that_is_said(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        await arrive(app, "one")
        await pilot.press("f8")
        await ui(pilot, lambda: "#1" in seen(app))
        await pilot.press("z", "f6", "ctrl+l")
        await ui(pilot, lambda: "Live  1" in seen(app))
        await pilot.press("4", "enter")
        await ui(pilot, lambda: "shown again: #1 was hidden" in seen(app))
        await ui(pilot, lambda: '"one"' in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: app.current_mode == "compose")


async def test_it_needs_room_and_is_there_again_when_there_is_room_and_after_a_restart(
    tmp_path: Path, later_app: StatsigApp, config: Config, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(149, 40), notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+l")
        await ui(pilot, lambda: "needs 150 columns" in seen(app))
        assert "rows" not in vars(app.docking), "nothing is read for a list that is not shown"
        await resized(pilot, 150)
        await pilot.press("ctrl+l")
        await ui(pilot, lambda: "Nothing has arrived yet" in seen(app))
        # A letter is typed where the keys are, and 4 is one there.
        draft_of(app).focus_view()
        await pilot.press("4")
        assert not docked(app).has_focus_within
        app.screen.query_one("#send").focus()
        await pilot.press("4")
        assert docked(app).has_focus_within
        await resized(pilot, 149)
        await ui(pilot, lambda: "Nothing has arrived yet" not in seen(app))
        assert app.focused is app.screen.query_one("#send")
        await arrive(app, "unseen")
        await ui(pilot, lambda: "last batch" in seen(app))
        assert len(app.docking.rows.rows) == 0, "a hidden list reads nothing"
        await resized(pilot, 150)
        await ui(pilot, lambda: "Live  1" in seen(app) and "unseen" in seen(app))
    again = app_over(tmp_path, config)
    async with again.run_test(size=SIZE) as pilot:
        await ui(pilot, lambda: "Live  1" in seen(again) and "unseen" in seen(again))
        await pilot.press("ctrl+l")
        await ui(pilot, lambda: "Live  1" not in seen(again))
    last = app_over(tmp_path, config)
    async with last.run_test(size=SIZE) as pilot:
        await started(last, pilot, ui, seen)
        await pilot.press("f7")
        await ui(pilot, lambda: "Destinations  1" in seen(last))
        assert "Live  1" not in seen(last)


async def resized(pilot: Pilot[int], columns: int) -> None:
    """Another terminal."""
    await pilot.resize_terminal(columns, 40)


class Kept:
    """A store of captures that forgets the oldest."""

    def __init__(self) -> None:
        self.rev = 0
        self.ids: list[int] = []

    def capture_ids(self) -> array[int]:
        return array("q", self.ids)

    def oldest_capture(self) -> int:
        return self.ids[0] if self.ids else 0

    def since(self, rev: int, limit: int) -> list[Any]:
        return [Row(number, number) for number in self.ids if number > rev][:limit]

    async def ask(self, question: Callable[[Any], Any]) -> Any:
        return question(self)

    def summaries(self, ids: Sequence[int]) -> list[CaptureRecord]:
        return []


class Row:
    """As much of a capture as is looked at."""

    def __init__(self, number: int, rev: int) -> None:
        self.id, self.rev = number, rev


async def test_pages_follow_each_other_and_what_is_forgotten_goes() -> None:
    store = Kept()
    held = DockedRows(store)
    assert not await held.pull()
    store.ids = list(range(1, 601))
    assert await held.pull(), "there is more than a page"
    assert not await held.pull()
    assert (len(held.rows), held.losses) == (600, 0)
    store.ids = store.ids[100:]
    await held.pull()
    assert (len(held.rows), held.rows.key(0), held.losses) == (500, 101, 1)
