"""Setting one value of a text by its path, and what is said where the path leads nowhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statsig_tui.core import paths
from statsig_tui.core.paths import PathError

TEXT = """\
{ "user": {"userID": "u", "custom" : {"a.b": [1, {"x": 1.10}], "": 0}},
  "n": 1e2, "n": 2,
  "timestamp": {{now_ms}} }
"""


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("user.userID", '"userID": "u"', '"userID": 7'),
        ('user.custom."a.b"[1].x', '{"x": 1.10}', '{"x": 7}'),
        ('user.custom."a.b"[0]', "[1, ", "[7, "),
        ('user.custom.""', '"": 0', '"": 7'),
        ("n", '"n": 2,', '"n": 7,'),
        ("timestamp", "{{now_ms}}", "7"),
        ("user.custom", '{"a.b": [1, {"x": 1.10}], "": 0}', "7"),
    ],
)
def test_only_the_value_at_the_path_changes(path: str, before: str, after: str) -> None:
    assert paths.assign(TEXT, path, lambda former: "7") == TEXT.replace(before, after)


def test_the_former_value_is_told() -> None:
    told: list[str | None] = []

    def value(former: str | None) -> str:
        told.append(former)
        return "7"

    paths.assign(TEXT, "timestamp", value)
    paths.assign(TEXT, "new", value, add=True)
    assert told == ["{{now_ms}}", None]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("value", {"value": 7}),
        ("metadata.plan", {"metadata": {"plan": 7}}),
        ('metadata."a.b".c', {"metadata": {"a.b": {"c": 7}}}),
        ("user", {"user": 7}),
        ("user.email", {"user": {"userID": "u", "email": 7}}),
    ],
)
def test_members_are_added_where_that_is_asked_for(path: str, wanted: dict[str, object]) -> None:
    text = '{"user": {"userID": "u"}}'
    assert json.loads(paths.assign(text, path, lambda former: "7", add=True)) == json.loads(text) | wanted
    assert paths.assign("{}", "a", lambda former: "7", add=True) == '{"a": 7}'


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("user.userId", "there is no user.userId; did you mean user.userID?"),
        ("usr.userID", "there is no usr; did you mean user?"),
        ("zzz", "there is no zzz"),
        ("n.x", "n is no object"),
        ("n[0]", "n is no list"),
        ('user.custom."a.b"[2]', 'user.custom."a.b" has 2 items'),
        ("", "the path is not understood"),
        ("a..b", "is not understood"),
        ("a.", "ends in a dot"),
        ("[0]", "is not understood"),
        ('a"b"', "is not understood behind a"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error_with_the_nearest_name(path: str, says: str) -> None:
    with pytest.raises(PathError) as error:
        paths.assign(TEXT, path, lambda former: "7")
    assert says in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "7", "nonsense", '{"a": NaN}'])
def test_a_text_without_members_cannot_be_set(text: str) -> None:
    with pytest.raises(PathError):
        paths.assign(text, "a", lambda former: "7", add=True)


def test_an_item_of_a_list_is_not_added() -> None:
    with pytest.raises(PathError):
        paths.assign('{"a": []}', "a[0]", lambda former: "7", add=True)
    with pytest.raises(PathError, match="cannot be added"):
        paths.assign("{}", "a[0]", lambda former: "7", add=True)


@given(steps=st.lists(st.text(max_size=6) | st.integers(0, 99), min_size=1, max_size=5))
def test_paths_are_read_as_they_are_spelled(steps: list[str | int]) -> None:
    given = ("root", *steps)
    assert paths.parse(paths.spelled(given)) == given
