"""What each variable resolves to, how it may be written, and how one that cannot be resolved is named."""

from __future__ import annotations

import json
from itertools import count

import pytest

from statsig_tui.core import template
from statsig_tui.core.template import Sources, Unresolved

NOW = 1_700_000_000_123


def sources(*, seq: int = 1, **values: str) -> Sources:
    ids = count(1)
    return Sources(
        now=NOW,
        uuid=lambda: f"uuid-{next(ids)}",
        choose=lambda count: count - 1,
        seq=seq,
        env={"HOME": "/home/me", "QUOTE": 'say "hi"'},
        values=values,
    )


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ('{"timestamp": {{now_ms}}}', f'{{"timestamp": {NOW}}}'),
        ('{"timestamp":{{now_ms -5m}}}', f'{{"timestamp":{NOW - 300_000}}}'),
        ("{{now_ms +1h}} {{ now_ms -2 d }}", f"{NOW + 3_600_000} {NOW - 2 * 86_400_000}"),
        ("{{now_ms+30s}}|{{now_ms-250ms}}", f"{NOW + 30_000}|{NOW - 250}"),
        ("{{now_s}}", str(NOW // 1000)),
        ('"{{now_iso}}"', '"2023-11-14T22:13:20.123Z"'),
        ('"{{now_iso -1d}}"', '"2023-11-13T22:13:20.123Z"'),
        ('"{{uuid}}" "{{uuid}}"', '"uuid-1" "uuid-2"'),
        ("{{pick a|b | c d}}", "c d"),
        ("{{pick only}}", "only"),
        ('"{{env HOME}}" {{env QUOTE}}', '"/home/me" say "hi"'),
        ('"{{env QUOTE}}"', r'"say \"hi\""'),
        ("{{{{}}name}}", "{{name}}"),
        ('{{"no": "name"}} {{}} {{ 1 }}', '{{"no": "name"}} {{}} {{ 1 }}'),
    ],
)
def test_what_variables_become(text: str, rendered: str) -> None:
    assert template.render(text, sources()) == rendered


def test_a_series_counts_and_user_variables_have_their_values() -> None:
    text = '{"n": {{seq}}, "m": {{seq 100}}, "plan": "{{plan}}", "order": "{{prompt Order number}}"}'
    values = {"plan": "pro", "Order number": "7"}
    rendered = template.render(text, sources(seq=4, **values))
    assert json.loads(rendered) == {"n": 4, "m": 103, "plan": "pro", "order": "7"}
    assert template.names(text) == ["plan"]
    assert template.prompts(text * 2) == ["Order number"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{plam}}", "line 1, column 1: {{plam}} has no value; did you mean plan?"),
        ('{\n  "a": {{now_m}}', "line 2, column 8: {{now_m}} has no value; did you mean now_ms?"),
        ("{{ qqq }}", "{{ qqq }} has no value"),
        ("{{env HOMES}}", "{{env HOMES}} is not set; did you mean HOME?"),
        ("{{env}}", "names nothing"),
        ("{{prompt Label}}", "has no answer"),
        ("{{pick}}", "nothing to pick from"),
        ("{{now_ms 5}}", "an offset is written -5m"),
        ("{{now_iso +999999999d}}", "beyond what a date can say"),
        ("{{seq x}}", "is not understood"),
        ("{{uuid 4}}", "uuid takes no argument"),
        ("{{plan pro}}", "plan takes no argument"),
        ('{"a": {{now_ms}', "{{now_ms is not closed"),
    ],
)
def test_what_cannot_be_resolved_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(Unresolved) as error:
        template.render(text, sources(plan="pro"))
    assert says in str(error.value)
    [shown] = template.preview(text, sources(plan="pro"))
    assert shown.value is None
    assert says in str(shown.problem)


def test_all_that_is_unresolved_is_named() -> None:
    with pytest.raises(Unresolved) as error:
        template.render("{{a}} {{uuid}} {{b}}", sources())
    assert str(error.value).endswith("(and 1 more)")
    assert [problem.spelled for problem in error.value.problems] == ["{{a}}", "{{b}}"]


def test_variables_stand_for_values_where_json_is_judged() -> None:
    text = '{"t": {{now_ms}}, "s": "{{uuid}}", "o": {"n": {{seq}}}}'
    assert json.loads(template.stand_in(text))["s"] == "{{uuid}}"
    assert [each.spelled for each in template.preview(text + text, sources())] == [
        "{{now_ms}}", "{{uuid}}", "{{seq}}",
    ]  # fmt: skip
