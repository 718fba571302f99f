"""JsonTree against the standard parser, and where it says that a text breaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from statsig_tui.tui.widgets.json_lines import Folds, JsonTree, NotJsonError, read, read_head
from statsig_tui.tui.widgets.json_pieces import copied, path, shown, wrapped

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=25,
)
layouts = st.sampled_from([None, 0, 1, 4])


def check(tree: JsonTree, index: int, value: object) -> None:
    assert json.loads(tree.source(index)) == value
    children = list(tree.children(index))
    if isinstance(value, Mapping):
        assert [json.loads(tree.line(child).key or "") for child in children] == list(value)
        inside = list(value.values())
    else:
        inside = value if isinstance(value, list) else []
        assert all(tree.line(child).key is None for child in children)
    assert tree.count(index) == len(children) == len(inside)
    for nth, (child, below) in enumerate(zip(children, inside, strict=True)):
        assert (tree.parent(child), tree.nth(child)) == (index, nth)
        assert tree.depth(child) == tree.depth(index) + 1
        assert tree.at(tree.offset(child)) == child
        check(tree, child, below)


@given(values, layouts, st.booleans())
def test_the_lines_are_what_a_parser_reads(value: object, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    tree = JsonTree(text)
    check(tree, 0, value)
    assert tree.source(0) == text


@given(values, layouts, st.data())
def test_it_refuses_what_a_parser_refuses(value: object, indent: int | None, data: st.DataObject) -> None:
    text = json.dumps(value, indent=indent)
    at = data.draw(st.integers(0, len(text)))
    broken = text[:at] + data.draw(st.sampled_from([*',:{}[]"\\ 1\n', ""])) + text[at + 1 :]
    try:
        json.loads(broken, parse_constant=int)
    except ValueError:
        with pytest.raises(NotJsonError):
            JsonTree(broken)
    else:
        JsonTree(broken)


@given(values, layouts, st.data())
def test_the_head_of_a_text_is_the_head_of_its_lines(
    value: object, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(value, indent=indent)
    whole = JsonTree(text)
    head = JsonTree(text[: data.draw(st.integers(0, len(text)))], partial=True)
    assert [head.offset(index) for index in range(len(head))] == [
        whole.offset(index) for index in range(len(head))
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: the text ends too early"),
        ("[1 2]", "line 1, column 4: expecting a comma or ]"),
        ('{"a":1]', "line 1, column 7: expecting a comma or }"),
        ("[1,]", "line 1, column 4: expecting a value"),
        ('{"a":1,}', "line 1, column 8: expecting a key in quotes"),
        ('{"a" 1}', "line 1, column 6: expecting a colon"),
        ('{"a":', "line 1, column 6: the text ends too early"),
        ('{\n "a": tru\n}', "line 2, column 7: expecting a value"),
        ("[\n1,\n 01]", "line 3, column 3: expecting a comma or ]"),
        ('["a', "line 1, column 2: a string that is never closed"),
        ('["\\x"]', "line 1, column 3: an escape that is none"),
        ('["a\nb"]', "line 1, column 4: a control character in a string"),
        ("[NaN]", "line 1, column 2: expecting a value"),
        ("[1]]", "line 1, column 4: expecting the end"),
        ("{} {}", "line 1, column 4: something follows the end of the value"),
        ("1 2", "line 1, column 3: something follows the end of the value"),
        ("<html>", "line 1, column 1: expecting a value"),
        ("[" * 2000, "line 1, column 1002: nested more than 1,000 levels deep"),
    ],
)
def test_it_says_where_a_text_breaks(text: str, said: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        JsonTree(text)
    assert str(caught.value) == f"not JSON at {said}"


def test_a_thousand_levels_can_be_asked_about() -> None:
    tree = JsonTree("[" * 1000 + "1" + "]" * 1000)
    assert tree.depth(1000) == 1000
    assert path(tree, 1000) == "[0]" * 1000
    assert tree.source(999) == "[1]"
    assert tree.count(0) == 1


def test_a_body_is_text_or_says_why_not() -> None:
    assert read(b"").broken == "the body is empty"
    assert read(b'{"a":"\xff"}').broken == "not UTF-8 from byte 6"
    assert read(b'{"a":"\xff"}').folds is None
    assert read(b'\xef\xbb\xbf{"a":1}').broken == ""
    assert read_head("[1,2,é".encode()[:-1]).text == "[1,2,"


def test_paths_are_what_one_would_type() -> None:
    tree = JsonTree('{"data":[{"user":{"userID":"u","a.b":1,"":2,"\\u0061":3}}]}')
    assert [path(tree, index) for index in range(len(tree))] == [
        "",
        "data",
        "data[0]",
        "data[0].user",
        "data[0].user.userID",
        'data[0].user["a.b"]',
        'data[0].user[""]',
        'data[0].user["\\u0061"]',
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('"a\\nb"', "a\nb"),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ud800"', "\\ud800"),
        ("1.0", "1.0"),
        ("{ }", "{ }"),
    ],
)
def test_copying_takes_a_string_out_of_its_quotes(source: str, text: str) -> None:
    assert copied(source) == text


def test_folding_hides_exactly_what_is_below() -> None:
    folds = Folds(JsonTree('[{"a":{"b":[1,2]},"c":3},[4]]'))
    every = [1, 2, 3, 6, 7]
    assert list(folds.lines) == every, "the short ones start folded, the root is no line"
    folds.toggle(1)
    assert list(folds.lines) == [1, 7]
    assert folds.shown(5) == 0, "a hidden line is where the folded one is"
    folds.toggle(1)
    assert list(folds.lines) == every
    folds.toggle(3)
    assert list(folds.lines) == [1, 2, 3, 4, 5, 6, 7]
    folds.toggle(2)
    folds.toggle(1)
    folds.toggle(1)
    assert list(folds.lines) == [1, 2, 6, 7]
    folds.toggle(2)
    assert list(folds.lines) == [1, 2, 3, 4, 5, 6, 7]


@given(st.text(), st.integers(2, 30))
def test_rows_hold_the_whole_text_and_fit(text: str, width: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    rows = [*wrapped(text, width), len(text)]
    pieces = [text[start:end] for start, end in pairwise(rows)]
    assert "".join(pieces) == text
    for piece in pieces:
        row = shown(piece.removesuffix("\n"))
        assert cell_len(row) <= width or len(piece) == 1
        assert "\n" not in piece[:-1]
