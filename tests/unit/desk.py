"""A delivery worker over a ledger that is a list, and an endpoint that answers from another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from statsig_tui.core.config import Destination, RetryPolicy, Secret
from statsig_tui.core.records import AttemptRecord, DeliveryState, Ended, Headers, Job, Sending
from statsig_tui.engine.clock import Pace
from statsig_tui.engine.delivery import Delivery
from statsig_tui.engine.line import Begun
from statsig_tui.engine.outcome import UNCOUNTED, Outcome
from statsig_tui.errors import StoreBroken

if TYPE_CHECKING:
    from tests.unit.conftest import HandClock

SECRET = "webhook-secret"
MINE = Destination("mine", "http://127.0.0.1/hook", secret=Secret.of(SECRET), retry=RetryPolicy((10, 20)))


@dataclass
class Desk:
    """A ledger, an endpoint, and everything that was done, in order."""

    clock: HandClock
    destination: Destination = MINE
    jobs: dict[int, Job] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    posted: list[tuple[Headers, bytes]] = field(default_factory=list)
    ended: list[tuple[AttemptRecord, DeliveryState, str | None]] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)
    """The last one stands for ever; none: 200."""
    refusals: set[str] = field(default_factory=set)
    """The steps that the store refuses; `back`: to give back what was begun."""
    refused: int = 0
    """How often it has."""
    disabled: set[str] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    paused: str | None = None
    """Why the circuit is open."""
    jitter: float = 0.0
    pace: Pace = field(default_factory=Pace)
    during: Callable[[], object] = lambda: None
    """What happens while the first request is under way, or another one:"""
    when: int = 1
    held: asyncio.Event | None = None
    """What answers wait for; None: they come at once."""
    under_way: list[int] = field(default_factory=list)
    """What has begun and not ended."""
    slow: int = 0
    """Turns of the loop that a commit takes which begins something."""
    slow_after: float = 3600.0
    """Seconds, of the real time, until what was begun ahead is given back."""
    turns: int = 0
    """How often an end and a beginning were noted in one."""

    def __post_init__(self) -> None:
        self.delivery = Delivery(
            self.destination,
            clock=self.clock,
            ledger=self,
            post=self.post,
            on_gone=self.gone,
            on_circuit=self.circuit,
            paused=self.paused,
            is_disabled=self.disabled.__contains__,
            pace=self.pace,
            jitter=lambda: self.jitter,
            slow_after=self.slow_after,
        )

    def give(self, number: int, *, due_in: float = 0, size: int = 0, **changes: Any) -> None:
        due = self.clock.now() + round(due_in * 1000)
        job = Job(number, due, self.clock.now(), 0, 4, named(number, size), None, ())
        self.jobs[number] = replace(job, **changes)
        self.delivery.wake()

    def refuse(self, step: str) -> None:
        if step in self.refusals:
            self.refused += 1
            raise StoreBroken("full")

    async def next_job(self, destination: str) -> Job | None:
        self.refuse("next")
        return next(iter(self.due()), None)

    async def begin(self, sending: Sending, ahead: int = 0) -> Begun:
        self.refuse("begin")
        begun = self.begun((sending,), ahead)
        for _ in range(self.slow):
            await asyncio.sleep(0)
        return begun

    def begun(self, sendings: Sequence[Sending], ahead: int) -> Begun:
        noted = [sending for sending in sendings if self.has_begun(sending.job.delivery)]
        return Begun(noted, self.due()[:ahead])

    def has_begun(self, number: int) -> bool:
        if number in self.cancelled:
            self.jobs.pop(number, None)
            return False
        self.log.append(f"begin {number}")
        self.under_way.append(number)
        return True

    async def end(self, ended: Sequence[Ended], unmade: Sequence[Sending] = ()) -> None:
        self.refuse("end")
        if unmade:
            self.refuse("back")
        for one in ended:
            attempt = one.attempt
            self.log.append(f"end {attempt.delivery} {one.state}")
            self.ended.append((attempt, one.state, one.error))
            job = self.jobs.pop(attempt.delivery)
            self.under_way.remove(attempt.delivery)
            if one.next_at is not None:
                uncounted = job.uncounted + (attempt.error in UNCOUNTED)
                self.jobs[attempt.delivery] = replace(
                    job, due=one.next_at, attempt=attempt.number, uncounted=uncounted
                )
        for sending in unmade:
            self.log.append(f"back {sending.job.delivery}")
            self.under_way.remove(sending.job.delivery)

    async def turn(self, ended: Sequence[Ended], sendings: Sequence[Sending], ahead: int) -> Begun:
        self.refuse("turn")
        self.turns += 1
        for _ in range(self.slow):
            await asyncio.sleep(0)
        await self.end(ended)
        return self.begun(sendings, ahead)

    def due(self) -> list[Job]:
        free = (job for job in self.jobs.values() if job.delivery not in self.under_way)
        return sorted(free, key=lambda job: (job.due, job.delivery))

    async def halve(self, job: Job, destination: Destination, attempt: AttemptRecord | None) -> int:
        delivery = job.delivery
        self.log.append(f"halve {delivery}")
        self.jobs.pop(delivery)
        if delivery in self.under_way:
            self.under_way.remove(delivery)
        for number in (delivery * 10 + 1, delivery * 10 + 2):
            body = named(number, len(job.body) // 2)
            self.jobs[number] = replace(job, delivery=number, events=job.events // 2, body=body)
        return len(job.body) // 2

    async def move(self, destination: str, by: int, untouched_since: int | None) -> None:
        self.jobs |= {
            number: replace(job, due=job.due + by, scheduled=job.scheduled + by)
            for number, job in self.jobs.items()
            if untouched_since is None or job.scheduled <= untouched_since
        }

    async def note_rate_limited(self, delivery: int) -> None:
        self.log.append(f"limited {delivery}")

    async def post(self, url: str, headers: Headers, body: bytes, seconds: float) -> Outcome:
        self.log.append(f"post {body.decode().removeprefix('body ').rstrip()}")
        self.posted.append((headers, body))
        held = self.held
        await asyncio.sleep(0)
        if len(self.posted) == self.when:
            self.during()
        if held is not None:
            await held.wait()
        if not self.answers:
            return Outcome(200, 1.0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def gone(self, destination: str) -> None:
        self.log.append("gone")
        self.disabled.add(destination)

    async def circuit(self, destination: str, reason: str | None) -> None:
        self.refuse("circuit")
        self.log.append("closed" if reason is None else "opened")
        self.paused = reason

    @property
    def due_in(self) -> dict[int, float]:
        """Seconds until each open job is due."""
        return {number: (job.due - self.clock.now()) / 1000 for number, job in self.jobs.items()}


def named(number: int, size: int) -> bytes:
    """A body of that size, that tells whose it is."""
    return (b"body %d" % number).ljust(size)


MakeDesk = Callable[..., Desk]
