"""What events had in them before: names, ids and values, to be offered while another one is written. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from statsig_tui.core import draft, jsontext, notation
from statsig_tui.core.draft import OBJECTS, TEXTS, Field
from statsig_tui.core.spans import dump

MOST = 200
"""Texts that are offered for a field."""
MOST_VALUES = 50
"""Values that are offered for a name of a table."""
LONGEST = 200
"""Characters of what is worth being offered."""
_WIDEST = 500
"""Members of an object that are looked at."""
_Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What to offer by field, the most frequent first."""

    texts: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    """The values of a line, the names of a table."""
    values: Mapping[Field, _Values] = field(default_factory=dict)
    """Of a table by name: the values that it had, spelled."""

    def of(self, name: Field) -> tuple[str, ...]:
        """What to offer for a field."""
        return self.texts.get(name, ())

    def values_of(self, name: Field) -> _Values:
        """What to offer as the values of a table, by name."""
        return self.values.get(name, {})


def gather(names: Iterable[str], bodies: Iterable[bytes]) -> Seen:
    """What event names and bodies offer, bodies of sent and of received events alike."""
    texts = {name: Counter[str]() for name in (*TEXTS, *OBJECTS)}
    values = {name: defaultdict[str, Counter[str]](Counter) for name in OBJECTS}
    texts[Field.EVENT].update(names)
    for body in bodies:
        try:
            event = jsontext.parse(body)
        except jsontext.JsonError:
            continue
        if not isinstance(event, dict):
            continue
        user = event.get("user")
        for name in TEXTS:
            holder = event if name is Field.EVENT else user
            text = holder.get(name) if isinstance(holder, dict) else None
            if isinstance(text, str):
                texts[name][text] += 1
        for name in OBJECTS:
            for key, value in _members(event, user, name):
                texts[name][key] += 1
                if isinstance(value, str | int | float) and (spelled := _spelled(value)):
                    values[name][key][spelled] += 1
    return Seen(
        {name: tuple(filter(_is_offered, _ranked(counter, MOST))) for name, counter in texts.items()},
        {
            name: {key: _ranked(counter, MOST_VALUES) for key, counter in found.items() if _is_offered(key)}
            for name, found in values.items()
        },
    )


def _members(event: dict[str, Any], user: object, name: Field) -> Iterator[tuple[str, object]]:
    """The members that a table shows of an event."""
    inside = user if isinstance(user, dict) else {}
    holder: object
    beside: Sequence[str] = ()
    match name:
        case Field.OTHER:
            holder, beside = inside, draft.USER_FIELDS
        case Field.ENVIRONMENT:
            holder, beside = inside.get(Field.TIER), (draft.TIER,)
        case Field.REST:
            # What Statsig adds on the way out is no part of an event that comes in.
            holder, beside = {} if "eventName" in event else event, draft.EVENT_FIELDS
        case Field.METADATA:
            holder = event.get(name)
        case _:
            holder = inside.get(name)
    if isinstance(holder, dict) and len(holder) <= _WIDEST:
        yield from ((key, value) for key, value in holder.items() if key not in beside)


def _ranked(counter: Counter[str], most: int) -> tuple[str, ...]:
    return tuple(text for text, _ in counter.most_common(most))


def _spelled(value: str | float) -> str:
    spelled = "" if isinstance(value, str) and len(value) > LONGEST else jsontext.dump(value).decode()
    return spelled if len(spelled) <= LONGEST else ""


def _is_offered(text: str) -> bool:
    # What is not written as it is seen cannot be taken over by a key.
    return 0 < len(text) <= LONGEST and notation.shown_text(dump(text)) == text
