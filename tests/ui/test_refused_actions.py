"""What is asked of a store that takes nothing any more: every key says so, and the app goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.screen import ModalScreen

from statsig_tui.core.records import DeliveryState
from tests.ui.desk import Open, made

TOLD = "Nothing is taken any more"
ASKED = {
    "retry": ("enter", "enter", "r"),
    "cancel": ("enter", "enter", "c"),
    "next attempt": ("n",),
    "time": ("s",),
    "config change": ("C", "enter"),
    "test event": ("t", "enter"),
}


@pytest.mark.parametrize("keys", ASKED.values(), ids=ASKED)
async def test_a_store_that_takes_nothing_is_told_and_ends_nothing(
    desk: Open, seen: Callable[..., str], tmp_path: Path, keys: tuple[str, ...]
) -> None:
    async with desk(made("down")) as at:
        await at.select("down")
        await at.event()
        await at.until(at.pilot, lambda: at.states("down") == [DeliveryState.RETRYING])
        *ways, last = keys
        if ways and ways[0] == "enter":
            await at.turn("attempts")
            await at.until(at.pilot, lambda: "Rate Limited" in seen(at.app) and "refused" in seen(at.app))
        for key in ways:
            await at.press(key)
        if last == "enter":
            await at.until(at.pilot, lambda: isinstance(at.app.screen, ModalScreen))
        elif ways:
            await at.until(at.pilot, lambda: "Retry now" in seen(at.app))
        # Nothing can be written to a database that is not there any more.
        (tmp_path / "statsig-tui.db").unlink()
        await at.press(last)
        await at.until(at.pilot, lambda: TOLD in " ".join(seen(at.app).replace("▌", "").split()))
        await at.press("f8")
        await at.until(at.pilot, lambda: "Live  " in seen(at.app))
