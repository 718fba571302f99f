"""The forwarder between lists: verdicts, batches, the backlog, and a store that refuses for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pytest

from statsig_tui.core.batch import Closed
from statsig_tui.core.config import BatchPolicy, Destination, Filter
from statsig_tui.core.envelope import encode
from statsig_tui.core.event import Event, view
from statsig_tui.core.filters import Clause
from statsig_tui.engine.clock import Pace
from statsig_tui.engine.forwarder import Answers, Forwarder, Only, Queued
from statsig_tui.errors import StoreBroken

if TYPE_CHECKING:
    from tests.unit.conftest import HandClock


def event(name: str = "e") -> Event:
    return view(name.encode(), {"eventName": name})


def to(name: str = "a", size: int = 3, seconds: float = 1.0, **changes: object) -> Destination:
    policy = BatchPolicy(size, seconds)
    return Destination(name, "http://127.0.0.1/", batch=policy, **changes)  # type: ignore[arg-type]  # any field


@dataclass
class Rooms:
    """What stands around a forwarder: a store that is a list, and a delivery that is another."""

    clock: HandClock
    kept: list[tuple[str, str, Answers]] = field(default_factory=list)
    stored: dict[str, list[Queued]] = field(default_factory=dict)
    """What the store holds for a destination and no batch does."""
    batches: list[tuple[str, list[str], str]] = field(default_factory=list)
    refusals: int = 0
    """How often the store refuses a batch from now on."""
    disabled: set[str] = field(default_factory=set)
    most_bytes: dict[str, int] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    next_id: int = 1
    reads: int = 0
    """How often the store was asked what waits."""
    broken: bool = False
    during: Callable[[], object] = lambda: None
    """What happens while events are kept."""

    def __post_init__(self) -> None:
        self.forwarder = Forwarder(
            clock=self.clock,
            keep=self.keep,
            backlog=self.backlog,
            deliver=self.deliver,
            is_disabled=self.disabled.__contains__,
            most_bytes=self.most_bytes.get,
            pace=self.pace,
        )

    async def keep(self, trace: str, events: Sequence[Event], answers: Answers) -> list[int]:
        if self.broken:
            raise StoreBroken("full")
        ids = list(range(self.next_id, self.next_id + len(events)))
        self.next_id += len(events)
        for number, item, given in zip(ids, events, answers, strict=True):
            self.kept.append((trace, item.name, [given]))
            for name, verdict in given:
                if verdict.forwarded:
                    self.stored.setdefault(name, []).append((number, item.raw))
        self.during()
        return ids

    async def backlog(self, name: str, after: int, limit: int) -> list[Queued]:
        self.reads += 1
        await asyncio.sleep(0)
        return [item for item in self.stored.get(name, []) if item[0] > after][:limit]

    async def deliver(self, destination: Destination, closed: Closed[Queued]) -> None:
        await asyncio.sleep(0)
        if self.refusals:
            self.refusals -= 1
            raise StoreBroken("full")
        numbers = {number for number, _ in closed.items}
        held = self.stored.get(destination.name, [])
        self.stored[destination.name] = [item for item in held if item[0] not in numbers]
        self.batches.append((destination.name, [raw.decode() for _, raw in closed.items], closed.by))

    async def accept(self, *names: str) -> None:
        await self.forwarder.accept("t", [event(name) for name in names])


@pytest.fixture
async def rooms(clock: HandClock) -> AsyncIterator[Rooms]:
    rooms = Rooms(clock)
    yield rooms
    await rooms.forwarder.close()


async def test_a_batch_closes_when_it_is_full_and_when_it_is_old(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to(size=3, seconds=1.0)])
    await clock.idle()
    await rooms.accept("1", "2", "3", "4")
    await clock.idle()
    assert rooms.batches == [("a", ["1", "2", "3"], "full")]
    clock.advance(0.6)
    await rooms.accept("5")
    await clock.idle()
    clock.advance(0.3)
    await clock.idle()
    assert len(rooms.batches) == 1
    clock.advance(0.1)
    await clock.idle()
    assert rooms.batches[1:] == [("a", ["4", "5"], "timer")]


async def test_every_destination_judges_and_batches_for_itself(rooms: Rooms, clock: HandClock) -> None:
    rooms.disabled.add("gone")
    picky = Filter(include_new_events=False, events={"2": True})
    rooms.forwarder.apply(
        [to("all", 2), to("picky", 1, filter=picky), to("off", 1, enabled=False), to("gone", 1)]
    )
    await clock.idle(4)
    await rooms.accept("1", "2")
    await clock.idle(4)
    assert sorted(rooms.batches) == [("all", ["1", "2"], "full"), ("picky", ["2"], "full")]
    clauses = [
        {name: verdict.clause for name, verdict in given} for _, _, answers in rooms.kept for given in answers
    ]
    assert clauses == [
        {"all": Clause.NEW_INCLUDED, "picky": Clause.NEW_NOT_INCLUDED, "off": Clause.DISABLED,
         "gone": Clause.DISABLED},
        {"all": Clause.NEW_INCLUDED, "picky": Clause.TRACKED, "off": Clause.DISABLED,
         "gone": Clause.DISABLED},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("envelope", "timestamps", "raw"),
    [
        ("data", "number", b'{"eventName":"%d","timestamp":1700000000000}'),
        ("array", "number", b'{"eventName":"%d","timestamp":1700000000000}'),
        ("data", "string", b'{"eventName":"%d","timestamp":1700000000000}'),
        ("data", "string", b'{"eventName":"%d","timestamp":"1700000000000"}'),
    ],
)
async def test_no_batch_is_larger_than_the_endpoint_takes(
    rooms: Rooms, clock: HandClock, envelope: Literal["data", "array"],
    timestamps: Literal["number", "string"], raw: bytes,
) -> None:  # fmt: skip
    events = [raw % number for number in range(9)]
    whole = len(encode(events[:4], "data", timestamps)) + 10
    rooms.forwarder.apply([to("a", 100, envelope=envelope, timestamps=timestamps), to("b", 100)])
    await clock.idle(2)
    rooms.most_bytes["a"] = whole
    await rooms.forwarder.accept("t", [view(one, {"eventName": "e"}) for one in events])
    await clock.idle(2)
    clock.advance(1)
    await clock.idle(2)
    sizes = [len(names) for name, names, _ in rooms.batches if name == "a"]
    assert sizes == [4, 4, 1]
    assert [len(names) for name, names, _ in rooms.batches if name == "b"] == [9]


@pytest.mark.parametrize(("less", "first"), [(0, 2), (1, 1)])
@pytest.mark.parametrize(("before", "envelope"), [("array", "data"), ("data", "array")])
async def test_a_new_envelope_counts_with_its_own_bytes(
    rooms: Rooms, clock: HandClock, before: str, envelope: Literal["data", "array"], less: int, first: int
) -> None:
    events = [b'{"eventName":"%d"}' % number for number in range(4)]
    rooms.most_bytes["a"] = len(encode(events[:2], envelope, "number")) - less
    rooms.forwarder.apply([to("a", 100, envelope=before)])
    await clock.idle()
    rooms.forwarder.apply([to("a", 100, envelope=envelope)])
    await rooms.forwarder.accept("t", [view(one, {"eventName": "e"}) for one in events])
    await clock.idle()
    assert len(rooms.batches[0][1]) == first


async def test_a_demo_goes_to_one_destination_whatever_its_filter(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to("a", 1, filter=Filter(include_new_events=False)), to("b", 1)])
    await clock.idle(2)
    await rooms.forwarder.accept("t", [event("demo")], only=Only(("a",), Clause.DEMO))
    await clock.idle(2)
    assert rooms.batches == [("a", ["demo"], "full")]


async def test_what_is_for_one_destination_goes_through_its_filter_and_to_no_other(
    rooms: Rooms, clock: HandClock
) -> None:
    rooms.forwarder.apply([to("a", 1, filter=Filter(events={"2": False})), to("b", 1)])
    await clock.idle(2)
    await rooms.forwarder.accept("t", [event("1"), event("2")], only=Only(("a",)))
    await clock.idle(2)
    assert rooms.batches == [("a", ["1"], "full")]
    asked = [[(name, verdict.clause) for name, verdict in given] for _, _, [given] in rooms.kept]
    assert asked == [[("a", Clause.NEW_INCLUDED)], [("a", Clause.NOT_TRACKED)]]


async def test_a_destination_that_goes_while_events_are_kept_leaves_them_in_the_store(
    rooms: Rooms, clock: HandClock
) -> None:
    rooms.forwarder.apply([to("a", 1), to("b", 1)])
    await clock.idle(2)
    rooms.during = lambda: rooms.forwarder.apply([to("b", 1)])
    await rooms.accept("1")
    await clock.idle()
    assert rooms.batches == [("b", ["1"], "full")]
    assert rooms.stored["a"] == [(1, b"1")]


async def test_what_a_former_run_left_goes_first(rooms: Rooms, clock: HandClock) -> None:
    rooms.stored["a"] = [(1, b"old 1"), (2, b"old 2")]
    rooms.next_id = 3
    rooms.forwarder.apply([to(size=2)])
    await rooms.accept("new 1", "new 2")
    await clock.idle()
    assert [names for _, names, _ in rooms.batches] == [["old 1", "old 2"], ["new 1", "new 2"]]


@pytest.mark.parametrize("old", [1, 1500])
async def test_what_comes_while_the_store_is_read_leaves_once_and_last(
    rooms: Rooms, clock: HandClock, old: int
) -> None:
    rooms.stored["a"] = [(number, b"%d" % number) for number in range(1, old + 1)]
    rooms.next_id = old + 1
    rooms.forwarder.apply([to(size=3000)])
    while not rooms.reads:
        await asyncio.sleep(0)
    await rooms.accept("new")
    await clock.idle()
    clock.advance(1)
    await clock.idle()
    assert rooms.batches == [("a", [*(str(number) for number in range(1, old + 1)), "new"], "timer")]


@pytest.mark.parametrize(("burst", "overflows"), [(1000, False), (1001, True)])
async def test_the_store_is_read_for_what_memory_does_not_hold_alone(
    rooms: Rooms, clock: HandClock, burst: int, overflows: bool
) -> None:
    rooms.forwarder.apply([to(size=100)])
    await clock.idle()
    assert rooms.reads == 1
    await rooms.accept(*(str(number) for number in range(burst)))
    await clock.idle()
    assert (rooms.reads > 1) is overflows


@pytest.mark.parametrize("is_looking", [False, True], ids=["what came before it looks", "while it looks"])
@pytest.mark.parametrize("bursts", [[2500], [999, 2, 1500], [1000, 1, 1, 1000], [1] * 50 + [3000]])
async def test_more_than_memory_holds_leaves_once_and_in_order(
    rooms: Rooms, clock: HandClock, bursts: list[int], is_looking: bool
) -> None:
    rooms.forwarder.apply([to(size=100, seconds=1.0)])
    if is_looking:
        await clock.idle()
    number = 0
    for burst in bursts:
        await rooms.accept(*(str(n) for n in range(number, number + burst)))
        number += burst
    await clock.idle()
    clock.advance(1.0)
    await clock.idle()
    left = [name for _, names, _ in rooms.batches for name in names]
    assert left == [str(n) for n in range(number)]
    assert max(len(names) for _, names, _ in rooms.batches) <= 100


async def test_a_batch_that_the_store_refuses_is_offered_again(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to(size=2)])
    await clock.idle()
    rooms.refusals = 3
    await rooms.accept("1", "2")
    await rooms.accept("3", "4")
    for _ in range(3):
        await clock.idle()
        assert rooms.batches == []
        clock.advance(1.0)
    await clock.idle()
    assert [names for _, names, _ in rooms.batches] == [["1", "2"], ["3", "4"]]


async def test_what_cannot_be_kept_is_neither_accepted_nor_queued(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to(size=1)])
    await clock.idle()
    rooms.broken = True
    with pytest.raises(StoreBroken):
        await rooms.accept("lost")
    rooms.broken = False
    await rooms.accept("kept")
    await clock.idle()
    assert rooms.batches == [("a", ["kept"], "full")]


async def test_closing_hands_over_what_is_open(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to("a", 10), to("b", 10)])
    await clock.idle(2)
    await rooms.accept("1", "2")
    await clock.idle(2)
    await rooms.forwarder.close()
    assert sorted(rooms.batches) == [("a", ["1", "2"], "stop"), ("b", ["1", "2"], "stop")]
    await rooms.accept("nobody is left")
    assert len(rooms.batches) == 2


async def test_closing_leaves_to_the_store_what_it_refuses(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to("a", 10)])
    await clock.idle()
    await rooms.accept("1")
    await clock.idle()
    rooms.refusals = 1
    await rooms.forwarder.close()
    assert (rooms.batches, rooms.stored["a"]) == ([], [(1, b"1")])


async def test_new_settings_keep_the_open_batch(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to(size=10, seconds=60)])
    await clock.idle()
    await rooms.accept("1", "2")
    await clock.idle()
    rooms.forwarder.apply([to(size=10, seconds=5)])
    await clock.idle()
    clock.advance(5)
    await clock.idle()
    assert rooms.batches == [("a", ["1", "2"], "timer")]


async def test_a_destination_that_goes_leaves_its_open_batch_in_the_store(
    rooms: Rooms, clock: HandClock
) -> None:
    rooms.forwarder.apply([to(size=10)])
    await clock.idle()
    await rooms.accept("1")
    await clock.idle()
    rooms.forwarder.apply([])
    await clock.deserted()
    assert [raw for _, raw in rooms.stored["a"]] == [b"1"]
    rooms.forwarder.apply([to(size=1)])
    await clock.idle()
    assert rooms.batches == [("a", ["1"], "full")]


async def test_a_batch_closes_as_fast_as_the_pace(rooms: Rooms, clock: HandClock) -> None:
    rooms.forwarder.apply([to(seconds=60)])
    await clock.idle()
    await rooms.accept("e")
    await clock.idle()
    rooms.pace.speed = 60
    rooms.forwarder.repace()
    await clock.idle()
    clock.advance(0.9)
    await clock.idle()
    assert rooms.batches == []
    clock.advance(0.1)
    await clock.idle()
    assert rooms.batches == [("a", ["e"], "timer")]
