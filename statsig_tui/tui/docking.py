"""Live's list docked beside another screen: whether it is wanted, also after a restart, and what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.mode import DOCKED_FROM, ModeScreen

if TYPE_CHECKING:
    from statsig_tui.tui.widgets.live_dock import DockedRows

_FACT, _SHOWN, _HIDDEN = "dock", "shown", "hidden"
"""What the data directory remembers of it."""


class Docking:
    """One for all screens: each docks the list, where it does at all, as it is wanted here."""

    def __init__(self, bridge: Bridge, say: Callable[[str], None]) -> None:
        self._bridge = bridge
        self._say = say
        self.is_wanted = False

    @cached_property
    def rows(self) -> DockedRows:
        """What every docked list is drawn from."""
        from statsig_tui.tui.widgets.live_dock import DockedRows

        return DockedRows(self._bridge)

    async def recall(self) -> None:
        """Want it as it was wanted when the last run ended."""
        self.is_wanted = await self._bridge.ask(lambda archive: archive.fact(_FACT)) == _SHOWN

    async def toggle(self, screen: ModeScreen) -> None:
        """Dock it beside the screen, or put it away; where that cannot be, it is said why."""
        columns = screen.app.size.width
        if not screen.DOCKS:
            self._say("This is Live itself: beside Compose and Destinations its list can be docked.")
            return
        if columns < DOCKED_FROM:
            self._say(f"The docked list needs {DOCKED_FROM} columns, not {columns}; 3 shows Live.")
            return
        self.is_wanted = not self.is_wanted
        screen.place_dock()
        kept = _SHOWN if self.is_wanted else _HIDDEN
        await self._bridge.do(lambda engine: engine.remember(_FACT, kept))


def give_keys(screen: ModeScreen) -> None:
    """Give the keys to the docked list, and back."""
    dock = screen.dock
    if dock is not None and dock.has_focus_within:
        dock.action_leave()
    elif dock is not None:
        dock.enter(screen.focused)
