"""What there is to say about a draft's text: whether it is JSON, how the form shows it, advice, variables."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from statsig_tui.core import draft, tables, template
from statsig_tui.core.draft import Check, Field, Shown
from statsig_tui.core.lint import Advice, advise
from statsig_tui.core.tables import Off, Table
from statsig_tui.core.template import Sources

_FIELDS = (
    {name: name for name in (Field.EVENT, Field.VALUE, Field.METADATA, Field.TIMESTAMP)}
    | {"user": Field.OTHER, "user.statsigEnvironment.tier": Field.TIER}
    | {f"user.{name}": name for name in draft.USER_FIELDS}
)
"""Path -> the field that shows what is there."""
_TABLES = _FIELDS | {"": Field.REST, "user.statsigEnvironment": Field.ENVIRONMENT}
"""Path of an object -> the table whose rows are its members."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A text, what it is, how the form shows it, and what there is to say about it."""

    text: str
    check: Check
    fields: Mapping[Field, Shown]
    tables: Mapping[Field, Table]
    off: Mapping[Field, Off]
    advice: Sequence[Advice]
    variables: Sequence[template.Shown]


def judge(text: str, sources: Sources, off: Mapping[Field, Off]) -> Judged:
    """Look at a text; the rows that are off are not in it."""
    check = draft.check(text)
    fields = draft.fields(text) if check.is_object else {}
    found = tables.tables(text, off) if check.is_object else {}
    places = [(variable.start, variable.end) for variable in template.variables(text)]
    now = time.time_ns() // 1_000_000
    advice = advise(template.stand_in(text), now=now, is_draft=True, variables=places)
    return Judged(text, check, fields, found, off, advice, template.preview(text, sources))


def place_of(path: str) -> tuple[Field, str] | None:
    """The field that shows what is at a path, and the row's name where that is a table."""
    if not path:
        return None
    if path in _FIELDS:
        return _FIELDS[path], ""
    parent, _, name = path.rpartition(".")
    field = _TABLES.get(parent)
    return (field, name) if field is not None else None
