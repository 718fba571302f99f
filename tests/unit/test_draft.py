"""A draft's fields change their own part of the text and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statsig_tui.core import draft, jsontext
from statsig_tui.core.draft import OBJECTS, SAMPLE, Field, FieldError

ODD = """\
{ "zz":1e2,"user" : {"country":"KR",
      "userID":"u\\u00e9" , "custom":{ "n":1.10, "n":2 , "t" : "3"}},
  "event":"x", "event":"e",
  "metadata":{
    "a": {"deep": [1,  2]},
    "b": "x"
  } }
"""


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["a", "b", "plan", "=", "a b", '"', "", " x", "{"]) | st.text(max_size=5)
    return st.dictionaries(names, inner, max_size=4)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["now", "12", "=", " x"])
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | objects(inner), max_leaves=8)


user_fields = st.fixed_dictionaries(
    {},
    optional={"userID": scalars, "customIDs": values | objects(scalars), "custom": values | objects(values)},
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "user": scalars | st.tuples(user_fields, objects(values)).map(lambda two: two[0] | two[1]),
        "event": scalars,
        "value": values,
        "metadata": values | objects(values),
        "timestamp": scalars | st.just("now"),
        "extra": values,
    },
)
texts = st.builds(
    lambda body, indent, ascii_only: json.dumps(body, indent=indent, ensure_ascii=ascii_only),
    bodies,
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)


def parsed(text: str) -> Any:
    return json.loads(text)


def test_the_sample_is_an_event_the_emulator_takes() -> None:
    from statsig_tui.core.incoming import problems

    assert not problems(parsed(draft.resolved(SAMPLE, 1_767_225_600_000)))
    assert draft.event_name(SAMPLE) == "checkout_completed"
    assert draft.check(SAMPLE).size == len(draft.resolved(SAMPLE, 1_767_225_600_000).encode())


def test_fields_of_the_sample() -> None:
    shown = draft.fields(SAMPLE)
    assert shown[Field.EVENT].content == "checkout_completed"
    assert shown[Field.TIER].content == "development"
    assert (shown[Field.VALUE].content, shown[Field.VALUE].kind) == ("49.90", "number")
    assert shown[Field.TIMESTAMP].content == "now"
    assert not any(field.note for field in shown.values())


@pytest.mark.parametrize(
    ("field", "content", "before", "after"),
    [
        (Field.EVENT, "refund", '"event":"e"', '"event":"refund"'),
        (Field.EVENT, 'x [/oops] "q"', '"event":"e"', '"event":"x [/oops] \\"q\\""'),
        (Field.USER_ID, "u2", '"userID":"u\\u00e9"', '"userID":"u2"'),
        (Field.COUNTRY, "DE", '"country":"KR"', '"country":"DE"'),
        (Field.EMAIL, "a@b", ' , "custom"', ' , "custom"'),
    ],
)
def test_an_edit_changes_that_member_alone(field: Field, content: str, before: str, after: str) -> None:
    changed = draft.edit(ODD, field, content)
    if field is Field.EMAIL:
        assert parsed(changed)["user"]["email"] == content
        assert changed.replace(',\n      "email":"a@b"', "") == ODD
    else:
        assert changed == after.join(ODD.rsplit(before, 1))


def test_an_emptied_field_removes_every_member_of_that_name() -> None:
    changed = draft.edit(ODD, Field.EVENT, "")
    assert "event" not in parsed(changed)
    assert changed.startswith('{ "zz":1e2,"user" : {"country":"KR",\n')
    assert parsed(draft.edit(SAMPLE, Field.METADATA, " \n")).keys() == parsed(SAMPLE).keys() - {"metadata"}


def test_fields_build_an_event_from_nothing() -> None:
    text = "{}"
    for field, content in (
        (Field.USER_ID, "u"),
        (Field.TIER, "staging"),
        (Field.EVENT, "e"),
        (Field.VALUE, "1.0"),
        (Field.METADATA, '{"a": 1}'),
        (Field.TIMESTAMP, " NOW "),
    ):
        text = draft.edit(text, field, content)
    assert text == (
        '{"user": {"userID": "u", "statsigEnvironment": {"tier": "staging"}}, "event": "e", "value": 1.0,'
        ' "metadata": {"a": 1}, "timestamp": "now"}'
    )


@pytest.mark.parametrize(
    ("content", "spelled"),
    [
        ("49.90", "49.90"),
        ('"49.90"', '"49.90"'),
        ("abc", '"abc"'),
        ("1e400x", '"1e400x"'),
        ("007", '"007"'),
        ("true", "true"),
        ("-1E5", "-1E5"),
    ],
)
def test_a_value_is_typed_as_it_is_spelled(content: str, spelled: str) -> None:
    assert draft.edit("{}", Field.VALUE, content) == f'{{"value": {spelled}}}'


@pytest.mark.parametrize(
    ("field", "content", "says"),
    [
        (Field.VALUE, "1e400", "beyond the range"),
        (Field.VALUE, '"open', "not complete JSON"),
        (Field.EVENT, '"open', "text in quotes"),
        (Field.METADATA, '{"a":', "not complete JSON"),
        (Field.TIMESTAMP, "yesterday", "epoch milliseconds"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(field: Field, content: str, says: str) -> None:
    with pytest.raises(FieldError, match=says):
        draft.edit(SAMPLE, field, content)


def test_a_user_that_is_no_object_has_no_fields() -> None:
    text = '{"user": 5, "event": 7, "metadata": [], "value": true, "timestamp": "2026"}'
    shown = draft.fields(text)
    assert shown[Field.USER_ID].note == "user is a number: mend it as JSON"
    assert shown[Field.EVENT].note == "a number: text is expected"
    assert shown[Field.VALUE].note == "a boolean: text or a number is expected"
    with pytest.raises(FieldError, match="user is a number"):
        draft.edit(text, Field.EMAIL, "a@b")
    assert parsed(draft.edit('{"user": null}', Field.EMAIL, "a@b")) == {"user": {"email": "a@b"}}


def test_what_cannot_be_seen_is_shown_as_it_is_spelled() -> None:
    shown = draft.fields(json.dumps({"event": "a\x1b]0;x\x07"}))
    assert shown[Field.EVENT].content == '"a\\u001b]0;x\\u0007"'
    raw = draft.fields(json.dumps({"event": "\u202ex"}, ensure_ascii=False))
    assert raw[Field.EVENT].content == '"\\u202ex"'


def test_a_field_too_long_for_the_form_says_so() -> None:
    shown = draft.fields(json.dumps({"event": "x" * 20_000}))
    assert shown[Field.EVENT].too_long
    assert not shown[Field.EVENT].content


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [('{\n  "a": 1,,\n}', 2, 10), ("", 1, 1), ('{"é": x}', 1, 7), ("{} {}", 1, 4), ('\ufeff{"a": x}', 1, 8)],
)
def test_what_is_not_json_says_where(text: str, line: int, column: int) -> None:
    found = draft.check(text)
    assert (found.line, found.column) == (line, column)
    assert found.fault
    assert not found.is_object


def test_other_json_and_broken_bytes() -> None:
    assert draft.check("[1]") == draft.Check(3)
    assert not draft.check("NaN").is_object
    assert "levels deep" in draft.check("[" * 300).fault
    body = b'{"event":"\xff\xfe"}'
    text = draft.decode(body)
    assert draft.encode(text) == body
    assert "UTF-8" in draft.check(text).fault
    assert draft.encode("\ud800") == b"\xed\xa0\x80"


def test_now_becomes_the_time_of_sending_and_nothing_else_does() -> None:
    text = '{"timestamp":"now","event":"now","metadata":{"timestamp":"now"},"timestamp" : "n\\u006fw"}'
    sent = draft.resolved(text, 123)
    assert sent == '{"timestamp":123,"event":"now","metadata":{"timestamp":"now"},"timestamp" : 123}'
    for other in ('{"timestamp":"now"', '["now"]', '{"timestamp":"nowhere"}', "now"):
        assert draft.resolved(other, 123) == other


@given(texts)
def test_a_field_read_back_as_it_is_shown_changes_nothing(text: str) -> None:
    for field, shown in draft.fields(text).items():
        if not shown.content or shown.note:
            continue
        changed = draft.edit(text, field, shown.content)
        assert jsontext.parse(draft.encode(changed)) == jsontext.parse(draft.encode(text))


@given(texts, st.text(max_size=20))
def test_an_event_name_can_be_anything(text: str, name: str) -> None:
    changed = draft.edit(text, Field.EVENT, json.dumps(name))
    before, after = parsed(text), parsed(changed)
    assert after.pop("event") == name
    before.pop("event", None)
    assert after == before


VARIED = """\
{ "user": {{{user}}}, "event": "{{pick a|b}}", "value": {{seq}},
  "metadata": {"order": "{{uuid}}", "deep": [{{now_ms -5m}}]}, "timestamp": {{now_ms}} }"""


def test_variables_are_taken_for_the_values_they_stand_for() -> None:
    text = VARIED.replace("{{{user}}}", '{"userID": "{{uuid}}", "customIDs": {{ids}}, "n": {{n}}}')
    assert draft.check(text) == draft.Check(len(text), is_object=True)
    shown = draft.fields(text)
    assert shown[Field.VALUE].content == "{{seq}}"
    assert shown[Field.TIMESTAMP].content == "{{now_ms}}"
    assert not any(field.note for field in shown.values())
    changed = draft.edit(text, Field.EVENT, "e{{seq}}")
    assert changed == text.replace("{{pick a|b}}", "e{{seq}}")


@pytest.mark.parametrize(
    ("field", "content", "spelled"),
    [
        (Field.VALUE, "{{seq}}", "{{seq}}"),
        (Field.VALUE, "{{uuid}}", '"{{uuid}}"'),
        (Field.TIMESTAMP, "{{now_ms -5m}}", "{{now_ms -5m}}"),
        (Field.METADATA, "{{env META}}", "{{env META}}"),
        (Field.EVENT, "{{pick a|b}}", '"{{pick a|b}}"'),
        (Field.USER_ID, "{{env USER}}", '"{{env USER}}"'),
    ],
)
def test_variables_are_typed_where_values_are(field: Field, content: str, spelled: str) -> None:
    changed = draft.edit('{"user": {}}', field, content)
    assert spelled in changed
    assert draft.check(changed).is_object
    assert field in OBJECTS or draft.fields(changed)[field].note == ""


def test_a_user_that_is_a_variable_is_said() -> None:
    text = VARIED.replace("{{{user}}}", "{{env USER}}")
    assert "a variable" in draft.fields(text)[Field.USER_ID].note
    with pytest.raises(FieldError):
        draft.edit(text, Field.USER_ID, "x")
