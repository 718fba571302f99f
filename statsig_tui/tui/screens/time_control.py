"""Time control: how fast the forwarder's waiting goes, and an end of it for one destination."""

from __future__ import annotations

from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.screens.mode import ModeScreen

SPEEDS = (1, 60, 3600)


async def next_speed(screen: ModeScreen) -> None:
    """Let waiting go at the next speed; after the fastest, as fast as time does."""
    engine = screen.bridge.engine
    if engine is None:
        return
    speed = next((each for each in SPEEDS if each > engine.speed), SPEEDS[0])
    try:
        await screen.bridge.do(lambda engine: engine.set_speed(speed))
    except StatsigTuiError as error:
        screen.host.tell(error)
        return
    screen.host.show_status()
    fast = f"{speed:,} times as fast; signatures and stored times stay true"
    screen.host.say(f"Waiting goes {fast if speed > 1 else 'as fast as time does'}.")


async def hurry(screen: ModeScreen, destination: str, held: str) -> None:
    """End the waiting for a destination's next attempts; `held` is why they may wait all the same."""
    try:
        count = await screen.bridge.do(lambda engine: engine.next_attempt_now(destination))
    except StatsigTuiError as error:
        screen.host.tell(error)
        return
    waits = f", but waits: {held}" if held else ""
    deliveries = f"{count:,} deliver{'y is' if count == 1 else 'ies are'}"
    screen.host.say(f"{deliveries} due now{waits}." if count else f"Nothing of {destination} waits.")
