"""The two addresses that are listened on: where they are, and why one is not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from statsig_tui.core.config import DEFAULT_EMULATOR_PORT, DEFAULT_RECEIVER_PORT, Config
from statsig_tui.engine.connection import Render
from statsig_tui.engine.framing import Limits, Refusal
from statsig_tui.engine.http import ASGIApp
from statsig_tui.engine.room import Room
from statsig_tui.engine.server import address, bind, serving
from statsig_tui.errors import PortInUse, Unavailable

Listener = Literal["emulator", "receiver"]
DEFAULT_PORTS: Mapping[Listener, int] = {
    "emulator": DEFAULT_EMULATOR_PORT,
    "receiver": DEFAULT_RECEIVER_PORT,
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs of the listeners; None where one does not listen."""

    emulator: str | None = None
    receiver: str | None = None


class Listeners:
    """Opens and closes them, each by itself."""

    def __init__(
        self,
        apps: Mapping[Listener, tuple[ASGIApp, Render]],
        limits: Limits,
        on_refused: Callable[[Listener, Refusal], None],
    ) -> None:
        room = Room()
        self._apps = {name: (room.within(app, limits), render) for name, (app, render) in apps.items()}
        self._limits = limits
        self._on_refused = on_refused
        self._open: dict[Listener, tuple[str, contextlib.AsyncExitStack]] = {}
        self.troubles: dict[Listener, str] = {}
        """Why one does not listen, or not where it was expected, with what to do."""

    @property
    def addresses(self) -> Addresses:
        """Where they really listen."""
        return Addresses(**{name: base for name, (base, _) in self._open.items()})

    async def listen(self, listener: Listener, config: Config, *, anywhere: bool = False) -> None:
        """(Re)start one where the settings say, or on any free port. Raises PortInUse or Unavailable."""
        await self.close(listener)
        chosen = config.emulator if listener == "emulator" else config.receiver
        port = 0 if anywhere else DEFAULT_PORTS[listener] if chosen.port is None else chosen.port
        sock = bind(chosen.host, port)
        app, render = self._apps[listener]
        stack = contextlib.AsyncExitStack()
        await stack.enter_async_context(
            serving(app, sock, self._limits, on_refused=partial(self._on_refused, listener), render=render)
        )
        self._open[listener] = (address(sock), stack)
        self.troubles.pop(listener, None)

    async def listen_or_say(self, listener: Listener, config: Config) -> None:
        """As listen(), but a taken default port becomes any free one, and whatever else fails a trouble."""
        try:
            await self.listen(listener, config)
        except Unavailable as error:
            chosen = config.emulator if listener == "emulator" else config.receiver
            if chosen.port is not None or not isinstance(error, PortInUse):
                self.troubles[listener] = f"{error.message} {error.hint}"
                return
            await self.listen(listener, config, anywhere=True)
            base = getattr(self.addresses, listener)
            said = error.message.rstrip(".")
            self.troubles[listener] = f"{said}: the {listener} listens on {base} instead."

    async def close(self, listener: Listener) -> None:
        """Stop one, after what is under way."""
        kept = self._open.pop(listener, None)
        if kept is not None:
            await kept[1].aclose()
