"""The probe's panel: every hop of a marked event with its time, as they happen, and what holds it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from statsig_tui.core.config import Destination
from statsig_tui.core.probe import NAME, Hop, Passing
from statsig_tui.core.records import SentRecord
from statsig_tui.errors import NotFound, StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content, sentences

if TYPE_CHECKING:
    from statsig_tui.engine.engine import Engine

_ARROW = f"{'→':>13} "
_MARKS = {
    Passing.PASSED: ("✓", theme.GOOD),
    Passing.WAITING: ("…", theme.ACCENT),
    Passing.LATE: ("⚠", theme.WARN),
    Passing.FAILED: ("✗", theme.BAD),
    Passing.UNSEEN: ("?", theme.QUIET),
    Passing.SKIPPED: ("·", theme.QUIET),
}


class ProbeScreen(Dialog[None]):
    """One probe after the other; the first goes out at once where it stays on this machine."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close"),
        Binding("enter", "send", "Send"),
        Binding("left", "other(-1)", "Destination"),
        Binding("right", "other(1)", "Destination"),
    ]

    def __init__(self, bridge: Bridge, destinations: Sequence[Destination], first: str) -> None:
        super().__init__()
        self._bridge = bridge
        self._destinations = destinations
        self._at = next((at for at, item in enumerate(destinations) if item.name == first), 0)
        self._sent: SentRecord | None = None
        self._is_under_way = False
        self._late = False
        self._patience: Timer | None = None
        self._error = ""

    @property
    def _chosen(self) -> Destination:
        return self._destinations[self._at]

    @property
    def _width(self) -> int:
        return self.query_one("#probe-hops").size.width or 1

    def compose(self) -> ComposeResult:
        """What is sent whereto, and the hops."""
        with Vertical(classes="dialog", id="probe") as box:
            box.border_title = "Probe"
            others = "← → another destination · " if len(self._destinations) > 1 else ""
            box.border_subtitle = Content(f"enter sends · {others}esc closes")
            yield Static(id="probe-goal")
            yield Static(id="probe-hops")

    def on_mount(self) -> None:
        """Send the first one, unless it would leave this machine."""
        from statsig_tui.engine.connecting import is_local

        self._show_goal()
        if is_local(self._chosen.url):
            self.action_send()
        else:
            self._say("That is not this machine: enter sends the probe there.")

    async def pull(self) -> None:
        """Look how far it is."""
        if not self._is_under_way or self._error:
            return
        from statsig_tui.engine import probe

        engine, name, sent, late = self._bridge.engine, self._chosen.name, self._sent, self._late
        assert engine is not None
        try:
            found = await self._bridge.ask(lambda archive: probe.look(engine, name, sent, late=late))
        except NotFound as error:
            # It may have been taken out of the settings while its probe is under way.
            self._say(sentences(error.message, error.hint))
            return
        if self.is_attached and name == self._chosen.name and sent is self._sent:
            self.query_one("#probe-hops", Static).update(hop_lines(found, self._width))

    @work(group="probe", exclusive=True)
    async def action_send(self) -> None:
        """Send one, and watch it."""
        from statsig_tui.engine.probe import SECONDS

        self._sent, self._late, self._is_under_way, self._error = None, False, True, ""
        if self._patience is not None:
            self._patience.stop()
        self._patience = self.set_timer(SECONDS, self._call_late)
        name = self._chosen.name

        async def send(engine: Engine) -> SentRecord:
            return await engine.probe(name)

        try:
            self._sent = await self._bridge.do(send)
        except StatsigTuiError as error:
            self._say(sentences(error.message, error.hint))
            return
        await self.pull()

    async def _call_late(self) -> None:
        self._late = True
        await self.pull()

    def action_other(self, by: int) -> None:
        """Choose another destination; nothing is sent by that."""
        self._at = (self._at + by) % len(self._destinations)
        self.workers.cancel_group(self, "probe")
        self._is_under_way = False
        self._show_goal()
        self.query_one("#probe-hops", Static).update(Content.styled("enter sends.", theme.QUIET))

    def _show_goal(self) -> None:
        chosen, engine = self._chosen, self._bridge.engine
        url = engine.redact(chosen.url) if engine is not None else ""
        words = Content.assemble(
            (NAME, theme.STRONG), ", a marked event, to ", content(chosen.name, theme.STRONG), " alone\n",
            content(url, theme.QUIET), "\n",
        )  # fmt: skip
        self.query_one("#probe-goal", Static).update(words)

    def _say(self, words: str) -> None:
        self._error = words
        self.query_one("#probe-hops", Static).update(content(words, theme.WARN))


def hop_lines(found: Sequence[Hop], width: int) -> Content:
    """A line for each hop, and below it what to do, in so many cells."""
    lines: list[Content] = []
    for hop in found:
        mark, style = _MARKS[hop.passing]
        ms = f"{hop.ms:,} ms" if hop.ms is not None else ""
        slow = "not yet; " if hop.passing is Passing.LATE else ""
        head = Content.assemble((f"{mark} {hop.name:<9}", style), (f"{ms:>9}  ", theme.QUIET))
        lines.append(_hanging(head, content(f"{slow}{hop.said}"), width))
        if hop.mend:
            lines.append(_hanging(Content(_ARROW), content(hop.mend, theme.WARN), width))
    return Content("\n").join(lines)


def _hanging(head: Content, text: Content, width: int) -> Content:
    """A text that goes on below itself, not below its head."""
    indent = head.cell_length
    return Content.assemble(head, Content("\n" + " " * indent).join(text.wrap(max(1, width - indent))))
