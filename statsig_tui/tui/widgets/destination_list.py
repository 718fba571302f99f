"""The list of destinations: three lines each where it is narrow, a table where it is wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.visual import RenderOptions

from statsig_tui.core.config import Destination
from statsig_tui.core.health import Health, State
from statsig_tui.core.records import DestinationCounters
from statsig_tui.tui import theme
from statsig_tui.tui.text import fit
from statsig_tui.tui.widgets.line_view import GUTTER, LineView

_TABLE_FROM = 60
"""Cells from which a destination takes one line."""
_COUNTS = (("Forwarded", 9), ("Filtered", 8), ("Failed", 6), ("Queued", 6))
_NAME, _STATUS, _HEALTH = 14, 13, 9
_WIDE = 90
"""Cells from which the table has a column for the health; below, failing stands in that of the status."""
_HEALTHS: dict[State, tuple[str, str, str]] = {
    "untried": ("", "", theme.QUIET),
    "healthy": ("✓", "healthy", theme.GOOD),
    "shaky": ("~", "shaky", theme.WARN),
    "failing": ("✗", "failing", theme.BAD),
}
_UNVERIFIED = "✗ TLS "
"""Before the address of a destination whose TLS is not verified."""
_HERE = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Card:
    """What the list says of one destination."""

    name: str
    where: str
    is_enabled: bool
    counts: DestinationCounters
    health: State = "untried"
    is_verified: bool = True
    """Whether TLS is verified."""

    @property
    def status(self) -> tuple[str, str, str]:
        """Symbol, word and style."""
        if not self.is_enabled:
            return "○", "off", theme.QUIET
        if self.counts.disabled is not None:
            return "✗", "disabled", theme.BAD
        if self.counts.paused is not None:
            return "‖", "paused", theme.BAD
        if self.counts.retrying:
            return "↻", f"retrying {self.counts.retrying:,}", theme.WARN
        return "●", "on", theme.GOOD


def card(destination: Destination, counts: DestinationCounters, health: Health) -> Card:
    """The card of a destination."""
    where, verified = place(destination.url), destination.verify_tls
    return Card(destination.name, where, destination.enabled, counts, health.state, verified)


def health_words(state: State) -> Content:
    """Mark and word of an endpoint's health; empty while nothing was tried."""
    mark, word, style = _HEALTHS[state]
    return Content.styled(f"{mark} {word}".strip(), style)


def place(url: str) -> str:
    """Host and port of a URL, as far as it has them."""
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url


def _fitting(where: str, width: int) -> str:
    """Host and port; of this machine the port alone, where both are too long."""
    host, colon, port = where.rpartition(":")
    if len(where) > width and colon and host in _HERE:
        return fit(f":{port}", width)
    return fit(where, width)


