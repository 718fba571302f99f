"""The signing tests of a destination, as its pane asks for them and as saving a new URL does."""

from __future__ import annotations

from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.widgets.signing import SigningPane


async def self_test(
    screen: ModeScreen, destination: str, *, verification_only: bool, is_told: bool = False
) -> None:
    """Test a destination and show in its pane what became of it; `is_told` says it in words as well."""
    try:
        results = await screen.bridge.do(
            lambda engine: engine.self_test(destination, verification_only=verification_only)
        )
    except StatsigTuiError as error:
        screen.host.tell(error)
        return
    if (pane := screen.query_one_optional(SigningPane)) is not None:
        pane.take_trials(destination, results)
    for result in results if is_told else ():
        became = "passed" if result.passed else "FAILED"
        screen.host.say(f"{destination}: {result.trial.name} {became}. {result.said}")
