"""A config change of the form: only what is filled in goes out, and where it went is said in words."""

from __future__ import annotations

import json

import pytest

from statsig_tui.core.config_change import ConfigChange, body_of
from statsig_tui.core.records import VerdictRecord
from statsig_tui.tui.screens.changing import verdict_words


@pytest.mark.parametrize(
    ("change", "user"),
    [
        (ConfigChange(actor="Ann", email=""), {"name": "Ann"}),
        (ConfigChange(actor="", email="ann@example.com"), {"email": "ann@example.com"}),
        (ConfigChange(actor="", email="", environments="", description=""), {}),
    ],
)
def test_what_is_left_empty_is_left_out(change: ConfigChange, user: dict[str, str]) -> None:
    made = json.loads(body_of(change, 1_700_000_000_000))
    assert made["user"] == user
    assert ("environments" in made["metadata"]) is bool(change.environments)
    assert ("description" in made["metadata"]) is bool(change.description)


def said(destination: str, clause: str, *, forwarded: bool) -> VerdictRecord:
    return VerdictRecord(1, destination, 1, forwarded, clause)


def test_where_it_went_is_told_of_a_few_destinations_by_name() -> None:
    off = said("other", "config changes off", forwarded=False)
    assert verdict_words([off]) == "Forwarded to no destination. Filtered: other (config changes off)."
    on = [said(f"d{number}", "config changes on", forwarded=True) for number in range(5)]
    assert verdict_words([*on, off]) == (
        "Forwarded to d0, d1, d2 and 2 more. Filtered: other (config changes off)."
    )
