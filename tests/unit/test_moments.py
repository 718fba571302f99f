"""A timestamp is written in many ways, and each says what it comes to."""

from __future__ import annotations

import pytest

from statsig_tui.core import draft, moments
from statsig_tui.core.draft import Field
from statsig_tui.core.moments import Form
from statsig_tui.core.notation import FieldError

NOW = 1_767_225_600_000


@pytest.mark.parametrize(
    ("typed", "spelled", "form", "ms", "wrong"),
    [
        ("now", '"now"', Form.NOW, NOW, ""),
        (" NOW ", '"now"', Form.NOW, NOW, ""),
        ("-5m", "{{now_ms -5m}}", Form.RELATIVE, NOW - 300_000, ""),
        ("now + 2 H", "{{now_ms +2h}}", Form.RELATIVE, NOW + 7_200_000, ""),
        ("1767225600001", "1767225600001", Form.MS, 1_767_225_600_001, ""),
        ("1767225600", "1767225600", Form.SECONDS, NOW, "seconds"),
        ("1767225600000000", "1767225600000000", None, NOW, "microseconds"),
        ("2026-01-01T00:00:00Z", "1767225600000", Form.MS, NOW, ""),
        ("2026-01-01", "1767225600000", Form.MS, NOW, ""),
        ("2026-01-01 01:00+01:00", "1767225600000", Form.MS, NOW, ""),
        ('"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:00Z"', Form.TEXT, NOW, "text"),
        ('"soon"', '"soon"', Form.TEXT, None, "text"),
        ("{{now_ms}}", "{{now_ms}}", None, None, ""),
        ("1e3", "1e3", Form.MS, 1000, ""),
    ],
)
def test_what_is_typed_is_spelled_and_resolved(
    typed: str, spelled: str, form: Form | None, ms: int | None, wrong: str
) -> None:
    assert draft.edit("{}", Field.TIMESTAMP, typed) == f'{{"timestamp": {spelled}}}'
    found = moments.meaning(typed, NOW)
    assert (found.form, found.ms, found.wrong.partition(":")[0]) == (form, ms, wrong)


@pytest.mark.parametrize("typed", ["yesterday", "-5 minutes", "2026-13-01", "2026-", '"open'])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(FieldError):
        draft.edit("{}", Field.TIMESTAMP, typed)


@pytest.mark.parametrize(
    "raw", ['"now"', '"n\\u006fw"', "{{now_ms -5m}}", "{{ now_ms  -5m }}", "1e3", "null", '"x"', "[1]"]
)
def test_a_time_read_back_as_it_is_shown_is_the_same(raw: str) -> None:
    assert moments.read(moments.shown(raw)) == raw.replace("\\u006f", "o")


def test_every_form_of_a_moment_means_that_moment() -> None:
    at = NOW - 7_200_000
    written = {form: moments.written(form, str(at), NOW) for form in Form}
    assert written == {
        Form.NOW: "now",
        Form.MS: str(at),
        Form.RELATIVE: "-2h",
        Form.SECONDS: str(at // 1000),
        Form.TEXT: '"2025-12-31T22:00:00.000Z"',
    }
    assert {
        moments.meaning(content, NOW).ms for form, content in written.items() if form is not Form.NOW
    } == {at}
    assert moments.written(Form.RELATIVE, "now", NOW) == "-5m"
    assert moments.written(Form.MS, "", NOW) == str(NOW)
    steps = [moments.next_form(None)]
    while len(steps) < len(Form):
        steps.append(moments.next_form(steps[-1]))
    assert set(steps) == set(Form)
