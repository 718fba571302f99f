"""The matrix of verdicts: names are searched, and a click on a cell says why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.widgets import Input

from statsig_tui.core.config import Filter
from statsig_tui.tui.screens.matrix import MatrixScreen
from tests.ui.desk import Desk, Open, made

Text = Callable[..., str]
SIZES = [(80, 24), (120, 36)]


@asynccontextmanager
async def matrix(desk: Open, size: tuple[int, int]) -> AsyncIterator[Desk]:
    """The matrix over three names and two destinations, of which one takes no heartbeat."""
    async with desk(made("mine", filter=Filter(events={"heartbeat": False})), size=size) as at:
        await at.events("checkout", "heartbeat", "page_view")
        await at.until(at.pilot, lambda: len(at.engine.archive.matrix()) >= 6)
        await at.press("v")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, MatrixScreen))
        yield at


async def click(at: Desk, seen: Text, line: str, words: str, *, times: int = 1) -> None:
    """Click on words of the first line that holds others."""
    lines = seen(at.app).split("\n")
    y = next(number for number, text in enumerate(lines) if line in text)
    await at.pilot.click(offset=(lines[y].index(words), y), times=times)


@pytest.mark.parametrize("size", SIZES)
async def test_names_are_searched_and_escape_shows_all_again(
    desk: Open, seen: Text, size: tuple[int, int]
) -> None:
    async with matrix(desk, size) as at:
        await at.until(at.pilot, lambda: "Verdicts  4 names · 2 destinations" in seen(at.app))
        await at.press("slash", *"BEAT")
        await at.until(at.pilot, lambda: "Verdicts  1 of 4 names" in seen(at.app))
        assert "heartbeat" in seen(at.app)
        assert "page_view" not in seen(at.app)
        await at.press("enter", "right", "right")
        await at.until(at.pilot, lambda: "newest: custom event not tracked" in seen(at.app))
        await at.press("escape")
        await at.until(at.pilot, lambda: "page_view" in seen(at.app) and "4 names" in seen(at.app))
        await at.press("slash", *"zz")
        await at.until(at.pilot, lambda: "No name holds “zz”; esc shows all." in seen(at.app))
        await at.press("escape")
        await at.until(at.pilot, lambda: "checkout" in seen(at.app))
        assert isinstance(at.app.screen.focused, Input)
        await at.press("escape", "escape")
        await at.until(at.pilot, lambda: not isinstance(at.app.screen, MatrixScreen))


@pytest.mark.parametrize("size", SIZES)
async def test_a_click_on_a_cell_says_why(desk: Open, seen: Text, size: tuple[int, int]) -> None:
    async with matrix(desk, size) as at:
        await at.until(at.pilot, lambda: "heartbeat" in seen(at.app))
        await click(at, seen, "heartbeat", "– 1")
        await at.until(at.pilot, lambda: "newest: custom event not tracked" in seen(at.app))
        line = next(text for text in seen(at.app).split("\n") if "not tracked" in text)
        assert "▌" in line, "the cursor is on what was asked"
        # The mark folds it, as in every list.
        await click(at, seen, "heartbeat", "▾")
        await at.until(at.pilot, lambda: "not tracked" not in seen(at.app))
        await click(at, seen, "checkout", "checkout")
        assert "newest:" not in seen(at.app), "a name is no cell"
        await at.press("slash", *"page")
        await at.until(at.pilot, lambda: "1 of 4 names" in seen(at.app))
        await click(at, seen, "page_view", "✓ 1")
        await at.until(at.pilot, lambda: "newest: new event included" in seen(at.app))
