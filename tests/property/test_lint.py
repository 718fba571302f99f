"""Lint on any text: it never fails, misses nothing strict mode refuses, and its fixes mend and do no harm."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from statsig_tui.core import draft, incoming, jsontext
from statsig_tui.core.lint import Advice, Severity, advise, mended

NOW = 1_767_225_600_000
NAMES = (
    "user", "event", "value", "metadata", "timestamp", "eventName", "name", "time", "userId", "userID",
    "user_id", "properties", "events", "data", "timeUUID", "metadta", "statsigMetadata", "", "a.b", "x" * 70,
)  # fmt: skip
USER_NAMES = (
    "userID", "userid", "user_id", "email", "ip", "userAgent", "country", "locale", "custom", "customIDs",
    "custom_ids", "statsigEnvironment", "privateAttributes", "private_attributes", "stableID", "plan",
    "emial",
)  # fmt: skip
TEXTS = (
    "", " ", "now", "checkout", "a#b", " x ", "\u200b", "p\u0430y", "statsig::gate_exposure", "\ud800",
    "x\x00",
    "12", "49.90", "1e400", "1767225600", "2026-01-01T00:00:00Z", "{}", '{"a":1}', "prod", "en-US", "kr",
    "undefined", "y" * 65, "z" * 129, "w" * 5000, "🏳️‍🌈", "20260101", "1e999999999",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "1767225600", "1767225600.5", "1767225600000", "1.7672256e12", "1767225600000000", "1e18",
    "3e25",
    "9007199254740993", "1e-400", "0.12345678901234567890123", "0e99999999999999999999", "1e308", "7" * 200,
)  # fmt: skip
PLACE = re.compile(r"line \d+, column \d+")

texts = st.sampled_from(TEXTS).map(json.dumps) | st.text(max_size=6).map(json.dumps)
scalars = texts | st.sampled_from((*NUMBERS, "true", "false", "null"))


def spelled(names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as they are spelled, duplicates and odd white space too."""
    member = st.builds(
        lambda name, gap, value: f"{json.dumps(name)}{gap}{value}",
        names,
        st.sampled_from([":", ": ", " :\n"]),
        values,
    )
    return st.builds(
        lambda members, gap: "{" + gap + f",{gap}".join(members) + gap + "}",
        st.lists(member, max_size=5),
        st.sampled_from(["", " ", "\n  "]),
    )


anything = st.recursive(
    scalars,
    lambda inner: (
        spelled(st.sampled_from([*NAMES, "a", "tier"]), inner)
        | st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
    ),
    max_leaves=6,
)
users = spelled(st.sampled_from(USER_NAMES), anything)
bodies = st.builds(
    lambda parts, order: "{" + ", ".join(parts[index % len(parts)] for index in order) + "}",
    st.tuples(
        st.builds('"user": {}'.format, users | anything),
        st.builds('"event": {}'.format, texts | anything),
        st.builds('"metadata": {}'.format, anything),
        st.builds('"timestamp": {}'.format, scalars),
        st.builds("{}: {}".format, st.sampled_from(NAMES).map(json.dumps), anything),
        st.builds("{}: {}".format, st.sampled_from(NAMES).map(json.dumps), anything),
    ),
    st.lists(st.integers(0, 5), max_size=7),
)


def rules(found: tuple[Advice, ...], severity: Severity | None = None) -> Counter[str]:
    """How often each rule speaks."""
    return Counter(item.rule for item in found if severity in (None, item.severity))


def said(found: tuple[Advice, ...]) -> Counter[str]:
    """How often each thing is said, wherever the other place is that it names."""
    return Counter(PLACE.sub("", f"{item.rule} {item}") for item in found)


def parsed(text: str) -> Any:
    return jsontext.parse(draft.encode(text))


@given(st.text() | bodies | bodies.map(lambda text: text[:-3]) | st.binary().map(draft.decode))
@example("\ufeff")
@example('\ufeff{"a":}')
@example("[" * 300)
@example('{"timestamp":-1e308}')
def test_any_text_can_be_judged(text: str) -> None:
    for item in advise(text, now=NOW):
        assert 0 <= item.start <= item.end <= len(text)
        lines = text.split("\n")
        assert item.start == sum(len(line) + 1 for line in lines[: item.line - 1]) + item.column - 1
        assert str(item)


@given(st.text(max_size=5) | bodies | anything)
def test_whatever_strict_mode_refuses_is_an_error(text: str) -> None:
    errors = rules(advise(text, now=NOW), Severity.ERROR)
    try:
        refused = incoming.problems(parsed(text))
    except jsontext.JsonError:
        assert errors["json"] == 1
    else:
        assert bool(errors) >= bool(refused)
        for problem in refused:
            assert errors[problem.field], problem


@given(bodies)
def test_a_fix_takes_its_advice_away_and_brings_no_error(text: str) -> None:
    found = advise(text, now=NOW)
    for item in found:
        if item.fix is None:
            continue
        after = advise(item.fix.applied(text), now=NOW)
        assert not said((item,)) - (said(found) - said(after)), item
        if item.rule != "json":  # before that nothing else was looked at
            assert not rules(after, Severity.ERROR) - rules(found, Severity.ERROR), item


@given(bodies)
def test_a_fix_leaves_everything_else_as_it_is_spelled(text: str) -> None:
    for item in advise(text, now=NOW):
        if item.fix is None:
            continue
        edits = sorted(item.fix.edits, key=lambda edit: edit.start)
        kept, at = [], 0
        for edit in edits:
            assert at <= edit.start <= edit.end <= len(text)
            kept.append(text[at : edit.start])
            at = edit.end
        kept.append(text[at:])
        changed = item.fix.applied(text)
        assert changed == "".join(
            part for pair in zip(kept, [*(edit.text for edit in edits), ""], strict=True) for part in pair
        )
        parsed(changed)


@given(bodies)
def test_all_fixes_together_come_to_an_end(text: str) -> None:
    whole = mended(text, now=NOW)
    assert mended(whole, now=NOW) == whole
    assert not any(item.fix for item in advise(whole, now=NOW))
    before, after = (rules(advise(item, now=NOW), Severity.ERROR) for item in (text, whole))
    assert not after - before
