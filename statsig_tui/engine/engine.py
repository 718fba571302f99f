"""The door of the engine: what screens and commands may ask of it, and the verbs."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from statsig_tui.core.config import (
    RECEIVER,
    ClientCert,
    Config,
    Destination,
    Target,
)
from statsig_tui.core.destination import Invalid
from statsig_tui.core.diagnosis import Diagnosis
from statsig_tui.core.event import again
from statsig_tui.core.filters import Clause
from statsig_tui.core.jumps import Jump, Jumps
from statsig_tui.core.query import Query
from statsig_tui.core.records import (
    RefusedRecord,
    SentRecord,
)
from statsig_tui.core.redact import Redactor
from statsig_tui.core.request import Shape
from statsig_tui.core.selftest import Progress, Result
from statsig_tui.core.tunnel import Report
from statsig_tui.engine import (
    captures,
    examination,
    probing,
    remarks,
    tunnel,
)
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.clock import Clock, SystemClock
from statsig_tui.engine.connecting import Unusable, proxy_of, show
from statsig_tui.engine.forwarder import Only
from statsig_tui.engine.framing import Limits
from statsig_tui.engine.house import House, new_uuid
from statsig_tui.engine.listeners import Addresses, Listener
from statsig_tui.engine.replaying import Replaying
from statsig_tui.engine.search import Kind, Search, Stored
from statsig_tui.engine.series import Series
from statsig_tui.engine.store import BUSY_SECONDS, Observer, Store
from statsig_tui.engine.threads import Threads
from statsig_tui.errors import StoreBroken, Unavailable


class Engine:
    """What screens and commands may do. Coroutines run on the engine's loop, `archive` on any thread."""

    def __init__(self, house: House) -> None:
        self.archive = Archive(house.store)
        self._house = house
        self._jumps = Jumps()
        self._jumped: Jump | None = None

    # Reads

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._house.config

    @property
    def redact(self) -> Redactor:
        """What takes every secret that was ever in force out of a text."""
        return self._house.redact

    @property
    def recovered(self) -> int:
        """Deliveries that a former run was sending when it ended, and that are sent again."""
        return self._house.recovered

    @property
    def addresses(self) -> Addresses:
        """Where the listeners really listen."""
        return self._house.listeners.addresses

    @property
    def troubles(self) -> Mapping[Listener, str]:
        """Why a listener does not listen, or not where it was expected, with what to do."""
        return self._house.listeners.troubles

    @property
    def refused(self) -> Mapping[str, int]:
        """Requests that never arrived whole, were over a limit or could not be stored, by reason."""
        return self._house.refusals.counts

    @property
    def refusals(self) -> tuple[RefusedRecord, ...]:
        """The newest of them, oldest first."""
        return self._house.refusals.newest

    @property
    def refusal(self) -> StoreBroken | None:
        """Why the store takes nothing at present, and both listeners answer 503; None: it does."""
        return self._house.store.refusal

    def emulator(self) -> Target:
        """The built-in target; raises Unavailable while the emulator does not listen."""
        if self.addresses.emulator is None:
            raise Unavailable(
                "The emulator does not listen.", "Take any free port: Use a free port, in the palette."
            )
        return self.targets()[0]

    def targets(self) -> tuple[Target, ...]:
        """The built-in target first, at the emulator's real address, then those of the settings."""
        return self._house.targets()

    def destinations(self) -> tuple[Destination, ...]:
        """The destinations; the built-in one at the receiver's real address."""
        return self._house.destinations()

    def destination(self, name: str) -> Destination:
        """The destination of a name, at its real address; raises NotFound where there is none."""
        return self._house.destination(name)

    @property
    def speed(self) -> float:
        """How many times as fast as it really is the forwarder's waiting goes."""
        return self._house.pace.speed

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
        self._jumped = (
            self._jumps.look(self._house.clock.now(), self._house.clock.monotonic()) or self._jumped
        )
        return self._jumped

    def disabled(self, destination: str) -> str | None:
        """Why a destination takes nothing though it is enabled."""
        return self._house.deliveries.disabled.get(destination)

    def next_probe(self, destination: str) -> int | None:
        """When a paused destination is tried again (epoch ms); None: it is not paused."""
        return self._house.deliveries.next_probe(destination)

    def ailing(self) -> dict[str, str]:
        """The destinations that are on and sent nothing: `disabled` by a 410, or `paused` after failures."""
        return self._house.deliveries.ailing([item.name for item in self.config.destinations if item.enabled])

    def on_commit(self, observer: Observer) -> Callable[[], None]:
        """Be told, in the writer's thread, what each commit wrote; returns the way out.

        What is told is empty when `refusal` changed.
        """
        return self._house.store.on_commit(observer)

    def on_refused(self, observer: Callable[[], None]) -> None:
        """Be told, on the engine's loop, that `refusals` changed: nothing is committed for them."""
        self._house.refusals.on_change = observer

    def on_noted(self, observer: Callable[[], None]) -> None:
        """Be told, on the engine's loop, that archive.noted() rose: nothing is committed for it."""
        self._house.on_noted = observer

    async def search(self, kind: Kind, query: Query) -> AsyncGenerator[list[Stored], None]:
        """What fits a query, newest first, as it is found; end it by leaving it."""
        search = Search(kind, query, self._house.clock.now())
        while not search.is_done:
            yield await self._house.store.read(search.step)

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
        return await self._house.posting.send(
            target, body, event_name=event_name, headers=headers, seconds=seconds, shape=shape
        )

    async def send_series(self, series: Series) -> None:
        """Post a series until it is done or stopped; history keeps an example of each outcome."""
        await self._house.posting.send_series(series)

    async def send_demo(self) -> SentRecord | None:
        """A marked event through the whole pipe, to `receiver` alone: for the first run."""
        if self.addresses.emulator is None or self.config.destination(RECEIVER) is None:
            return None
        await self.remember("demo", "sent")
        return await self._house.posting.send_demo(self.targets()[0])

    async def probe(self, destination: str) -> SentRecord:
        """Post a marked event for one destination alone, whose filter is asked; what became of the request.

        Raises NotFound or Unavailable.
        """
        self._house.check_known(destination)
        return await self._house.posting.probe(self.emulator(), destination)

    async def check_tunnel(self, url: str, seconds: float = tunnel.SECONDS) -> Report:
        """Knock at a public URL as Statsig does when it is saved: whether and how that arrives here."""
        here = self.addresses.receiver
        return await tunnel.check(url, seconds, self.redact, here, lambda ask: self._house.store.read(ask))

    async def send_test(self, destination: str, raw: bytes, *, filtered: bool, renewed: bool = True) -> str:
        """Hand an outgoing event to one destination; its trace. A renewed one happens now.

        Its filter is asked only where that is wanted (`filtered`). Raises NotFound or StoreBroken.
        """
        self._house.check_known(destination)
        event = again(raw, now=self._house.clock.now() if renewed else None, time_uuid=new_uuid())
        return await self._house.take([event], Only((destination,), None if filtered else Clause.TEST))

    async def self_test(
        self,
        destination: str,
        *,
        verification_only: bool = False,
        tell: Callable[[Progress], None] = lambda progress: None,
    ) -> list[Result]:
        """What a destination's endpoint does with good and bad requests; nothing of it is kept.

        `tell` hears how far it has come, on the engine's loop.
        """
        found, now = self.destination(destination), self._house.clock.now()
        return await probing.self_test(found, now, verification_only=verification_only, tell=tell)

    async def remember(self, name: str, value: str) -> None:
        """Keep a fact of this data directory; archive.fact() tells it again."""
        await self._house.store.write(
            lambda tx: tx.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value)).rowcount
        )

    async def mark(self, capture: int, is_marked: bool) -> None:
        """Mark a capture, or mark it no longer; archive.marked() tells it again."""
        await self._house.store.write(lambda tx: remarks.mark(tx, capture, is_marked))

    async def note(self, capture: int, text: str) -> None:
        """Keep a note on a capture; an empty one is none."""
        await self._house.store.write(lambda tx: remarks.set_note(tx, capture, text))

    async def apply(self, config: Config, *, renamed: tuple[str, str] | None = None) -> None:
        """Use these settings from now on; only what changed restarts, and queued work is kept.

        `renamed` is a destination's old and new name. One that is gone has what waits for it cancelled;
        one that comes back gets it back.
        """
        await self._house.apply(config, renamed)

    async def respond(self, text: str | None) -> None:
        """Answer by this response program from its first step on; None: as usual. Raises UsageError."""
        self._house.respond(text)

    async def listen(self, listener: Listener, *, anywhere: bool = False) -> str:
        """(Re)start a listener where the settings say, or on any free port; its base URL.

        Raises PortInUse or Unavailable.
        """
        return await self._house.listen(listener, anywhere=anywhere)

    async def replay(self, replaying: Replaying) -> None:
        """Send what was captured again, until all of it is on its way or it is stopped.

        What comes of it is archive.replayed(). Raises UsageError, NotFound or StoreBroken.
        """
        await self._house.replay(replaying)

    async def stop_replay(self, replaying: Replaying) -> None:
        """Open nothing more of a replay, and give up what waits of it; raises StoreBroken."""
        replaying.stop()
        if replaying.run is not None:
            await self._house.queues.cancel_replay(replaying.run)

    async def diagnose(self, capture: int) -> Diagnosis | None:
        """What there is to say of a capture's signature, judged as it arrived; None: it was forgotten."""
        detail = await self._house.store.read(lambda db: captures.detail(db, capture))
        if detail is None:
            return None
        secrets = self.config.signing_secrets(detail.record.at)
        tolerance = self.config.receiver.tolerance_seconds
        return await asyncio.to_thread(examination.examine, detail, secrets, tolerance)

    async def retry_now(self, delivery: int) -> bool:
        """Make a delivery due at once, whatever became of it; False where there is nothing to do."""
        return await self._house.queues.retry_now(delivery)

    async def set_speed(self, speed: float) -> None:
        """Let waiting go so many times as fast: batch intervals, retries, Retry-After and rate limits.

        Nothing else does: times that are stored or signed are real, time-outs too. What waits is due by
        the new speed from this moment on. Raises StoreBroken.
        """
        await self._house.queues.set_speed(speed)

    async def next_attempt_now(self, destination: str) -> int:
        """End the waiting for the next attempts at a destination; how many deliveries waited."""
        return await self._house.queues.hurry(destination)

    async def redeliver(self, destination: str, since: int, until: int = 2**62) -> int:
        """Make due at once what failed of the deliveries created from `since` to before `until` (epoch ms).

        How many they are; archive.failed() tells it before.
        """
        return await self._house.queues.redeliver(destination, since, until)

    async def redeliver_these(self, destination: str, deliveries: Sequence[int]) -> int:
        """Make deliveries of one destination due at once, whatever became of them but arriving; how many."""
        return await self._house.queues.redeliver_these(destination, deliveries)

    async def cancel(self, delivery: int) -> bool:
        """Give up a delivery; False where it is settled already."""
        return await self._house.queues.cancel(delivery)

    async def resume(self, destination: str) -> None:
        """Let a destination that a 410 disabled, or failures paused, be sent everything again."""
        await self._house.queues.resume(destination)


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
        house = House(config, store, clock or SystemClock(), limits or Limits(), on_listening)
        try:
            await house.start(listeners, fall_back=fall_back, speed=speed)
            yield Engine(house)
        finally:
            await house.stop()
    finally:
        await store.close()
