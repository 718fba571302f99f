"""Changing a signing secret: what is still accepted of the old ones, and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statsig_tui.core.config import Destination, OldSecret, Secret
from statsig_tui.core.rotation import accepted, rotated

NOW = 1_700_000_000_000
A, B, C = (Secret.of(f"webhook-{name}") for name in "abc")
MINE = Destination("mine", "http://127.0.0.1/", secret=A)
LATER = OldSecret(C, NOW + 1)
BEFORE = replace(MINE, old_secrets=(OldSecret(C, NOW), LATER, OldSecret(B, NOW + 1)))


@pytest.mark.parametrize(
    ("before", "secret", "seconds", "old"),
    [
        (MINE, B, 3600, (OldSecret(A, NOW + 3_600_000),)),
        (MINE, B, 1, (OldSecret(A, NOW + 1000),)),
        (BEFORE, B, 1, (LATER, OldSecret(A, NOW + 1000))),
        (BEFORE, B, 0, ()),
        (BEFORE, None, 3600, ()),
        (replace(BEFORE, secret=None), B, 3600, (LATER,)),
        (replace(MINE, secret=Secret(env="UNSET")), B, 3600, ()),
    ],
)
def test_the_old_secret_is_accepted_for_so_long_and_no_ended_or_renewed_one(
    before: Destination, secret: Secret | None, seconds: int, old: tuple[OldSecret, ...]
) -> None:
    assert rotated(before, secret, seconds, NOW) == replace(before, secret=secret, old_secrets=old)


def test_an_old_secret_ends_at_its_time() -> None:
    assert [old.secret for old in accepted(BEFORE, NOW)] == [C, B]
    assert list(accepted(BEFORE, NOW + 1)) == []
