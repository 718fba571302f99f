"""The language of the filter line, `list`, `export`, `listen --expect` and destinations' conditions.

Words, `key:value`, `field.path=value`, `-` negates, side by side is *and*, `or` and brackets. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from statsig_tui.core.query.completion import Candidate, Completion, complete
from statsig_tui.core.query.matching import Test, asks_of_events, test_of
from statsig_tui.core.query.parser import QueryError, all_of, parse_node, spell
from statsig_tui.core.query.terms import (
    CONDITION_KEYS,
    KEYS,
    All,
    AnyOf,
    Clause,
    Field,
    Key,
    Leaf,
    Node,
    Not,
    Value,
    Word,
)
from statsig_tui.core.query.view import View

__all__ = [
    "CONDITION_KEYS",
    "KEYS",
    "All",
    "AnyOf",
    "Candidate",
    "Clause",
    "Completion",
    "Field",
    "Indexed",
    "Key",
    "Node",
    "Not",
    "Query",
    "QueryError",
    "Truth",
    "Value",
    "View",
    "Word",
    "complete",
    "parse",
    "parse_condition",
]

COLUMNS = frozenset(
    {"since", "until", "status", "sig", "path", "method", "envelope", "fault", "size", "events", "took"}
)
"""Keys that a table has a column for."""
_LISTED = frozenset({"event", "user", "uuid"})
_SPELLED_ALIKE = frozenset(map(chr, range(0x20, 0x7F))) - set('"\\/')


@dataclass(frozen=True, slots=True)
class Truth:
    """A clause of a query, and whether it holds for one event."""

    text: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Indexed:
    """What of a query a table can answer by itself."""

    columns: Node
    """Answered by columns alone, for good."""
    pieces: tuple[tuple[str, ...], ...]
    """Text of which the events' list must contain at least one each: narrows, and does not decide."""
    rest: Query
    """What is to be asked of every row that is left."""


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked, in normal form."""

    node: Node = All()  # noqa: RUF009 - frozen
    _test: Test = field(init=False, repr=False, compare=False)
    _asks_of_events: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once what is asked of many."""
        object.__setattr__(self, "_test", test_of(self.node))
        object.__setattr__(self, "_asks_of_events", asks_of_events(self.node))

    def to_text(self) -> str:
        """A text that parse() reads as the same query."""
        return spell(self.node)

    def matches(self, view: View, now: int) -> bool:
        """Whether it fits: at all for one of the events, or for what has none. `now` is epoch ms."""
        holds, count = self._test, len(view.events) if self._asks_of_events else 0
        if count <= 1:
            return holds(view, 0 if count else None, now)
        return any(holds(view, index, now) for index in range(count))

    def fitting(self, view: View, now: int) -> list[int]:
        """The places of the events it fits."""
        return [index for index in range(len(view.events)) if self._test(view, index, now)]

    def explain(self, view: View, now: int, index: int | None = None) -> list[Truth]:
        """Each clause by itself, and whether it holds for one event (None: for what has no event)."""
        return [Truth(spell(leaf), test_of(leaf)(view, index, now)) for leaf in _leaves(self.node)]

    def uses(self, key: str) -> bool:
        """Whether a key occurs in it."""
        return any(isinstance(leaf, Clause) and leaf.key == key for leaf in _leaves(self.node))

    @property
    def reads_bodies(self) -> bool:
        """Whether it can only be answered by looking into bodies."""
        return self.uses("drift") or any(isinstance(leaf, Word | Field) for leaf in _leaves(self.node))

    def indexed(self) -> Indexed:
        """What of it a table can answer, and what is left."""
        parts = self.node.parts if isinstance(self.node, All) else (self.node,)
        columns = [part for part in parts if _is_of_columns(part)]
        rest = [part for part in parts if not _is_of_columns(part)]
        pieces = [found for part in rest if (found := _pieces(part))]
        return Indexed(all_of(columns), tuple(pieces), Query(all_of(rest)))


def parse(text: str) -> Query:
    """The query that a text is. Raises QueryError."""
    return Query(parse_node(text))


def parse_condition(text: str) -> Query:
    """The query that a destination's condition is: of an event before its delivery. Raises QueryError."""
    return Query(parse_node(text, CONDITION_KEYS))


def _leaves(node: Node) -> list[Leaf]:
    match node:
        case Not(part):
            return _leaves(part)
        case All(parts) | AnyOf(parts):
            return [leaf for part in parts for leaf in _leaves(part)]
        case _:
            return [node]


def _is_of_columns(node: Node) -> bool:
    return all(isinstance(leaf, Clause) and leaf.key in COLUMNS for leaf in _leaves(node))


def _pieces(node: Node) -> tuple[str, ...]:
    """For each value the longest text that stands in a list of events where it fits; none: cannot be said."""
    if isinstance(node, Clause) and node.key == "class":
        choices = KEYS["class"].choices
        return tuple(sorted(frozenset().union(*(choices[value.text] for value in node.values))))
    if not isinstance(node, Clause) or node.key not in _LISTED:
        return ()
    longest = [max(value.pieces, key=len) for value in node.values]
    return tuple(longest) if all(piece and set(piece) <= _SPELLED_ALIKE for piece in longest) else ()
