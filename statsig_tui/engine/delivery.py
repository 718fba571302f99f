"""One destination's deliveries: post, decide, wait, repeat. What is to be done stands in the store."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVarTuple

from statsig_tui.core.circuit import Circuit
from statsig_tui.core.config import Destination, RetryPolicy
from statsig_tui.core.records import AttemptRecord, DeliveryState, Ended, Job, Sending
from statsig_tui.core.retry import Next, longest_wait, next_step
from statsig_tui.engine.attempt import Post, Requests, attempted, retry_after, sending_of
from statsig_tui.engine.clock import Clock, Pace
from statsig_tui.engine.line import MOST_AHEAD, Ledger, Line
from statsig_tui.engine.outcome import CUT_OFF, STALE, UNCOUNTED
from statsig_tui.engine.tasks import running_task, told_task
from statsig_tui.errors import StatsigTuiError

Given = TypeVarTuple("Given")
_STORE_PAUSE = 1.0
_GAP = 2.0
"""Seconds by which a clock may be off, or a wait too long, before the clock was set or the machine slept."""
_QUICK_MS = 100
"""What an answer may take of an endpoint for which attempts are begun ahead."""
_ONCE = RetryPolicy("none")


class Delivery:
    """The worker of one destination; a slow endpoint holds up nobody else."""

    def __init__(
        self,
        destination: Destination,
        *,
        clock: Clock,
        ledger: Ledger,
        post: Post,
        on_gone: Callable[[str], Awaitable[None]],
        on_circuit: Callable[[str, str | None], Awaitable[None]],
        is_disabled: Callable[[str], bool],
        pace: Pace,
        paused: str | None = None,
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),  # noqa: S311 - spreads load, keeps no secret
        slow_after: float = _QUICK_MS / 1000,
    ) -> None:
        """`on_gone` hears of a 410, `on_circuit` why the circuit has opened, or None when it has closed.

        `paused` is why it was open when a former run ended; `slow_after` how many seconds a request may be
        under way before what was begun ahead is given back.
        """
        self.destination = destination
        self.most_bytes: int | None = None
        """The largest body to send, since the endpoint refused a larger one as too large; None: any."""
        self._clock = clock
        self._ledger = ledger
        self._requests = Requests(post, clock)
        self._on_gone = on_gone
        self._on_circuit = on_circuit
        self._circuit = Circuit(destination.circuit, paused)
        self._is_disabled = is_disabled
        self._pace = pace
        self._jitter = jitter
        self._slow_after = slow_after
        self._wake = asyncio.Event()
        self._held_until = 0.0
        self._last_sent = float("-inf")
        self._changes = 0
        """How often something became otherwise that may have been begun already."""
        self._under_way: dict[int, asyncio.Task[None]] = {}
        """Attempts beside each other, by delivery, where more than one at once is wanted."""
        self._line = Line(
            ledger, self._may_follow, lambda job: sending_of(job, self.destination, clock.now())
        )
        self._quick = 0
        """Attempts in a row that arrived, each quickly."""
        self._judging = asyncio.Lock()
        self._idle = asyncio.Event()
        self._offset = self._clock_offset()
        self._task = running_task(self._run(), f"delivery {destination.name}")

    def wake(self) -> None:
        """Something may be due earlier than was known."""
        self._idle.clear()
        self._wake.set()

    def apply(self, destination: Destination) -> None:
        """Use these settings from the next attempt on."""
        if (destination.url, destination.batch) != (self.destination.url, self.destination.batch):
            self.most_bytes = None
        self.destination = destination
        self._note_change()
        self._circuit.policy = destination.circuit
        self.stretch(0)

    def cut_off(self, deliveries: Sequence[int]) -> None:
        """End the requests of deliveries that were given up: what is behind them need not wait."""
        # One of them may have been begun, and is not to go any more.
        self._note_change()
        for delivery in deliveries:
            self._requests.cut_off(delivery)

    def resume(self) -> None:
        """Send everything again, whatever failed before."""
        self._circuit.close()
        self.wake()

    def next_probe(self) -> int | None:
        """When what is paused is tried again (epoch ms); None: it is not paused."""
        if self._circuit.reason is None:
            return None
        wait = max(0.0, self._circuit.probe_at - self._clock.monotonic())
        return self._clock.now() + round(wait * 1000)

    def stretch(self, by: float) -> None:
        """Wait `by` times as long for the next probe, and for what an answer asked for; 0: no longer."""
        now = self._clock.monotonic()
        self._held_until = now + max(0.0, self._held_until - now) * by
        self._circuit.probe_at = now + max(0.0, self._circuit.probe_at - now) * by
        self.wake()

    async def drained(self) -> None:
        """Return when nothing is due at this moment."""
        self.wake()
        await self._idle.wait()

    async def stop(self) -> None:
        """End at once; an attempt under way counts as interrupted."""
        tasks = [self._task, *self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        with contextlib.suppress(StatsigTuiError):
            await self._line.settle()

    async def _run(self) -> None:
        wait_until: float | None = None
        while True:
            self._wake.clear()
            try:
                await self._catch_up(wait_until)
                wait_until = await self._step()
            except StatsigTuiError:
                # The store cannot take it down at present: nothing is sent that is not noted first.
                wait_until = self._clock.monotonic() + _STORE_PAUSE
            if wait_until is not None and wait_until <= self._clock.monotonic():
                wait_until = None
                continue
            if not self._wake.is_set() and not self._under_way:
                self._idle.set()
            await self._clock.wait(self._wake, wait_until)

    async def _step(self) -> float | None:
        """Make the attempt that is due; returns when to look again (monotonic s; None: when woken)."""
        name = self.destination.name
        if not self.destination.enabled or self._is_disabled(name):
            return None
        if len(self._under_way) >= self.destination.concurrency:
            return None
        now = self._clock.monotonic()
        if now < self._held_until:
            return self._held_until
        job = await self._ledger.next_job(name)
        # One that was cancelled and retried by hand meanwhile: it waits for its former attempt to end.
        if job is None or job.delivery in self._under_way:
            return None
        wall = self._clock.now()
        due_in = job.due - wall
        if due_in > 0 and (job.scheduled > wall or due_in > longest_wait(self.destination.retry) * 1000):
            # The clock was set back while nothing ran, or the schedule has become a shorter one.
            await self._ledger.move(name, -due_in, None)
            return now
        if due_in > 0:
            return now + due_in / 1000
        if self._circuit.reason is not None:
            if self._under_way:
                return None
            if now < self._circuit.probe_at:
                return self._circuit.probe_at
        if self._is_known_to_be_too_large(job):
            await self._ledger.halve(job, self.destination, None)
            return now
        rate = self.destination.rate_limit
        free_at = self._last_sent + self._pace.real(1 / rate) if rate is not None else now
        if now < free_at:
            await self._ledger.note_rate_limited(job.delivery)
            return free_at
        await self._attempt(job)
        return now

    async def _catch_up(self, planned: float | None) -> None:
        """Where the clock was set, or this process slept beyond `planned`, move retries by as much.

        So they neither wait for a day nor go all at once: each keeps its distance from the others.
        """
        offset = self._clock_offset()
        moved = offset - self._offset
        if abs(moved) > _GAP * 1000:
            await self._ledger.move(
                self.destination.name, moved, self._clock.now() - moved if moved > 0 else None
            )
        self._offset = offset
        late = self._clock.monotonic() - planned if planned is not None else 0.0
        if late > _GAP:
            by = round(late * 1000)
            await self._ledger.move(self.destination.name, by, self._clock.now() - by)

    def _clock_offset(self) -> int:
        return self._clock.now() - round(self._clock.monotonic() * 1000)

    def _is_known_to_be_too_large(self, job: Job) -> bool:
        return (
            self.most_bytes is not None
            and len(job.body) > self.most_bytes
            and job.events > 1
            and job.replay is None
        )

    async def _attempt(self, job: Job) -> None:
        """Make an attempt, and those of the deliveries that are due behind it; or begin one beside others."""
        changes = self._changes
        sending = sending_of(job, self.destination, self._clock.now())
        if self.destination.concurrency > 1:
            if (await self._ledger.begin(sending)).sendings:
                if self._is_as_begun(changes):
                    self._last_sent = self._clock.monotonic()
                    name = f"delivery {self.destination.name} {job.delivery}"
                    follows = "it counts as interrupted at the next start"
                    self._under_way[job.delivery] = told_task(self._beside(sending), name, follows)
                else:
                    await self._insist(self._ledger.end, (), (sending,))
            return
        await self._line.open(sending, self._window)
        try:
            while (following := await self._line.next(self._window)) is not None:
                # It took a commit to come here.
                if not self._is_as_begun(changes) or (
                    following is not sending and not self._may_follow(following.job)
                ):
                    self._line.refuse(following)
                    break
                if not await self._goes_on_behind(following) or self._changes != changes:
                    break
        except StatsigTuiError:
            # What has ended is noted below, as soon as that can be done.
            pass
        await self._insist(self._line.settle)

    def _note_change(self) -> None:
        self._changes += 1
        self._line.give_back()

    def _is_as_begun(self, changes: int) -> bool:
        """Whether what was begun after so many changes is still what is to be sent, and may be."""
        return self._changes == changes and not self._is_disabled(self.destination.name)

    @property
    def _window(self) -> int:
        """Attempts that may be begun and not made: one, and the more the longer all goes well."""
        return max(1, min(self._quick, MOST_AHEAD))

    async def _goes_on_behind(self, sending: Sending) -> bool:
        """Make an attempt that was begun; whether what was begun behind it is still to be made."""
        slow = asyncio.get_running_loop().call_later(self._slow_after, self._line.give_back)
        try:
            attempt, step = await self._made(sending)
        finally:
            slow.cancel()
        await self._judge(attempt)
        is_quick = step.step == "delivered" and (attempt.ms or 0) <= _QUICK_MS
        self._quick = self._quick + 1 if is_quick else 0
        ended = await self._settled(sending.job, attempt, step)
        if ended is None:
            return False
        self._line.add(ended)
        behind = self._line.ahead
        return behind is None or (is_quick and self._may_follow(behind))

    async def _beside(self, sending: Sending) -> None:
        """Make one attempt that was begun, while others are under way."""
        try:
            attempt, step = await self._made(sending)
            await self._judge(attempt)
            ended = await self._settled(sending.job, attempt, step)
            if ended is not None:
                await self._insist(self._ledger.end, (ended,))
        finally:
            del self._under_way[sending.job.delivery]
            self.wake()

    def _may_follow(self, job: Job) -> bool:
        """Whether nothing of what _step() and _catch_up() look at speaks against it."""
        return (
            job.due <= self._clock.now()
            and self.destination.enabled
            and self.destination.concurrency == 1
            and not self._is_disabled(self.destination.name)
            and self._clock.monotonic() >= self._held_until
            and self._circuit.reason is None
            and self.destination.rate_limit is None
            and not self._is_known_to_be_too_large(job)
            and abs(self._clock_offset() - self._offset) <= _GAP * 1000
        )

    async def _made(self, sending: Sending) -> tuple[AttemptRecord, Next]:
        job, destination = sending.job, self.destination
        self._last_sent = self._clock.monotonic()
        at = self._clock.now()
        outcome = await self._requests.post(sending, destination.timeout_seconds)
        policy = _ONCE if job.replay else destination.retry
        wish = retry_after(outcome.retry_after, self._clock.now())
        if outcome.error == STALE:
            # It counts for nothing: no endpoint failed. But it is an attempt, for it may have arrived.
            step = Next("retry")
        elif outcome.error == CUT_OFF:
            step = Next("failed")
        else:
            step = next_step(
                job.attempt + 1 - job.uncounted,
                outcome.status,
                policy,
                self._jitter(),
                wish,
                job.events,
                job.is_isolating,
                # While the endpoint fails whatever it is sent, no halves of it will tell more.
                job.was_refused and self._circuit.reason is None,
            )
        return attempted(sending, at, outcome), step

    async def _judge(self, attempt: AttemptRecord) -> None:
        """Let the circuit know what came of an attempt, and everybody else what came of the circuit."""
        if attempt.error in UNCOUNTED:
            return
        # One by one: what is noted last is how the circuit is.
        async with self._judging:
            before = self._circuit.reason
            self._circuit.note(attempt.delivery, attempt.status, attempt.error)
            after = self._circuit.reason
            if after is not None:
                probe_in = self._pace.real(self._circuit.policy.probe_seconds)
                self._circuit.probe_at = self._clock.monotonic() + probe_in
            if after != before:
                await self._insist(self._on_circuit, self.destination.name, after)

    async def _settled(self, job: Job, attempt: AttemptRecord, step: Next) -> Ended | None:
        """Where an attempt leaves its delivery; None: that is noted already."""
        now = self._clock.now()
        if step.step == "delivered":
            if self.most_bytes is not None:
                self.most_bytes = max(self.most_bytes, len(job.body))
            return Ended(attempt, DeliveryState.DELIVERED)
        if step.step == "retry":
            delay = self._pace.real(step.delay)
            if step.holds_destination:
                self._held_until = max(self._held_until, self._clock.monotonic() + delay)
            # What nobody was asked about keeps its place in the row.
            next_at = job.due if attempt.error == STALE else now + int(delay * 1000)
            return Ended(attempt, DeliveryState.RETRYING, attempt.error, next_at)
        if attempt.error == CUT_OFF:
            return Ended(attempt, DeliveryState.CANCELLED, attempt.error)
        if step.step in ("split", "isolate") and job.replay is None:

            async def halve() -> None:
                largest = await self._ledger.halve(job, self.destination, attempt)
                if step.step == "split":
                    self.most_bytes = min(largest, self.most_bytes or largest)

            await self._insist(halve)
            return None
        if step.step == "disable":
            # It stays due: whoever resumes the destination wants it delivered.
            await self._insist(self._on_gone, self.destination.name)
            return Ended(attempt, DeliveryState.RETRYING, attempt.error, now)
        if self._circuit.reason is not None and job.replay is None:
            # While the endpoint fails whatever it is sent, nothing is given up.
            return Ended(attempt, DeliveryState.RETRYING, attempt.error, now)
        return Ended(attempt, DeliveryState.FAILED, attempt.error)

    async def _insist(self, note: Callable[[*Given], Awaitable[None]], *given: *Given) -> None:
        """What happened has happened: it is noted as soon as the store takes it."""
        while True:
            try:
                await note(*given)
            except StatsigTuiError:
                pause = asyncio.Event()
                await self._clock.wait(pause, self._clock.monotonic() + _STORE_PAUSE)
            else:
                return
