"""The door of the engine: wiring of the rooms, order of start and stop, and the public verbs."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from statsig_tui.core import programs
from statsig_tui.core.batch import Batcher, Closed
from statsig_tui.core.config import (
    DEFAULT_EMULATOR_PORT,
    DEFAULT_RECEIVER_URL,
    EMULATOR,
    EMULATOR_KEY,
    RECEIVER,
    ClientCert,
    Config,
    Destination,
    Secret,
    Target,
)
from statsig_tui.core.destination import Invalid
from statsig_tui.core.diagnosis import Diagnosis
from statsig_tui.core.envelope import encode, frame_size, most_size
from statsig_tui.core.event import Event, again
from statsig_tui.core.filters import Clause
from statsig_tui.core.jumps import Jump, Jumps
from statsig_tui.core.probe import NAME as PROBE
from statsig_tui.core.programs import Course
from statsig_tui.core.query import Query
from statsig_tui.core.records import (
    Captured,
    CaptureRecord,
    RefusedRecord,
    SentDetail,
    SentRecord,
)
from statsig_tui.core.redact import Redactor
from statsig_tui.core.request import Shape
from statsig_tui.core.selftest import Result
from statsig_tui.core.tunnel import Report
from statsig_tui.engine import (
    captures,
    due,
    endpoints,
    examination,
    history,
    outbox,
    probe,
    probing,
    remarks,
    replays,
    tunnel,
)
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.clock import Clock, Pace, SystemClock
from statsig_tui.engine.connecting import Unusable, proxy_of, show
from statsig_tui.engine.deliveries import Client, Deliveries, Way
from statsig_tui.engine.delivery import Post
from statsig_tui.engine.emulator import PASS_HEADER, Emulator
from statsig_tui.engine.emulator import error_body as statsig_error
from statsig_tui.engine.forwarder import Answers, Forwarder, Only, Queued
from statsig_tui.engine.framing import Limits, Refusal
from statsig_tui.engine.ledger import StoreLedger
from statsig_tui.engine.listeners import Addresses, Listener, Listeners
from statsig_tui.engine.occurrences import Noting
from statsig_tui.engine.receiver import receiver
from statsig_tui.engine.replaying import Replaying, Rooms
from statsig_tui.engine.retention import Pruner
from statsig_tui.engine.search import Kind, Search, Stored
from statsig_tui.engine.sent import keeping_examples, kept
from statsig_tui.engine.series import Series
from statsig_tui.engine.server import error_json
from statsig_tui.engine.store import BUSY_SECONDS, Observer, Store, Tx
from statsig_tui.engine.target import request_for, send_once
from statsig_tui.engine.threads import Threads
from statsig_tui.errors import NotFound, StoreBroken, Unavailable

MAX_REFUSALS = 100
"""Requests that were not kept, of which it is remembered why."""
STOP_SECONDS = 3.0
"""For all stages together: a third for the emulator's peers, one to deliver, the rest for the receiver's."""


class Engine:
    """What screens and commands may do. Coroutines run on the engine's loop, `archive` on any thread."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        limits: Limits,
        on_listening: Callable[[str | None, str | None], None],
    ) -> None:
        self.config = config
        self.archive = Archive(store)
        self.refused: dict[str, int] = {}
        """Requests that never arrived whole, were over a limit or could not be stored, by reason."""
        self.refusals: tuple[RefusedRecord, ...] = ()
        """The newest of them, oldest first."""
        self.redact = Redactor()
        self.recovered = 0
        """Deliveries that a former run was sending when it ended, and that are sent again."""
        self._store = store
        self._clock = clock
        self._limits = limits
        self._on_listening = on_listening
        self._on_refused: Callable[[], None] = lambda: None
        self._ledger = StoreLedger(store, clock, lambda: self.redact)
        self._pace = Pace()
        self._deliveries = Deliveries(clock, self._pace, self._ledger, self._keep_disabled, self._keep_paused)
        self._masked: frozenset[str] = frozenset()
        """What was once a secret remains one: it may still come back in an answer, or from the store."""
        self._course = _course(config)
        self._run = 0
        """The number of the replay that began last."""
        self._jumps = Jumps()
        self._jumped: Jump | None = None
        self._demo_token = secrets.token_hex(16)
        self._passes = {self._demo_token: Only((RECEIVER,), Clause.DEMO)}
        """Words that nobody else knows, and whom the events are for that come with them."""
        self._pruner = Pruner(store, lambda: self.config.retention)
        self._on_noted: Callable[[], None] = lambda: None
        self._noting = Noting(store, lambda: self._on_noted())
        self._forwarder = Forwarder(
            clock=clock,
            keep=self._keep,
            backlog=lambda name, after, limit: store.read(lambda db: outbox.backlog(db, name, after, limit)),
            deliver=self._deliver,
            is_disabled=self._deliveries.disabled.__contains__,
            most_bytes=self._deliveries.most_bytes,
            pace=self._pace,
        )
        self._emulator = Emulator(
            clock=clock,
            settings=lambda: self.config.emulator,
            redact=lambda: self.redact,
            new_trace=_new_trace,
            new_uuid=_new_uuid,
            accept=self._accept,
            note=self._note_request,
            refused=partial(self._refuse, "emulator"),
            limits=limits,
        )
        self._receiver = receiver(
            clock=clock,
            settings=lambda: self.config.receiver,
            secrets=lambda: self.config.signing_secrets(clock.now()),
            redact=lambda: self.redact,
            record=self._record,
            refused=partial(self._refuse, "receiver"),
            limits=limits,
            course=lambda: self._course,
        )
        self._listeners = Listeners(
            {"emulator": (self._emulator, _render_statsig), "receiver": (self._receiver, error_json)},
            limits,
            self._refuse,
        )

    # Reads

    @property
    def addresses(self) -> Addresses:
        """Where the listeners really listen."""
        return self._listeners.addresses

    @property
    def troubles(self) -> Mapping[Listener, str]:
        """Why a listener does not listen, or not where it was expected, with what to do."""
        return self._listeners.troubles

    @property
    def refusal(self) -> StoreBroken | None:
        """Why the store takes nothing at present, and both listeners answer 503; None: it does."""
        return self._store.refusal

    def targets(self) -> tuple[Target, ...]:
        """The built-in target first, at the emulator's real address, then those of the settings."""
        keys = [key for key in self.config.emulator.keys if key.value]
        key = keys[0] if keys else Secret.of(EMULATOR_KEY)
        base = self.addresses.emulator or f"http://127.0.0.1:{DEFAULT_EMULATOR_PORT}"
        return (Target(EMULATOR, base, key), *self.config.targets)

    def destinations(self) -> tuple[Destination, ...]:
        """The destinations; the built-in one at the receiver's real address."""
        return tuple(self._really(destination) for destination in self.config.destinations)

    @property
    def speed(self) -> float:
        """How many times as fast as it really is the forwarder's waiting goes."""
        return self._pace.speed

    def check_client_cert(self, chosen: ClientCert) -> None:
        """Check that a client certificate's files can be used; raises Invalid with `cert` or `key`."""
        try:
            show(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), chosen)
        except Unusable as error:
            raise Invalid(error.field, error.why) from None

    def proxy_of(self, url: str) -> str | None:
        """By which proxy of the environment a destination is reached, without its credentials."""
        return proxy_of(url)

    def clock_jump(self) -> Jump | None:
        """The last jump of the wall clock that was noticed; it is looked for whenever this is asked."""
        self._jumped = self._jumps.look(self._clock.now(), self._clock.monotonic()) or self._jumped
        return self._jumped

    def disabled(self, destination: str) -> str | None:
        """Why a destination takes nothing though it is enabled."""
        return self._deliveries.disabled.get(destination)

    def ailing(self) -> dict[str, str]:
        """The destinations that are on and sent nothing: `disabled` by a 410, or `paused` after failures."""
        disabled, paused = self._deliveries.disabled, self._deliveries.paused
        names = [item.name for item in self.config.destinations if item.enabled]
        return {
            name: "disabled" if name in disabled else "paused"
            for name in names
            if name in disabled or name in paused
        }

    def on_commit(self, observer: Observer) -> Callable[[], None]:
        """Be told, in the writer's thread, what each commit wrote; returns the way out.

        What is told is empty when `refusal` changed.
        """
        return self._store.on_commit(observer)

    def on_refused(self, observer: Callable[[], None]) -> None:
        """Be told, on the engine's loop, that `refusals` changed: nothing is committed for them."""
        self._on_refused = observer

    def on_noted(self, observer: Callable[[], None]) -> None:
        """Be told, on the engine's loop, that archive.noted() rose: nothing is committed for it."""
        self._on_noted = observer

    async def search(self, kind: Kind, query: Query) -> AsyncGenerator[list[Stored], None]:
        """What fits a query, newest first, as it is found; end it by leaving it."""
        search = Search(kind, query, self._clock.now())
        while not search.is_done:
            yield await self._store.read(search.step)

    # Verbs

    async def send(
        self,
        target: Target,
        body: bytes,
        *,
        event_name: str = "",
        headers: Sequence[tuple[str, str]] = (),
        seconds: float = 15.0,
        shape: Shape | None = None,
    ) -> SentRecord:
        """Post one incoming event to a target, exactly these bytes, once; keep what became of it."""
        at = self._clock.now()
        request = request_for(target, body, headers=headers, shape=shape)
        outcome = await send_once(request, seconds)
        detail = kept(target, request, outcome, self.redact, at=at, event_name=event_name)
        return await self._keep_sent(detail)

    async def send_series(self, series: Series) -> None:
        """Post a series until it is done or stopped; history keeps an example of each outcome."""
        await series.run(keeping_examples(series, lambda: self.redact, self._clock.now, self._keep_sent))

    async def send_demo(self) -> SentRecord | None:
        """A marked event through the whole pipe, to `receiver` alone: for the first run."""
        if self.addresses.emulator is None or self.config.destination(RECEIVER) is None:
            return None
        body = (
            b'{"user":{"userID":"demo-user","email":"demo@example.com","statsigEnvironment":{"tier":"development"}},'
            b'"event":"DEMO_checkout_completed","value":49.90,'
            b'"metadata":{"demo":"sent by statsig-tui on its first run","currency":"EUR","items":3},'
            b'"timestamp":' + str(self._clock.now()).encode() + b"}"
        )
        await self.remember("demo", "sent")
        demo = [(PASS_HEADER.decode(), self._demo_token)]
        return await self.send(self.targets()[0], body, event_name="DEMO_checkout_completed", headers=demo)

    async def probe(self, destination: str) -> SentRecord:
        """Post a marked event for one destination alone, whose filter is asked; what became of the request.

        Raises NotFound or Unavailable.
        """
        self._check_known(destination)
        if self.addresses.emulator is None:
            raise Unavailable("The emulator does not listen.", "Take any free port: ctrl+p, Use a free port.")
        given = secrets.token_hex(16)
        self._passes[given] = Only((destination,))
        try:
            return await self.send(
                self.targets()[0],
                probe.body(self._clock.now()),
                event_name=PROBE,
                headers=[(PASS_HEADER.decode(), given)],
            )
        finally:
            del self._passes[given]

    async def check_tunnel(self, url: str, seconds: float = tunnel.SECONDS) -> Report:
        """Knock at a public URL as Statsig does when it is saved: whether and how that arrives here."""
        here = self.addresses.receiver
        return await tunnel.check(url, seconds, self.redact, here, lambda ask: self._store.read(ask))

    async def send_test(self, destination: str, raw: bytes, *, filtered: bool, renewed: bool = True) -> str:
        """Hand an outgoing event to one destination; its trace. A renewed one happens now.

        Its filter is asked only where that is wanted (`filtered`). Raises NotFound or StoreBroken.
        """
        self._check_known(destination)
        event = again(raw, now=self._clock.now() if renewed else None, time_uuid=_new_uuid())
        trace = _new_trace()
        await self._forwarder.accept(
            trace, [event], only=Only((destination,), None if filtered else Clause.TEST)
        )
        self._pruner.count(len(event.raw))
        return trace

    async def self_test(self, destination: str, *, verification_only: bool = False) -> list[Result]:
        """What a destination's endpoint does with good and bad requests; nothing of it is kept."""
        self._check_known(destination)
        found = next(item for item in self.destinations() if item.name == destination)
        return await probing.self_test(found, self._clock.now(), verification_only=verification_only)

    async def remember(self, name: str, value: str) -> None:
        """Keep a fact of this data directory; archive.fact() tells it again."""
        await self._store.write(
            lambda tx: tx.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value)).rowcount
        )

    async def mark(self, capture: int, is_marked: bool) -> None:
        """Mark a capture, or mark it no longer; archive.marked() tells it again."""
        await self._store.write(lambda tx: remarks.mark(tx, capture, is_marked))

    async def note(self, capture: int, text: str) -> None:
        """Keep a note on a capture; an empty one is none."""
        await self._store.write(lambda tx: remarks.set_note(tx, capture, text))

    async def apply(self, config: Config, *, renamed: tuple[str, str] | None = None) -> None:
        """Use these settings from now on; only what changed restarts, and queued work is kept.

        `renamed` is a destination's old and new name. One that is gone has what waits for it cancelled;
        one that comes back gets it back.
        """
        before, self.config = self.config, config
        at = self._clock.now()
        old = {destination.name for destination in before.destinations}
        new = {destination.name for destination in config.destinations}
        if renamed is not None:
            was, becomes = renamed
            # The lane ends first: a batch it still holds open is read again under the new name.
            self._forwarder.apply([item for item in self.destinations() if item.name not in renamed])
            await self._deliveries.end(was)
            await self._store.write(lambda tx: outbox.rename_destination(tx, at, was, becomes))
            self._deliveries.rename(was, becomes)
            old, new = old - {was}, new - {becomes}
        for name in old - new:
            await self._deliveries.end(name)
            self._deliveries.forget(name)
        self._refresh()
        for destination in before.destinations:
            if destination.name in old - new:
                await self._drop(destination, at)
        for name in new - old:
            await self._store.write(lambda tx, name=name: outbox.restore_destination(tx, at, name))  # type: ignore[misc]  # a default argument binds the loop's name
        for listener, was_at, is_at in (
            ("emulator", before.emulator, config.emulator),
            ("receiver", before.receiver, config.receiver),
        ):
            if (was_at.host, was_at.port) != (is_at.host, is_at.port):
                await self.listen("emulator" if listener == "emulator" else "receiver")
        if before.receiver.respond != config.receiver.respond:
            self._course = _course(config)
        self._deliveries.wake_all()

    async def respond(self, text: str | None) -> None:
        """Answer by this response program from its first step on; None: as usual. Raises UsageError."""
        course = Course(programs.checked(text)) if text is not None else None
        self.config = replace(self.config, receiver=replace(self.config.receiver, respond=text))
        self._course = course

    async def listen(self, listener: Listener, *, anywhere: bool = False) -> str:
        """(Re)start a listener where the settings say, or on any free port; its base URL.

        Raises PortInUse or Unavailable.
        """
        try:
            await self._listeners.listen(listener, self.config, anywhere=anywhere)
        finally:
            self._listening()
        base: str = getattr(self.addresses, listener)
        return base

    async def replay(self, replaying: Replaying) -> None:
        """Send what was captured again, until all of it is on its way or it is stopped.

        What comes of it is archive.replayed(). Raises UsageError, NotFound or StoreBroken.
        """
        replaying.check(self.addresses.emulator)
        for name in replaying.wish.destinations:
            self._check_known(name)
        self._run = max(self._run, await self._store.read(replays.newest_run)) + 1
        rooms = Rooms(
            self._store, self._clock, self._ledger, self.redact,
            self._deliveries.wake, self._accept_again, self._client,
        )  # fmt: skip
        await replaying.work(rooms, self._run)

    async def stop_replay(self, replaying: Replaying) -> None:
        """Open nothing more of a replay, and give up what waits of it; raises StoreBroken."""
        replaying.stop()
        at, run = self._clock.now(), replaying.run
        if run is not None:
            await self._store.write(lambda tx: replays.cancel(tx, at, run))

    async def diagnose(self, capture: int) -> Diagnosis | None:
        """What there is to say of a capture's signature, judged as it arrived; None: it was forgotten."""
        detail = await self._store.read(lambda db: captures.detail(db, capture))
        if detail is None:
            return None
        secrets = self.config.signing_secrets(detail.record.at)
        tolerance = self.config.receiver.tolerance_seconds
        return await asyncio.to_thread(examination.examine, detail, secrets, tolerance)

    async def retry_now(self, delivery: int) -> bool:
        """Make a delivery due at once, whatever became of it; False where there is nothing to do."""
        at = self._clock.now()
        done = await self._store.write(lambda tx: outbox.reschedule(tx, at, delivery))
        self._deliveries.wake_all()
        return done

    async def set_speed(self, speed: float) -> None:
        """Let waiting go so many times as fast: batch intervals, retries, Retry-After and rate limits.

        Nothing else does: times that are stored or signed are real, time-outs too. What waits is due by
        the new speed from this moment on. Raises StoreBroken.
        """
        before, self._pace.speed = self._pace.speed, speed
        at = self._clock.now()
        # In one turn of the loop: an attempt that ends from here on reckons with the new speed, and is
        # noted after this.
        self._deliveries.stretch(before / speed)
        try:
            await self._store.write(lambda tx: due.set_speed(tx, at, speed))
        except StoreBroken:
            self._pace.speed = before
            self._deliveries.stretch(speed / before)
            raise
        finally:
            self._forwarder.repace()
            self._deliveries.wake_all()

    async def next_attempt_now(self, destination: str) -> int:
        """End the waiting for the next attempts at a destination; how many deliveries waited."""
        at = self._clock.now()
        count = await self._store.write(lambda tx: due.hurry(tx, at, destination))
        self._deliveries.stretch(0, destination)
        return count

    async def redeliver(self, destination: str, since: int, until: int = 2**62) -> int:
        """Make due at once what failed of the deliveries created from `since` to before `until` (epoch ms).

        How many they are; archive.failed() tells it before.
        """
        at = self._clock.now()
        count = await self._store.write(lambda tx: due.redeliver(tx, at, destination, since, until))
        self._deliveries.wake(destination)
        return count

    async def redeliver_these(self, destination: str, deliveries: Sequence[int]) -> int:
        """Make deliveries of one destination due at once, whatever became of them but arriving; how many."""
        at = self._clock.now()
        count = await self._store.write(lambda tx: due.redeliver_these(tx, at, deliveries))
        self._deliveries.wake(destination)
        return count

    async def cancel(self, delivery: int) -> bool:
        """Give up a delivery; False where it is settled already."""
        at = self._clock.now()
        return await self._store.write(lambda tx: outbox.cancel(tx, at, delivery))

    async def resume(self, destination: str) -> None:
        """Let a destination that a 410 disabled, or failures paused, be sent everything again."""
        self._deliveries.resume(destination)
        await self._store.write(lambda tx: endpoints.resume(tx, destination))

    # Start and stop

    async def start(self, listeners: Sequence[Listener], *, fall_back: bool, speed: float) -> None:
        """Recover what a former run left, then listen, downstream first."""
        at = self._clock.now()
        self._pace.speed = speed

        def recover(tx: Tx) -> int:
            replays.give_up_typed(tx, at, [item.name for item in self.config.destinations])
            recovered = outbox.recover(tx, at)
            due.set_speed(tx, at, speed)
            return recovered

        self.recovered = await self._store.write(recover)
        self._deliveries.disabled.update(await self._store.read(endpoints.disabled))
        self._deliveries.paused.update(await self._store.read(endpoints.paused))
        for listener in sorted(listeners, reverse=True):
            if fall_back:
                await self._listeners.listen_or_say(listener, self.config)
            else:
                await self._listeners.listen(listener, self.config)
        self._listening()
        self._pruner.look()
        self._noting.look()

    async def stop(self) -> None:
        """Refuse new work, deliver what can be within the budget, leave the rest waiting in the store."""
        now = asyncio.get_running_loop().time()
        async with _until(now + STOP_SECONDS / 3):
            await self._listeners.close("emulator")
        async with _until(now + STOP_SECONDS * 2 / 3):
            await self._forwarder.close()
            await self._deliveries.drained()
        await self._deliveries.close()
        async with _until(now + STOP_SECONDS):
            await self._listeners.close("receiver")
        self._pruner.stop()
        self._noting.stop()

    # The row of rooms

    async def _accept(self, trace: str, events: Sequence[Event], given: str) -> None:
        await self._forwarder.accept(trace, events, only=self._passes.get(given))
        self._pruner.count(sum(len(event.raw) for event in events))

    async def _accept_again(self, events: Sequence[Event], destinations: tuple[str, ...]) -> str:
        trace = _new_trace()
        await self._forwarder.accept(trace, events, only=Only(destinations))
        self._pruner.count(sum(len(event.raw) for event in events))
        return trace

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[Post]:
        client = Client(Way())
        try:
            yield client.send
        finally:
            await client.close()

    async def _keep(self, trace: str, events: Sequence[Event], answers: Answers) -> list[int]:
        at = self._clock.now()
        return await self._store.write(lambda tx: outbox.accept(tx, at, trace, events, answers))

    async def _deliver(self, destination: Destination, closed: Closed[Queued]) -> None:
        await self._ledger.open(destination, closed)
        self._deliveries.wake(destination.name)

    async def _record(self, captured: Captured) -> CaptureRecord:
        self._pruner.count(len(captured.body))
        record = await self._store.insert(captures.insert, captured)
        self._noting.count()
        return record

    async def _note_request(self, method: str, path: str, status: int, fault: str | None) -> None:
        at = self._clock.now()
        await self._store.write(lambda tx: history.insert_request(tx, at, method, path, status, fault))

    async def _keep_sent(self, detail: SentDetail) -> SentRecord:
        return await self._store.write(lambda tx: history.insert_sent(tx, detail))

    async def _keep_disabled(self, destination: str, reason: str) -> None:
        at = self._clock.now()
        await self._store.write(lambda tx: endpoints.disable(tx, at, destination, reason))

    async def _keep_paused(self, destination: str, reason: str | None) -> None:
        at, words = self._clock.now(), self.redact(reason) if reason is not None else None
        await self._store.write(lambda tx: endpoints.pause(tx, at, destination, words))

    # What follows the settings

    def _refresh(self) -> None:
        config = self.config
        self._masked = self._masked.union(config.secret_values())
        self.redact = Redactor([*self._masked, self._demo_token])
        destinations = self.destinations()
        self._forwarder.apply(destinations)
        self._deliveries.apply(destinations)

    def _listening(self) -> None:
        self._refresh()
        self._on_listening(self.addresses.emulator, self.addresses.receiver)

    async def _drop(self, destination: Destination, at: int) -> None:
        name = destination.name

        def note(tx: Tx) -> None:
            # What no batch holds yet is put into batches, so that it can be cancelled, and brought back.
            while pending := outbox.backlog(tx.db, name, 0, destination.batch.max_events):
                closed = _first_batch(destination, pending)
                body = encode([raw for _, raw in closed.items], destination.envelope, destination.timestamps)
                outbox.open_delivery(tx, at, name, body, [number for number, _ in closed.items], closed.by)
            outbox.drop_destination(tx, at, name)

        await self._store.write(note)

    def _really(self, destination: Destination) -> Destination:
        real = self.addresses.receiver
        if destination.name == RECEIVER and destination.url == DEFAULT_RECEIVER_URL and real:
            return replace(destination, url=f"{real}/")
        return destination

    def _check_known(self, destination: str) -> None:
        if self.config.destination(destination) is None:
            raise NotFound(f"There is no destination {destination}.", "See Destinations for the names.")

    def _refuse(self, listener: Listener, refusal: Refusal) -> None:
        self.refused[refusal.code] = self.refused.get(refusal.code, 0) + 1
        record = RefusedRecord(
            self._clock.now(), listener, refusal.peer, refusal.status, refusal.code, refusal.message
        )
        # Another tuple each time: whoever draws it is on another thread.
        self.refusals = (*self.refusals[1 - MAX_REFUSALS :], record)
        self._on_refused()


