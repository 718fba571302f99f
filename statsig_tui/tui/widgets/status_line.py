"""The header: which screen, where the listeners are, how long ago the last batch came, how fast they come."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from statsig_tui.core.jumps import Jump
from statsig_tui.tui import theme
from statsig_tui.tui.spark import spark
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.times import age, clock, moved

MODES = (("compose", "1 Compose"), ("destinations", "2 Destinations"), ("live", "3 Live"))
_SPARK = 8
_NAME = 20
"""Columns of the name of a destination that ails."""
_SHORT_NAME = 8
"""The same where there is little room."""
_ROOMY = 80
"""Columns from which the longer name is shown."""
_GAP = Content("   ")
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
    troubled: reactive[frozenset[str]] = reactive(frozenset())
    """Listeners that are not where they were expected."""
    storing: reactive[bool] = reactive(True)
    """Whether the store takes anything; while it does not, every sender gets a 503."""
    speed: reactive[float] = reactive(1.0)
    """How many times as fast as it really is the forwarder's waiting goes."""
    is_private: reactive[bool] = reactive(False)
    """Whether ids, e-mails and keys are masked on the screen."""
    ailing: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """Destinations that are sent nothing, and the word for it."""
    failing: reactive[tuple[str, ...]] = reactive(())
    """Destinations whose endpoints fail."""
    tunnel: reactive[str] = reactive("")
    """Host of the public URL that leads to the receiver."""
    jumped: reactive[Jump | None] = reactive(None)
    """The clock's last jump, while it is worth a word."""
    starting: reactive[bool] = reactive(True)
    last_batch: reactive[int | None] = reactive(None)
    """Age in ms."""
    quiet: reactive[tuple[int, int] | None] = reactive(None)
    """For how long nothing came and how long a pause usually is, in ms, where that is much longer."""
    rates: reactive[tuple[int, ...]] = reactive(())
    """Events of each of the last seconds, the newest last."""

    def render(self) -> RenderResult:
        """As much as the width takes: troubles first, the rightmost giving way first, nothing cut in half."""
        left = Content.assemble((self._brand(), "bold $primary"), *self._tabs())
        room = self.size.width - left.cell_length - 1
        troubles = self._troubles()
        if _width(troubles) <= room:
            shown = _fitting([*troubles, *self._listening(), *self._traffic()], room)
        else:
            shown = _worst(troubles, room)
        right = _GAP.join(shown)
        gap = max(1, self.size.width - left.cell_length - right.cell_length - 1)
        return Content.assemble(left, " " * gap, right)

    async def on_click(self, event: events.Click) -> None:
        """Go to the screen whose name was clicked."""
        end = Content(self._brand()).cell_length
        for (name, _), (title, _) in zip(MODES, self._tabs(), strict=True):
            start, end = end, end + Content(title).cell_length
            if start <= event.x < end:
                await self.run_action(f"app.mode('{name}')")

    def _brand(self) -> str:
        return " statsig-tui  " if self.size.width >= _BRANDED else ""

    def _tabs(self) -> list[tuple[str, str]]:
        return [
            (f" {title} ", "bold reverse $primary" if name == self.mode else theme.QUIET)
            for name, title in MODES
        ]

    def _troubles(self) -> list[Content]:
        """What is not as it should be, the worst first."""
        shown: list[Content] = [] if self.storing else [Content.styled("✗ NOT STORING: 503", theme.BAD)]
        if not self.starting:
            deaf = [name for name, base in self.listeners if base is None]
            shown += [Content.styled(f"✗ {name} not listening", theme.BAD) for name in deaf]
        if self.speed != 1:
            # Before what ails: it is short, and without it no countdown is to be understood.
            shown.append(Content.styled(f"» TIME ×{self.speed:,.0f}", theme.WARN))
        if self.ailing:
            (name, word), *others = self.ailing
            more = f" +{len(others)}" if others else ""
            shown.append(content(f"✗ {self._shortened(name)} {word}{more}", theme.BAD))
        ailing = {name for name, _ in self.ailing}
        if failing := [name for name in self.failing if name not in ailing]:
            who = self._shortened(failing[0]) if len(failing) == 1 else f"{len(failing)} destinations"
            shown.append(content(f"✗ {who} failing", theme.BAD))
        if self.is_private:
            shown.append(Content.styled("◌ PRIVATE", theme.WARN))
        if self.jumped is not None:
            when = f" at {clock(self.jumped.at)[:5]}" if self.size.width >= _ROOMY else ""
            shown.append(Content.styled(f"▲ clock {moved(self.jumped.by)}{when}", theme.WARN))
        return shown

    def _shortened(self, destination: str) -> str:
        return fit(destination, _NAME if self.size.width >= _ROOMY else _SHORT_NAME)

    def _listening(self) -> list[Content]:
        shown: list[Content] = []
        for name, base in self.listeners:
            if base is None:
                if self.starting:
                    shown.append(Content.assemble(f"{name} ", ("starting", theme.QUIET)))
                continue
            host, _, port = base.removeprefix("http://").rpartition(":")
            where = f":{port}" if host in ("127.0.0.1", "localhost", "[::1]") else f"{host}:{port}"
            mark = (" ▲", theme.WARN) if name in self.troubled else (" ●", theme.GOOD)
            shown.append(Content.assemble(f"{name} {where}", mark))
        if self.tunnel:
            shown.append(content(f"⇄ {fit(self.tunnel, _NAME)}", theme.QUIET))
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


def _fitting(parts: Sequence[Content], room: int) -> Sequence[Content]:
    """The first ones that fit side by side."""
    return next((parts[:count] for count in range(len(parts), 0, -1) if _width(parts[:count]) <= room), ())


def _worst(troubles: Sequence[Content], room: int) -> Sequence[Content]:
    """The first ones, and how many others there are."""
    for count in range(len(troubles) - 1, 0, -1):
        shown = [*troubles[:count], Content.styled(f"+{len(troubles) - count}", theme.BAD)]
        if _width(shown) <= room:
            return shown
    return [Content.styled(f"✗ {len(troubles)} troubles", theme.BAD)]


def _width(parts: Sequence[Content]) -> int:
    return _GAP.join(parts).cell_length


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
