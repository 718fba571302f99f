"""Whatever is done in a table, the text holds just those rows, and all that is no row keeps its spelling."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statsig_tui.core import cells, draft, jsontext, tables, template
from statsig_tui.core.draft import OBJECTS, Field, FieldError
from statsig_tui.core.spans import object_at, top
from statsig_tui.core.tables import Row, table, written

NAMES = st.sampled_from(["a", "b", "a", "userID", "tier", "event", "", "é", '"', "[/x]", "\\", "{"])
SPELLED_NAMES = NAMES.flatmap(
    lambda name: st.sampled_from([json.dumps(name), json.dumps(name, ensure_ascii=False)])
)
SCALARS = st.sampled_from(
    ["1.0", "1e3", "-0", "12345678901234567890", "0.10", "true", "false", "null", '""', '"3"', '"\\u0041"',
     '"{{uuid}} x"', "{{seq}}", '"é"', '"{\\"a\\":1}"']
)  # fmt: skip
SPACES = st.sampled_from(["", " ", "\n  ", "\t"])


@st.composite
def spelled(draw: st.DrawFn, value: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> str:
    """An object with white space, duplicates and spellings of its own."""
    members = [
        f"{draw(SPACES)}{draw(names)}{draw(SPACES)}:{draw(SPACES)}{draw(value)}{draw(SPACES)}"
        for _ in range(draw(st.integers(0, 4)))
    ]
    return "{" + (",".join(members) or draw(SPACES)) + "}"


FLAT = spelled(SCALARS, SPELLED_NAMES)
VALUES = SCALARS | FLAT | st.sampled_from(["[]", "[ 1 , 2.0 ]"])
USERS = spelled(
    VALUES,
    SPELLED_NAMES
    | st.sampled_from(
        ['"custom"', '"customIDs"', '"privateAttributes"', '"country"', '"statsigEnvironment"']
    ),
)
TEXTS = spelled(
    VALUES, SPELLED_NAMES | st.sampled_from(['"metadata"', '"timestamp"'])
).flatmap(lambda text: USERS.map(lambda user: _with(text, f'"user": {user}')))  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["value", "name", "type", "delete", "add", "up", "down", "off", "on"]),
        st.integers(0, 9),
        SCALARS,
    ),
    min_size=1,
    max_size=6,
)
quick = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _with(text: str, member: str) -> str:
    inside = text[1:-1]
    return "{" + (f"{member},{inside}" if inside.strip() else member) + "}"


def change(rows: list[Row], step: tuple[str, int, str]) -> list[Row]:
    """The rows after a step of the user's."""
    what, number, raw = step
    if what == "add" or not rows:
        place = number % (len(rows) + 1)
        return [*rows[:place], Row(json.dumps(f"new{number}"), raw), *rows[place:]]
    at = number % len(rows)
    row = rows[at]
    match what:
        case "value":
            rows[at] = replace(row, raw=raw)
        case "name":
            rows[at] = tables.renamed(row, f"named {number}")
        case "type":
            rows[at] = replace(row, raw=cells.retyped(row.raw, cells.next_kind(row.kind)))
        case "delete":
            del rows[at]
        case "up" | "down":
            to = (at + (1 if what == "down" else -1)) % len(rows)
            rows[at], rows[to] = rows[to], rows[at]
        case _:
            rows[at] = replace(row, is_on=what == "on")
    return rows


FIELDS = {
    Field.OTHER: draft.USER_FIELDS,
    Field.ENVIRONMENT: (draft.TIER,),
    Field.REST: draft.EVENT_FIELDS,
}
"""Names that are no rows of the tables that show what is left over."""


def others(text: str, name: Field) -> list[str]:
    """Every member of text, user and environment as it is spelled, but for what the table shows."""
    whole = top(text)
    user, environment = draft.user_of(text, whole), draft.environment_of(text, whole)
    parts = {
        Field.REST: (whole, "user"),
        Field.OTHER: (user, Field.TIER),
        Field.ENVIRONMENT: (environment, ""),
    }
    found = []
    for shown_as, (holder, inner) in parts.items():
        for item in holder.members if holder is not None else ():
            is_row = shown_as is name and item.name not in FIELDS[name]
            if not is_row and item.name not in (name, inner):
                found.append(item.spelled(text))
    return found


@quick
@given(text=TEXTS, name=st.sampled_from(OBJECTS), steps=STEPS)
def test_the_text_holds_the_rows_and_nothing_else_changes(
    text: str, name: Field, steps: list[tuple[str, int, str]]
) -> None:
    before = others(text, name)
    off = tables.NOTHING
    for step in steps:
        shown = table(text, name, off)
        if shown.other and shown.other != "null":
            return
        rows = change(list(shown.rows), step)
        try:
            text = written(text, name, rows)
        except FieldError:
            user = draft.user_of(text, top(text))
            odd = name is Field.ENVIRONMENT and user is not None and user.last(Field.TIER) is not None
            assert odd or any(row.name in FIELDS.get(name, ()) for row in rows)
            continue
        off = tables.off(rows)
        # A row on: its name, its value and its place, as they are spelled. A row off: kept beside the text.
        assert [row.spelled for row in table(text, name, off).rows] == [row.spelled for row in rows]
        assert [row.is_on for row in table(text, name, off).rows] == [row.is_on for row in rows]
        assert draft.check(text).is_object
    assert others(text, name) == before


@quick
@given(text=TEXTS, name=st.sampled_from(OBJECTS))
def test_a_table_written_as_it_is_shown_changes_no_byte(text: str, name: Field) -> None:
    shown = table(text, name)
    if not shown.other:
        assert written(text, name, shown.rows) == text
    for row in shown.rows:
        assert tables.renamed(row, row.name if '"' not in row.name else row.key).name == row.name
        assert _value(cells.typed(row.raw, cells.content(row.raw))) == _value(row.raw)
        again = cells.retyped(cells.retyped(row.raw, row.kind), row.kind)
        assert again == row.raw


@quick
@given(text=TEXTS, name=st.sampled_from(OBJECTS), data=st.data())
def test_a_row_off_and_on_again_is_where_it_was(text: str, name: Field, data: st.DataObject) -> None:
    shown = table(text, name)
    if not shown.rows or shown.other:
        return
    at = data.draw(st.integers(0, len(shown.rows) - 1))
    switched = [replace(row, is_on=False) if index == at else row for index, row in enumerate(shown.rows)]
    without = written(text, name, switched)
    assert len(table(without, name).rows) == len(shown.rows) - 1
    again = table(without, name, tables.off(switched))
    back = written(without, name, [replace(row, is_on=True) for row in again.rows])
    assert [row.spelled for row in table(back, name).rows] == [row.spelled for row in shown.rows]


@quick
@given(text=FLAT)
def test_an_object_listed_and_read_again_is_the_same(text: str) -> None:
    rows = tables.listed(text, Field.METADATA)
    assert [row.spelled for row in rows] == [item.spelled(text) for item in object_at(text, 0).members]
    assert tables.listed(tables.listing(rows), Field.METADATA) == rows


def _value(raw: str) -> Any:
    return jsontext.parse(template.stand_in(raw).encode())
