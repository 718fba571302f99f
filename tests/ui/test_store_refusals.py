"""A store that takes nothing is seen: while it lasts in the header, with its reason in a notice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from textual.pilot import Pilot

from statsig_tui.core.event import EventClass
from statsig_tui.core.records import Captured, EventSummary
from statsig_tui.core.signing import SignatureState, SignatureVerdict
from statsig_tui.engine import captures
from statsig_tui.engine.store import Store
from tests.ui.desk import Open, made

if TYPE_CHECKING:
    from statsig_tui.tui.app import StatsigApp

Until = Callable[[Pilot[int], Callable[[], bool]], Awaitable[None]]

CAPTURED = Captured(
    1_767_225_600_000, "POST", "/", "1.1", "127.0.0.1:9", (), b'[{"eventName":"checkout"}]', "array",
    (EventSummary("checkout", EventClass.CUSTOM, None, None, None),), None, None,
    SignatureVerdict(SignatureState.MISSING, "", ""), 200, None, (), b"", 1.0,
)  # fmt: skip


async def test_a_store_that_refuses_is_shown_until_it_takes_events_again(
    later_app: StatsigApp, ui: Until, seen: Callable[[object], str], tmp_path: Path
) -> None:
    database, aside = tmp_path / "statsig-tui.db", tmp_path / "aside.db"
    async with later_app.run_test(size=(140, 36), notifications=True) as pilot:
        await ui(pilot, lambda: "emulator :" in seen(later_app))
        assert "NOT STORING" not in seen(later_app)
        database.rename(aside)
        assert later_app.bridge.engine is not None
        assert await post(f"{later_app.bridge.engine.addresses.receiver}/") == 503
        await ui(pilot, lambda: "NOT STORING" in seen(later_app))
        await ui(pilot, lambda: {"deleted,", "moved", "replaced"} <= set(seen(later_app).split()))
        aside.rename(database)
        await ui(pilot, lambda: "takes events again" in seen(later_app))
        assert "NOT STORING" not in seen(later_app)
        assert await post(f"{later_app.bridge.engine.addresses.receiver}/") == 200


async def post(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(url, json=[])).status_code


async def test_a_database_that_is_damaged_meanwhile_is_told_on_every_screen(
    later_app: StatsigApp, ui: Until, seen: Callable[[object], str], tmp_path: Path
) -> None:
    """Rows that are not in memory cannot be read any more: the list says so, and no screen ends the app."""
    database = tmp_path / "statsig-tui.db"
    store = await Store.open(database)
    await asyncio.gather(*(store.insert(captures.insert, CAPTURED) for _ in range(1000)))
    await store.close()
    async with later_app.run_test(size=(140, 36), notifications=True) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "Live  1,000" in seen(later_app) and "checkout" in seen(later_app))
        with database.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(database.stat().st_size - 4096))
        await pilot.press("g")
        await ui(pilot, lambda: "NOT STORING" in seen(later_app))
        assert "malformed" in seen(later_app)
        assert "forgotten, or not to be read" in seen(later_app)
        assert later_app.bridge.engine is not None
        assert await post(f"{later_app.bridge.engine.addresses.receiver}/") == 503
        for key in ("f6", "f7", "f8"):
            await pilot.press(key)
            await ui(pilot, lambda: "NOT STORING" in seen(later_app))
        await pilot.press("k", "right", "enter")
        assert later_app.is_running


async def test_a_name_the_store_cannot_give_is_not_in_the_settings_either(desk: Open, tmp_path: Path) -> None:
    """What goes on under the old name would be found under the new one at the next start."""
    async with desk(made("mine")) as at:
        await at.select("mine")
        await at.press("e")
        await at.write("other")
        aside = (tmp_path / "statsig-tui.db").rename(tmp_path / "aside.db")
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: bool(at.saved))
        await at.until(at.pilot, lambda: at.saved[-1].destination("mine") is not None)
        aside.rename(tmp_path / "statsig-tui.db")
        assert at.app.config.destination("mine") is not None
        assert at.engine.config.destination("mine") is not None
