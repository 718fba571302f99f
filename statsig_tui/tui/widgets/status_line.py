"""The header: which screen, where the listeners are, how long ago the last batch came, how fast they come."""

from __future__ import annotations

from collections import deque

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from statsig_tui.tui import theme
from statsig_tui.tui.spark import spark
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.times import age

MODES = (("compose", "1 Compose"), ("destinations", "2 Destinations"), ("live", "3 Live"))
_SPARK = 8
_NAME = 20
"""Columns of the name of a destination that ails."""
_BRANDED = 100
"""Columns from which the name is worth its room."""


class StatusLine(Widget):
    """One line above every screen."""

    DEFAULT_CSS = """
    StatusLine {
        dock: top;
        height: 1;
        background: $panel;
        color: $foreground;
    }
    """
    mode: reactive[str] = reactive("compose")
    listeners: reactive[tuple[tuple[str, str | None], ...]] = reactive(
        (("emulator", None), ("receiver", None))
    )
    """Name and base URL of each; None while it does not listen."""
    trouble: reactive[bool] = reactive(False)
    storing: reactive[bool] = reactive(True)
    """Whether the store takes anything; while it does not, every sender gets a 503."""
    speed: reactive[float] = reactive(1.0)
    """How many times as fast as it really is the forwarder's waiting goes."""
    ailing: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """Destinations that are sent nothing, and the word for it."""
    failing: reactive[tuple[str, ...]] = reactive(())
    """Destinations whose endpoints fail."""
    starting: reactive[bool] = reactive(True)
    last_batch: reactive[int | None] = reactive(None)
    """Age in ms."""
    quiet: reactive[tuple[int, int] | None] = reactive(None)
    """For how long nothing came and how long a pause usually is, in ms, where that is much longer."""
    rates: reactive[tuple[int, ...]] = reactive(())
    """Events of each of the last seconds, the newest last."""

    def render(self) -> RenderResult:
        """As much as the width takes, the rightmost giving way first."""
        brand = " statsig-tui  " if self.size.width >= _BRANDED else ""
        left = Content.assemble((brand, "bold $primary"), *self._tabs())
        room = self.size.width - left.cell_length - 1
        parts = [*self._listening(), *self._traffic()]
        while parts and sum(part.cell_length + 3 for part in parts) > room:
            parts.pop()
        right = Content("   ").join(parts)
        gap = max(1, self.size.width - left.cell_length - right.cell_length - 1)
        return Content.assemble(left, " " * gap, right)

    def _tabs(self) -> list[tuple[str, str]]:
        return [
            (f" {title} ", "bold reverse $primary" if name == self.mode else theme.QUIET)
            for name, title in MODES
        ]

    def _listening(self) -> list[Content]:
        shown: list[Content] = [] if self.storing else [Content.styled("✗ NOT STORING: 503", theme.BAD)]
        if self.ailing:
            (name, word), *others = self.ailing
            more = f" +{len(others)}" if others else ""
            shown.append(content(f"✗ {fit(name, _NAME)} {word}{more}", theme.BAD))
        if self.speed != 1:
            shown.append(Content.styled(f"» TIME ×{self.speed:,.0f}", theme.WARN))
        ailing = {name for name, _ in self.ailing}
        if failing := [name for name in self.failing if name not in ailing]:
            who = fit(failing[0], _NAME) if len(failing) == 1 else f"{len(failing)} destinations"
            shown.append(content(f"✗ {who} failing", theme.BAD))
        for name, base in self.listeners:
            if base is None:
                word, style = ("starting", theme.QUIET) if self.starting else ("not listening", theme.BAD)
                shown.append(Content.assemble(f"{name} ", (word, style)))
                continue
            host, _, port = base.removeprefix("http://").rpartition(":")
            where = f":{port}" if host in ("127.0.0.1", "localhost", "[::1]") else f"{host}:{port}"
            mark = (" ▲", theme.WARN) if self.trouble else (" ●", theme.GOOD)
            shown.append(Content.assemble(f"{name} {where}", mark))
        return shown

    def _traffic(self) -> list[Content]:
        if self.last_batch is None:
            return [Content.styled("no batch yet", theme.QUIET)]
        if self.quiet is not None:
            silence, usual = self.quiet
            return [Content.styled(f"quiet for {age(silence)}, usually {age(usual)}", theme.WARN)]
        parts = [Content(f"last batch {age(self.last_batch)}")]
        if any(self.rates):
            recent = self.rates[-_SPARK:]
            parts.append(Content.assemble(f"{recent[-1]:,} ev/s ", (spark(recent), theme.ACCENT)))
        return parts


class Rates:
    """Counts batches and their events into seconds; keeps the last few."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=_SPARK)

    def add(self, second: int, events: int) -> None:
        """Count a batch that came in a second (epoch s), and its events."""
        batches = 1
        if self._seconds and self._seconds[-1][0] == second:
            _, before, others = self._seconds.pop()
            events, batches = events + before, batches + others
        self._seconds.append((second, events, batches))

    def until(self, second: int) -> tuple[int, ...]:
        """Events of each of the last whole seconds before `second`."""
        counted = {at: events for at, events, _ in self._seconds}
        return tuple(counted.get(at, 0) for at in range(second - _SPARK, second))

    def batches(self, second: int) -> int:
        """Batches of the last whole second before `second`."""
        return next((batches for at, _, batches in self._seconds if at == second - 1), 0)
