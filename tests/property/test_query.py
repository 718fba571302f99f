"""The query language on any text: never anything but a query or a placed error, and one spelling for each."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from statsig_tui.core.query import Query, QueryError, complete, parse
from statsig_tui.core.query.terms import EVENT_FIELDS, KEYS

PIECES = (
    *KEYS, *EVENT_FIELDS, ":", "=", "!=", ">", ">=", "<", ":>", ",", ".", "[0]", "(", ")", "-", " ", '"',
    "\\", "*", "or", "and", " or ", '"a b"', '"*"', "10k", "5xx", "10m", "5", "1e5", "bad", "yes",
    "metadata.plan", "::", "://", "2026-01-01", "\t", "\u3000", "é", "\ud800", "x", '"."', "none", "0", "-1",
)  # fmt: skip
texts = st.text(max_size=30) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def read(text: str) -> Query | QueryError:
    try:
        return parse(text)
    except QueryError as error:
        return error


@given(texts)
@example("event:==*")
@example("metadata.x==>*")
@example("since:99999999999999999999")
@example("since:0001-01-01T00:00:00+23:59")
@example('"user"=x')
def test_any_text_is_a_query_with_one_spelling_or_an_error_with_a_place(text: str) -> None:
    found = read(text)
    if isinstance(found, QueryError):
        assert 0 <= found.position <= len(text)
        assert found.message
        return
    normal = found.to_text()
    assert parse(normal) == found
    assert parse(normal).to_text() == normal


@given(texts, st.integers(0, 40))
@example("event:", 6)
@example("-ev", 3)
@example('metadata."a.b"=', 15)
def test_what_is_offered_can_be_read_where_something_can(text: str, cursor: int) -> None:
    cursor = min(cursor, len(text))
    seen = {"event": ('a "b"', "x y", "*", "\\"), 'metadata."a.b"': ("1", ",")}
    found = complete(text, cursor, seen)
    assert 0 <= found.start <= cursor <= found.end <= len(text)
    before = text[: found.start]
    if isinstance(read(before + "x"), QueryError):
        return
    for candidate in found.candidates:
        done = read(before + candidate.text)
        # A key alone is no query yet: its value is what is missing.
        assert isinstance(done, Query) or done.position == len(before + candidate.text)
