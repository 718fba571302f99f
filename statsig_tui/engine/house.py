"""The row of rooms: how they are wired, in which order they start and stop, and what follows the settings.

No other room knows all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial

from statsig_tui.core import programs
from statsig_tui.core.batch import Closed
from statsig_tui.core.config import (
    DEFAULT_EMULATOR_PORT,
    DEFAULT_RECEIVER_URL,
    EMULATOR,
    EMULATOR_KEY,
    RECEIVER,
    Config,
    Destination,
    Secret,
    Target,
)
from statsig_tui.core.event import Event
from statsig_tui.core.programs import Course
from statsig_tui.core.records import (
    Captured,
    CaptureRecord,
    SentDetail,
    SentRecord,
)
from statsig_tui.core.redact import Redactor
from statsig_tui.engine import (
    captures,
    history,
    outbox,
    replays,
)
from statsig_tui.engine.clock import Clock, Pace
from statsig_tui.engine.deliveries import Deliveries, client_of_its_own
from statsig_tui.engine.emulator import Emulator
from statsig_tui.engine.emulator import error_body as statsig_error
from statsig_tui.engine.forwarder import Answers, Forwarder, Only, Queued
from statsig_tui.engine.framing import Limits
from statsig_tui.engine.ledger import StoreLedger
from statsig_tui.engine.listeners import Listener, Listeners
from statsig_tui.engine.occurrences import Noting
from statsig_tui.engine.posting import Posting
from statsig_tui.engine.queues import Queues
from statsig_tui.engine.receiver import receiver
from statsig_tui.engine.refusals import Refusals
from statsig_tui.engine.replaying import Replaying, Rooms
from statsig_tui.engine.retention import Pruner
from statsig_tui.engine.server import error_json
from statsig_tui.engine.store import Store
from statsig_tui.errors import NotFound, StoreBroken, Unavailable

STOP_SECONDS = 3.0
"""For all stages together: a third for the emulator's peers, one to deliver, the rest for the receiver's."""


class House:
    """All rooms between two listeners and the store; coroutines run on the engine's loop."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        limits: Limits,
        on_listening: Callable[[str | None, str | None], None],
    ) -> None:
        self.config = config
        self.redact = Redactor()
        self.recovered = 0
        """Deliveries that a former run was sending when it ended, and that are sent again."""
        self.store = store
        self.clock = clock
        self._on_listening = on_listening
        self.refusals = Refusals(clock)
        self.ledger = StoreLedger(store, clock, lambda: self.redact)
        self.pace = Pace()
        self.deliveries = Deliveries(
            clock, self.pace, self.ledger, self.ledger.keep_disabled, self.ledger.keep_paused
        )
        self._masked: frozenset[str] = frozenset()
        """What was once a secret remains one: it may still come back in an answer, or from the store."""
        self._course = _course(config)
        self._run = 0
        """The number of the replay that began last."""
        self._replays: set[Replaying] = set()
        """Those under way."""
        self.posting = Posting(clock, lambda: self.redact, self._keep_sent)
        self._pruner = Pruner(store, lambda: self.config.retention)
        self.on_noted: Callable[[], None] = lambda: None
        self._noting = Noting(store, lambda: self.on_noted())
        self._forwarder = Forwarder(
            clock=clock,
            keep=self._keep,
            backlog=lambda name, after, limit: store.read(lambda db: outbox.backlog(db, name, after, limit)),
            deliver=self._deliver,
            is_disabled=self.deliveries.disabled.__contains__,
            most_bytes=self.deliveries.most_bytes,
            pace=self.pace,
        )
        self.queues = Queues(store, clock, self.pace, self._forwarder, self.deliveries)
        self._emulator = Emulator(
            clock=clock,
            settings=lambda: self.config.emulator,
            redact=lambda: self.redact,
            new_trace=_new_trace,
            new_uuid=new_uuid,
            accept=self._accept,
            note=self._note_request,
            refused=partial(self.refusals.add, "emulator"),
            limits=limits,
        )
        self._receiver = receiver(
            clock=clock,
            settings=lambda: self.config.receiver,
            secrets=lambda: self.config.signing_secrets(clock.now()),
            redact=lambda: self.redact,
            record=self._record,
            refused=partial(self.refusals.add, "receiver"),
            limits=limits,
            course=lambda: self._course,
        )
        self.listeners = Listeners(
            {"emulator": (self._emulator, _render_statsig), "receiver": (self._receiver, error_json)},
            limits,
            self.refusals.add,
        )

    # Start and stop

    async def start(self, listeners: Sequence[Listener], *, fall_back: bool, speed: float) -> None:
        """Recover what a former run left, then listen, downstream first."""
        names = [item.name for item in self.config.destinations]
        self.recovered = await self.queues.recover(names, speed)
        self._run = await self.store.read(replays.newest_run)
        for listener in sorted(listeners, reverse=True):
            if fall_back:
                await self.listeners.listen_or_say(listener, self.config)
            else:
                await self.listeners.listen(listener, self.config)
        self._listening()
        self._pruner.look()
        self._noting.look()

    async def stop(self) -> None:
        """Refuse new work, deliver what can be within the budget, leave the rest waiting in the store."""
        now = asyncio.get_running_loop().time()
        for replaying in self._replays:
            replaying.leave()
        async with _until(now + STOP_SECONDS / 3):
            await self.listeners.close("emulator")
        async with _until(now + STOP_SECONDS * 2 / 3):
            await self._forwarder.close()
            await self.deliveries.drained()
        await self.deliveries.close()
        async with _until(now + STOP_SECONDS):
            await self.listeners.close("receiver")
        self._pruner.stop()
        self._noting.stop()

    # The row of rooms

    async def _accept(self, trace: str, events: Sequence[Event], given: str) -> None:
        await self._forward(trace, events, self.posting.meant_for(given))

    async def replay(self, replaying: Replaying) -> None:
        """Send what was captured again, until all of it is on its way or it is stopped.

        Raises UsageError, NotFound or StoreBroken.
        """
        replaying.check(self.listeners.addresses.emulator)
        for name in replaying.wish.destinations:
            self.check_known(name)
        self._run += 1
        rooms = Rooms(
            self.store, self.clock, self.ledger, self.redact, self.check_known,
            self.deliveries.wake, self._take_again, client_of_its_own,
        )  # fmt: skip
        self._replays.add(replaying)
        try:
            await replaying.work(rooms, self._run)
        finally:
            self._replays.discard(replaying)

    async def _take_again(self, events: Sequence[Event], destinations: tuple[str, ...]) -> str:
        return await self.take(events, Only(destinations))

    async def take(self, events: Sequence[Event], only: Only) -> str:
        """Take events that came by no listener; their trace. Raises StoreBroken."""
        trace = _new_trace()
        await self._forward(trace, events, only)
        return trace

    async def _forward(self, trace: str, events: Sequence[Event], only: Only | None) -> None:
        await self._forwarder.accept(trace, events, only=only)
        self._pruner.count(sum(len(event.raw) for event in events))

    async def _keep(self, trace: str, events: Sequence[Event], answers: Answers) -> list[int]:
        at = self.clock.now()
        return await self.store.write(lambda tx: outbox.accept(tx, at, trace, events, answers))

    async def _deliver(self, destination: Destination, closed: Closed[Queued]) -> None:
        await self.ledger.open(destination, closed)
        self.deliveries.wake(destination.name)

    async def _record(self, captured: Captured) -> CaptureRecord:
        self._pruner.count(len(captured.body))
        record = await self.store.insert(captures.insert, captured)
        self._noting.count()
        return record

    async def _note_request(self, method: str, path: str, status: int, fault: str | None) -> None:
        at = self.clock.now()
        await self.store.write(lambda tx: history.insert_request(tx, at, method, path, status, fault))

    async def _keep_sent(self, detail: SentDetail) -> SentRecord:
        return await self.store.write(lambda tx: history.insert_sent(tx, detail))

    # What follows the settings

    def targets(self) -> tuple[Target, ...]:
        """The built-in target first, at the emulator's real address, then those of the settings."""
        keys = [key for key in self.config.emulator.keys if key.value]
        key = keys[0] if keys else Secret.of(EMULATOR_KEY)
        base = self.listeners.addresses.emulator or f"http://127.0.0.1:{DEFAULT_EMULATOR_PORT}"
        return (Target(EMULATOR, base, key), *self.config.targets)

    def destinations(self) -> tuple[Destination, ...]:
        """The destinations; the built-in one at the receiver's real address."""
        return tuple(self._really(destination) for destination in self.config.destinations)

    def destination(self, name: str) -> Destination:
        """The destination of a name, at its real address; raises NotFound where there is none."""
        found = self.config.destination(name)
        if found is None:
            raise NotFound(f"There is no destination {name}.", "See Destinations for the names.")
        return self._really(found)

    def check_known(self, destination: str) -> None:
        """Raise NotFound for a destination that there is not."""
        self.destination(destination)

    async def apply(self, config: Config, renamed: tuple[str, str] | None) -> None:
        """Use these settings from now on; `renamed` is a destination's old and new name.

        Raises StoreBroken, and goes on with the former ones, where the queues cannot follow; PortInUse or
        Unavailable in the end, when all of it is in force but a listener.
        """
        before, self.config = self.config, config
        try:
            await self.queues.follow(before.destinations, self.destinations(), renamed, self._refresh)
        except StoreBroken:
            self.config = before
            self._refresh()
            raise
        without: Unavailable | None = None
        for listener, was_at, is_at in (
            ("emulator", before.emulator, config.emulator),
            ("receiver", before.receiver, config.receiver),
        ):
            if (was_at.host, was_at.port) != (is_at.host, is_at.port):
                try:
                    await self.listen("emulator" if listener == "emulator" else "receiver")
                except Unavailable as error:
                    without = without or error
        if before.receiver.respond != config.receiver.respond:
            self._course = _course(config)
        self.deliveries.wake_all()
        if without is not None:
            raise without

    def respond(self, text: str | None) -> None:
        """Answer by this response program from its first step on; None: as usual. Raises UsageError."""
        course = Course(programs.checked(text)) if text is not None else None
        self.config = replace(self.config, receiver=replace(self.config.receiver, respond=text))
        self._course = course

    async def listen(self, listener: Listener, *, anywhere: bool = False) -> str:
        """(Re)start a listener where the settings say, or on any free port; its base URL.

        Raises PortInUse or Unavailable.
        """
        try:
            await self.listeners.listen(listener, self.config, anywhere=anywhere)
        finally:
            self._listening()
        base: str = getattr(self.listeners.addresses, listener)
        return base

    def _refresh(self) -> None:
        config = self.config
        self._masked = self._masked.union(config.secret_values())
        self.redact = Redactor([*self._masked, self.posting.demo_pass])
        destinations = self.destinations()
        self._forwarder.apply(destinations)
        self.deliveries.apply(destinations)

    def _listening(self) -> None:
        self._refresh()
        self._on_listening(self.listeners.addresses.emulator, self.listeners.addresses.receiver)

    def _really(self, destination: Destination) -> Destination:
        real = self.listeners.addresses.receiver
        if destination.name == RECEIVER and destination.url == DEFAULT_RECEIVER_URL and real:
            return replace(destination, url=f"{real}/")
        return destination


@contextlib.asynccontextmanager
async def _until(deadline: float) -> AsyncIterator[None]:
    """Cut short what is not done at a time of the loop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            yield


def _course(config: Config) -> Course | None:
    """The response program of the settings, at its beginning."""
    text = config.receiver.respond
    return Course(programs.parse(text)) if text is not None else None


def _new_trace() -> str:
    return "t" + secrets.token_hex(8)


def new_uuid() -> str:
    """A timeUUID."""
    # A random node instead of the machine's hardware address, which must not leave it.
    return str(uuid.uuid1(node=secrets.randbits(48) | 1 << 40))


def _render_statsig(status: int, code: str, message: str) -> bytes:
    return statsig_error(status, message)