@contextlib.asynccontextmanager
async def running(
    config: Config,
    database: Path,
    *,
    listeners: Sequence[Listener] = ("emulator", "receiver"),
    fall_back: bool = False,
    clock: Clock | None = None,
    limits: Limits | None = None,
    busy_seconds: float = BUSY_SECONDS,
    speed: float = 1.0,
    observers: Sequence[Observer] = (),
    on_listening: Callable[[str | None, str | None], None] = lambda emulator, receiver: None,
) -> AsyncIterator[Engine]:
    """An engine that listens, on the running loop, until the context ends.

    With `fall_back` a taken default port becomes any free one, and one asked for by name a trouble to
    show; without it PortInUse is raised. Raises StoreBroken where the database cannot be used.
    `on_listening` hears both base URLs whenever one changes. `busy_seconds` is how long a write waits for
    a lock that another program holds on the database, `speed` how fast waiting goes, as for set_speed().
    """
    asyncio.get_running_loop().set_default_executor(Threads())
    store = await Store.open(database, busy_seconds=busy_seconds)
    try:
        for observer in observers:
            store.on_commit(observer)
        engine = Engine(config, store, clock or SystemClock(), limits or Limits(), on_listening)
        try:
            await engine.start(listeners, fall_back=fall_back, speed=speed)
            yield engine
        finally:
            await engine.stop()
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def _until(deadline: float) -> AsyncIterator[None]:
    """Cut short what is not done at a time of the loop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            yield


def _first_batch(destination: Destination, pending: Sequence[Queued]) -> Closed[Queued]:
    """As many of these events as a batch of the destination holds."""
    batcher: Batcher[Queued] = Batcher(destination.batch, frame_size(destination.envelope))
    for item in pending:
        if closed := batcher.add(item, 0, most_size(item[1], destination.timestamps)):
            return closed[0]
    return Closed(tuple(pending), "stop")


def _course(config: Config) -> Course | None:
    """The response program of the settings, at its beginning."""
    text = config.receiver.respond
    return Course(programs.parse(text)) if text is not None else None


def _new_trace() -> str:
    return "t" + secrets.token_hex(8)


def _new_uuid() -> str:
    # A random node instead of the machine's hardware address, which must not leave it.
    return str(uuid.uuid1(node=secrets.randbits(48) | 1 << 40))


def _render_statsig(status: int, code: str, message: str) -> bytes:
    return statsig_error(status, message)
