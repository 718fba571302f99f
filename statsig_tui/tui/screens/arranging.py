"""What the destinations screen does with the settings: save, add, copy, turn on and off, delete and undo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from statsig_tui.core.config import LONGEST_NAME, Destination
from statsig_tui.core.destination import Invalid
from statsig_tui.tui.commands import COMMANDS, key
from statsig_tui.tui.screens.dialogs import NewDestination
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.screens.self_test import self_test
from statsig_tui.tui.widgets.destination_list import DestinationList
from statsig_tui.tui.widgets.destination_panes import DestinationPanes

_COUNTED = len(" copy 1000")
ACTIONS = tuple(command.action for command in COMMANDS if command.scope == "destinations")
"""What the destinations screen offers."""


class ArrangingScreen(ModeScreen):
    """A screen with the destinations and the edits of one; what it shows of them is its own affair."""

    def __init__(self) -> None:
        super().__init__()
        # Held, not looked for: what can be done is asked of them a hundred times a key.
        self._list = DestinationList(id="destination-list", classes="pane")
        self._panes = DestinationPanes(id="destination", classes="pane")
        self._deleted: list[tuple[Destination, int]] = []
        """What undo brings back, and where it was."""
        self._offered: tuple[object, ...] = ()
        """What could be done when the footer was last drawn."""

    @property
    def selected(self) -> Destination | None:
        """The destination under the cursor, as the settings have it."""
        name = self._list.selected
        return self.host.config.destination(name) if name is not None else None

    def destinations(self) -> tuple[Destination, ...]:
        """All of them, the built-in one at its real address."""
        engine = self.bridge.engine
        return engine.destinations() if engine is not None else self.host.config.destinations

    def _offer(self) -> None:
        """Draw the footer anew, if something else can be done than when it was drawn."""
        offered = tuple(self.check_action(action, ()) for action in ACTIONS)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    async def action_save(self) -> None:
        """Use the shown tab's edits."""
        editor, saved = self._panes.editor, self.selected
        if editor is None or saved is None or editor.shown is None or editor.shown.name != saved.name:
            return
        try:
            made = editor.edited(saved)
        except Invalid:
            return
        is_renamed = made.name != saved.name
        if is_renamed:
            self._panes.rename(saved.name, made.name)
        destinations = [made if item is saved else item for item in self.host.config.destinations]
        if await self._use(destinations, renamed=(saved.name, made.name) if is_renamed else None):
            editor.forget(made.name)
            editor.draw()
            self._panes.say_unsaved()
            self._offer()
            self.host.say(f"Saved {made.name}.")
            self._verify_saved(made, saved)
        elif is_renamed:
            self._panes.rename(made.name, saved.name)

    async def action_toggle_enabled(self) -> None:
        """On or off; one that a 410 disabled or failures paused is sent everything again."""
        saved, engine = self.selected, self.bridge.engine
        if saved is None or engine is None:
            return
        if saved.name in engine.ailing():
            await self.bridge.do(lambda engine: engine.resume(saved.name))
            self.host.say(f"{saved.name} takes deliveries again.")
            self.host.pull_soon()
            return
        turned = replace(saved, enabled=not saved.enabled)
        await self._use([turned if item is saved else item for item in self.host.config.destinations])

    async def action_delete(self) -> None:
        """Delete at once; undo brings it back with what waited for it."""
        saved, at = self.selected, self._list.index
        if saved is None:
            return
        if await self._use([item for item in self.host.config.destinations if item is not saved]):
            self._deleted.append((saved, at))
            self.host.say(
                f"Deleted {saved.name}. {key('destinations.undo')} brings it back, and what waited for it."
            )
            self._offer()

    async def action_undo(self) -> None:
        """Bring back what was deleted last."""
        if not self._deleted:
            return
        lost, at = self._deleted[-1]
        if self.host.config.destination(lost.name) is not None:
            self.host.say(f"Another destination is called {lost.name} now; rename that one first.")
            return
        destinations = list(self.host.config.destinations)
        destinations.insert(at, lost)
        if await self._use(destinations):
            self._deleted.pop()
            self._list.select(at)
            self._offer()

    def action_new(self) -> None:
        """Ask for a new destination."""
        engine = self.bridge.engine
        taken = [item.name for item in self.host.config.destinations]
        emulator = engine.addresses.emulator if engine is not None else None
        self.app.push_screen(NewDestination(self._add, taken, emulator))

    async def action_duplicate(self) -> None:
        """Add a copy that sends nothing until it is turned on."""
        saved, taken = self.selected, {item.name for item in self.host.config.destinations}
        if saved is None:
            return
        real = next(item for item in self.destinations() if item.name == saved.name)
        stem = f"{saved.name[: LONGEST_NAME - _COUNTED].rstrip()} copy"
        names = (stem if number == 1 else f"{stem} {number}" for number in count(1))
        name = next(name for name in names if name not in taken)
        made = replace(real, name=name, enabled=False, old_secrets=())
        if await self._add(made):
            self.host.say(f"Added {made.name}, turned off: {key('destinations.toggle')} turns it on.")

    def _verify_saved(self, made: Destination, former: Destination | None) -> None:
        """Send url_verification to a URL that is new, where that is wanted."""
        is_new = former is None or former.url != made.url or not former.verify_on_save
        if made.verify_on_save and made.enabled and is_new:
            tested = self_test(self, made.name, verification_only=True, is_told=True)
            self.run_worker(tested, group="verification")

    async def _add(self, made: Destination) -> bool:
        done = await self._use([*self.host.config.destinations, made])
        if done:
            self._list.select(len(self.host.config.destinations) - 1)
            self._verify_saved(made, None)
        return done

    async def _use(
        self, destinations: Iterable[Destination], *, renamed: tuple[str, str] | None = None
    ) -> bool:
        config = replace(self.host.config, destinations=tuple(destinations))
        return await self.host.change(config, renamed=renamed)
