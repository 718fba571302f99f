"""What the library shows of templates and history: folded, unfolded, and as a search finds it."""

from __future__ import annotations

from statsig_tui.core.library import Template
from statsig_tui.core.records import SentRecord
from statsig_tui.tui.widgets.library_rows import Contents, Row, likeliest, rows

CONTENTS = Contents(
    built_in=(
        Template("custom", "", "Events", "A custom event"),
        Template("late", "", "Events", "An hour ago"),
        Template("seconds", "", "QA", "not custom at all"),
    ),
    saved=(Template("my custom", ""),),
    sent=(SentRecord(7, 1, 0, "emulator", "", "page_view", 1, 401, None, "answered", 1.0, None),),
)


def keys(shown: list[Row]) -> list[str]:
    return [row.key for row in shown]


def test_sections_and_groups_are_folded_each_for_itself() -> None:
    assert keys(rows(CONTENTS, ())) == ["section Templates", "section Saved", "section History"]
    shown = rows(CONTENTS, {"Templates", "Events", "History"})
    assert keys(shown) == [
        "section Templates", "group Events", "template custom", "template late", "group QA",
        "section Saved", "section History", "sent 7",
    ]  # fmt: skip
    assert [row.total for row in shown if row.entry is None] == [3, 2, 1, 1, 1]


def test_a_search_unfolds_what_it_finds_and_says_what_it_hides() -> None:
    shown = rows(CONTENTS, (), "CUSTOM")
    assert keys(shown) == [
        "section Templates", "group Events", "template custom", "group QA", "template seconds",
        "section Saved", "saved my custom",
    ]  # fmt: skip
    assert [(row.count, row.total) for row in shown[:2]] == [(2, 3), (1, 2)]
    assert keys(rows(CONTENTS, (), "401 page")) == ["section History", "sent 7"]
    assert rows(CONTENTS, (), "nowhere") == []


def test_a_name_is_meant_before_a_description() -> None:
    shown = rows(CONTENTS, (), "custom")
    assert likeliest(shown, "custom ") == "template custom"
    assert likeliest(rows(CONTENTS, (), "my"), "my") == "saved my custom"
    assert likeliest(rows(CONTENTS, (), "hour"), "hour") == "template late"
    assert likeliest([], "x") == ""
