"""What events had in them before: names, ids and keys, to be offered while another one is written. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from statsig_tui.core import jsontext, notation
from statsig_tui.core.draft import OBJECTS, TEXTS, Field
from statsig_tui.core.spans import dump

MOST = 200
"""Texts that are offered for a field."""
LONGEST = 200
"""Characters of what is worth being offered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Texts by field, the most frequent first: the values of a line, the names of a table."""

    texts: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)

    def of(self, name: Field) -> tuple[str, ...]:
        """What to offer for a field."""
        return self.texts.get(name, ())


def gather(names: Iterable[str], bodies: Iterable[bytes]) -> Seen:
    """What event names and bodies offer, bodies of sent and of received events alike."""
    found = {name: Counter[str]() for name in (*TEXTS, *OBJECTS) if name is not Field.OTHER}
    found[Field.EVENT].update(names)
    for body in bodies:
        try:
            event = jsontext.parse(body)
        except jsontext.JsonError:
            continue
        if isinstance(event, dict):
            user = event.get("user")
            for name, counter in found.items():
                holder = user if name not in (Field.EVENT, Field.METADATA) else event
                value = holder.get(name) if isinstance(holder, dict) else None
                if name in OBJECTS and isinstance(value, dict):
                    counter.update(list(value))
                elif name in TEXTS and isinstance(value, str):
                    counter[value] += 1
    return Seen(
        {
            name: tuple(text for text, _ in counter.most_common(MOST) if _is_offered(text))
            for name, counter in found.items()
        }
    )


def _is_offered(text: str) -> bool:
    # What is not written as it is seen cannot be taken over by a key.
    return 0 < len(text) <= LONGEST and notation.shown_text(dump(text)) == text
