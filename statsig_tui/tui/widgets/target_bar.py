"""Where an event really goes, on one line: target, address, key, and whether that is this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from statsig_tui.tui import theme
from statsig_tui.tui.text import content, fit


@dataclass(frozen=True, slots=True)
class Goal:
    """A target as the bar shows it."""

    name: str
    url: str
    """The endpoint, whole."""
    base: str
    host: str
    key: str
    """Masked, or in words why there is none."""
    key_short: str
    has_key: bool
    place: str
    """`local`, `REMOTE`, `PRODUCTION`, or what keeps it from being reached."""
    is_safe: bool


class TargetLine(Widget):
    """As much of a goal as the width takes; its place is always there."""

    goal: reactive[Goal | None] = reactive(None)

    def render(self) -> RenderResult:
        """The longest form that fits."""
        goal = self.goal
        if goal is None:
            return Content.styled("▸ starting…", theme.QUIET)
        width = self.size.width
        shapes = (
            (goal.url, goal.key),
            (goal.base, goal.key),
            (goal.base, goal.key_short),
            (goal.host, goal.key_short),
            (goal.host, ""),
        )
        for where, key in shapes:
            left = self._left(goal, where, key)
            place = content(goal.place, theme.QUIET if goal.is_safe else f"bold {theme.BAD}")
            gap = width - left.cell_length - place.cell_length
            if gap >= 3:
                return Content.assemble(left, " " * gap, place)
        return Content.assemble(content(fit(goal.place, width), f"bold {theme.BAD}"))

    def _left(self, goal: Goal, where: str, key: str) -> Content:
        shown = content(f"   {key}" if key else "", theme.QUIET if goal.has_key else theme.BAD)
        name = content(goal.name, theme.STRONG)
        return Content.assemble(("▸ ", theme.ACCENT), name, "  ", content(where), shown)


class SendKey(Static, can_focus=True):
    """The place to press enter at: sends."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", "Send", show=False)]

    class Pressed(Message):
        """Send now."""

    def action_press(self) -> None:
        """Send."""
        self.post_message(self.Pressed())

    def on_click(self) -> None:
        """Send."""
        self.post_message(self.Pressed())


class TargetBar(Horizontal):
    """The line under the header."""

    def __init__(self, key: str) -> None:
        super().__init__(id="target")
        self._key = key

    def compose(self) -> ComposeResult:
        """Where to, and go."""
        yield TargetLine()
        yield SendKey(Content.assemble("Send  ", (self._key, "bold")), id="send")

    def show(self, goal: Goal | None) -> None:
        """Show a goal; None while nothing is known of it."""
        self.query_one(TargetLine).goal = goal
        self.set_class(goal is not None and not goal.is_safe, "-far")
