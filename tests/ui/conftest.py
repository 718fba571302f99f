"""The app over a real engine on free ports, and ways to look at what it draws."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from statsig_tui.core.config import (
    DEFAULT_RECEIVER_URL,
    RECEIVER,
    BatchPolicy,
    Config,
    Destination,
    EmulatorConfig,
    ReceiverConfig,
    Secret,
)
from statsig_tui.engine.engine import running
from statsig_tui.engine.store import Store
from statsig_tui.settings.templates import Shelf
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.widgets.draft_pane import DraftPane
from tests.ui.desk import Open, Until, desk_in

LOOKS = 3000
"""How often a condition is looked at before a test fails: many times what the slowest machine needs."""


def app_over(directory: Path, config: Config) -> StatsigApp:
    """The app with an engine of its own in a directory; edited settings go nowhere."""

    def open_engine() -> object:
        return running(config, directory / "statsig-tui.db", fall_back=True)

    bridge = Bridge(open_engine)  # type: ignore[arg-type]  # the context manager's type is the engine's affair
    return StatsigApp(bridge, config, lambda changed: None, shelf=Shelf(directory / "templates"))


@pytest.fixture
def config() -> Config:
    """Free ports, and a batch that closes at once."""
    destination = Destination(
        RECEIVER,
        DEFAULT_RECEIVER_URL,
        secret=Secret.of("webhook-" + "k" * 43),
        batch=BatchPolicy(max_events=100, max_seconds=0.05),
    )
    return Config(
        emulator=EmulatorConfig(port=0),
        receiver=ReceiverConfig(port=0),
        destinations=(destination,),
    )


@pytest.fixture
def app(tmp_path: Path, config: Config) -> StatsigApp:
    """The app on its first run."""
    return app_over(tmp_path, config)


@pytest.fixture
async def later_app(tmp_path: Path, config: Config) -> StatsigApp:
    """The app on a later run, without anything in its history."""
    store = await Store.open(tmp_path / "statsig-tui.db")
    await store.write(lambda tx: tx.db.execute("INSERT INTO facts VALUES ('demo', 'sent')").rowcount)
    await store.close()
    return app_over(tmp_path, config)


def drawn(app: App[int]) -> str:
    """Everything on the screen, as text."""
    lines = app.screen._compositor.render_strips(app.size)
    return "\n".join(line.text for line in lines)


@pytest.fixture
def seen() -> Callable[[App[int]], str]:
    """Everything on the screen, as text."""
    return drawn


def draft_of(app: StatsigApp) -> DraftPane:
    """Compose's draft."""
    return next(screen for screen in app.mode_screens() if isinstance(screen, ComposeScreen)).query_one(
        DraftPane
    )


async def started(
    app: StatsigApp, pilot: Pilot[int], ui: Callable[..., Awaitable[None]], seen: Callable[..., str]
) -> None:
    """Until Compose knows where it sends to."""
    await ui(pilot, lambda: app.bridge.engine is not None and "webhooks/event_webhook" in seen(app))


@pytest.fixture
def ui() -> Callable[[Pilot[int], Callable[[], bool]], Awaitable[None]]:
    """Let the app work until a condition holds."""

    async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
        for _ in range(LOOKS):
            # Not pilot.pause(): that waits for an idle process, and the engine's threads are part of it.
            await asyncio.sleep(0.02)
            if condition():
                return
        raise AssertionError(f"never came true; on the screen:\n{drawn(pilot.app)}")

    return until


@pytest.fixture
def desk(tmp_path: Path, ui: Until) -> Open:
    """Open the app on Destinations: `async with desk(*destinations) as at`."""
    return desk_in(tmp_path, ui)
