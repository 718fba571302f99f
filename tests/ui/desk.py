"""The app on its Destinations screen over a real engine, and hands to use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input, TabbedContent

from statsig_tui.core.config import (
    DEFAULT_RECEIVER_URL,
    RECEIVER,
    BatchPolicy,
    Config,
    Destination,
    EmulatorConfig,
    ReceiverConfig,
    RetryPolicy,
    Secret,
)
from statsig_tui.core.records import DeliveryRecord, DeliveryState
from statsig_tui.engine.engine import Engine, running
from statsig_tui.errors import SettingsError
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.destinations import DestinationsScreen
from statsig_tui.tui.widgets.destination_list import DestinationList

Until = Callable[..., Awaitable[None]]
SECRET = "webhook-" + "k" * 39 + "a1b2"
SIZE = (140, 40)
DOWN = "http://127.0.0.1:9/hook"
"""Nothing listens there."""


@dataclass
class Desk:
    """The app on its Destinations screen, and hands to use it."""

    app: StatsigApp
    pilot: Pilot[int]
    until: Until
    saved: list[Config]

    @property
    def engine(self) -> Engine:
        assert self.app.bridge.engine is not None
        return self.app.bridge.engine

    @property
    def screen(self) -> DestinationsScreen:
        assert isinstance(self.app.screen, DestinationsScreen)
        return self.app.screen

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Replace what stands in the focused field."""
        await self.press("home", "shift+end", "delete")
        await self.paste(text)

    async def paste(self, text: str) -> None:
        """Paste into the focused field, as a terminal does."""
        await self.until(self.pilot, lambda: isinstance(self.app.screen.focused, Input))
        field = self.app.screen.focused
        assert isinstance(field, Input)
        before = field.value
        self.app.post_message(Paste(text))
        await self.until(self.pilot, lambda: field.value != before)

    async def select(self, name: str) -> None:
        """Put the cursor of the list on a destination."""
        found = self.screen.query_one(DestinationList)
        await self.until(self.pilot, lambda: found.selected is not None)
        while found.selected != name:
            await self.press("down")

    async def turn(self, tab: str) -> None:
        """Go to a tab, from the list."""
        tabs = self.screen.query_one(TabbedContent)
        while tabs.active != f"tab-{tab}":
            await self.press("right")

    def named(self, name: str) -> Destination:
        found = self.app.config.destination(name)
        assert found is not None
        return found

    def deliveries(self, name: str) -> list[DeliveryRecord]:
        return self.engine.archive.deliveries(name, 50)

    def states(self, name: str) -> list[DeliveryState]:
        return [item.state for item in self.deliveries(name)]

    async def event(self, name: str = "checkout", **metadata: str) -> None:
        """Post an incoming event to the emulator."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.engine.addresses.emulator}/v1/webhooks/event_webhook",
                headers={"STATSIG-API-KEY": "secret-x"},
                json={"user": {"userID": "u1"}, "event": name, "metadata": metadata},
            )
        assert answer.status_code == 202, answer.text

    async def events(self, *names: str) -> None:
        """Have the emulator accept events together."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.engine.addresses.emulator}/v1/log_event",
                headers={"STATSIG-API-KEY": "secret-x"},
                json={"events": [{"eventName": name} for name in names]},
            )
        assert answer.status_code == 202, answer.text


Open = Callable[..., AbstractAsyncContextManager[Desk]]


def made(name: str, url: str = DOWN, **changes: object) -> Destination:
    """A destination that batches quickly and retries much later than the test."""
    quick = Destination(
        name,
        url,
        secret=Secret.of(SECRET),
        batch=BatchPolicy(max_events=100, max_seconds=0.01),
        retry=RetryPolicy((3600.0, 3600.0)),
    )
    return replace(quick, **changes)  # type: ignore[arg-type]  # whatever fields a test names


def desk_in(place: Path, ui: Until) -> Open:
    """Open the app on Destinations: `async with desk(*destinations) as at`."""

    @asynccontextmanager
    async def opened(
        *others: Destination, size: tuple[int, int] = SIZE, refuses: bool = False
    ) -> AsyncIterator[Desk]:
        builtin = made(RECEIVER, DEFAULT_RECEIVER_URL)
        config = Config(
            emulator=EmulatorConfig(port=0), receiver=ReceiverConfig(port=0), destinations=(builtin, *others)
        )
        saved: list[Config] = []

        def save(changed: Config) -> None:
            if refuses:
                raise SettingsError("The settings cannot be written.", "Look at the disk.")
            saved.append(changed)

        app = StatsigApp(
            Bridge(lambda: running(config, place / "statsig-tui.db", fall_back=True)), config, save
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            at = Desk(app, pilot, ui, saved)
            await ui(pilot, lambda: app.bridge.engine is not None)
            await pilot.press("f7")
            await ui(pilot, lambda: isinstance(app.screen, DestinationsScreen))
            await ui(pilot, lambda: app.screen.query_one(DestinationList).has_focus)
            yield at

    return opened
