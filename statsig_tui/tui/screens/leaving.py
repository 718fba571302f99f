"""Asks once for each target beyond this machine, before the first event leaves for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.content import Content
from textual.screen import ModalScreen

from statsig_tui.core.config import Target
from statsig_tui.tui import theme
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.target_bar import Goal


class Leaving:
    """What was allowed holds for a name and a URL, until the app ends."""

    def __init__(self, ask: Callable[[ModalScreen[bool]], Awaitable[bool]]) -> None:
        """`ask` shows a dialog and waits for what it is dismissed with."""
        self._ask = ask
        self._allowed: set[tuple[str, str]] = set()

    async def is_allowed(self, target: Target, goal: Goal) -> bool:
        """Whether events may go there; `goal` is how the target is shown."""
        key = (target.name, target.url)
        if goal.is_safe or key in self._allowed:
            return True
        if not await self._ask(ConfirmDialog("Send beyond this machine?", _words(goal), "Send")):
            return False
        self._allowed.add(key)
        return True


def _words(goal: Goal) -> Content:
    return Content.assemble(
        "This leaves the machine: ",
        content(goal.host, theme.STRONG),
        ", target ",
        content(goal.name, theme.STRONG),
        ".\n",
        content(goal.url, theme.QUIET),
        "\n\n",
        (f"{goal.place}. ", f"bold {theme.BAD}"),
        "What is sent there counts and cannot be taken back.",
        "" if goal.has_key else "\nNo key goes with it: ",
        content("" if goal.has_key else f"{goal.key}.", theme.WARN),
    )
