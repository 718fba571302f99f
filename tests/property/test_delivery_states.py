"""Whatever an endpoint answers and whenever the sender dies, no event is in no state (promises 3, 19, 20)."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from statsig_tui.core.batch import Closed
from statsig_tui.core.circuit import Circuit
from statsig_tui.core.config import CircuitPolicy, Destination, RetryPolicy, Secret
from statsig_tui.core.event import view
from statsig_tui.core.filters import Clause, Verdict
from statsig_tui.core.records import AttemptRecord, DeliveryRecord, DeliveryState, Headers
from statsig_tui.core.redact import Redactor
from statsig_tui.core.signing import SIGNATURE_HEADER
from statsig_tui.engine import endpoints, outbox, outgoing
from statsig_tui.engine.clock import Pace
from statsig_tui.engine.delivery import Delivery
from statsig_tui.engine.ledger import StoreLedger
from statsig_tui.engine.outcome import STALE, Outcome
from statsig_tui.engine.store import Store
from tests.unit.conftest import HandClock

MINE = Destination(
    "mine", "http://127.0.0.1/hook", secret=Secret.of("webhook-secret"),
    retry=RetryPolicy((10, 20)), circuit=CircuitPolicy(3, 60),
)  # fmt: skip
FAULTS = (
    "500",
    "no answer",
    "answer lost",
    "stale",
    "429",
    "410",
    "413",
    "404",
    "dies",
)
MOST_STEPS = 2000
INTERRUPTED = "interrupted while waiting for the answer: it may have arrived"


@dataclass
class World:
    """A store, an endpoint with faults, and a sender that dies now and then."""

    store: Store
    clock: HandClock
    faults: list[str]
    poison: frozenset[str]
    concurrency: int = 1
    sent: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    """Signature and events of every request that was made."""
    taken: Counter[str] = field(default_factory=Counter)
    """How often an event was answered 2xx."""
    disabled: set[str] = field(default_factory=set)
    died: asyncio.Event = field(default_factory=asyncio.Event)
    paused: bool = False
    """Whether the circuit is open, as far as the sender has told."""
    silent_until: float = 0.0
    """Before which a paused destination must be sent nothing, by monotonic()."""
    too_early: list[str] = field(default_factory=list)
    """Signatures of requests that were made before."""
    failing: Circuit = field(default_factory=lambda: Circuit(MINE.circuit))
    """How the circuit is, as the endpoint's answers say by themselves."""

    def __post_init__(self) -> None:
        self.ledger = StoreLedger(self.store, self.clock, lambda: Redactor([]))

    async def post(self, url: str, headers: Headers, body: bytes, seconds: float) -> Outcome:
        names = frozenset(event["eventName"] for event in json.loads(body)["data"])
        outcome = await self.answered(names, headers)
        if outcome.error != STALE:
            self.failing.note(hash(names), outcome.status, outcome.error)
        return outcome

    async def answered(self, names: frozenset[str], headers: Headers) -> Outcome:
        self.sent.append((dict(headers)[SIGNATURE_HEADER], names))
        if self.paused and self.clock.seconds < self.silent_until:
            self.too_early.append(self.sent[-1][0])
        fault = self.faults.pop() if self.faults else ""
        # What ended on a stale connection is sent again at once: nobody was asked.
        self.silent_until = self.clock.seconds + (MINE.circuit.probe_seconds if fault != "stale" else 0)
        if fault == "dies":
            self.died.set()
            await asyncio.Event().wait()
        if fault in ("no answer", "answer lost", "stale"):
            error = STALE if fault == "stale" else "nothing came back"
            return Outcome(None, 1.0, error=error, certainty="unknown")
        if fault:
            return Outcome(int(fault), 1.0, error=fault, retry_after="30" if fault == "429" else None)
        if names & self.poison:
            return Outcome(422, 1.0, error="422 Unprocessable")
        self.taken.update(names)
        return Outcome(200, 1.0)

    async def gone(self, destination: str) -> None:
        self.disabled.add(destination)

    async def circuit(self, destination: str, reason: str | None) -> None:
        self.paused = reason is not None
        await self.store.write(lambda tx: endpoints.pause(tx, self.clock.now(), destination, reason))

    async def born(self) -> Delivery:
        """A sender as a new process begins with it."""
        await self.store.write(lambda tx: outbox.recover(tx, self.clock.now()))
        paused = await self.store.read(endpoints.paused)
        assert (MINE.name in paused) == self.paused, "a pause outlives the sender"
        self.failing = Circuit(MINE.circuit, paused.get(MINE.name))
        self.silent_until = 0.0
        self.died.clear()
        return Delivery(
            replace(MINE, concurrency=self.concurrency),
            clock=self.clock,
            ledger=self.ledger,
            post=self.post,
            on_gone=self.gone,
            on_circuit=self.circuit,
            is_disabled=self.disabled.__contains__,
            pace=Pace(),
            paused=paused.get(MINE.name),
            jitter=lambda: 0.0,
        )

    async def quiet(self, sender: Delivery) -> None:
        """Return when nothing happens any more before time goes by."""
        await sender.drained()
        await self.clock.idle()

    async def run(self) -> None:
        """Let time go by until nothing is open any more."""
        sender = await self.born()
        for _ in range(MOST_STEPS):
            idle, died = asyncio.create_task(self.quiet(sender)), asyncio.create_task(self.died.wait())
            await asyncio.wait((idle, died), return_when=asyncio.FIRST_COMPLETED)
            for task in (idle, died):
                task.cancel()
            if self.died.is_set():
                await sender.stop()
                sender = await self.born()
                continue
            assert self.paused == (self.failing.reason is not None), "what the circuit does is told"
            if self.disabled:
                self.disabled.clear()
                self.paused = False
                self.failing.close()
                await self.store.write(lambda tx: endpoints.resume(tx, MINE.name))
                sender.resume()
                continue
            left = self.clock.left()
            if left is None:
                await sender.stop()
                return
            self.clock.advance(left)
        raise AssertionError("it never ends")


