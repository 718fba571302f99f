"""A store that takes nothing is seen: while it lasts in the header, with its reason in a notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from textual.pilot import Pilot

if TYPE_CHECKING:
    from statsig_tui.tui.app import StatsigApp

Until = Callable[[Pilot[int], Callable[[], bool]], Awaitable[None]]


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
