"""The objects of an incoming event as tables: a row a member, in its order and spelling, duplicates too.

Rows that are off are not in the text; whoever shows a table keeps them. An edit changes the bytes of the rows
that differ from the text's, and no others. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from statsig_tui.core import cells, draft, jsontext, notation, template
from statsig_tui.core.draft import OBJECTS, OTHERS, Field
from statsig_tui.core.notation import FieldError
from statsig_tui.core.spans import Member, Object, object_at, splice, top

MOST = 500
"""Rows of a table; what has more is edited as JSON."""
NEW = -1
_FIELDS_BESIDE: Mapping[Field, Collection[str]] = {
    Field.OTHER: draft.USER_FIELDS,
    Field.ENVIRONMENT: (draft.TIER,),
    Field.REST: draft.EVENT_FIELDS,
}
"""Names that no row of these tables has."""
_HOLDERS: Mapping[Field, Callable[[str, Object], Object | None]] = {
    Field.OTHER: draft.user_of,
    Field.ENVIRONMENT: draft.environment_of,
    Field.REST: lambda text, whole: whole,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A member: its name and value as they are spelled, and what stands between them."""

    key: str
    """The name as a JSON string."""
    raw: str
    colon: str = ": "
    is_on: bool = True
    origin: int = field(default=NEW, compare=False)
    """Which of the object's members it was read from."""

    @property
    def name(self) -> str:
        """The name."""
        return str(json.loads(self.key))

    @property
    def kind(self) -> cells.Kind:
        """The type of the value."""
        return cells.kind(self.raw)

    @property
    def spelled(self) -> str:
        """The member as it stands in the text."""
        return self.key + self.colon + self.raw


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of an object, or why there are none."""

    rows: tuple[Row, ...] = ()
    is_there: bool = False
    """Whether the text has the object."""
    other: str = ""
    """What stands there instead of an object, as it is spelled."""
    note: str = ""
    too_large: bool = False
    """The rows are left out: they cannot be edited here."""

    def overruled(self) -> frozenset[int]:
        """Rows without effect: another of the same name comes later and counts."""
        last: dict[str, int] = {}
        found = set()
        for index, row in enumerate(self.rows):
            if row.is_on:
                if row.name in last:
                    found.add(last[row.name])
                last[row.name] = index
        return frozenset(found)


Off = tuple[tuple[int, Row], ...]
"""The rows of a table that are off, each with its place among all of them."""
NOTHING: Off = ()


def tables(text: str, off: Mapping[Field, Off]) -> dict[Field, Table]:
    """Every table of a text that is a JSON object."""
    return {name: table(text, name, off.get(name, NOTHING)) for name in OBJECTS}


def table(text: str, name: Field, off: Off = NOTHING) -> Table:
    """An object of the text, and the rows that are not in it."""
    holder, mine = _find(text, name)
    if len(mine) > MOST:
        return Table(is_there=True, note=f"{len(mine):,} members: edit them as JSON", too_large=True)
    rows = [_row(text, member, index) for index, member in mine]
    for index, row in sorted(off, key=lambda pair: pair[0]):
        rows.insert(index, row)
    if holder is None and name not in OTHERS:
        member = draft.member(text, name)
        if member is not None:
            other = member.raw(text)
            kind = notation.kind(other)
            note = "" if kind in ("null", "variable") else f"{notation.a(kind)}: an object is expected"
            too_large = len(other) > cells.LONGEST
            if too_large:
                note = f"{len(other):,} characters: edit it as JSON"
            return Table(tuple(rows), True, "" if too_large else other, note, too_large)
    return Table(tuple(rows), is_there=holder is not None and name not in OTHERS)


def off(rows: Sequence[Row]) -> Off:
    """The rows that are off, with their places."""
    return tuple((index, replace(row, origin=NEW)) for index, row in enumerate(rows) if not row.is_on)


def written(text: str, name: Field, rows: Sequence[Row]) -> str:
    """The text with these rows; those without an origin are new. Raises FieldError.

    An object that is not there is made for the first row; one that loses its last row stays, empty.
    """
    holder, mine = _find(text, name)
    present = [row for row in rows if row.is_on]
    taken = next((row.name for row in present if row.name in _FIELDS_BESIDE.get(name, ())), None)
    if taken is not None:
        raise FieldError(f"{taken} has a field of its own")
    if holder is not None:
        return _rebuilt(text, holder, frozenset(index for index, _ in mine), present)
    if not present:
        return text
    items = [row.spelled for row in present]
    if name is Field.OTHER:
        return draft.with_user(text, items)
    if name is Field.ENVIRONMENT:
        return draft.with_environment(text, items)
    return draft.edit(text, name, _object(items))


def listed(content: str, name: Field) -> tuple[Row, ...]:
    """The rows that a text means: one JSON object, or lines `name = value`. Raises FieldError."""
    if content.lstrip().startswith("{") and template.alone(content) is None:
        whole = notation.read_json(content.strip(), "this")
        return tuple(_row(whole, item, NEW) for item in object_at(whole, 0).members)
    return tuple(Row(key, raw) for key, raw in notation.read_lines(content, texts=_is_text(name)))


def listing(rows: Iterable[Row]) -> str:
    """The rows that are on as one JSON object, a line each."""
    lines = ",\n".join(f"  {row.spelled}" for row in rows if row.is_on)
    return f"{{\n{lines}\n}}" if lines else "{}"


def new_row(rows: Sequence[Row], key: str) -> Row:
    """An empty row, spelled like the others."""
    return Row(key, '""', next((row.colon for row in rows), ": "))


def respelled(row: Row, content: str, name: Field, *, is_new: bool) -> Row:
    """A row with another value; a new one takes its type from what is typed. Raises FieldError."""
    if not is_new or (_is_text(name) and row.kind is cells.Kind.STRING):
        return replace(row, raw=cells.typed(row.raw, content))
    return replace(row, raw=cells.guessed(content))


def renamed(row: Row, content: str) -> Row:
    """A row with another name. Raises FieldError."""
    if row.name == content:
        return row
    key = notation.read_text(content)
    try:
        # A number that stands for a variable is no name.
        jsontext.parse(template.stand_in(key).encode(errors="surrogatepass"))
        json.loads(key)
    except ValueError:
        raise FieldError("the name is not complete JSON yet") from None
    return replace(row, key=key)


def dumped(found: Mapping[Field, Off]) -> dict[str, list[list[object]]]:
    """Rows that are off, for JSON."""
    return {
        str(name): [[index, row.key, row.colon, row.raw] for index, row in rows]
        for name, rows in found.items()
        if rows
    }


def loaded(found: object) -> dict[Field, Off]:
    """Rows that are off, from what dumped() made; what it did not make is passed over."""
    out: dict[Field, Off] = {}
    for name, rows in found.items() if isinstance(found, dict) else ():
        if name in OBJECTS and isinstance(rows, list):
            out[Field(name)] = tuple(pair for pair in map(_loaded, rows) if pair is not None)
    return out


def _loaded(item: object) -> tuple[int, Row] | None:
    match item:
        case [int(index), str(key), str(colon), str(raw)]:
            row = Row(key, raw, colon, is_on=False)
            try:
                jsontext.parse(f"{{{template.stand_in(row.spelled)}}}".encode(errors="surrogatepass"))
            except jsontext.JsonError:
                return None
            return index, row
    return None


def _is_text(name: Field) -> bool:
    return name is Field.CUSTOM_IDS


def _row(text: str, member: Member, index: int) -> Row:
    key, colon = text[member.start : member.name_end], text[member.name_end : member.value]
    return Row(key, member.raw(text), colon, origin=index)


def _find(text: str, name: Field) -> tuple[Object | None, list[tuple[int, Member]]]:
    """The object that holds the rows, and those of its members that are rows."""
    if name in OTHERS:
        whole = top(text)
        holder = _HOLDERS[name](text, whole)
        members = enumerate(holder.members if holder is not None else ())
        return holder, [pair for pair in members if pair[1].name not in _FIELDS_BESIDE[name]]
    found = draft.member(text, name)
    if found is None or notation.kind(found.raw(text)) != "object":
        return None, []
    holder = object_at(text, found.value)
    return holder, list(enumerate(holder.members))


def _rebuilt(text: str, holder: Object, mine: frozenset[int], rows: Sequence[Row]) -> str:
    slots = iter(sorted(row.origin for row in rows if row.origin in mine))
    placed: dict[int, list[Row]] = {}
    waiting: list[Row] = []
    slot = NEW
    for row in rows:
        if row.origin in mine:
            slot = next(slots)
            placed[slot] = [*waiting, row]
            waiting = []
        elif slot == NEW:
            waiting.append(row)
        else:
            placed[slot].append(row)
    pieces: list[tuple[int, str]] = []
    for index, member in enumerate(holder.members):
        if index in mine:
            pieces += [(row.origin, row.spelled) for row in placed.get(index, ())]
        else:
            pieces.append((index, member.spelled(text)))
    pieces += [(NEW, row.spelled) for row in waiting]
    return _joined(text, holder, pieces)


def _joined(text: str, holder: Object, pieces: Sequence[tuple[int, str]]) -> str:
    """The text with these members, each with the index it had, set apart as they were."""
    members = holder.members
    if not members and not pieces:
        return text
    gaps = [text[one.end : two.start] for one, two in pairwise(members)]
    if not gaps or not pieces or len(pieces) == len(members):
        return splice(text, holder, [spelled for _, spelled in pieces])
    out, gap = pieces[0][1], gaps[0]
    for (before, _), (after, spelled) in pairwise(pieces):
        # As it was before the later one, else behind the earlier one; between new ones as before.
        at = after - 1 if after > 0 else before
        gap = gaps[min(at, len(gaps) - 1)] if at >= 0 else gap
        out += gap + spelled
    start, end = members[0].start, members[-1].end
    return f"{text[:start]}{out}{text[end:]}"


def _object(items: Sequence[str]) -> str:
    return "{" + ", ".join(items) + "}"
