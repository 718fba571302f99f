"""What is asked of a store that takes nothing any more: every key says so, and the app goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.screen import ModalScreen
from textual.widgets import TabbedContent

from statsig_tui.core.records import DeliveryState
from statsig_tui.core.request import Shape
from statsig_tui.engine.archive import Archive
from statsig_tui.errors import StoreBroken
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.screens.live import LiveScreen
from statsig_tui.tui.widgets.draft_pane import DraftPane
from tests.ui.desk import Desk, Open, made

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
        await at.until(at.pilot, lambda: TOLD in told(seen, at))
        await at.press("f8")
        await at.until(at.pilot, lambda: "Live  " in seen(at.app))


async def test_a_tab_that_cannot_be_read_is_told_and_the_screen_lives_on(
    desk: Open, seen: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turning to a tab is no key's action: what it asks is asked by a message's handler."""
    async with desk() as at:
        await at.press("f8")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, LiveScreen) and "DEMO" in seen(at.app))
        asked: list[str] = []

        def refuse(archive: Archive, of: str) -> None:
            asked.append(of)
            raise StoreBroken("The disk took it away.", "Look for another one.")

        with monkeypatch.context() as broken:
            broken.setattr(Archive, "trace", refuse)
            at.app.screen.query_one(TabbedContent).active = "trace"
            await at.until(at.pilot, lambda: "The disk took it away." in told(seen, at))
        assert asked
        await at.press("f7")
        await at.until(at.pilot, lambda: "Destinations  1" in seen(at.app))
        await at.press("f8")
        at.app.screen.query_one(TabbedContent).active = "headers"
        await at.until(at.pilot, lambda: "x-statsig-signature" in seen(at.app))


async def test_the_app_ends_as_ever_where_a_draft_cannot_be_kept(
    desk: Open, seen: Callable[..., str], tmp_path: Path
) -> None:
    async with desk() as at:
        await at.press("f6")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, ComposeScreen))
        at.app.screen.query_one(DraftPane).become('{"event":"unkept"}', Shape())
        (tmp_path / "statsig-tui.db").unlink()
        at.app.exit(0)
    assert at.app.return_code == 0
    assert at.app._exception is None


def told(seen: Callable[..., str], at: Desk) -> str:
    return " ".join(seen(at.app).replace("▌", "").split())
