"""What a list shows of all captures: filtered, cleared, only marked, and growing at both ends meanwhile."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest

from statsig_tui.core.records import CaptureRecord
from statsig_tui.tui.widgets.capture_rows import CaptureRows
from statsig_tui.tui.widgets.id_view import IdView, in_both
from tests.corpus import foreign


def view_of(*ids: int) -> IdView:
    view = IdView()
    view.load(array("q", ids))
    return view


def shown(view: IdView) -> list[int]:
    return [view[index] for index in range(len(view))]


def test_a_filter_shows_what_it_found_and_grows_at_both_ends() -> None:
    view = view_of(*range(1, 10))
    view.restrict(array("q", [7, 8]))
    view.fit([2, 4])
    assert view.append(10)
    view.fit([10])
    assert shown(view) == [2, 4, 7, 8, 10]
    assert (len(view), view.total) == (5, 10)
    view.restrict(None)
    assert shown(view) == list(range(1, 11))
    assert not view.append(10), "it is known"


def test_what_is_marked_stays_when_the_rest_is_cleared_and_all_comes_back() -> None:
    view = view_of(*range(1, 6))
    view.mark(2)
    view.clear()
    view.append(6)
    assert shown(view) == [2, 6]
    view.mark(6)
    view.only_marked = True
    view.append(7)
    assert shown(view) == [2, 6]
    view.restrict(array("q", [6, 7]))
    assert shown(view) == [6], "marked, and it fits"
    view.restrict(None)
    view.only_marked = False
    view.restore()
    assert shown(view) == [1, 2, 3, 4, 5, 6, 7]


def test_what_the_store_forgets_is_forgotten_everywhere() -> None:
    view = view_of(*range(1, 9))
    view.mark(2)
    view.mark(6)
    view.restrict(array("q", [1, 2, 5, 6, 8]))
    view.clear()
    assert shown(view) == [2, 6]
    assert view.forget_before(3)
    assert not view.forget_before(3)
    assert shown(view) == [6]
    view.restore()
    assert (shown(view), view.total, view.marked) == ([5, 6, 8], 6, 1)


@pytest.mark.parametrize(
    ("ids", "at", "newer", "found"),
    [
        ([1, 3, 5, 8], 8, False, 8),
        ([1, 3, 5, 8], 7, False, 3),
        ([1, 3, 5, 8], 2, False, None),
        ([1, 3, 5, 8], 0, True, 3),
        ([1, 3, 5, 8], 4, True, 8),
        ([1, 3, 5, 8], 9, True, None),
        ([], 4, True, None),
        ([1, 5], 4, False, None),
    ],
)
def test_the_nearest_hit_is_one_that_is_shown(
    ids: Sequence[int], at: int, newer: bool, found: int | None
) -> None:
    assert in_both(ids, view_of(2, 3, 4, 7, 8), at, newer=newer) == found


def rows_over(fetched: list[int]) -> CaptureRows:
    def fetch(ids: Sequence[int]) -> list[CaptureRecord]:
        fetched.extend(ids)
        return [foreign.capture("x", number) for number in ids if number != 9]

    return CaptureRows(fetch)


def test_of_a_filtered_list_only_what_is_shown_is_read() -> None:
    fetched: list[int] = []
    rows = rows_over(fetched)
    rows.load(array("q", range(1, 100_001)))
    rows.view.restrict(array("q", range(1000, 100_001, 1000)))
    assert [rows.key(index) for index in range(3)] == [1000, 2000, 3000]
    for index in range(40):
        rows.line(index, 80)
    assert len(fetched) == 64, "a page, however far apart its rows are in the store"
    assert set(fetched) <= set(range(1000, 100_001, 1000))


def test_a_mark_is_drawn_and_makes_the_row_another() -> None:
    rows = rows_over([])
    rows.load(array("q", [8, 9]))
    before = rows.revision(0)
    assert "◆" not in rows.line(0, 80).plain
    rows.view.mark(8)
    assert rows.revision(0) != before
    assert "◆" in rows.line(0, 80).plain
    assert "forgotten" in rows.line(1, 80).plain
