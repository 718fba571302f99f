"""A replay under way: it opens a delivery for each capture and place in turn, at a rate, until it is stopped.

What goes to a destination waits in its queue like any delivery; what goes to a typed URL is posted here,
once. What came of it stands in the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace

from statsig_tui.core.config import Destination
from statsig_tui.core.destination import Invalid, check_not_emulator, validate_destination
from statsig_tui.core.event import Event
from statsig_tui.core.ids import tag
from statsig_tui.core.records import (
    CaptureDetail,
    DeliveryRecord,
    DeliveryState,
    Ended,
    Headers,
    Job,
    Replay,
    Sending,
)
from statsig_tui.core.replaying import (
    MOST,
    Part,
    Wish,
    accepted,
    alone,
    events_of,
    kept,
    signature_of,
    with_kept,
)
from statsig_tui.core.series import next_start
from statsig_tui.core.signing import signing_headers
from statsig_tui.engine import captures, replays
from statsig_tui.engine.attempt import Post, attempted
from statsig_tui.engine.captures import plain
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.line import Ledger
from statsig_tui.engine.store import Store
from statsig_tui.errors import NotFound, UsageError

SECONDS = 15.0
"""For a request to a typed URL and its answer."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a replay needs of the engine."""

    store: Store
    clock: Clock
    ledger: Ledger
    redact: Callable[[str], str]
    check_known: Callable[[str], None]
    """Raise NotFound for a destination that is not there (any more)."""
    wake: Callable[[str], None]
    """Something is due for a destination."""
    accept: Callable[[Sequence[Event], tuple[str, ...]], Awaitable[str]]
    """Take events as the emulator does, for the filters of these destinations; the trace."""
    client: Callable[[], contextlib.AbstractAsyncContextManager[Post]]
    """Connections of its own."""


@dataclass(slots=True)
class _Taken:
    """What is sent of a part, however often."""

    body: bytes
    headers: Headers
    events: Sequence[bytes]
    count: int
    batch: int | None = None


