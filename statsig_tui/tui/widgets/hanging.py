"""Labelled lines of which what is said goes on below itself, not below its label, where it is long."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static


class Hanging(Static):
    """Lines that begin with a label of so many cells."""

    def __init__(self, label: int, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__("", id=id, markup=False)
        self._label = label
        self._lines: Sequence[Content] = ()

    def show(self, lines: Sequence[Content]) -> None:
        """Show these, unless they are shown."""
        if lines != self._lines:
            self._lines = lines
            self._draw()

    def on_resize(self) -> None:
        """There is more room, or less."""
        self._draw()

    def _draw(self) -> None:
        width = self.content_size.width
        self.update(Content("\n").join(hung(line, self._label, width) for line in self._lines))


def hung(line: Content, label: int, width: int) -> Content:
    """A line in so many cells: what does not fit hangs below what stands behind the label."""
    room = width - label
    if line.cell_length <= width or room < label:
        return line
    first, *others = line[label:].wrap(room)
    return Content("\n").join([line[:label] + first, *(Content(" " * label) + part for part in others)])
