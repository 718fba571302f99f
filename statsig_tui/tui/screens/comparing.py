"""Comparing by one key: the first time it keeps what is under the cursor, then it shows what is different."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.screens.compare import CompareScreen, Side
from statsig_tui.tui.screens.mode import ModeScreen

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

K = TypeVar("K")


async def compare(
    screen: ModeScreen,
    kept: K | None,
    here: K,
    named: Callable[[K], str],
    read: Callable[[Archive, K], bytes | None],
) -> K | None:
    """Keep what is here, keep it no longer, or compare it with what is kept; returns what is kept now."""
    name = named(here)
    if kept is None:
        screen.host.say(f"{name} is kept for comparing: = on another one, or here to forget it.")
        return here
    if kept == here:
        screen.host.say(f"{name} is not kept any more.")
        return None
    sides: list[Side] = []
    for which in (kept, here):
        try:
            body = await screen.bridge.ask(lambda archive, which=which: read(archive, which))  # type: ignore[misc]  # binds the loop's name
        except StatsigTuiError as error:
            screen.host.tell(error)
            return None
        if body is None:
            screen.host.say(f"{named(which)} was forgotten: see [retention] in the settings.")
            return None
        sides.append(Side(named(which), body))
    await screen.app.push_screen(CompareScreen(*sides))
    return None
