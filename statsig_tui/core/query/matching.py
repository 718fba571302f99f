"""Whether a query fits: one rule, clause by clause. Pure; the time of asking is an argument.

A request fits where one of its events does, for which all of the query holds; one without events fits
where what is asked of the request holds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from statsig_tui.core import drift
from statsig_tui.core.ids import numbered
from statsig_tui.core.paths import Step
from statsig_tui.core.query.terms import (
    KEYS,
    All,
    AnyOf,
    Clause,
    Field,
    Node,
    Not,
    Operator,
    Takes,
    Value,
    Word,
    is_age,
    number,
)
from statsig_tui.core.query.view import View

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_MISSING = object()
Test = Callable[[View, int | None, int], bool]


def asks_of_events(node: Node) -> bool:
    """Whether the answer can differ from one event of a request to the next."""
    match node:
        case Field():
            return True
        case Clause(key):
            return KEYS[key].of_event
        case Not(part):
            return asks_of_events(part)
        case All(parts) | AnyOf(parts):
            return any(map(asks_of_events, parts))
        case _:
            return False


def moment(value: Value, now: int) -> int:
    """A moment in epoch ms."""
    at = int(value.number or 0)
    return now - at if is_age(value.text) else at


def test_of(node: Node) -> Test:
    """What says of one event of a view (None: of what has no event), at a time, whether a query holds.

    It is worked out once: a filter asks the same of a hundred thousand events.
    """
    match node:
        case All(parts):
            return _all_of([test_of(part) for part in parts])
        case AnyOf(parts):
            return _any_of([test_of(part) for part in parts])
        case Not(part):
            test = test_of(part)
            return lambda view, index, now: not test(view, index, now)
        case Word(value):
            return lambda view, index, now: _occurs(value, view)
        case Field():
            return _field_test(node)
        case Clause(key) if KEYS[key].of_event:
            return lambda view, index, now: index is not None and _event_holds(node, view, index)
        case Clause():
            return lambda view, index, now: _request_holds(node, view, now)


def _all_of(tests: Sequence[Test]) -> Test:
    def hold(view: View, index: int | None, now: int) -> bool:
        for test in tests:  # noqa: SIM110 - all() makes a generator, which takes longer than most tests
            if not test(view, index, now):
                return False
        return True

    return hold


def _any_of(tests: Sequence[Test]) -> Test:
    def hold(view: View, index: int | None, now: int) -> bool:
        for test in tests:  # noqa: SIM110 - likewise
            if test(view, index, now):
                return True
        return False

    return hold


def _occurs(value: Value, view: View) -> bool:
    text = value.text.lower() if value.text.isascii() else value.text
    if (id_of := numbered(text)) is not None and view.id == f"{id_of[0]}{id_of[1]}":
        return True
    pieces = [_folded(piece) for piece in value.pieces]
    names = (part for event in view.events for part in (event.event_name, event.user_id, event.time_uuid))
    said = [part for part in (view.path, view.fault, view.target, *names) if part]
    # All at once first: for most of what is looked through the answer is no.
    if all(piece in _folded("\0".join(said)) for piece in pieces) and any(
        _contains(pieces, _folded(part)) for part in said
    ):
        return True
    return _contains(pieces, view.folded)


def _folded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").lower()


def _contains(pieces: Sequence[bytes], text: bytes) -> bool:
    at = 0
    for piece in pieces:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def _event_holds(clause: Clause, view: View, index: int) -> bool:
    event = view.events[index]
    match clause.key:
        case "event":
            return _is_text(clause, event.event_name)
        case "user":
            return _is_text(clause, event.user_id)
        case "uuid":
            return _is_text(clause, event.time_uuid)
        case "class":
            return _is_choice(clause, event.event_class.value)
        case "dup":
            return _is_choice(clause, "yes" if view.came_before(index) else "no")
        case "drift":
            # What is posted in is no event yet: nothing of it is documented as one.
            is_new = view.target is None and bool(drift.of_event(view.document(index)))
            return _is_choice(clause, "yes" if is_new else "no")
        case _:
            return event.timestamp is not None and _compares(clause, view.at - event.timestamp)


def _request_holds(clause: Clause, view: View, now: int) -> bool:
    match clause.key:
        case "since":
            return view.at >= moment(clause.values[0], now)
        case "until":
            return view.at < moment(clause.values[0], now)
        case "status":
            return view.has_answer and any(_is_status(clause, value, view.status) for value in clause.values)
        case "path":
            path = view.path
            return path is not None and (_is_text(clause, path) or _is_text(clause, path.partition("?")[0]))
        case "dest":
            return any(_is_text(clause, name) for name in view.destinations)
        case "note":
            note = view.read_note()
            pieces = ([_folded(piece) for piece in value.pieces] for value in clause.values)
            return note is not None and any(_contains(each, _folded(note)) for each in pieces)
        case "imported":
            return _is_choice(clause, "yes" if view.is_imported else "no")
        case _:
            return _is(clause, _asked(clause.key, view))


def _asked(key: str, view: View) -> str | int | float | None:
    return {
        "sig": view.signature,
        "method": view.method,
        "envelope": view.envelope,
        "fault": view.fault,
        "size": view.size,
        "events": view.count,
        "took": view.ms,
        "state": view.state,
        "attempts": view.attempts,
        "target": view.target,
        "id": view.id,
    }[key]


def _is(clause: Clause, value: str | int | float | None) -> bool:
    if isinstance(value, str):
        chosen = KEYS[clause.key].takes is Takes.CHOICE
        return _is_choice(clause, value) if chosen else _is_text(clause, value)
    return value is not None and _compares(clause, value)


def _is_text(clause: Clause, text: str | None) -> bool:
    return text is not None and any(value.fits(text) for value in clause.values)


def _is_choice(clause: Clause, word: str) -> bool:
    choices = KEYS[clause.key].choices
    return any(word in choices[value.text] for value in clause.values)


def _compares(clause: Clause, amount: float) -> bool:
    compare = _COMPARE[clause.operator]
    return any(compare(amount, value.number) for value in clause.values)


def _is_status(clause: Clause, value: Value, status: int | None) -> bool:
    if value.text == "none":
        return status is None
    if status is None:
        return False
    if value.number is None:
        return status // 100 == int(value.text[0])
    return _COMPARE[clause.operator](status, value.number)


def _field_test(field: Field) -> Test:
    fits = [_value_test(field.operator, value) for value in field.values]

    def holds(view: View, index: int | None, now: int) -> bool:
        if index is None:
            return False
        found = _at(view.document(index), field.path)
        if found is _MISSING:
            return False
        if field.operator is None:
            return True
        if isinstance(found, list):
            return any(fit(item) for item in found for fit in fits)
        for fit in fits:  # noqa: SIM110 - any() makes a generator, which takes longer
            if fit(found):
                return True
        return False

    return holds


def _at(document: Any, path: Sequence[Step]) -> Any:
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list) or step >= len(document):
                return _MISSING
            document = document[step]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return _MISSING
    return document


def _value_test(operator: Operator | None, value: Value) -> Callable[[Any], bool]:
    wanted = value.number

    def equals(found: Any) -> bool:
        if isinstance(found, str):
            return value.fits(found)
        if wanted is not None and _is_number(found):
            return bool(found == wanted)
        text = _as_text(found)
        return text is not None and value.fits(text)

    def compares(found: Any) -> bool:
        # Statsig turns numbers into text on their way: they are compared all the same.
        amount = found if _is_number(found) else number(found) if isinstance(found, str) else None
        return amount is not None and compare(amount, wanted)

    compare = _COMPARE[operator or "="]
    return equals if operator == "=" else compares


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _as_text(found: Any) -> str | None:
    match found:
        case str():
            return found
        case None:
            return "null"
        case bool():
            return "true" if found else "false"
        case int() | float():
            return repr(found)
        case _:
            return None
