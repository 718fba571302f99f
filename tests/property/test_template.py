"""Rendering changes variables alone, gives JSON strings exactly their value, and fails in one way only."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core import template
from statsig_tui.core.template import Problem, Sources, Unresolved

quick = settings(max_examples=200, deadline=None)
anything = st.text(st.characters(exclude_categories=()), max_size=20)
words = st.sampled_from(
    ["{{", "}}", "{", "}", '"', "\\", "\n", "now_ms", " -5m", "uuid", "pick", "a|b", "env", "HOME", "prompt",
     "seq", " 7", "name", "{{now_iso +999999999999d}}", "{{{{}}", "x", ":", ","]
)  # fmt: skip
texts = st.lists(words | anything, max_size=14).map("".join)


def sources(**values: str) -> Sources:
    return Sources(
        now=1_700_000_000_123, uuid=lambda: "an-id", choose=lambda count: count - 1, seq=3, values=values
    )


@quick
@given(text=anything.filter(lambda text: "{{" not in text))
@example(text='{"a":{"b":{}}}')
@example(text="\ufeff{ }\r\n\x00")
def test_a_text_without_variables_stays_as_it_is(text: str) -> None:
    assert template.render(text, sources()) == text


@quick
@given(text=texts)
def test_rendering_fails_in_one_way_only(text: str) -> None:
    missing = {each.problem for each in template.preview(text, sources(name="v")) if each.value is None}
    problems: tuple[Problem, ...] = ()
    try:
        template.render(text, sources(name="v"))
    except Unresolved as error:
        problems = error.problems
    assert missing <= set(problems)
    assert bool(missing) == bool(problems)
    assert all(problem.spelled in text for problem in problems)
    assert len(template.stand_in(text)) == len(text)


@quick
@given(text=texts)
def test_two_braces_can_always_be_written(text: str) -> None:
    assert template.render(template.literal(text), sources()) == text


@quick
@given(value=anything, before=anything, after=anything)
@example(value='"\\ud800"', before='"', after="\\")
@example(value="\ud83d", before="{", after="}")
def test_a_value_in_a_json_string_is_that_value(value: str, before: str, after: str) -> None:
    body = {"a": template.literal(before), "b": "[{{name}}]", "c": {"d": template.literal(after)}}
    rendered = template.render(json.dumps(body), sources(name=value))
    parsed: Any = json.loads(rendered)
    assert parsed == {"a": before, "b": f"[{value}]", "c": {"d": after}}


@quick
@given(choices=st.lists(anything.filter(lambda text: not set(text) & set("|{}\r\n")), min_size=1, max_size=4))
def test_what_is_picked_from_is_spelled_as_json_too(choices: list[str]) -> None:
    text = json.dumps({"a": f"{{{{pick {'|'.join(choices)}}}}}"})
    wanted = [choice.strip(" \t") for choice in choices]
    if not "|".join(choices).strip(" \t"):
        return
    assert json.loads(template.render(text, sources())) == {"a": wanted[-1]}
