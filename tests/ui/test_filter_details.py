"""The filter's detailed options while they are typed: what may stand there, and what is said to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from textual.widgets import Button, Input

from statsig_tui.core.config import RECEIVER
from statsig_tui.tui.screens.filter_details import FilterDetails
from tests.ui.desk import Desk, Open

Text = Callable[..., str]
SIZES = [(80, 24), (120, 36)]


async def opened(at: Desk, field: str) -> None:
    """Open the details of the built-in destination's filter, with the cursor in a field."""
    await at.select(RECEIVER)
    await at.press("f")
    await at.until(at.pilot, lambda: at.screen.query_one("#exposures").has_focus)
    await at.press("o")
    await at.until(at.pilot, lambda: isinstance(at.app.screen, FilterDetails))
    at.app.screen.query_one(f"#{field}").focus()


def said(seen: Text, at: Desk) -> str:
    """What is on the screen, without the dialog's borders and line ends."""
    return " ".join(seen(at.app).replace("│", " ").replace("┃", " ").replace("▌", " ").split())


def can_use(at: Desk) -> bool:
    return not at.app.screen.query_one("#yes", Button).disabled


@pytest.mark.parametrize("size", SIZES)
async def test_a_condition_that_could_never_fit_is_refused_while_it_is_typed(
    desk: Open, seen: Text, size: tuple[int, int]
) -> None:
    async with desk(size=size) as at:
        await opened(at, "where")
        see = partial(said, seen, at)
        await at.press(*"user:u1 lag:>10s")
        await at.until(
            at.pilot,
            lambda: (
                "✗ is wrong at character 9: lag says nothing of an event before its delivery. Use" in see()
            ),
        )
        assert not can_use(at)
        await at.press("ctrl+s")
        assert isinstance(at.app.screen, FilterDetails), "nothing is used until it is right"
        await at.press("home", "ctrl+k", *"since:10m")
        await at.until(at.pilot, lambda: "since: 10m is an age" in see() and "Write a time such as" in see())
        await at.press("home", "ctrl+k", *"since:2026-01-31")
        await at.until(at.pilot, lambda: "✗" not in see() and can_use(at))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: not isinstance(at.app.screen, FilterDetails))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.named(RECEIVER).filter.where == "since:2026-01-31")


async def test_only_what_can_be_used_is_offered_and_taken_by_a_key(desk: Open, seen: Text) -> None:
    async with desk(size=(80, 24)) as at:
        await at.event("checkout", plan="pro")
        await opened(at, "where")
        see = partial(said, seen, at)
        line = at.app.screen.query_one("#where", Input)
        await at.until(at.pilot, lambda: "event: user: class: uuid: drift: has: size:" in see())
        assert not [key for key in ("sig:", "lag:", "dest:", "status:") if key in see()]
        await at.press(*"metadata.pl")
        await at.until(at.pilot, lambda: "metadata.plan= a field that was seen" in see())
        await at.press("down", *"p", "right")
        await at.until(at.pilot, lambda: line.value == "metadata.plan=pro")
        await at.press(*" class:", "down", "down", "up")
        await at.until(at.pilot, lambda: line.value == "metadata.plan=pro class:custom")
        await at.press("tab")
        await at.until(at.pilot, lambda: at.app.screen.query_one("#sample").has_focus)
        assert "gate_exposure" not in see(), "offered where one types alone"
        assert can_use(at)


@pytest.mark.parametrize(
    ("field", "typed", "told", "mended"),
    [
        ("where", "(user:u1", "at character 1: this bracket is never closed", "(user:u1)"),
        ("where", "sig", "", "sig"),
        ("where", "status:5xx", "status says nothing of an event before its delivery", "value>5"),
        ("patterns", "[a*", 'the pattern "[a*", which no name fits: its [ is never closed. Close it', "[a]*"),
        ("patterns", "-", "an empty pattern, which no name fits. Write one such as checkout_*", "-debug_*"),
        ("sample", "ten", "is not a number. Write a percentage such as 25", "10"),
        ("sample", "150", "is not from 0 to 100. Write a percentage such as 25", "15 %"),
    ],
)
async def test_what_is_typed_wrong_is_said_in_sight_and_cannot_be_used(
    desk: Open, seen: Text, field: str, typed: str, told: str, mended: str
) -> None:
    async with desk(size=(80, 24)) as at:
        await opened(at, field)
        see = partial(said, seen, at)
        await at.press("home", "ctrl+k", *typed)
        await at.until(at.pilot, lambda: told in see() and can_use(at) is not bool(told))
        await at.press("home", "ctrl+k", *mended)
        await at.until(at.pilot, lambda: "✗" not in see() and can_use(at))
