"""What the three screens share: header, footer, and drawing from the store only while shown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, work
from textual.app import ComposeResult
from textual.content import Content
from textual.dom import DOMNode
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from statsig_tui.core.library import Template
from statsig_tui.errors import UsageError
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.external import handed_over, paged, pager
from statsig_tui.tui.privacy import masked
from statsig_tui.tui.refusals import ToldRefusals
from statsig_tui.tui.text import lines
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.key_line import KeyLine
from statsig_tui.tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from statsig_tui.tui.app import StatsigApp
    from statsig_tui.tui.widgets.live_dock import LiveDock

SMALLEST = (60, 16)
"""Columns and rows below which nothing sensible fits."""
DOCKED_FROM = 150
"""Columns of the terminal that leave room for Live's list beside the screen."""
_SHARE = 3
"""It gets one column in so many."""


class ModeScreen(ToldRefusals, Screen[None]):
    """A mode: `body()` makes its widgets, `pull()` brings them up to date with the store."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as an instance's
        (0, "-narrow"),
        (100, "-normal"),
        (150, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-tall")]  # noqa: RUF012 - as above
    MODE: ClassVar[str] = ""
    DOCKS: ClassVar[bool] = True
    """Whether Live's list can be docked beside it."""
    # Whoever has the focus draws itself; Textual would draw the whole screen whenever it moves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    _was_shown = False
    _dock: LiveDock | None = None
    """The docked list, once it was shown."""
    _had_focus: Widget | None = None
    """What had the focus when there was no room for it any more."""

    def __init__(self) -> None:
        super().__init__()
        # Its widgets are styled when they are mounted: no style sheet needs to be read anew for it.
        self._css_update_count = self.app._css_update_count

    @property
    def host(self) -> StatsigApp:
        """The app, typed."""
        return cast("StatsigApp", self.app)

    @property
    def bridge(self) -> Bridge:
        """The way to the engine."""
        return self.host.bridge

    def compose(self) -> ComposeResult:
        """Header, the mode's own widgets, footer; and what to say when there is no room for them."""
        # What on_resize will find: set before there are children, so that none is styled twice.
        self._fit(self.app.size)
        yield StatusLine()
        yield from self.body()
        yield Static(Content(f"Too small: statsig-tui needs {SMALLEST[0]}×{SMALLEST[1]}."), id="too-small")
        yield KeyLine()

    def body(self) -> Iterable[Widget]:
        """The mode's own widgets."""
        return ()

    def _update_focus_styles(self, focused: Widget | None = None, blurred: Widget | None = None) -> None:
        # Textual styles all that is in the widest frame around the focus anew; little of it looks at it.
        nodes: set[DOMNode] = set()
        for widget in (focused, blurred):
            around = reversed(widget.ancestors_with_self) if widget is not None else ()
            widest = next((node for node in around if node._has_focus_within), None)
            if widest is not None:
                inside = widest.walk_children(with_self=True)
                nodes |= {node for node in inside if node._has_focus_within}
        if nodes:
            self.app.stylesheet.update_nodes(nodes, animate=True)

    def _compositor_refresh(self) -> None:
        # While updates are held back, as during the start, Textual draws a whole frame and drops it.
        if not self.app._batch_count:
            super()._compositor_refresh()

    async def pull(self) -> None:
        """Draw what the store holds now; called while shown, at most 20 times a second."""

    async def pull_all(self) -> None:
        """The same, and the docked list where there is one."""
        await self.pull()
        if self.dock is not None:
            await self.dock.pull()

    def templates(self) -> Sequence[Template]:
        """The user's own templates, where the screen knows them."""
        return ()

    async def reveal(self, goal: object) -> None:
        """Show something that was jumped to, of the kinds that the mode shows."""

    def readable(self) -> bytes | None:
        """What is under the cursor, for the pager; None: nothing that is long enough for one."""
        view = self.query_one_optional("JsonView:focus", JsonView)
        return view.raw if view is not None else None

    @work(group="pager", exclusive=True)
    async def action_page(self) -> None:
        """Give what is under the cursor, and the terminal, to the pager."""
        raw, engine = self.readable(), self.bridge.engine
        if not raw or engine is None:
            self.host.say("There is nothing to read here.")
            return
        redact, hides = engine.redact, self.host.is_private
        text = await asyncio.to_thread(paged_text, raw, redact, hides=hides)
        try:
            command = pager(os.environ)
            handed_over(self.app, lambda: paged(command, text))
        except UsageError as error:
            self.host.tell(error)

    def painted(self) -> None:
        """The app's first frame is drawn: bring what it did without."""

    def leave(self) -> None:
        """The app is about to end."""

    def ticked(self) -> None:
        """The header was brought up to date: ages that are shown may be others now."""

    def config_changed(self) -> None:
        """The settings are others now."""

    def on_screen_suspend(self) -> None:
        """Name no key that does not act beneath what lies over this."""
        self.query_one(KeyLine).is_covered = isinstance(self.app.screen, ModalScreen)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Catch up with what happened while hidden."""
        self.query_one(KeyLine).is_covered = False
        # Textual styles every widget anew here, and has just styled them all where they are new.
        event.refresh_styles = self._was_shown
        self._was_shown = True
        self.query_one(StatusLine).mode = self.MODE
        self.place_dock()
        self.host.show_status()
        self.host.pull_soon()

    def on_resize(self, event: events.Resize) -> None:
        """Give way to one sentence where there is no room; with the room the focus comes back."""
        was_small = self.has_class("-too-small")
        if not was_small:
            # None where the window goes on shrinking before the focus is back.
            self._had_focus = self.focused or self._had_focus
        self._fit(event.size)
        self.place_dock()
        if was_small and not self.has_class("-too-small"):
            self.call_after_refresh(self._focus_again)

    def _focus_again(self) -> None:
        widget = self._had_focus
        if widget is not None and widget.is_attached and self.focused is None:
            self.set_focus(widget, scroll_visible=False)

    # The docked list

    @property
    def dock(self) -> LiveDock | None:
        """The docked list, where it is shown."""
        return self._dock if self._dock is not None and self._dock.display else None

    def place_dock(self) -> None:
        """Dock Live's list, or put it away, as it is wanted and there is room."""
        width = self._dock_width(self.app.size.width)
        if self._dock is None and not width:
            return
        if self._dock is None:
            # Imported here: most first paints have none.
            from statsig_tui.tui.widgets.live_dock import LiveDock

            self._dock = LiveDock(self.host.docking.rows, self.host.pull_soon)
            self.mount(self._dock)
        elif not width and self._dock.has_focus_within:
            self._dock.action_leave()
        if self._dock.display != bool(width):
            self._dock.display = bool(width)
        self._dock.styles.width = width
        self._fit(self.app.size)
        self.refresh_bindings()
        if width:
            self.host.pull_soon()

    def on_live_dock_opened(self, event: LiveDock.Opened) -> None:
        """Open it there."""
        from statsig_tui.tui.screens.going import open_in_live

        open_in_live(self.host, event.capture, event.child)

    def _dock_width(self, columns: int) -> int:
        is_wanted = self.DOCKS and self.host.docking.is_wanted and columns >= DOCKED_FROM
        return columns // _SHARE if is_wanted else 0

    def _get_breakpoint_classes(self, dimension: int, breakpoints: list[tuple[int, str]]) -> set[str]:
        # What is docked takes its room from the screen's own widgets.
        if breakpoints is self.HORIZONTAL_BREAKPOINTS:
            dimension -= self._dock_width(dimension)
        return super()._get_breakpoint_classes(dimension, breakpoints)

    def _fit(self, size: Size) -> None:
        classes = {"-too-small": size.width < SMALLEST[0] or size.height < SMALLEST[1]}
        for length, breakpoints in (
            (size.width - self._dock_width(size.width), self.HORIZONTAL_BREAKPOINTS),
            (size.height, self.VERTICAL_BREAKPOINTS),
        ):
            widest = max(least for least, _ in breakpoints if length >= least)
            classes |= {name: least == widest for least, name in breakpoints}
        self.update_classes(classes, animate=False)


def paged_text(raw: bytes, redact: Callable[[str], str], *, hides: bool) -> str:
    """What a pager gets of some bytes: it may pass on what a terminal obeys."""
    text = redact(raw.decode("utf-8", "backslashreplace").replace("\r\n", "\n"))
    return "\n".join(lines(masked(text) if hides else text)) + "\n"
