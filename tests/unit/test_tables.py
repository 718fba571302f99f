"""A table's edit changes its own rows' bytes; rows that are off come back as they were."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from statsig_tui.core import cells, draft, tables
from statsig_tui.core.cells import Kind
from statsig_tui.core.draft import Field, FieldError
from statsig_tui.core.tables import Row, Table, table, written

ODD = """\
{ "zz":1e2,"user" : {"country":"KR",
      "userID":"u\\u00e9" , "custom":{ "n":1.10, "n":2 , "\\u0074" : "3"}, "more": 00},
  "event":"x", "event":"e",
  "metadata":{
    "a": {"deep": [1,  2]},
    "b": 12345678901234567890,
    "c": 1e3
  } }
""".replace("00}", '[ ], "less" :null}')


def rows(name: Field, text: str = ODD) -> list[Row]:
    return list(table(text, name).rows)


def test_rows_are_the_members_as_they_are_spelled() -> None:
    found = table(ODD, Field.CUSTOM)
    assert [(row.name, row.raw, str(row.kind)) for row in found.rows] == [
        ("n", "1.10", "number"), ("n", "2", "number"), ("t", '"3"', "string"),
    ]  # fmt: skip
    assert found.overruled() == {0}
    assert [row.raw for row in rows(Field.METADATA)] == ['{"deep": [1,  2]}', "12345678901234567890", "1e3"]
    assert [row.name for row in rows(Field.OTHER)] == ["more", "less"]
    assert table(ODD, Field.CUSTOM_IDS) == Table()


@pytest.mark.parametrize(
    ("name", "index", "change", "before", "after"),
    [
        (Field.CUSTOM, 0, {"raw": "1.1"}, '"n":1.10', '"n":1.1'),
        (Field.CUSTOM, 1, {"key": '"m"'}, '"n":2 ', '"m":2 '),
        (Field.CUSTOM, 2, None, ' , "\\u0074" : "3"', ""),
        (Field.CUSTOM, 0, None, '"n":1.10, ', ""),
        (Field.METADATA, 1, None, '"b": 12345678901234567890,\n    ', ""),
        (Field.METADATA, 2, {"raw": "1000"}, "1e3", "1000"),
        (Field.OTHER, 0, {"raw": "[ 1 ]"}, '"more": [ ]', '"more": [ 1 ]'),
        (Field.OTHER, 1, None, ', "less" :null', ""),
    ],
)
def test_an_edit_changes_the_bytes_of_its_row_alone(
    name: Field, index: int, change: dict[str, str] | None, before: str, after: str
) -> None:
    edited = rows(name)
    if change is None:
        del edited[index]
    else:
        edited[index] = replace(edited[index], **change)  # type: ignore[arg-type]  # names and values are strings
    assert ODD.count(before) == 1
    assert written(ODD, name, edited) == ODD.replace(before, after)


def test_rows_change_places_and_nothing_else_does() -> None:
    first, second, third = rows(Field.CUSTOM)
    moved = written(ODD, Field.CUSTOM, [first, third, second])
    assert moved == ODD.replace('"n":2 , "\\u0074" : "3"', '"\\u0074" : "3" , "n":2')
    more, less = rows(Field.OTHER)
    swapped = written(ODD, Field.OTHER, [less, more])
    assert swapped == ODD.replace('"more": [ ], "less" :null', '"less" :null, "more": [ ]')


def test_new_rows_are_spelled_like_their_neighbours() -> None:
    found = rows(Field.METADATA)
    new = tables.new_row(found, '"x"')
    text = written(ODD, Field.METADATA, [*found, new])
    assert text == ODD.replace("1e3\n", '1e3,\n    "x": ""\n')
    first = written(ODD, Field.METADATA, [new, *found])
    assert first == ODD.replace('"a": {', '"x": "",\n    "a": {')
    other = written(ODD, Field.OTHER, [*rows(Field.OTHER), new])
    assert other == ODD.replace('"less" :null', '"less" :null, "x": ""')


LEFT_OVER = """\
{"eventName" :"x", "user":{ "statsigEnvironment": {"a":1e2, "tier" :"qa", "a": 2.0} }, "event": "e",
 "sdk":{"v": 1.50},"sdk" : null}"""


def test_what_no_field_shows_is_a_row_of_event_user_or_environment() -> None:
    assert [(row.name, row.raw) for row in rows(Field.REST, LEFT_OVER)] == [
        ("eventName", '"x"'), ("sdk", '{"v": 1.50}'), ("sdk", "null"),
    ]  # fmt: skip
    assert [row.raw for row in rows(Field.ENVIRONMENT, LEFT_OVER)] == ["1e2", "2.0"]
    first, second = rows(Field.ENVIRONMENT, LEFT_OVER)
    text = written(LEFT_OVER, Field.ENVIRONMENT, [replace(first, raw="7"), second])
    assert text == LEFT_OVER.replace("1e2", "7")
    swapped = written(LEFT_OVER, Field.ENVIRONMENT, [second, first])
    assert swapped == LEFT_OVER.replace('"a":1e2, "tier" :"qa", "a": 2.0', '"a": 2.0, "tier" :"qa", "a":1e2')
    wrong, _, sdk = rows(Field.REST, LEFT_OVER)
    assert written(LEFT_OVER, Field.REST, [wrong, sdk]) == LEFT_OVER.replace('\n "sdk":{"v": 1.50},', "")
    assert written('{"user": {}}', Field.ENVIRONMENT, [Row('"a"', "1")]) == (
        '{"user": {"statsigEnvironment": {"a": 1}}}'
    )
    # The last row takes nothing else along.
    assert '{"tier" :"qa"}' in written(LEFT_OVER, Field.ENVIRONMENT, [])
    assert json.loads(draft.edit(LEFT_OVER, Field.TIER, ""))["user"] == {"statsigEnvironment": {"a": 2.0}}


@pytest.mark.parametrize(
    ("name", "row"), [(Field.REST, "event"), (Field.REST, "user"), (Field.ENVIRONMENT, "tier")]
)
def test_a_name_that_has_a_field_is_no_row(name: Field, row: str) -> None:
    with pytest.raises(FieldError, match=f"{row} has a field of its own"):
        written(LEFT_OVER, name, [Row(f'"{row}"', "1")])


def test_an_environment_that_is_none_is_not_overwritten() -> None:
    text = '{"user": {"statsigEnvironment": "qa"}}'
    assert table(text, Field.ENVIRONMENT) == Table()
    with pytest.raises(FieldError, match="statsigEnvironment is text"):
        written(text, Field.ENVIRONMENT, [Row('"a"', "1")])


@pytest.mark.parametrize("text", ["{}", '{"user": null}', '{"user": {}, "metadata": null}'])
def test_the_first_row_makes_the_object(text: str) -> None:
    new = Row('"a"', "1.0")
    for name in (Field.CUSTOM, Field.OTHER, Field.METADATA):
        text = written(text, name, [new])
    value = json.loads(text)
    assert (value["user"], value["metadata"]) == ({"custom": {"a": 1.0}, "a": 1.0}, {"a": 1.0})
    assert written(text, Field.METADATA, []).endswith('"metadata": {}}')
    assert draft.edit(text, Field.METADATA, "") == text.replace(', "metadata": {"a": 1.0}', "")


def test_a_row_that_is_off_is_out_of_the_text_and_comes_back_where_it_was() -> None:
    first, second, third = rows(Field.METADATA)
    off = [first, replace(second, is_on=False), third]
    text = written(ODD, Field.METADATA, off)
    assert text == ODD.replace('"b": 12345678901234567890,\n    ', "")
    kept = tables.loaded(json.loads(json.dumps(tables.dumped({Field.METADATA: tables.off(off)}))))
    again = table(text, Field.METADATA, kept[Field.METADATA])
    assert again.rows == tuple(off)
    back = [replace(row, is_on=True) for row in again.rows]
    assert written(text, Field.METADATA, back) == ODD


@pytest.mark.parametrize(
    "found",
    [None, [], {"x": []}, {"metadata": 1}, {"metadata": [1, [0, '"a', ": ", "1"], [0, '"a"', ":", "x"]]}],
)
def test_what_was_not_kept_by_this_program_is_passed_over(found: object) -> None:
    assert not any(tables.loaded(found).values())


def test_what_is_no_object_is_shown_whole() -> None:
    text = '{"user": {"custom": [1, 2], "customIDs": {{ids}}, "privateAttributes": null}, "metadata": "x"}'
    shown = tables.tables(text, {})
    assert (shown[Field.CUSTOM].other, shown[Field.CUSTOM].note) == (
        "[1, 2]",
        "an array: an object is expected",
    )
    assert (shown[Field.CUSTOM_IDS].other, shown[Field.CUSTOM_IDS].note) == ("{{ids}}", "")
    assert (shown[Field.PRIVATE].other, shown[Field.PRIVATE].note) == ("null", "")
    assert shown[Field.METADATA].note == "text: an object is expected"
    mended = draft.edit(text, Field.CUSTOM, '{"a": 1}')
    assert mended == text.replace("[1, 2]", '{"a": 1}')


def test_too_much_for_a_table_says_so() -> None:
    many = json.dumps({"metadata": {str(number): 1 for number in range(501)}})
    assert table(many, Field.METADATA) == Table(
        is_there=True, note="501 members: edit them as JSON", too_large=True
    )
    long = json.dumps({"metadata": ["x" * 20_000]})
    assert table(long, Field.METADATA).too_large


def test_a_user_that_is_no_object_takes_no_rows() -> None:
    for name in (Field.OTHER, Field.CUSTOM):
        with pytest.raises(FieldError, match="user is a number"):
            written('{"user": 5}', name, [Row('"a"', "1")])
    with pytest.raises(FieldError, match="userID has a field of its own"):
        written(ODD, Field.OTHER, [Row('"userID"', '"u"')])


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        (Field.METADATA, 'a = 1\n\nb = x y\n"c d" = "3"', [('"a"', "1"), ('"b"', '"x y"'), ('"c d"', '"3"')]),
        (Field.CUSTOM_IDS, "companyID = 12", [('"companyID"', '"12"')]),
        (Field.CUSTOM, '{"\\u0061" : 1.0, "a":{{seq}}}', [('"\\u0061"', "1.0"), ('"a"', "{{seq}}")]),
        (Field.METADATA, "a = {{uuid}}\nb = {{seq}}", [('"a"', '"{{uuid}}"'), ('"b"', "{{seq}}")]),
    ],
)  # fmt: skip
def test_lines_and_objects_are_read_as_rows(name: Field, content: str, found: list[tuple[str, str]]) -> None:
    assert [(row.key, row.raw) for row in tables.listed(content, name)] == found


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a = 1\nb", "line 2: write name = value"),
        ("a =", "line 1: the value is missing"),
        ("a = {x", "line 1: this is not complete JSON"),
        ('{"a":', "not complete JSON"),
    ],
)
def test_lines_that_cannot_be_meant_are_refused(content: str, says: str) -> None:
    with pytest.raises(FieldError, match=says):
        tables.listed(content, Field.METADATA)


@pytest.mark.parametrize(
    ("raw", "typed", "becomes"),
    [
        ('"x"', "3", '"3"'),
        ('"x"', "", '""'),
        ('"x"', '"\\u00e9"', '"\\u00e9"'),
        ('"x"', "{{uuid}} and", '"{{uuid}} and"'),
        ("3", "1e400x", None),
        ("3", "1e3", "1e3"),
        ("3", "{{seq}}", "{{seq}}"),
        ("3", "", None),
        ("true", "false", "false"),
        ("true", "yes", None),
        ('["a"]', "a, b, 3", '["a", "b", 3]'),
        ('["a"]', "[1,", None),
        ('["a"]', "", None),
        ("null", "3", None),
        ('{"a": 1}', '{"a":1.0}', '{"a":1.0}'),
        ('{"a": 1}', "[1]", "[1]"),
        ('{"a": 1}', "plain", None),
        ("{{seq}}", "{{now_ms}}", "{{now_ms}}"),
    ],
)
def test_a_cell_keeps_its_type(raw: str, typed: str, becomes: str | None) -> None:
    if becomes is not None:
        assert cells.typed(raw, typed) == becomes
        return
    with pytest.raises(FieldError):
        cells.typed(raw, typed)


@pytest.mark.parametrize(
    ("typed", "name", "becomes"),
    [
        ("3", Field.CUSTOM, "3"),
        ("3", Field.CUSTOM_IDS, '"3"'),
        ("", Field.CUSTOM, '""'),
        ("a b", Field.CUSTOM, '"a b"'),
    ],
)
def test_a_new_cell_takes_its_type_from_what_is_typed(typed: str, name: Field, becomes: str) -> None:
    assert tables.respelled(Row('"k"', '""'), typed, name, is_new=True).raw == becomes


@pytest.mark.parametrize(
    ("raw", "steps"),
    [
        ("1.0", {"string": '"1.0"', "bool": "true", "list": "[1.0]", "null": "null", "JSON": "{}"}),
        ('"3"', {"number": "3", "bool": "true", "list": '["3"]', "string": '"3"'}),
        ('"true"', {"bool": "true", "number": "1"}),
        ('"[1, 2]"', {"list": "[1, 2]", "JSON": "{}"}),
        ('"{\\"a\\": 1}"', {"JSON": '{"a": 1}', "list": '["{\\"a\\": 1}"]'}),
        ("0", {"bool": "false"}),
        ("null", {"string": '"null"', "list": "[]", "bool": "false"}),
        ('["a"]', {"string": '"[\\"a\\"]"', "number": "0"}),
        ("{{seq}}", {"string": '"{{seq}}"', "null": "null"}),
    ],
)  # fmt: skip
def test_a_type_is_changed_to_what_is_nearest(raw: str, steps: dict[str, str]) -> None:
    for kind, becomes in steps.items():
        assert cells.retyped(raw, Kind(kind)) == becomes


def test_names_are_typed_bare_or_as_json() -> None:
    row = Row('"a"', "1", ":")
    assert tables.renamed(row, "b c") == Row('"b c"', "1", ":")
    assert tables.renamed(row, '"\\u0062"').name == "b"
    assert tables.renamed(Row('"\\u0062"', "1"), "b").key == '"\\u0062"'
    with pytest.raises(FieldError):
        tables.renamed(row, '"open')
