"""Times are stored in UTC and shown where the user is, also in the hour that comes twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from statsig_tui.tui.times import age, clock, day_and_clock

TWICE = (1_792_888_200_123, 1_792_891_800_123)
"""Half past two in Berlin on 2026-10-25, before and after the clocks go back; epoch ms."""


@pytest.fixture
def live_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Move to a time zone."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_a_time_is_shown_where_the_user_is(live_in: Callable[[str], None]) -> None:
    live_in("UTC")
    assert day_and_clock(TWICE[0]) == "2026-10-25 00:30:00"
    live_in("Asia/Seoul")
    assert day_and_clock(TWICE[0]) == "2026-10-25 09:30:00"
    assert clock(TWICE[0]) == "09:30:00.123"


def test_the_hour_that_comes_twice_is_an_hour(live_in: Callable[[str], None]) -> None:
    live_in("Europe/Berlin")
    assert [clock(at) for at in TWICE] == ["02:30:00.123", "02:30:00.123"]
    assert age(TWICE[1] - TWICE[0]) == "1h"
