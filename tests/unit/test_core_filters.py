"""The Event Filter: every clause, and which one decides (statsig-wire.md §4)."""

from __future__ import annotations

import itertools

import pytest

from statsig_tui.core.config import Filter
from statsig_tui.core.event import Event, view
from statsig_tui.core.filters import Clause, Verdict, decide

EXPOSURES = [
    "statsig::gate_exposure",
    "statsig::config_exposure",
    "statsig::experiment_exposure",
    "statsig::layer_exposure",
    "statsig::holdout_exposure",
    "statsig::first_exposure::e",
]
INTERNAL = ["statsig::diagnostics", "statsig::non_exposed_checks", "statsig::log_line"]
EVERYTHING = Filter(True, True, True, dict.fromkeys([*EXPOSURES, *INTERNAL, "statsig::config_change"], True))
NOTHING = Filter(False, False, False)


def named(name: str) -> Event:
    return view(b"{}", {"eventName": name})


@pytest.mark.parametrize("name", EXPOSURES)
@pytest.mark.parametrize("on", [True, False])
def test_exposures_follow_their_box_alone(name: str, on: bool) -> None:
    clause = Clause.EXPOSURES_ON if on else Clause.EXPOSURES_OFF
    for changes, new, tracked in itertools.product((True, False), repeat=3):
        assert decide(Filter(on, changes, new, {name: tracked}), named(name)) == Verdict(on, clause)


@pytest.mark.parametrize("on", [True, False])
def test_config_changes_follow_their_box_alone(on: bool) -> None:
    clause = Clause.CONFIG_CHANGES_ON if on else Clause.CONFIG_CHANGES_OFF
    for exposures, new in itertools.product((True, False), repeat=2):
        chosen = Filter(exposures, on, new, {"statsig::config_change": not on})
        assert decide(chosen, named("statsig::config_change")) == Verdict(on, clause)


@pytest.mark.parametrize(
    ("tracked", "include_new", "verdict"),
    [
        (True, True, Verdict(True, Clause.TRACKED)),
        (True, False, Verdict(True, Clause.TRACKED)),
        (False, True, Verdict(False, Clause.NOT_TRACKED)),
        (False, False, Verdict(False, Clause.NOT_TRACKED)),
        (None, True, Verdict(True, Clause.NEW_INCLUDED)),
        (None, False, Verdict(False, Clause.NEW_NOT_INCLUDED)),
    ],
)
@pytest.mark.parametrize("name", ["checkout", "statsig::app_metrics", "auto_capture::page_view", "two words"])
def test_custom_events(name: str, tracked: bool | None, include_new: bool, verdict: Verdict) -> None:
    events = {"other": not verdict.forwarded} | ({} if tracked is None else {name: tracked})
    for exposures, changes in itertools.product((True, False), repeat=2):
        assert decide(Filter(exposures, changes, include_new, events), named(name)) == verdict


@pytest.mark.parametrize("name", INTERNAL)
def test_internal_events_are_never_forwarded(name: str) -> None:
    assert decide(EVERYTHING, named(name)) == Verdict(False, Clause.INTERNAL)


@pytest.mark.parametrize("char", list("\\[]{}<>#=;&$%|\0\n\r"))
def test_names_that_statsig_drops_are_never_forwarded(char: str) -> None:
    for name in (f"a{char}b", char, f"statsig::gate_exposure{char}", f"statsig::diagnostics{char}"):
        chosen = Filter(events={name: True})
        assert decide(chosen, named(name)) == Verdict(False, Clause.INVALID_NAME)


@pytest.mark.parametrize("fields", [{}, {"eventName": ""}, {"eventName": None}, {"eventName": 5}])
def test_an_event_without_a_name_is_never_forwarded(fields: dict[str, object]) -> None:
    assert decide(EVERYTHING, view(b"{}", fields)) == Verdict(False, Clause.INVALID_NAME)


def test_nothing_on_forwards_nothing() -> None:
    for name in [*EXPOSURES, *INTERNAL, "statsig::config_change", "checkout", "", "a|b"]:
        assert not decide(NOTHING, named(name)).forwarded
