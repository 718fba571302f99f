"""The Event Filter: every clause, and which one decides (statsig-wire.md §4)."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from statsig_tui.core.config import EXPOSURE_KINDS, Destination, Filter
from statsig_tui.core.destination import Invalid, validate_destination
from statsig_tui.core.event import Event, view
from statsig_tui.core.filters import Clause, Verdict, decide, explain, needs_content

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


def told(**content: object) -> Event:
    raw = json.dumps(content).encode()
    return view(raw, json.loads(raw))


def changed(**metadata: str) -> Event:
    return told(eventName="statsig::config_change", metadata=metadata)


def in_tier(tier: str | None) -> Event:
    user = {} if tier is None else {"statsigEnvironment": {"tier": tier}}
    return told(eventName="checkout", user=user)


@pytest.mark.parametrize("kind", EXPOSURE_KINDS)
def test_a_kind_of_exposures_is_switched_off_alone(kind: str) -> None:
    chosen = Filter(exposure_kinds={kind: False})
    for name in EXPOSURES:
        is_it = f"{kind}_" in name or (kind == "experiment" and "first_exposure" in name)
        expected = Verdict(False, Clause.KIND_OFF) if is_it else Verdict(True, Clause.EXPOSURES_ON)
        assert decide(chosen, named(name)) == expected
    off = replace(chosen, exposures=False, exposure_kinds={kind: True})
    assert {decide(off, named(name)).clause for name in EXPOSURES} == {Clause.EXPOSURES_OFF}


@pytest.mark.parametrize(
    ("event", "clause"),
    [
        (changed(type="Gate", action="updated"), Clause.CHANGE_TYPE_OFF),
        (changed(type="gate", action="created"), Clause.CHANGE_TYPE_OFF),
        (changed(type="Experiment", action="deleted"), Clause.CHANGE_ACTION_OFF),
        (changed(type="Experiment", action="updated"), Clause.CONFIG_CHANGES_ON),
        (changed(type="Something new"), Clause.CONFIG_CHANGES_ON),
        (told(eventName="statsig::config_change", metadata=["no table"]), Clause.CONFIG_CHANGES_ON),
        (told(eventName="statsig::config_change"), Clause.CONFIG_CHANGES_ON),
    ],
)
def test_types_and_actions_of_config_changes(event: Event, clause: Clause) -> None:
    chosen = Filter(change_types={"Gate": False, "Layer": True}, change_actions={"deleted": False})
    assert decide(chosen, event).clause is clause
    assert decide(replace(chosen, config_changes=False), event).clause is Clause.CONFIG_CHANGES_OFF


def test_patterns_speak_for_names_without_a_box_of_their_own_the_first_one_that_fits() -> None:
    chosen = Filter(
        include_new_events=False,
        events={"debug_kept": True, "checkout_dropped": False},
        patterns={"debug_*": False, "*_kept": True, "checkout_*": True, "*": False},
    )
    assert {
        name: decide(chosen, named(name))
        for name in ("debug_kept", "checkout_dropped", "debug_x", "a_kept", "checkout_done", "Checkout_done")
    } == {
        "debug_kept": Verdict(True, Clause.TRACKED),
        "checkout_dropped": Verdict(False, Clause.NOT_TRACKED),
        "debug_x": Verdict(False, Clause.PATTERN_OFF),
        "a_kept": Verdict(True, Clause.PATTERN),
        "checkout_done": Verdict(True, Clause.PATTERN),
        "Checkout_done": Verdict(False, Clause.PATTERN_OFF),
    }


@pytest.mark.parametrize(
    ("event", "forwarded"),
    [
        (in_tier("production"), True),
        (in_tier("Development"), False),
        (in_tier("staging"), True),
        (in_tier(None), False),
        (in_tier("  "), False),
        (changed(environments="development, production"), True),
        (changed(environments="development , Development"), False),
        (changed(environment="development"), False),
        (told(eventName="checkout", user="nobody"), False),
    ],
)
def test_tiers(event: Event, forwarded: bool) -> None:
    chosen = Filter(tiers={"development": False, "none": False})
    verdict, admitted = decide(chosen, event), decide(Filter(), event)
    assert verdict == (admitted if forwarded else Verdict(False, Clause.TIER_OFF))


def test_an_event_without_a_tier_goes_out_unless_that_is_off() -> None:
    chosen = Filter(tiers={"production": False})
    for event in (in_tier(None), changed(type="Gate")):
        assert decide(chosen, event) == decide(Filter(), event)
        assert [step.asked for step in explain(chosen, event)][-1] == "tier none"


def test_a_tier_admits_nothing_that_the_boxes_do_not() -> None:
    chosen = Filter(include_new_events=False, tiers={"staging": True})
    assert decide(chosen, in_tier("staging")) == Verdict(False, Clause.NEW_NOT_INCLUDED)


def test_a_sample_keeps_all_events_of_a_user_or_none_and_grows_without_losing_anyone() -> None:
    users = [told(eventName="checkout", userID=f"user-{number}") for number in range(2000)]
    others = [told(eventName="page_view", userID=f"user-{number}", value="x") for number in range(2000)]
    kept: set[int] = set()
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        chosen = Filter(sample=share)
        now = {index for index, event in enumerate(users) if decide(chosen, event).forwarded}
        assert now == {index for index, event in enumerate(others) if decide(chosen, event).forwarded}
        assert kept <= now
        assert abs(len(now) / 2000 - share) < 0.04
        assert {decide(chosen, users[index]) for index in now} <= {decide(Filter(), users[0])}
        kept = now


def test_a_sample_knows_an_event_of_nobody_by_its_id() -> None:
    chosen = Filter(sample=0.5)
    events = [told(eventName="checkout", timeUUID=f"t{number}") for number in range(200)]
    again = [told(eventName="checkout", timeUUID=f"t{number}", value="x") for number in range(200)]
    answers = [decide(chosen, event) for event in events]
    assert answers == [decide(chosen, event) for event in again]
    assert len(set(answers)) == 2


def test_the_explanation_ends_with_what_decided() -> None:
    chosen = Filter(exposure_kinds={"layer": False}, tiers={"staging": False}, sample=0.5)
    event = told(eventName="checkout", user={"statsigEnvironment": {"tier": "staging"}})
    steps = list(explain(chosen, event))
    assert [(step.asked, step.passes) for step in steps] == [
        ("the name", True),
        ("Include new events by default", True),
        ("tier staging", False),
    ]
    assert steps[-1].clause is decide(chosen, event).clause is Clause.TIER_OFF


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (named("checkout"), "Include new events by default"),
        (named("statsig::gate_exposure"), "the box Exposures"),
        (changed(type="Gate"), "the box Configuration Changes"),
    ],
)
def test_what_a_filter_leaves_open_is_not_asked(event: Event, asked: str) -> None:
    steps = list(explain(Filter(where="  "), event))
    assert [step.asked for step in steps] == ["the name", asked]
    assert [step.clause for step in steps] == [None, decide(Filter(), event).clause]
    narrow = Filter(exposure_kinds={"gate": True}, tiers={"staging": True}, where=" event:* ", sample=0.9999)
    assert len(list(explain(narrow, event))) == (6 if "Exposures" in asked else 5)
    assert "the condition event:*" in [step.asked for step in explain(narrow, event)]
    assert decide(narrow, event) == decide(Filter(), event)


@pytest.mark.parametrize(
    ("chosen", "needed"),
    [
        (Filter(), False),
        (Filter(False, False, False, {"a": True}, {"gate": False}, patterns={"a*": True}), False),
        (Filter(where=" "), False),
        (Filter(where="user:u1"), True),
        (Filter(change_types={"Gate": False}), True),
        (Filter(change_actions={"updated": False}), True),
        (Filter(tiers={"none": False}), True),
        (Filter(sample=0.999), True),
    ],
)
def test_it_is_known_what_a_name_cannot_decide(chosen: Filter, needed: bool) -> None:
    assert needs_content(chosen) is needed


@pytest.mark.parametrize(
    ("where", "forwarded"),
    [
        ("", True),
        ("metadata.plan=pro", True),
        ("metadata.plan=free,trial", False),
        ("user.country=KR,JP metadata.seats>2", True),
        ("-user.country=KR", False),
        ("metadata.gone=x or event:check*", True),
        ("class:gate", False),
        ("since:2026-01-01 size<1k", True),
        ("until:2026-01-01", False),
    ],
)
def test_a_condition_narrows_what_the_boxes_admit(where: str, forwarded: bool) -> None:
    event = told(
        eventName="checkout", userID="u", user={"country": "KR"}, metadata={"plan": "pro", "seats": 3},
        timestamp="2026-05-01T00:00:00Z",
    )  # fmt: skip
    verdict = decide(Filter(where=where), event)
    assert verdict == Verdict(forwarded, Clause.NEW_INCLUDED if forwarded else Clause.CONDITION)
    closed = Filter(include_new_events=False, where=where)
    assert decide(closed, event) == Verdict(False, Clause.NEW_NOT_INCLUDED)


def test_a_condition_that_is_not_understood_is_refused_with_its_place() -> None:
    destination = Destination("mine", "http://127.0.0.1/", filter=Filter(where="metadata.plan=pro (x"))
    with pytest.raises(Invalid, match="is wrong at character"):
        validate_destination(destination)
    assert decide(destination.filter, named("checkout")).forwarded, "no event is lost by it"


def test_half_a_character_hides_nothing_from_a_filter() -> None:
    raw = b'{"eventName":"checkout","user":{"note":"\\ud83d","statsigEnvironment":{"tier":"staging"}}}'
    assert (
        decide(Filter(tiers={"staging": False}), view(raw, {"eventName": "checkout"})).clause
        is Clause.TIER_OFF
    )
