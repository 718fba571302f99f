"""Changes between two bodies as rows of a list: side by side where there is room, else below each other."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from statsig_tui.core.compare import Change
from statsig_tui.tui import theme
from statsig_tui.tui.privacy import identifies, private
from statsig_tui.tui.text import bound, content, fit

WIDE = 100
"""Cells from which both sides stand beside each other."""
_PLACE = 36
_BEFORE = 12
"""Characters before a difference that are seen where the beginning is cut off."""
_KINDS = {
    "added": ("+", "only right", theme.GOOD),
    "removed": ("−", "only left", theme.BAD),
    "changed": ("~", "changed", theme.WARN),
    "spelled": ("≈", "spelled differently", theme.ACCENT),
}
_WORD = 19


class CompareRows:
    """Rows for a Table; a change is one row, or with both sides below it up to three."""

    def __init__(self) -> None:
        self._changes: Sequence[Change] = ()
        self._rows: list[tuple[int, str]] = []
        """A change, and which part of it: both sides, place, left or right."""
        self._generation = 0

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, changes: Sequence[Change], width: int) -> None:
        """Show these."""
        self._changes = changes
        self._generation += 1
        self._rows = [(at, part) for at, change in enumerate(changes) for part in _parts(change, width)]

    def change(self, key: int) -> Change | None:
        """What a row belongs to; None beyond the last."""
        return self._changes[self._rows[key][0]] if key < len(self._rows) else None

    def place(self, key: int) -> int:
        """Which of the changes a row belongs to."""
        return self._rows[key][0] if key < len(self._rows) else 0

    def first_of(self, place: int) -> int:
        """The first row of a change, or of the last one there is."""
        return next((row for row, (at, _) in enumerate(self._rows) if at >= place), max(0, len(self) - 1))

    def key(self, index: int) -> int:
        """Its place in the list."""
        return index

    def revision(self, index: int) -> int:
        """Another one each time the list is loaded."""
        return self._generation

    def line(self, index: int, width: int) -> Content:
        """`~ metadata.plan   "pro"   "free"`, or one part of it."""
        at, part = self._rows[index]
        change = self._changes[at]
        mark, word, style = _KINDS[change.kind]
        side = _private_side if identifies(change.where) else _side
        if part == "both":
            room = (width - _PLACE - 2) // 2
            left = side(change.left, change.right, room - 2)
            return Content.assemble(
                (f"{mark} ", style),
                _padded(content(fit(change.where, _PLACE - 4), theme.STRONG), _PLACE - 2),
                _padded(left, room),
                ("│ ", theme.QUIET),
                side(change.right, change.left, room - 2),
            )
        if part == "place":
            where = content(fit(change.where, max(8, width - _WORD - 4)), theme.STRONG)
            return Content.assemble((f"{mark} ", style), where, (f"  {word}", theme.QUIET))
        own, other = (change.left, change.right) if part == "left" else (change.right, change.left)
        sign, colour = ("−", theme.BAD) if part == "left" else ("+", theme.GOOD)
        return Content.assemble((f"    {sign} ", colour), side(own, other, width - 7))

    def children(self, index: int) -> int:
        """Nothing is below a row."""
        return 0

    def child(self, index: int, n: int, width: int) -> Content:
        """Nothing is below a row."""
        return Content()


def heading(width: int, left: str, right: str) -> Content:
    """The names of both sides over their columns; of nothing where they do not stand beside each other."""
    if width < WIDE:
        return Content.assemble(
            ("− ", theme.BAD), content(fit(left, width // 2 - 4)), ("   + ", theme.GOOD),
            content(fit(right, width // 2 - 4)),
        )  # fmt: skip
    room = (width - _PLACE - 2) // 2
    return Content.assemble(
        " " * _PLACE, _padded(content(fit(left, room - 2)), room), "  ", content(fit(right, room - 2))
    )


def _parts(change: Change, width: int) -> Sequence[str]:
    if width >= WIDE:
        return ("both",)
    sides = (("left", change.left), ("right", change.right))
    return ("place", *(name for name, text in sides if text is not None))


def _side(own: str | None, other: str | None, width: int) -> Content:
    """One side of a change; what is long begins shortly before the difference."""
    if own is None:
        return Content.styled("–", theme.QUIET)
    if not own:
        return Content.styled("(empty)", theme.QUIET)
    start = 0
    if other is not None and len(own) > width:
        start = max(0, _same(own, other) - _BEFORE)
    if start:
        return Content.assemble("…", content(fit(own[start : start + bound(width)], width - 1)))
    return content(fit(own, width))


def _private_side(own: str | None, other: str | None, width: int) -> Content:
    return private(_side(own, other, width))


def _same(one: str, two: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == two[:middle] else (low, middle - 1)
    return low


def _padded(text: Content, width: int) -> Content:
    return Content.assemble(text, " " * max(0, width - text.cell_length))