class DestinationList(LineView):
    """Destinations with a cursor; left and right turn the tabs beside it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "destination-list--cursor",
        "destination-list--cursor-blurred",
        "destination-list--head",
    }
    DEFAULT_CSS = """
    DestinationList {
        background: $background;
        & > .destination-list--cursor {
            background: $primary-muted;
        }
        & > .destination-list--cursor-blurred {
            background: $foreground 8%;
        }
        & > .destination-list--head {
            color: $text-muted;
        }
    }
    """

    class Highlighted(Message):
        """The cursor is on another destination; None: there is none."""

        def __init__(self, name: str | None) -> None:
            super().__init__()
            self.name = name

    class Opened(Message):
        """Enter, or a click on the destination under the cursor."""

    class Turned(Message):
        """Left or right."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes=classes)
        self.empty = Content()
        self._cards: tuple[Card, ...] = ()
        self._index = 0
        self._told: str | None = None

    @property
    def head(self) -> int:
        """The table's heading."""
        return 1 if self._per == 1 and self._cards else 0

    @property
    def index(self) -> int:
        """Which destination the cursor is on."""
        return self._index

    @property
    def selected(self) -> str | None:
        """Its name; None without destinations."""
        return self._cards[self._index].name if self._cards else None

    def show(self, cards: Sequence[Card]) -> None:
        """Show these; only what changed is drawn anew."""
        before, self._cards = self._cards, tuple(cards)
        self._index = max(0, min(self._index, len(self._cards) - 1))
        if len(before) != len(self._cards):
            self._count()
        elif before != self._cards:
            pairs = zip(before, self._cards, strict=True)
            changed = [index for index, (old, new) in enumerate(pairs) if old != new]
            self.repaint_lines(*(line for index in changed for line in self._lines(index)))
        self._tell()

    def select(self, index: int) -> None:
        """Put the cursor on a destination, or on the nearest one there is."""
        if not self._cards:
            return
        before, self._index = self._index, max(0, min(index, len(self._cards) - 1))
        self.repaint_lines(*self._lines(before), *self._lines(self._index))
        self.bring(self._index * self._per, self._per - 1)
        self._tell()

    def cursor_line(self) -> int | None:
        """The first line of the destination under the cursor."""
        return self._index * self._per if self._cards else None

    def go(self, line: int) -> None:
        """Select the destination on a line."""
        self.select(line // self._per)

    def action_up(self) -> None:
        """The destination before."""
        self.select(self._index - 1)

    def action_down(self) -> None:
        """The destination after."""
        self.select(self._index + 1)

    def action_open(self) -> None:
        """Go to what is known about it."""
        if self._cards:
            self.post_message(self.Opened())

    def action_fold(self) -> None:
        """The tab before."""
        self.post_message(self.Turned(-1))

    def action_unfold(self) -> None:
        """The tab after."""
        self.post_message(self.Turned(1))

    def on_click(self, event: events.Click) -> None:
        """Select; open what is selected already."""
        line = self.line_at(event)
        if line is None:
            return
        if line // self._per == self._index:
            self.action_open()
        else:
            self.go(line)

    def on_resize(self) -> None:
        """A destination takes one line or three, as the width allows."""
        self._count()
        self.select(self._index)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are, where the style leaves the height to the content."""
        count = len(self._cards)
        return max(2, count + 1 if width >= _TABLE_FROM else 3 * count)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self.line_width - GUTTER
        if not self._cards:
            shown = self.empty.render_strips(
                max(1, width), None, self.visual_style, RenderOptions(self._get_style, {})
            )
            return self.fill(list(shown[y]) if y < len(shown) else [], self.visual_style)
        if y < self.head:
            return self.draw(_heading(width), self.get_visual_style("destination-list--head"))
        index, part = divmod(self.top + y - self.head, self._per)
        if index >= len(self._cards):
            return Strip.blank(self.content_region.width, self.visual_style.rich_style)
        shown_card = self._cards[index]
        is_cursor = index == self._index
        cursor = "destination-list--cursor" if self.has_focus else "destination-list--cursor-blurred"
        style = self.get_visual_style(*([cursor] if is_cursor else []))
        key = (shown_card, part, self._per, is_cursor and (1 + self.has_focus), width)
        strip = self._strips.get(key)
        if strip is None:
            line = _row(shown_card, width) if self._per == 1 else _card_line(shown_card, part, width)
            strip = self._strips[key] = self.draw(line, style, bar=is_cursor)
        return strip

    def _repaint_cursor(self) -> None:
        if self._cards:
            self.repaint_lines(*self._lines(self._index))

    @property
    def _per(self) -> int:
        return 1 if self.size.width >= _TABLE_FROM else 3

    def _lines(self, index: int) -> range:
        return range(index * self._per, (index + 1) * self._per)

    def _count(self) -> None:
        self.set_line_count(len(self._cards) * self._per)
        self.refresh(layout=True)

    def _tell(self) -> None:
        if self.selected != self._told:
            self._told = self.selected
            self.post_message(self.Highlighted(self._told))


def _card_line(shown: Card, part: int, width: int) -> Content:
    mark, word, style = shown.status
    if part == 0:
        name = fit(shown.name, width - len(word) - 4)
        gap = max(1, width - 2 - Content(name).cell_length - len(word))
        return Content.assemble((f"{mark} ", style), (name, theme.STRONG), " " * gap, (word, style))
    if part == 1:
        health = health_words(shown.health)
        address = _address(shown, width - 3 - health.cell_length)
        gap = max(1, width - 2 - address.cell_length - health.cell_length)
        return Content.assemble("  ", address, " " * gap, health)
    counts = shown.counts
    parts = [Content.assemble(("✓ ", theme.GOOD), f"{counts.forwarded:,}")]
    if counts.filtered:
        parts.append(Content.assemble(("– ", theme.WARN), f"{counts.filtered:,}"))
    if counts.failed:
        parts.append(Content.assemble(("✗ ", theme.BAD), f"{counts.failed:,}"))
    if counts.queued:
        parts.append(Content.assemble(("○ ", theme.QUIET), f"{counts.queued:,}"))
    return Content.assemble("  ", Content("   ").join(parts))


def _row(shown: Card, width: int) -> Content:
    mark, word, style = shown.status
    is_wide = width >= _WIDE
    # One that is off, disabled or paused fails no more.
    if not is_wide and shown.health == "failing" and style in (theme.GOOD, theme.WARN):
        mark, word, style = _HEALTHS["failing"]
    numbers = (shown.counts.forwarded, shown.counts.filtered, shown.counts.failed, shown.counts.queued)
    cells = [f"{number:,}".rjust(size) for number, (_, size) in zip(numbers, _COUNTS, strict=True)]
    address = _address(shown, _where_width(width))
    health = health_words(shown.health)
    return Content.assemble(
        (f"{mark} ", style),
        (_pad(fit(shown.name, _NAME), _NAME + 1), theme.STRONG),
        (_pad(fit(word, _STATUS), _STATUS + 1), style),
        Content.assemble(health, " " * (_HEALTH + 1 - health.cell_length)) if is_wide else "",
        address,
        " " * (_where_width(width) - address.cell_length),
        "".join(f" {cell}" for cell in cells),
    )


def _heading(width: int) -> Content:
    counts = "".join(f" {title:>{size}}" for title, size in _COUNTS)
    where = _where_width(width)
    health = f"{'Health':<{_HEALTH + 1}}" if width >= _WIDE else ""
    names = f"  {'Destination':<{_NAME + 1}}{'Status':<{_STATUS + 1}}{health}{'Address':<{where}}"
    return Content(f"{names}{counts}"[:width])


def _where_width(width: int) -> int:
    taken = 2 + _NAME + 1 + _STATUS + 1 + sum(size + 1 for _, size in _COUNTS)
    return max(0, width - taken - (_HEALTH + 1 if width >= _WIDE else 0))


def _address(shown: Card, width: int) -> Content:
    mark = "" if shown.is_verified else _UNVERIFIED
    return Content.assemble(
        (mark, theme.BAD), (_fitting(shown.where, max(0, width - len(mark))), theme.QUIET)
    )


def _pad(text: str, width: int) -> str:
    return text + " " * max(0, width - Content(text).cell_length)
