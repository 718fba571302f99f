"""Lag, order and silence: what is said of any times at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statsig_tui.core.timing import Rhythm, is_strange, lag_words, out_of_order

DAY = 86_400_000


@pytest.mark.parametrize(
    ("lag", "expected"),
    [
        (0, "+0 ms"), (18, "+18 ms"), (-3, "-3 ms"), (999, "+999 ms"), (2400, "+2.4 s"), (12_999, "+12 s"),
        (119_999, "+119 s"), (120_000, "2 min late"), (2_400_000, "40 min late"), (10_800_000, "3 h late"),
        (3 * DAY, "3 days late"), (20_000 * DAY, "54 years late"), (-1000, "1 s from the future"),
        (-7_200_000, "2 h from the future"),
    ],
)  # fmt: skip
def test_lag_in_words(lag: int, expected: str) -> None:
    assert lag_words(lag) == expected


@given(st.integers(-(2**62), 2**62))
def test_only_what_is_strange_has_words(lag: int) -> None:
    assert is_strange(lag) == (not lag_words(lag).startswith(("+", "-")))
    assert len(lag_words(lag)) < 50


@given(st.lists(st.none() | st.integers(0, 20), max_size=12), st.none() | st.integers(0, 20))
def test_whoever_happened_before_the_one_sent_before_it_is_out_of_order(
    times: list[int | None], before: int | None
) -> None:
    found = out_of_order(times, before)
    assert len(found) == len(times)
    known = [at for at in (before, *times) if at is not None]
    assert any(found) == (known != sorted(known))
    assert all(times[place] is not None for place, odd in enumerate(found) if odd)


def test_order_goes_on_from_what_the_sender_sent_before() -> None:
    assert out_of_order([5, None, 4, 6], 7) == (True, False, True, False)


def rhythm(*times: int) -> Rhythm:
    found = Rhythm()
    for at in times:
        found.add(at)
    return found


def test_silence_is_told_when_it_is_much_longer_than_usual() -> None:
    regular = rhythm(*range(0, 100_001, 10_000))
    assert regular.usual == 10_000
    assert regular.quiet(130_000) is None
    assert regular.quiet(340_000) == (240_000, 10_000)


def test_too_little_says_nothing_about_what_is_usual() -> None:
    assert rhythm().quiet(DAY) is None
    assert rhythm(0, 1000, 2000).quiet(DAY) is None


def test_a_burst_makes_no_silence_of_half_a_minute_unusual() -> None:
    burst = rhythm(*range(0, 20_000, 5))
    assert burst.usual == 1000
    assert burst.quiet(45_000) is None
    assert burst.quiet(60_000) == (40_005, 1000)


@given(st.lists(st.integers(0, 10**6), max_size=200).map(sorted), st.integers(0, 10**7))
def test_a_silence_that_is_told_is_longer_than_usual(times: list[int], later: int) -> None:
    found = rhythm(*times).quiet(10**6 + later)
    if found is not None:
        silence, usual = found
        assert silence >= 6 * usual > 0
