"""What lies over a screen is dismissed once.

Keys that come faster than it goes away, such as `enter` and at once `esc`, would make Textual dismiss
it again, and with it the screen below.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Input
from textual.worker import WorkerCancelled

from statsig_tui.tui.refusals import ToldRefusals


class Dialog(ToldRefusals, ModalScreen[ScreenResultType]):
    """A modal screen that is dismissed once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # A dialog has no keys of the app; this one is wanted at once, whatever is on the screen.
        Binding("f2", "app.privacy", "Privacy", show=False, priority=True, id="app.privacy")
    ]
    HOLDS: ClassVar[bool] = False
    """Whether the screen below stands still meanwhile: whatever moves there draws all of this one anew."""

    async def pull(self) -> None:
        """Take what is new in the engine; most show what there was when they opened."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Go away, unless that was done before."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()


class Palette(CommandPalette):
    """The command palette, which is dismissed once."""

    def on_mount(self) -> None:
        """Its field does not blink either."""
        self.query_one(Input).cursor_blink = False

    @on(Input.Submitted)
    def _wait_for_what_fits(self, event: Input.Submitted) -> None:
        # Textual's own would take the first command of the list as it was before the last letters.
        event.stop()
        event.prevent_default()
        self._choose()

    @work(group="choose", exclusive=True)
    async def _choose(self) -> None:
        for search in list(self.workers):
            if search.group == self._GATHER_COMMANDS_GROUP and not search.is_cancelled:
                try:
                    await search.wait()
                except WorkerCancelled:
                    return  # more was typed behind the key, or the palette has gone
        if self.is_current:
            self._select_or_command()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Go away, unless that was done before."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()