@dataclass(eq=False)
class Replaying:
    """A replay that can be stopped while it runs; `run` tells it in the store. All of it on one loop."""

    wish: Wish
    parts: Sequence[Part]
    run: int | None = None
    """Its number, once it has begun."""
    is_done: bool = False
    """Whether all of it is on its way, or it was stopped."""
    is_stopped: bool = False
    missing: int = 0
    """Captures that were forgotten meanwhile, or hold no event."""
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def total(self) -> int:
        """Requests it comes to; as events, captures."""
        return len(self.parts) * self.wish.places * self.wish.times

    def check(self, emulator: str | None) -> None:
        """Raise UsageError for what cannot be done; `emulator` is its base URL."""
        wish = self.wish
        if not wish.destinations and not wish.urls:
            raise UsageError("Nothing was chosen to replay it to.", "Choose a destination, or type a URL.")
        if wish.how is Replay.AS_RECEIVED and any(child is not None for _, child in self.parts):
            raise UsageError(
                "One event of a batch cannot go as received: the signature is that of the whole batch.",
                "Send it re-signed or as an event, or take the whole capture.",
            )
        if wish.how is Replay.AS_EVENTS and wish.urls:
            raise UsageError(
                "A typed URL has no filter: events go to destinations.", "Choose as received or re-signed."
            )
        if wish.how is Replay.RESIGNED and wish.urls and not wish.secret:
            raise UsageError(
                "No secret is known to sign with what goes to a typed URL.",
                "Choose a destination with a signing secret beside it, or as received.",
            )
        if self.total > MOST:
            raise UsageError(
                f"That would be {self.total:,} requests; {MOST:,} at a time are the most.",
                "Replay fewer captures, or less often.",
            )
        for url in wish.urls:
            try:
                validate_destination(Destination("typed", url))
                if emulator is not None:
                    check_not_emulator(url, emulator)
            except Invalid as error:
                raise UsageError(f"The URL {error.message}.", error.hint) from None

    def slow_down(self, rate: float | None) -> None:
        """Take this rate, before it begins."""
        self.wish = replace(self.wish, rate=rate)

    def stop(self) -> None:
        """Open nothing more."""
        self.is_stopped = True
        self._stop.set()

    def leave(self) -> None:
        """Open nothing more, and leave what waits as it is: the program ends."""
        self._stop.set()

    async def work(self, rooms: Rooms, run: int) -> None:
        """All of it; returns when it is done or stopped. Raises NotFound where nothing is left of it."""
        self.run = run
        try:
            async with contextlib.AsyncExitStack() as stack:
                post = await stack.enter_async_context(rooms.client()) if self.wish.urls else None
                await self._open_all(rooms, run, post)
        finally:
            self.is_done = True
            if self.is_stopped:
                at = rooms.clock.now()
                await rooms.store.write(lambda tx: replays.cancel(tx, at, run))
        if self.missing and self.missing == len(self.parts):
            raise NotFound(
                f"There is nothing to replay of {tag('c', self.parts[0][0])}.",
                "It holds no event, or was forgotten: see [retention].",
            )

    async def _open_all(self, rooms: Rooms, run: int, post: Post | None) -> None:
        batches: dict[Part, int] = {}
        due: float | None = None
        for turn in range(self.wish.times):
            for part in self.parts:
                taken = await self._taken(rooms, part)
                if taken is None:
                    self.missing += turn == 0
                    continue
                taken.batch = batches.get(part)
                for place in self._places():
                    due = next_start(due, rooms.clock.monotonic(), self.wish.rate)
                    await self._until(rooms.clock, due)
                    if self._stop.is_set():
                        return
                    await self._open(rooms, run, part[0], taken, place, post)
                if taken.batch is not None:
                    batches[part] = taken.batch

    def _places(self) -> Sequence[str]:
        wish = self.wish
        return ("",) if wish.how is Replay.AS_EVENTS else (*wish.destinations, *wish.urls)

    async def _open(
        self, rooms: Rooms, run: int, capture: int, taken: _Taken, place: str, post: Post | None
    ) -> None:
        wish = self.wish
        # In the same turn as the asking below: what is opened before a destination goes, goes with it.
        for name in wish.destinations if wish.how is Replay.AS_EVENTS else (place,):
            if name not in wish.urls:
                rooms.check_known(name)
        if wish.how is Replay.AS_EVENTS:
            note = f"replayed from {tag('c', capture)}"
            trace = await rooms.accept([accepted(raw, note) for raw in taken.events], wish.destinations)
            await rooms.store.write(lambda tx: replays.note_events(tx, run, capture, trace))
            return
        at, name = rooms.clock.now(), rooms.redact(place)
        record = await rooms.store.write(
            lambda tx: replays.open_delivery(
                tx, at, run, capture, name, taken.batch, taken.body, taken.count, wish.how, taken.headers
            )
        )
        taken.batch = record.batch
        if post is not None and place in wish.urls:
            headers = _signed(wish, taken.body, with_kept(taken.headers, ()), at)
            await self._unless_stopped(_post(rooms, place, record, taken.body, headers, post))
        else:
            rooms.wake(place)

    async def _taken(self, rooms: Rooms, part: Part) -> _Taken | None:
        """What there is to send of a part; None: nothing."""
        capture, child = part
        detail = await rooms.store.read(lambda db: captures.detail(db, capture))
        if detail is None:
            return None
        return await asyncio.to_thread(_take, detail, child, self.wish.how)

    async def _until(self, clock: Clock, due: float) -> None:
        # An event of its own: the clock sets what it waits for.
        if due > clock.monotonic():
            pause = asyncio.Event()
            await self._unless_stopped(clock.wait(pause, due))

    async def _unless_stopped(self, what: Coroutine[None, None, None]) -> None:
        doing, stopping = asyncio.ensure_future(what), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            doing.cancel()
            stopping.cancel()
        await asyncio.wait([doing])
        if not doing.cancelled():
            doing.result()


async def _post(
    rooms: Rooms, url: str, record: DeliveryRecord, body: bytes, headers: Headers, post: Post
) -> None:
    """Post a delivery to a typed URL, once, and note what came of it."""
    at = rooms.clock.now()
    job = Job(record.id, at, at, 0, record.events, body, record.replay, headers)
    sending = Sending(job, url, headers, *signature_of(headers))
    if not (await rooms.ledger.begin(sending)).sendings:
        return
    outcome = await post(url, headers, body, SECONDS)
    arrived = outcome.status is not None and 200 <= outcome.status <= 299
    state = DeliveryState.DELIVERED if arrived else DeliveryState.FAILED
    await rooms.ledger.end((Ended(attempted(sending, at, outcome), state, outcome.error),))


def _take(detail: CaptureDetail, child: int | None, how: Replay) -> _Taken | None:
    if child is None and how is not Replay.AS_EVENTS:
        headers = kept(detail.headers, is_whole=True, is_signed=how is Replay.AS_RECEIVED)
        return _Taken(detail.body, headers, (), len(detail.record.events))
    events = events_of(detail, plain(detail.headers, detail.body))
    if child is not None:
        events = events[child : child + 1]
    if not events:
        return None
    headers = kept(detail.headers, is_whole=False, is_signed=False)
    part = alone(detail, events[0]) if how is not Replay.AS_EVENTS else b""
    return _Taken(part, headers, events, len(events))


def _signed(wish: Wish, body: bytes, headers: Headers, at: int) -> Headers:
    if wish.how is not Replay.RESIGNED:
        return headers
    return (*headers, *signing_headers(wish.secret or "", at, body))
