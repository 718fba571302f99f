"""The Batcher as a state machine: every item leaves once, in order, in batches that keep the policy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from statsig_tui.core.batch import Batcher, Closed, ClosedBy
from statsig_tui.core.config import BatchPolicy

Item = tuple[int, float, int]
"""A number, when it came, and its bytes."""
FRAME = 3
seconds = st.floats(0, 10)
sizes = st.integers(0, 30)
limits = st.none() | st.integers(1, 60)
policies = st.builds(BatchPolicy, st.integers(1, 8), seconds, limits)


class BatcherMachine(RuleBasedStateMachine):
    """Time only moves on; what leaves is compared with what came."""

    @initialize(policy=policies, start=st.floats(0, 1e6))
    def begin(self, policy: BatchPolicy, start: float) -> None:
        self.batcher: Batcher[Item] = Batcher(policy, FRAME)
        self.now = start
        self.came: list[Item] = []
        self.left: list[Item] = []
        self.roomiest = policy.max_events

    def take(self, closed: Closed[Item] | None, by: ClosedBy) -> None:
        if closed is None:
            return
        assert closed.by == by
        assert closed.items
        self.left.extend(closed.items)
        assert self.left == self.came[: len(self.left)]

    @rule(size=sizes, known=limits)
    def add(self, size: int, known: int | None) -> None:
        """`known` is what an endpoint was found to take, whatever the policy says."""
        policy = self.batcher.policy
        limit = min((most for most in (policy.max_bytes, known) if most is not None), default=None)
        item = (len(self.came), self.now, size)
        before = self.came[len(self.left) :]
        self.came.append(item)
        has_room = limit is None or not before or body((*before, item)) <= limit
        closed = self.batcher.add(item, self.now, size, known)
        if not has_room:
            # Before it would be too large, not once it is.
            self.take(closed.pop(0), "bytes")
            assert self.left == self.came[:-1]
        waiting = self.came[len(self.left) :]
        is_full = len(waiting) >= policy.max_events
        is_large = limit is not None and body(waiting) >= limit
        assert len(closed) == (is_full or is_large)
        if closed:
            self.take(closed[0], "full" if is_full else "bytes")
            assert self.left == self.came, "the item that completes a batch is in it"
            assert limit is None or body(closed[0].items) <= limit or len(closed[0].items) == 1

    @rule(passed=seconds)
    def wait(self, passed: float) -> None:
        self.now += passed
        deadline = self.batcher.deadline
        closed = self.batcher.due(self.now)
        self.take(closed, "timer")
        assert (closed is not None) == (deadline is not None and self.now >= deadline)

    @rule()
    def wait_for_the_deadline(self) -> None:
        deadline = self.batcher.deadline
        if deadline is not None:
            self.now = max(self.now, deadline)
            closed = self.batcher.due(self.now)
            assert closed is not None
            self.take(closed, "timer")

    @rule()
    def flush(self) -> None:
        waiting = len(self.batcher)
        closed = self.batcher.flush("stop")
        self.take(closed, "stop")
        assert len(closed.items) == waiting if closed else not waiting

    @rule(policy=policies)
    def change_policy(self, policy: BatchPolicy) -> None:
        self.batcher.policy = policy
        self.take(self.batcher.due(self.now), "timer")
        self.roomiest = max(self.roomiest, policy.max_events)

    @invariant()
    def holds_what_came_and_has_not_left(self) -> None:
        if hasattr(self, "batcher"):
            assert len(self.batcher) == len(self.came) - len(self.left)
            assert len(self.batcher) < self.roomiest
            assert (self.batcher.deadline is None) == (len(self.batcher) == 0)

    @invariant()
    def nothing_is_older_than_the_policy_allows_once_asked(self) -> None:
        if hasattr(self, "batcher") and len(self.batcher):
            oldest = self.came[len(self.left)][1]
            limit = self.batcher.policy.max_seconds
            assert self.batcher.deadline is not None
            assert math.isclose(self.batcher.deadline, oldest + limit)


def body(items: Sequence[Item]) -> int:
    """The bytes of a batch of these."""
    return FRAME + sum(size for _, _, size in items)


TestBatcher = BatcherMachine.TestCase
TestBatcher.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_batch_is_as_old_as_its_first_item_and_closes_at_its_limit_and_not_before() -> None:
    batcher: Batcher[str] = Batcher(BatchPolicy(10, 5.0, max_bytes=FRAME + 20), FRAME)
    assert batcher.add("a", 0.0, 10) == []
    assert batcher.add("b", 4.0, 9) == []
    assert batcher.due(4.9) is None
    assert batcher.due(5.0) == Closed(("a", "b"), "timer")
    assert batcher.add("c", 6.0, 10) == []
    assert batcher.add("d", 6.0, 10) == [Closed(("c", "d"), "bytes")], "it just fits"
    assert batcher.add("e", 7.0, 10) == []
    assert batcher.add("f", 8.0, 11) == [Closed(("e",), "bytes")], "it does not"
    assert batcher.deadline == 13.0
