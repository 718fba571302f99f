"""A comparison is empty for equals, the same from both sides, and leads from one text to the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core.compare import NOISE, Change, Comparison, compare

SCALARS = (
    "1",
    "1.0",
    "10e-1",
    "-0",
    "0",
    "90071992547409931",
    "true",
    "null",
    '"a"',
    '"\\u0061"',
    '"1"',
    '""',
)
NAMES = ("a", "b.c", "caf\u00e9 [x]", "time", "timeUUID", "")
Tree = Any
"""A scalar as it is spelled; a list; or an object, as a dict of the values by name, in their order."""
trees = st.recursive(
    st.sampled_from(SCALARS),
    lambda deep: (
        st.lists(deep, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES), st.lists(deep, min_size=1, max_size=2), max_size=4)
    ),
    max_leaves=12,
)
flat = st.recursive(
    st.sampled_from(SCALARS),
    lambda deep: st.dictionaries(st.sampled_from(NAMES), st.lists(deep, min_size=1, max_size=2), max_size=4),
    max_leaves=12,
)
quick = settings(max_examples=300, deadline=None)


def text(tree: Tree, backwards: bool = False, gap: str = "") -> str:
    """JSON text of a tree."""
    if isinstance(tree, str):
        return tree
    if isinstance(tree, list):
        return f"[{gap}{f',{gap}'.join(text(item, backwards, gap) for item in tree)}]"
    members = list(tree.items())[:: -1 if backwards else 1]
    spelled = [
        f"{json.dumps(name)}:{gap}{text(value, backwards, gap)}"
        for name, values in members
        for value in values
    ]
    return f"{{{gap}{f',{gap}'.join(spelled)}{gap}}}"


def raw(tree: Tree) -> bytes:
    return text(tree).encode()


def parts(tree: Tree) -> Iterator[Tree]:
    """A tree and all that is in it."""
    yield tree
    for inner in tree.values() if isinstance(tree, dict) else [tree] if isinstance(tree, list) else []:
        for item in inner:
            yield from parts(item)


def patched(tree: Tree, changes: Sequence[Change], known: dict[str, Tree]) -> Tree:
    """The tree with every change carried out; `known` is what the texts on the right mean."""
    holder = [tree]

    def around(change: Change, side: int) -> tuple[list[Tree], int]:
        at, place = holder, 0
        for step in change.path:
            inner, (name, nth) = at[place], step
            at, place = (
                (inner, int(step[side])) if isinstance(name, int) else (inner.setdefault(name, []), nth)
            )
        return at, place

    for change in changes:
        if change.kind in ("changed", "spelled"):
            at, place = around(change, 0)
            assert text(at[place]) == change.left
            at[place] = known[change.right or ""]
    for change in reversed(changes):
        if change.kind == "removed":
            at, place = around(change, 0)
            assert text(at.pop(place)) == change.left
    for change in changes:
        if change.kind == "added":
            at, place = around(change, 1)
            at.insert(place, known[change.right or ""])
    return holder[0]


def leaves(tree: Tree, path: tuple[tuple[str, int], ...] = ()) -> dict[tuple[tuple[str, int], ...], str]:
    """Every scalar and every object of a tree without lists, by its path."""
    if not isinstance(tree, dict):
        return {path: tree}
    found = {path: "{"}
    for name, values in tree.items():
        for nth, value in enumerate(values):
            found |= leaves(value, (*path, (name, nth)))
    return found


def exact(tree: Tree) -> Tree:
    """A tree without the members that hold nothing."""
    if isinstance(tree, list):
        return [exact(item) for item in tree]
    if isinstance(tree, dict):
        return {name: [exact(value) for value in values] for name, values in tree.items() if values}
    return tree


@quick
@given(tree=trees, gap=st.sampled_from(["", " ", "\n  "]))
def test_order_of_members_and_white_space_do_not_count(tree: Tree, gap: str) -> None:
    assert compare(raw(tree), raw(tree)) == Comparison("json", (), True)
    assert compare(raw(tree), text(tree, True, gap).encode()).changes == ()


@quick
@given(one=trees, two=trees)
@example(one=["1", "0"], two=["0", "1"])
def test_the_changes_lead_from_one_to_the_other_and_back(one: Tree, two: Tree) -> None:
    there, back = compare(raw(one), raw(two)), compare(raw(two), raw(one))
    known = {text(part): part for part in parts(two)}
    assert exact(patched(deepcopy(one), there.changes, deepcopy(known))) == exact(two)
    assert Counter(change.mirrored() for change in there.changes) == Counter(back.changes)
    assert all(change.left != change.right for change in there.changes)
    for change in there.changes:
        if change.kind == "spelled":
            assert value(change.left) == value(change.right)
        elif change.kind == "changed" and not {change.left, change.right} & set("{["):
            assert value(change.left) != value(change.right)


@quick
@given(one=flat, two=flat)
def test_a_naive_look_at_every_leaf_finds_the_same_places(one: Tree, two: Tree) -> None:
    left, right = leaves(one), leaves(two)
    differ = {path for path in left | right if left.get(path) != right.get(path)}
    found = {change.path for change in compare(raw(one), raw(two)).changes}
    # A subtree that came or went is one change, and many leaves.
    assert all(any(path[: len(place)] == place for place in found) for path in differ)
    assert all(any(path[: len(place)] == place for path in differ) for place in found)
    differ = {path for path in differ if not any(name in NOISE for name, _ in path)}
    found = {change.path for change in compare(raw(one), raw(two)).changes if not change.is_noise}
    assert all(any(path[: len(place)] == place for path in differ) for place in found)


@quick
@given(one=st.binary(max_size=60), two=st.binary(max_size=60))
def test_bytes_that_are_anything_are_compared_and_mirrored(one: bytes, two: bytes) -> None:
    there, back = compare(one, two), compare(two, one)
    assert Counter(change.mirrored() for change in there.changes) == Counter(back.changes)
    assert there.is_identical == (one == two)
    if there.form != "json":
        assert bool(there.changes) == (one != two)


def value(spelled: str | None) -> Any:
    """What a text means, exactly, and what kind of value it is."""
    found = json.loads(spelled or "", parse_float=Decimal, parse_int=Decimal)
    return type(found), found
