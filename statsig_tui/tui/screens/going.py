"""Ways from one screen to another: a jump, a draft for Compose, a capture for Live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statsig_tui.core.config import Destination
from statsig_tui.core.library import Template
from statsig_tui.core.records import CaptureRecord, DeliveryRecord
from statsig_tui.tui.screens.mode import ModeScreen

if TYPE_CHECKING:
    from statsig_tui.tui.app import StatsigApp


async def jump(app: StatsigApp) -> None:
    """Ask where to go, and go there."""
    from statsig_tui.tui.screens.jump import JumpDialog

    if not isinstance(app.screen, ModeScreen):
        return
    saved = [item for screen in app.mode_screens() for item in screen.templates()]
    engine = app.bridge.engine
    destinations = engine.destinations() if engine is not None else app.config.destinations
    goal = await app.push_screen_wait(JumpDialog(app.bridge, destinations, saved))
    if goal is None or not isinstance(app.screen, ModeScreen):
        return
    mode = goal if isinstance(goal, str) else _mode_of(goal)
    await app.switch_mode(mode)
    for screen in app.mode_screens():
        if mode == screen.MODE:
            await screen.reveal(goal)


def open_in_compose(app: StatsigApp, template: Template) -> None:
    """Show Compose with this as its draft, unless what is there is to stay."""
    from statsig_tui.tui.screens.compose import ComposeScreen

    app.action_mode("compose")
    for screen in app.mode_screens():
        if isinstance(screen, ComposeScreen):
            screen.open_entry(template)


def open_in_live(app: StatsigApp, capture: int, child: int | None) -> None:
    """Show a capture, or an event of it, in Live; esc comes back from there."""
    from statsig_tui.tui.screens.live import LiveScreen

    origin = app.current_mode
    app.action_mode("live")
    for screen in app.mode_screens():
        if isinstance(screen, LiveScreen):
            screen.open_capture(capture, child, origin)


def _mode_of(goal: object) -> str:
    """The screen that shows something."""
    if isinstance(goal, CaptureRecord):
        return "live"
    return "destinations" if isinstance(goal, Destination | DeliveryRecord) else "compose"
