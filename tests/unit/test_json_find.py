"""Where a text is found in a body, a slice of it at a time, and how that is drawn."""

from __future__ import annotations

import random
import re

import pytest

from statsig_tui.tui.widgets import json_find
from statsig_tui.tui.widgets.json_find import Search, raw_row, split


@pytest.mark.parametrize("wanted", ["a", "AA", "aba", "abab", "b" * 40])
def test_slices_find_what_the_whole_text_holds(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    chance = random.Random(7)
    text = "".join(chance.choice("aAb") for _ in range(3000)) + "b" * 100
    monkeypatch.setattr(json_find, "SLICE", 37)
    search = Search(wanted, text)
    looks = 0
    while not search.is_done:
        search.look()
        looks += 1
    expected = [match.start() for match in re.finditer(re.escape(wanted), text, re.IGNORECASE)]
    assert list(search.places) == expected
    assert looks >= len(text) // (37 + len(wanted)), "never more than a slice at a time"


def test_what_is_looked_for_is_a_piece_of_its_own_across_others() -> None:
    search = Search("b: c", "")
    pieces = [("a b", "key"), (": ", "punctuation"), ("c d", "string")]
    assert [piece for piece in search.marked(pieces) if piece[0]] == [
        ("a ", "key"), ("b", "found"), (": ", "found"), ("c", "found"), (" d", "string"),
    ]  # fmt: skip
    assert [piece for piece in split([("abcabc", "")], [(0, 2), (3, 5)]) if piece[0]] == [
        ("ab", "found"), ("c", ""), ("ab", "found"), ("c", ""),
    ]  # fmt: skip


def test_a_place_over_the_end_of_a_row_is_drawn_on_both() -> None:
    text = "\x1b--needle--"
    search = Search("NEEDLE", text)
    search.look()
    rows = [raw_row(text[start:end], search.inside(start, end)) for start, end in ((0, 6), (6, 11))]
    assert [[piece for piece in row if piece[0]] for row in rows] == [
        [("␛--", ""), ("nee", "found")],
        [("dle", "found"), ("--", "")],
    ]
