"""The signing tests of a destination, as its pane asks for them and as saving a new URL does."""

from __future__ import annotations

from statsig_tui.core.selftest import Progress
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.widgets.signing import SigningPane


def _ignore(progress: Progress) -> None:
    """There is nowhere to show it."""


async def self_test(
    screen: ModeScreen, destination: str, *, verification_only: bool, is_told: bool = False
) -> None:
    """Test a destination and show in its pane what becomes of it; `is_told` says it in words as well."""
    pane = screen.query_one_optional(SigningPane)
    tell = pane.follow(destination) if pane is not None else _ignore
    try:
        results = await screen.bridge.do(
            lambda engine: engine.self_test(destination, verification_only=verification_only, tell=tell)
        )
    except StatsigTuiError as error:
        screen.host.tell(error)
        return
    for result in results if is_told else ():
        became = "passed" if result.passed else "FAILED"
        screen.host.say(f"{destination}: {result.trial.name} {became}. {result.said}")
