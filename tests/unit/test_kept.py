"""What is kept of a draft comes back as it was, but for header values that are secrets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statsig_tui.core.draft import SAMPLE, Field, decode
from statsig_tui.core.kept import Kept, dump, load
from statsig_tui.core.request import Shape
from statsig_tui.core.tables import Row


@given(raw=st.binary(max_size=40), path=st.text(max_size=5), is_changed=st.booleans())
def test_any_draft_comes_back(raw: bytes, path: str, is_changed: bool) -> None:
    draft = Kept(decode(raw), Shape("PUT", path, "X-A: b\nodd\n"), is_changed)
    assert dump(draft).isascii()
    assert load(dump(draft)) == draft


def test_secrets_in_headers_are_not_kept() -> None:
    headers = "STATSIG-API-KEY: canary\nX-A: b\nAuthorization: Bearer canary\nCookie:\n"
    text = dump(Kept("{}", Shape(headers=headers), True))
    assert "canary" not in text
    found = load(text)
    assert found is not None
    assert found.shape.headers == "X-A: b\nCookie:\n"


def test_of_the_sample_nothing_is_kept() -> None:
    assert dump(Kept(SAMPLE, Shape(), False)) == ""


@pytest.mark.parametrize("text", [None, "", "x", "[]", "[1,2,3,4,5]", "{}", "3"])
def test_what_is_no_draft_is_none(text: str | None) -> None:
    assert load(text) is None


def test_rows_that_are_off_come_back() -> None:
    off = {Field.METADATA: ((1, Row('"a"', "1.0", " : ", is_on=False)),)}
    draft = Kept(SAMPLE, Shape(), False, off)
    assert load(dump(draft)) == draft
    older = json.dumps(["{}", "", "", "", True])
    assert load(older) == Kept("{}", Shape(), True)
