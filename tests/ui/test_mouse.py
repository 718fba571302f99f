"""Destinations, driven by the mouse alone: every click is on words that stand on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from textual.events import MouseScrollDown
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from statsig_tui.core.config import RECEIVER, Config, Destination, Filter, RetryPolicy, Secret
from statsig_tui.engine.store import Store
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.changing import ConfigChangeDialog
from statsig_tui.tui.screens.filter_details import FilterDetails
from statsig_tui.tui.screens.send_test import SendTestDialog
from statsig_tui.tui.widgets.attempts import AttemptsPane
from tests.ui.conftest import app_over, drawn

Until = Callable[..., Awaitable[None]]
DOWN = "http://127.0.0.1:9/hook"
"""Nothing listens there."""


@dataclass
class Hand:
    """A mouse over the app, and eyes."""

    app: StatsigApp
    pilot: Pilot[int]
    look: Until

    async def sees(self, *words: str) -> None:
        """Wait until words stand on the screen."""
        await self.look(self.pilot, lambda: all(word in drawn(self.app) for word in words))

    async def loses(self, *words: str) -> None:
        """Wait until words no longer stand on the screen."""
        await self.look(self.pilot, lambda: not any(word in drawn(self.app) for word in words))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        await self.look(self.pilot, condition)

    async def click(self, words: str, *, on: str | None = None, times: int = 1) -> None:
        """Click on the first line that holds words; `on`: on that part of them."""
        await self.sees(words)
        lines = drawn(self.app).split("\n")
        y = next(number for number, line in enumerate(lines) if words in line)
        x = lines[y].index(words) + (words.index(on) if on else 0)
        await self.pilot.click(offset=(x, y), times=times)

    def saved(self, name: str = RECEIVER) -> Destination:
        found = self.app.config.destination(name)
        assert found is not None
        return found


Take = Callable[..., AbstractAsyncContextManager[Hand]]


@pytest.fixture
def hand(tmp_path: Path, ui: Until, config: Config) -> Take:
    """Take the mouse: `async with hand() as at`; two destinations, three events seen."""

    @asynccontextmanager
    async def taken(size: tuple[int, int] = (120, 36)) -> AsyncIterator[Hand]:
        store = await Store.open(tmp_path / "statsig-tui.db")
        seen = [("checkout", 30), ("page_view", 20), ("heartbeat", 10)]

        def prepare(tx: object) -> None:
            db = tx.db  # type: ignore[attr-defined]  # the store's Tx
            db.execute("INSERT INTO facts VALUES ('demo', 'sent')")
            db.executemany("INSERT INTO seen (name, class, volume, at) VALUES (?,'custom',?,1)", seen)

        await store.write(prepare)
        await store.close()
        secret = Secret.of("webhook-" + "m" * 39 + "a1b2")
        down = Destination("my-api", DOWN, secret=secret, retry=RetryPolicy((3600.0,)))
        app = app_over(tmp_path, replace(config, destinations=(*config.destinations, down)))
        async with app.run_test(size=size, notifications=True) as pilot:
            await ui(pilot, lambda: app.bridge.engine is not None)
            at = Hand(app, pilot, ui)
            await at.click("2 Destinations")
            await at.sees("my-api", "Overview")
            yield at

    return taken


async def test_event_filtering_is_all_in_reach(hand: Take) -> None:
    async with hand() as at:
        await at.click("Event Filtering")
        await at.click("☑  Exposures", on="☑")
        await at.click("☑  Configuration Changes", on="Configuration")
        await at.click("━●  Include new events", on="━●")
        await at.sees("☐  Exposures", "☐  Configuration Changes", "○━  Include new events")
        await at.click("☐  by default  page_view", on="☐")
        await at.sees("☑  chosen      page_view")
        await at.click("▣  Tracking", on="▣")
        await at.sees("☑  chosen      checkout", "☑  chosen      heartbeat")
        # The name alone is no box: it only shows what is known about the event.
        await at.click("heartbeat")
        await at.click("☑  chosen      heartbeat", on="☑")
        await at.sees("☐  by default  heartbeat", "unsaved")
        await at.click("Save")
        await at.until(
            lambda: at.saved().filter == Filter(False, False, False, {"checkout": True, "page_view": True})
        )
        await at.loses("unsaved")
        await at.click("☐  Exposures", on="☐")
        await at.sees("☑  Exposures", "unsaved")
        await at.click("Cancel")
        await at.sees("☐  Exposures")
        await at.loses("unsaved")


async def test_a_click_on_a_name_changes_nothing(hand: Take) -> None:
    async with hand() as at:
        await at.click("Event Filtering")
        for name in ("checkout", "checkout", "heartbeat", "heartbeat"):
            await at.click(f"by default  {name}", on=name)
        await at.sees("☑  by default  checkout", "☑  by default  heartbeat")
        assert "unsaved" not in drawn(at.app)


async def test_the_details_dialog_is_all_in_reach(hand: Take) -> None:
    async with hand() as at:
        await at.click("Event Filtering")
        await at.click("▸ View Detailed Options")
        await at.until(lambda: isinstance(at.app.screen, FilterDetails))
        await at.click("☑  gate", on="☑")
        await at.sees("☐  gate")
        await at.click("Use")
        await at.sees("1 kind off", "unsaved")
        await at.click("▸ View Detailed Options")
        await at.click("☐  gate")
        await at.sees("☑  gate")
        await at.click("Cancel")
        await at.sees("1 kind off")
        await at.click("▸ View Detailed Options")
        await at.click("Config changes only")
        await at.sees("☐  Exposures", "☑  Configuration Changes", "○━  Include")
        await at.click("Save")
        await at.until(lambda: at.saved().filter.config_changes and not at.saved().filter.exposures)


async def test_the_search_is_reached_and_the_list_selects(hand: Take) -> None:
    async with hand() as at:
        await at.click("Event Filtering")
        await at.click("search events")
        assert isinstance(at.app.screen.focused, Input)
        await at.click("my-api")
        await at.click("Delivery")
        await at.sees(DOWN)
        await at.click("Signing")
        await at.sees("…a1b2", "Generate New Key")


async def test_signing_is_all_in_reach(hand: Take) -> None:
    async with hand() as at:
        await at.click("my-api")
        await at.click("Signing")
        await at.click("Reveal for")
        await at.sees("m" * 39)
        await at.click("Generate New Key")
        await at.sees("unsaved", "Old secret ends")
        before = at.saved("my-api").secret
        await at.click("Save")
        await at.until(lambda: at.saved("my-api").secret != before)
        await at.click("Remove")
        await at.sees("unsaved")
        await at.click("esc Back")
        await at.loses("unsaved")
        # Back where it stood: what is clicked must not move meanwhile.
        await at.sees("is safer")
        await at.click("Copy")
        await at.sees("Copied the signing secret")
        await at.click("Self-test of the endpoint")
        await at.sees("connection refused")


async def test_attempts_are_opened_and_left(hand: Take) -> None:
    async with hand() as at:
        engine = at.app.bridge.engine
        assert engine is not None
        await engine_posts(at)
        await at.click("my-api")
        await at.click("Attempts")
        pane = at.app.screen.query_one(AttemptsPane)
        await at.sees("Forwarded", "Rate Limited")
        await at.click("connection refused")
        await at.until(lambda: pane.step == "deliveries")
        await at.sees("retrying")
        await at.click("retrying   d1")
        await at.until(lambda: pane.step == "attempt")
        await at.sees("connection refused")
        await at.click("‹ esc")
        await at.until(lambda: pane.step == "deliveries")
        await at.click("‹ esc")
        await at.until(lambda: pane.step == "minutes")


async def engine_posts(at: Hand) -> None:
    """Have an event accepted, and my-api fail to get it."""
    await at.app.bridge.do(
        lambda engine: engine.send_test("my-api", b'{"eventName":"checkout"}', filtered=False)
    )
    engine = at.app.bridge.engine
    assert engine is not None
    await at.until(lambda: engine.archive.counters().destinations["my-api"].retrying == 1)


async def test_a_test_event_is_chosen_by_one_click_and_sent_by_two(hand: Take) -> None:
    async with hand((80, 24)) as at:
        engine = at.app.bridge.engine
        assert engine is not None
        await at.click("my-api")
        await at.pilot.press("t")
        await at.until(lambda: isinstance(at.app.screen, SendTestDialog))
        found = at.app.screen.query_one(OptionList)
        await at.click("checkout")
        await at.click("gate-exposure")
        chosen = found.highlighted
        assert chosen is not None
        assert isinstance(at.app.screen, SendTestDialog), "nothing is sent by a single click"
        await at.pilot._post_mouse_events([MouseScrollDown], found, offset=(5, 5))
        await at.until(lambda: found.scroll_y > 0)
        assert found.highlighted == chosen
        await at.click("○━", on="○━")
        await at.sees("━●")
        await at.pilot.press("home")
        await at.sees("template  custom")
        await at.click("template  custom", times=2)
        await at.until(lambda: engine.archive.counters().destinations["my-api"].forwarded == 1)
        assert engine.archive.matrix()[0].clause == "new event included", "its filter was asked"
        assert engine.archive.counters().events == 1


async def test_a_config_change_is_chosen_and_sent(hand: Take) -> None:
    async with hand((80, 24)) as at:
        await at.pilot.press("C")
        await at.until(lambda: isinstance(at.app.screen, ConfigChangeDialog))
        await at.sees("◂ Gate ▸")
        await at.click("◂ Gate ▸", on="▸")
        await at.sees("◂ Experiment ▸")
        await at.click("◂ Experiment ▸", on="◂")
        await at.sees("◂ Gate ▸")
        await at.click("○ deleted")
        await at.sees("● deleted")
        await at.click("Cancel         Send", on="Send")
        engine = at.app.bridge.engine
        assert engine is not None
        await at.until(
            lambda: [each.name for each in engine.archive.matrix()][:1] == ["statsig::config_change"]
        )
        event = engine.archive.newest_event("statsig::config_change")
        assert event is not None
        assert b'"action":"deleted"' in event.raw.replace(b" ", b"")
