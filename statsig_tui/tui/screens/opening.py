"""Live, opened on one capture from a list that is docked beside another screen; `esc` goes back there.

As long as that capture is looked at: whoever moves on has come to stay.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on

from statsig_tui.tui.screens.proving import ProvingScreen
from statsig_tui.tui.widgets.capture_detail import Detail
from statsig_tui.tui.widgets.row_list import RowList


class OpeningScreen(ProvingScreen):
    """The list with a way back."""

    DOCKS: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._opened_capture: int | None = None
        self._came_from = ""

    @property
    def is_opened(self) -> bool:
        """Whether there is a screen to go back to."""
        return self._opened_capture is not None

    def open_capture(self, capture: int, child: int | None, origin: str) -> None:
        """Show a capture, or an event of it; `origin` is the mode to go back to."""
        self._opened_capture, self._came_from = capture, origin
        self.go_to(capture, child)

    def enter_opened(self) -> None:
        """Give the keys to the detail of what was opened, now that it is gone to."""
        if self.is_opened:
            self.query_one(Detail).enter()
            self.refresh_bindings()

    def leave_opened(self) -> bool:
        """Go back to where it was opened; False where there is nothing to go back to."""
        if not self.is_opened:
            return False
        self._opened_capture = None
        self._list.focus()
        self.host.action_mode(self._came_from)
        return True

    def on_screen_suspend(self) -> None:
        """Whoever went elsewhere has left."""
        self._opened_capture = None

    @on(RowList.Highlighted, "#captures")
    def _moved_on(self) -> None:
        # Not what the message says: one that was on its way before the capture was gone to is late.
        at = self._list.cursor
        if self.is_opened and self._wanted is None and at and at[0] != self._opened_capture:
            self._opened_capture = None
            self.refresh_bindings()
