"""A tunnel's public URL: entered, tried end to end, kept in the settings, and how Statsig is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from statsig_tui.core.destination import Invalid, validate_url
from statsig_tui.core.ids import tag
from statsig_tui.core.tunnel import Report, steps
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content, sentences
from statsig_tui.tui.widgets.at_once import LineInput

_SHOWN = 12
"""Headers that are listed."""


class TunnelDialog(Dialog[None]):
    """Over a screen, through which it saves and asks."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]
    AUTO_FOCUS = "Input"
    DEFAULT_CSS = """
    TunnelDialog VerticalScroll.text {
        height: auto;
        max-height: 60vh;
        background: $surface;
    }
    """

    def __init__(self, screen: ModeScreen) -> None:
        super().__init__()
        self._host, self._bridge = screen.host, screen.bridge
        self._asked: set[str] = set()

    def compose(self) -> ComposeResult:
        """The URL, what is said of it, what to do with it."""
        with Vertical(classes="dialog", id="tunnel") as box:
            box.border_title = "Tunnel to the receiver"
            box.border_subtitle = "enter keeps and tries it · empty forgets it · esc closes"
            yield LineInput(
                self._host.config.receiver.public_url or "", compact=True, id="tunnel-url",
                placeholder="https://…",
            )  # fmt: skip
            with VerticalScroll(classes="text", can_focus=False):
                yield Static(id="tunnel-said")
                yield Static(id="tunnel-steps")

    def on_mount(self) -> None:
        """Say what it is for."""
        self._show_steps()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        self._use(event.value.strip())

    @work(group="tunnel", exclusive=True)
    async def _use(self, url: str) -> None:
        if url:
            try:
                validate_url(url)
            except Invalid as error:
                self._say(content(sentences(f"The URL {error.message}", error.hint), theme.BAD))
                return
        receiver = replace(self._host.config.receiver, public_url=url or None)
        if receiver != self._host.config.receiver and not await self._host.change(
            replace(self._host.config, receiver=receiver)
        ):
            return
        self._show_steps()
        if not url:
            self._say(Content.styled("No tunnel is known.", theme.QUIET))
        elif await self._may_reach(url):
            self._say(Content.styled("Trying it…", theme.QUIET))
            try:
                report = await self._bridge.do(lambda engine: engine.check_tunnel(url))
            except StatsigTuiError as error:
                self._host.tell(error)
                return
            self._say(report_lines(report))
        else:
            self._say(Content.styled("Kept, and not tried.", theme.QUIET))

    async def _may_reach(self, url: str) -> bool:
        from statsig_tui.engine.connecting import is_local

        place = urlsplit(url).netloc
        if is_local(url) or place in self._asked:
            return True
        words = Content.assemble(
            "One request goes to ", content(place, theme.STRONG), ", as Statsig sends it for a new URL.",
        )  # fmt: skip
        if await self.app.push_screen_wait(ConfirmDialog("Reach beyond this machine?", words, "Try it")):
            self._asked.add(place)
            return True
        return False

    def _show_steps(self) -> None:
        engine = self._bridge.engine
        receiver = engine.addresses.receiver if engine is not None else None
        found = steps(self._host.config.receiver.public_url, receiver)
        lines = [content(line, theme.QUIET) for line in found]
        self.query_one("#tunnel-steps", Static).update(Content("\n").join([Content(), *lines]))

    def _say(self, said: Content) -> None:
        if self.is_attached:
            self.query_one("#tunnel-said", Static).update(Content("\n").join([Content(), said]))


def report_lines(report: Report) -> Content:
    """What a try came to, with what was seen at our end."""
    mark, style = ("✓", theme.GOOD) if report.is_well else ("✗", theme.BAD)
    took = f"  {report.ms:,.0f} ms" if report.ms is not None else ""
    lines = [Content.assemble((f"{mark} ", style), content(report.said, style), (took, theme.QUIET))]
    if report.mend:
        lines.append(content(f"→ {report.mend}", theme.WARN))
    if report.capture is not None:
        where = f"  as {tag('c', report.capture)} at {report.path} from {report.peer}"
        lines.append(content(where, theme.QUIET))
        shown = report.added[:_SHOWN]
        lines += [content(f"  + {name}: {value}") for name, value in shown]
        if not shown:
            lines.append(Content.styled("  without a header of the tunnel's own", theme.QUIET))
    return Content("\n").join(lines)
