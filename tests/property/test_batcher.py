"""The Batcher as a state machine: every item leaves once, in order, in batches that keep the policy."""

from __future__ import annotations

import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from statsig_tui.core.batch import Batcher, Closed, ClosedBy
from statsig_tui.core.config import BatchPolicy

Item = tuple[int, float]
"""A number and when it came."""
seconds = st.floats(0, 10)
policies = st.builds(BatchPolicy, st.integers(1, 8), seconds)


class BatcherMachine(RuleBasedStateMachine):
    """Time only moves on; what leaves is compared with what came."""

    @initialize(policy=policies, start=st.floats(0, 1e6))
    def begin(self, policy: BatchPolicy, start: float) -> None:
        self.batcher: Batcher[Item] = Batcher(policy)
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

    @rule()
    def add(self) -> None:
        item = (len(self.came), self.now)
        self.came.append(item)
        waiting = len(self.batcher) + 1
        closed = self.batcher.add(item, self.now)
        self.take(closed, "full")
        assert (closed is not None) == (waiting >= self.batcher.policy.max_events)

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


TestBatcher = BatcherMachine.TestCase
TestBatcher.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