async def live(
    batches: list[int], poison: frozenset[int] = frozenset(), faults: Sequence[str] = (), concurrency: int = 1
) -> World:
    """A life from its first batch to the last answer, looked at from all sides; the world after it."""
    with tempfile.TemporaryDirectory() as place:
        store = await Store.open(Path(place) / "store.db")
        try:
            poisoned = frozenset(f"e{n}" for n in poison)
            world = World(store, HandClock(), list(faults), poisoned, concurrency)
            await check(world, batches)
            return world
        finally:
            await store.close()


async def check(world: World, batches: list[int]) -> None:
    total = 0
    for size in batches:
        names = [f"e{number}" for number in range(total, total + size)]
        total += size
        raws = [json.dumps({"eventName": name}).encode() for name in names]
        made = [view(raw, {"eventName": name}) for raw, name in zip(raws, names, strict=True)]
        passed = [[(MINE.name, Verdict(True, Clause.TEST))]] * size
        ids = await world.store.write(lambda tx, m=made, p=passed: outbox.accept(tx, 0, "t", m, p))  # type: ignore[misc]  # default arguments bind the loop's names
        await world.ledger.open(MINE, Closed(tuple(zip(ids, raws, strict=True)), "full"))
    await world.run()

    verdicts = await world.store.read(lambda db: outgoing.verdicts(db, range(1, total + 1)))
    deliveries = {
        item.id: item for item in await world.store.read(lambda db: outgoing.deliveries(db, "1", ()))
    }
    attempts = await world.store.read(lambda db: outgoing.attempts(db, list(deliveries)))
    assert len(verdicts) == total
    for verdict in verdicts:
        assert verdict.delivery is not None
        check_event(f"e{verdict.event - 1}", deliveries[verdict.delivery], attempts, world)
    assert all(attempt.status or attempt.error for attempt in attempts), "nothing is left unsettled"
    kept = Counter(dict(attempt.request_headers)[SIGNATURE_HEADER] for attempt in attempts)
    sent = Counter(signature for signature, _ in world.sent)
    assert not sent - kept, "each request is an attempt"
    # What is noted first and then made may be cut off in between, by the death of another one alone.
    assert world.concurrency > 1 or kept == sent
    assert not world.too_early, "while it is paused there is one probe at a time"


def check_event(name: str, last: DeliveryRecord, attempts: list[AttemptRecord], world: World) -> None:
    """That an event has arrived or failed, and that attempts tell how often it may have."""
    assert last.state in (DeliveryState.DELIVERED, DeliveryState.FAILED)
    carried = {signature for signature, names in world.sent if name in names}
    outcomes = [item for item in attempts if dict(item.request_headers)[SIGNATURE_HEADER] in carried]
    successes = sum(item.status == 200 for item in outcomes)
    cut_off = sum(item.error == INTERRUPTED for item in outcomes) if world.concurrency > 1 else 0
    assert successes == (last.state is DeliveryState.DELIVERED)
    assert successes <= world.taken[name] <= successes + cut_off
    if last.state is DeliveryState.FAILED:
        assert last.error
    if name in world.poison:
        assert last.state is DeliveryState.FAILED


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.integers(1, 6), min_size=1, max_size=16),
    faults=st.lists(st.sampled_from(FAULTS), max_size=25),
    poison=st.frozensets(st.integers(0, 50), max_size=4),
    concurrency=st.sampled_from((1, 1, 2, 4)),
)
def test_every_event_arrives_or_fails_and_attempts_tell_of_every_request(
    batches: list[int], faults: list[str], poison: frozenset[int], concurrency: int
) -> None:
    asyncio.run(live(batches, poison, faults, concurrency))


@settings(max_examples=20, deadline=None)
@given(
    batches=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    poison=st.frozensets(st.integers(0, 35), max_size=5),
)
def test_without_other_faults_poison_fails_alone_and_all_else_arrives(
    batches: list[int], poison: frozenset[int]
) -> None:
    taken = asyncio.run(live(batches, poison)).taken
    assert set(taken) == {f"e{number}" for number in range(sum(batches)) if number not in poison}


@settings(max_examples=20, deadline=None)
@given(batches=st.lists(st.integers(1, 12), min_size=1, max_size=9))
def test_while_the_endpoint_is_well_everything_arrives_once_and_in_order(batches: list[int]) -> None:
    """Promise 20."""
    sent = [names for _, names in asyncio.run(live(batches)).sent]
    numbers = iter(range(sum(batches)))
    assert sent == [frozenset(f"e{next(numbers)}" for _ in range(size)) for size in batches]
