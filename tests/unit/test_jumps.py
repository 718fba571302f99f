"""Jumps of the wall clock: what is one, by how much, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statsig_tui.core.jumps import LEAST_MS, Jump, Jumps
from statsig_tui.tui.times import moved

HOUR = 3_600_000


def test_a_clock_that_goes_on_makes_no_jump_and_one_that_was_set_makes_one() -> None:
    jumps = Jumps()
    assert jumps.look(1_000_000, 10.0) is None
    assert jumps.look(1_000_000 + 86_400_000, 10.0 + 86_400) is None, "a day passed"
    at = 1_000_000 + 86_400_000 + 2 * HOUR + 1000
    assert jumps.look(at, 10.0 + 86_401) == Jump(at, 2 * HOUR)
    assert jumps.look(at + 1000, 10.0 + 86_402) is None, "it is told once"
    assert jumps.look(at + 2000 - HOUR, 10.0 + 86_403) == Jump(at + 2000 - HOUR, -HOUR)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(-LEAST_MS + 1, LEAST_MS - 1)), max_size=30))
def test_what_keeps_the_time_may_set_it_by_a_little(steps: list[tuple[int, int]]) -> None:
    jumps = Jumps()
    wall, passed = 1_700_000_000_000, 0
    jumps.look(wall, 0.0)
    for waited, nudge in steps:
        passed += waited
        wall += waited + nudge
        assert jumps.look(wall, passed / 1000) is None


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (2 * HOUR, "+2 h"),
        (2 * HOUR + 300_000, "+2 h 5 m"),
        (-35 * 60_000, "−35 m"),
        (27 * HOUR + 60_000, "+1 d 3 h"),
        (5_400, "+5 s"),
        (59_999, "+1 m"),
    ],
)
def test_words(ms: int, words: str) -> None:
    assert moved(ms) == words
