"""A signing secret is changed, and changed again before the first one has ended (promise 9)."""

from __future__ import annotations

from statsig_tui.core.config import Destination, OldSecret, Secret
from statsig_tui.core.rotation import accepted, rotated

ONE, TWO, THREE = (Secret.of(f"webhook-{name}") for name in ("one", "two", "three"))
MINE = Destination("mine", "http://127.0.0.1/", secret=ONE)
HOUR = 3600


def test_what_was_replaced_is_accepted_to_its_end_and_no_longer() -> None:
    after = rotated(rotated(MINE, TWO, HOUR, 0), THREE, HOUR, 1_800_000)
    assert after.secret == THREE
    ends = (OldSecret(ONE, 3_600_000), OldSecret(TWO, 5_400_000))
    for now, still in ((3_599_999, ends), (3_600_000, ends[1:]), (5_400_000, ())):
        assert tuple(accepted(after, now)) == still


def test_what_has_ended_is_not_kept_by_the_next_change() -> None:
    after = rotated(rotated(MINE, TWO, HOUR, 0), THREE, HOUR, 3_600_000)
    assert after.old_secrets == (OldSecret(TWO, 7_200_000),)


def test_a_change_for_now_ends_all_that_came_before() -> None:
    assert rotated(rotated(MINE, TWO, HOUR, 0), THREE, 0, 1).old_secrets == ()
    assert rotated(MINE, None, HOUR, 0).old_secrets == ()


def test_a_secret_that_comes_back_is_no_old_one() -> None:
    after = rotated(rotated(MINE, TWO, HOUR, 0), ONE, HOUR, 1)
    assert (after.secret, after.old_secrets) == (ONE, (OldSecret(TWO, 3_600_001),))
