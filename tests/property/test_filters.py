"""Filters over generated events: every event has one verdict, and trying a filter agrees with using it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from statsig_tui.core.config import EXPOSURE_KINDS, Filter
from statsig_tui.core.event import Event, view
from statsig_tui.core.filters import Clause, decide, explain, needs_content
from statsig_tui.engine import dry_run, schema

NAMES = st.sampled_from(
    [
        *("checkout", "debug_a", "a|b", "\\udc80", "two words", "", "statsig::app_metrics"),
        *(f"statsig::{kind}_exposure" for kind in EXPOSURE_KINDS),
        *("statsig::config_change", "statsig::diagnostics", "statsig::first_exposure::x"),
    ]
)
TIERS = st.sampled_from(["production", "staging", "Staging", "development", "", "none", 5, None])
ADMITTING = frozenset(
    {Clause.EXPOSURES_ON, Clause.CONFIG_CHANGES_ON, Clause.TRACKED, Clause.PATTERN, Clause.NEW_INCLUDED}
)
on_off = st.booleans()


def switches(names: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, bool]]:
    return st.dictionaries(names, on_off, max_size=3)


filters = st.builds(
    Filter,
    exposures=on_off,
    config_changes=on_off,
    include_new_events=on_off,
    events=switches(NAMES),
    exposure_kinds=switches(st.sampled_from(EXPOSURE_KINDS)),
    change_types=switches(st.sampled_from(["Gate", "experiment", "Layer"])),
    change_actions=switches(st.sampled_from(["updated", "created"])),
    patterns=switches(st.sampled_from(["*", "debug_*", "check[a-z]*", "[", "two*"])),
    tiers=switches(st.sampled_from(["production", "staging", "none"])),
    where=st.sampled_from(
        [
            "",
            "",
            "metadata.type=Gate",
            "-event:debug_* or user:u1",
            "user.x=1",
            '"',
            "since:2026-01-01",
            "size>80",
        ]
    ),
    sample=st.sampled_from([0.0, 0.3, 1.0]),
)
contents = st.fixed_dictionaries(
    {"eventName": NAMES},
    optional={
        "userID": st.sampled_from(["u1", "u2", "", 7]),
        "timeUUID": st.sampled_from(["t1", "t2"]),
        "timestamp": st.sampled_from([1_700_000_000_000, "1790000000000", "2026-05-01T00:00:00Z", "soon"]),
        "user": st.fixed_dictionaries(
            {}, optional={"statsigEnvironment": st.fixed_dictionaries({"tier": TIERS})}
        )
        | st.sampled_from(["text", None]),
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["Gate", "Experiment", 3]),
                "action": st.sampled_from(["updated", "archived"]),
                "environments": st.sampled_from(["production", "staging,development", "", None]),
            },
        )
        | st.just([]),
    },
)


def event_of(content: dict[str, Any]) -> Event:
    raw = json.dumps(content).encode()
    return view(raw, json.loads(raw))


@given(filters, contents)
def test_the_explanation_agrees_with_the_verdict(chosen: Filter, content: dict[str, Any]) -> None:
    event = event_of(content)
    verdict, steps = decide(chosen, event), list(explain(chosen, event))
    assert verdict == decide(chosen, event_of(content))
    assert all(step.passes for step in steps) is verdict.forwarded
    decided = [step.clause for step in steps if step.clause is not None]
    assert decided
    assert verdict.clause is decided[-1]
    assert verdict.forwarded is (verdict.clause in ADMITTING)


OPEN, ONLY_STAGING = Filter(), Filter(tiers={"production": False})
TIERED: list[dict[str, Any]] = [
    {"eventName": "checkout", "user": {"statsigEnvironment": {"tier": tier}}}
    for tier in ("staging", "production", "production")
]
GATES_ONLY = Filter(change_types={"experiment": False}, change_actions={"deleted": False})
CHANGES: list[dict[str, Any]] = [
    {"eventName": "statsig::config_change", "metadata": {"type": kind, "action": action}}
    for kind, action in (("gate", "updated"), ("experiment", "updated"), ("gate", "deleted"))
]
NOT_ALIKE: list[dict[str, Any]] = [{"eventName": "half\\ud800"}, {"eventName": "half\ud800"}]
"""A name with a forbidden character, and one with half of a character, which looks the same."""


@given(filters, filters, st.lists(contents, min_size=1, max_size=8))
@example(OPEN, GATES_ONLY, CHANGES)
@example(OPEN, ONLY_STAGING, NOT_ALIKE)
@example(OPEN, OPEN, NOT_ALIKE)
@example(OPEN, ONLY_STAGING, TIERED)
@example(ONLY_STAGING, OPEN, TIERED)
@example(OPEN, OPEN, TIERED)
def test_a_dry_run_counts_what_the_filters_would_do(
    saved: Filter, draft: Filter, given_contents: list[dict[str, Any]]
) -> None:
    events = [event_of(content) for content in given_contents]
    db = sqlite3.connect(":memory:")
    schema.migrate(db)
    db.executemany(
        "INSERT INTO events (rev, at, trace, name, class, user_id, time_uuid, note, raw)"
        " VALUES (0, 0, '', ?, ?, ?, ?, '', ?)",
        [(event.name, event.event_class, event.user_id, event.time_uuid, event.raw) for event in events],
    )
    found = dry_run.run(db, saved, draft)
    answers = [(decide(draft, event).forwarded, decide(saved, event).forwarded) for event in events]
    total = found.total
    assert (total.events, total.passing, total.passed_before) == (
        len(events),
        sum(now for now, _ in answers),
        sum(before for _, before in answers),
    )
    assert total.gained - total.lost == total.passing - total.passed_before
    assert total.gained == sum(now and not before for now, before in answers)
    for name, tried in found.names.items():
        mine = [answer for event, answer in zip(events, answers, strict=True) if event.name == name]
        assert (tried.passing, tried.passed_before) == (
            sum(now for now, _ in mine),
            sum(before for _, before in mine),
        )


@given(filters, contents, contents)
def test_what_needs_no_content_depends_on_the_name_alone(
    chosen: Filter, one: dict[str, Any], other: dict[str, Any]
) -> None:
    if not needs_content(chosen):
        assert decide(chosen, event_of(one)) == decide(
            chosen, event_of(other | {"eventName": one["eventName"]})
        )
