"""Values that a query can ask for, gathered from captures, to be completed while one is typed. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from statsig_tui.core.printable import printable
from statsig_tui.core.query.view import View

MOST = 50
"""Values of one key or field."""
MOST_FIELDS = 100
LONGEST = 80
"""Characters of what is worth being offered."""
_DEEPEST = 4
_STEP = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_ROOTS = ("metadata", "user", "value", "statsigMetadata")
"""Fields of an event that are asked for by their path."""


def gather(listed: Iterable[View], read: Iterable[View]) -> Mapping[str, Sequence[str]]:
    """Values by key of what is listed, and by path of the bodies that are read, the most frequent first."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for view in listed:
        for event in view.events:
            found["event"][event.event_name] += 1
            found["user"][event.user_id or ""] += 1
        for key, text in (("path", view.path), ("method", view.method), ("fault", view.fault)):
            found[key][text or ""] += 1
    fields: dict[str, Counter[str]] = defaultdict(Counter)
    for view in read:
        for document in view.documents:
            for root in _ROOTS:
                for path, text in _leaves(root, document.get(root), _DEEPEST):
                    fields[path][text] += 1
    often = sorted(fields, key=lambda path: -fields[path].total())[:MOST_FIELDS]
    found.update((path, fields[path]) for path in often)
    return {
        key: tuple(text for text, _ in counter.most_common(MOST) if _is_offered(text))
        for key, counter in found.items()
    }


def _leaves(path: str, value: object, deep: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if deep and isinstance(name, str) and _STEP.fullmatch(name):
                yield from _leaves(f"{path}.{name}", inner, deep - 1)
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif isinstance(value, str | int | float):
        yield path, str(value)


def _is_offered(text: str) -> bool:
    # What is not written as it is seen cannot be taken over by a key.
    return 0 < len(text) <= LONGEST and printable(text) == text
