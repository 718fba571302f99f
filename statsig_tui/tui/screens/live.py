"""Live: what the receiver gets, as it arrives, and everything there is to know of one of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TabbedContent

from statsig_tui.core import marks
from statsig_tui.core.ids import tag
from statsig_tui.core.marks import Mark
from statsig_tui.core.records import CaptureDetail, Replay
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.commands import bindings
from statsig_tui.tui.screens.compare import CompareScreen, Side
from statsig_tui.tui.screens.copies import edit_copy, part_of, save_copy
from statsig_tui.tui.screens.finding import FindingScreen
from statsig_tui.tui.screens.replay import ReplayDialog
from statsig_tui.tui.screens.respond import RespondDialog
from statsig_tui.tui.widgets.capture_detail import Detail
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.trace_view import TraceView

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

_PAGE = 500
_READING_SECONDS = 0.4
"""How often the detail changes while the list follows."""


class LiveScreen(FindingScreen):
    """The list of captures on one side, the one under the cursor on the other."""

    MODE: ClassVar[str] = "live"
    BINDINGS: ClassVar[list[BindingType]] = bindings("live")

    def __init__(self) -> None:
        super().__init__()
        self._rev: int | None = None
        self._shown: tuple[int, int | None] | None = None
        self._detail: CaptureDetail | None = None
        self._following: Timer | None = None
        self._kept: tuple[int, int | None] | None = None
        """The capture, or event of one, that the next one is compared with."""

    def body(self) -> Iterable[Widget]:
        """List and detail."""
        with Container(id="live", classes="mode-body"):
            yield from self.list_side()
            yield Detail(id="detail", classes="pane")

    def on_mount(self) -> None:
        """The list takes the keys."""
        self._list.focus()
        self.show_title()

    # From the store

    async def pull(self) -> None:
        """Take what is new; a full page asks for another look instead of looping."""
        captures = self._list
        if self._rev is None:
            self._rev = await self.bridge.ask(lambda archive: archive.rev)
            self._rows.load(await self.bridge.ask(lambda archive: archive.capture_ids()))
            if not self._is_there():
                return
            captures.refresh_rows(keep_cursor=False)
        else:
            rev = self._rev
            findings = self._findings()
            found, oldest, arrived = await self.bridge.ask(
                lambda archive: (
                    archive.since(rev, _PAGE),
                    archive.oldest_capture(),
                    {finding: finding.arrived(archive) for finding in findings},
                )
            )
            if not self._is_there():
                return
            for record in found:
                self._rows.append(record)
            if found:
                self._rev = found[-1].rev
            self.take_arrived(arrived)
            if self.forget_before(oldest):
                captures.refresh_rows()
            elif found or any(arrived.values()):
                captures.rows_changed()
            if len(found) == _PAGE:
                self.host.pull_soon()
        self.go_to_wanted()
        captures.empty = self.empty()
        if not len(self._rows):
            captures.refresh()
        self.show_title()
        await self._refresh_trace()

    def config_changed(self) -> None:
        """The receiver's address may be another now."""
        if self.is_mounted:
            self._list.empty = self.empty()
            self.show_title()

    def empty(self) -> Content:
        """Why nothing is shown, and what to press."""
        hidden = self._hidden()
        if hidden is not None:
            return hidden
        engine = self.bridge.engine
        if engine is None:
            return Content.styled("Starting…", theme.QUIET)
        addresses = engine.addresses
        if addresses.receiver is None:
            return Content.styled("The receiver does not listen. ctrl+p, Use a free port.", theme.WARN)
        lines = [
            "Nothing has arrived yet.",
            "",
            "Press 1, then ctrl+j: an event goes the whole way and comes in here.",
            "Or send one from another terminal:",
            "",
            f"curl -H 'STATSIG-API-KEY: secret-x' {addresses.emulator}/v1/webhooks/event_webhook \\",
            """  -d '{"user":{"userID":"u"},"event":"hello"}'""",
            "",
            f"A webhook of anybody's can point at {addresses.receiver}/ too.",
        ]
        return Content("\n").join([Content.styled(line, theme.QUIET) for line in lines])

    # The one under the cursor

    @on(RowList.Highlighted, "#captures")
    def _highlighted(self, event: RowList.Highlighted) -> None:
        if event.key is None:
            self._shown, self._detail = None, None
            self.query_one(Detail).clear()
            return
        if self._shown is None:
            self.refresh_bindings()
        if (event.key, event.child) == self._shown:
            return
        self._shown = (event.key, event.child)
        if event.row_list.follow:
            # Rows may come faster than anybody reads: the detail follows at a reader's pace.
            if self._following is None:
                self._following = self.set_timer(_READING_SECONDS, self._show_followed)
        else:
            self._show_now()

    def _show_followed(self) -> None:
        self._following = None
        self._show_now()

    def _show_now(self) -> None:
        if self._shown is not None:
            self._load(*self._shown)

    @on(RowList.FollowChanged, "#captures")
    def _follow_changed(self) -> None:
        self.show_title()

    @on(RowList.Opened, "#captures")
    def _opened(self) -> None:
        self.query_one(Detail).enter()

    @work(group="detail", exclusive=True)
    async def _load(self, capture: int, child: int | None) -> None:
        try:
            detail = await self.bridge.ask(lambda archive: archive.capture(capture))
            if not self._is_there():
                return
            if detail is None:
                self.query_one(Detail).clear(
                    "This capture has been forgotten: see [retention] of the settings."
                )
                return
            body, found = await asyncio.to_thread(_looked_at, detail, child)
        except StatsigTuiError as error:
            self.host.tell(error)
            return
        if not self._is_there():
            return
        self._detail = detail
        self.query_one(Detail).show(detail, child, body, found)
        await self._refresh_tab()

    @on(TabbedContent.TabActivated)
    async def _tab_changed(self) -> None:
        await self._refresh_tab()

    async def _refresh_tab(self) -> None:
        if self.query_one(Detail).active == "signature" and self._shown is not None:
            self._diagnose(self._shown[0])
        await self._refresh_trace()

    @work(group="diagnosis", exclusive=True)
    async def _diagnose(self, capture: int) -> None:
        try:
            found = await self.bridge.do(lambda engine: engine.diagnose(capture))
        except StatsigTuiError as error:
            self.host.tell(error)
            return
        if self._is_there():
            self.query_one(Detail).show_diagnosis(capture, found)

    def _is_there(self) -> bool:
        """Whether the screen still has its widgets: the app may have ended while the store was asked."""
        # Each draw asks: what was found once is remembered, which a query of all is not.
        parts = (self.query_one_optional(kind) for kind in (JsonView, TraceView))
        return all(part is not None for part in parts)

    async def _refresh_trace(self) -> None:
        if not self._is_there() or self._shown is None or self.query_one(Detail).active != "trace":
            return
        capture = self._shown[0]
        trace = await self.bridge.ask(lambda archive: archive.trace(tag("c", capture)))
        if not self._is_there():
            return
        self.query_one("#trace-text", TraceView).show(trace, _now(), "")

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Replay needs a capture; back needs somewhere to come back from."""
        can = self.can(action)
        if can is not None:
            return can
        if action == "compare":
            return self._shown is not None
        if action in ("replay", "replay_with"):
            return self._shown is not None and bool(self.host.config.destinations)
        if action in ("edit_copy", "save_copy"):
            return self._shown is not None and (action == "edit_copy" or self.host.shelf is not None)
        if action == "back":
            return self.is_mounted and not self._list.has_focus
        return True

    def action_replay(self) -> None:
        """Send the capture's bytes and signature again to where it came from, or to the first destination."""
        if self._detail is not None:
            self._replay(self._destination(), Replay.AS_RECEIVED)

    def action_replay_with(self) -> None:
        """Ask how and whereto, then send."""
        if self._detail is None:
            return
        names = [destination.name for destination in self.host.config.destinations]

        def chosen(choice: tuple[str, Replay] | None) -> None:
            if choice is not None:
                self._replay(*choice)

        self.app.push_screen(ReplayDialog(self._detail.record.id, names, self._destination()), chosen)

    @work(group="copy", exclusive=True)
    async def action_edit_copy(self) -> None:
        """Open the event under the cursor as Compose's draft."""
        if self._shown is not None:
            await edit_copy(self, *self._shown)

    @work(group="copy", exclusive=True)
    async def action_save_copy(self) -> None:
        """Keep the event under the cursor as a template."""
        if self._shown is not None:
            await save_copy(self, *self._shown)

    @work(group="compare", exclusive=True)
    async def action_compare(self) -> None:
        """Keep what is under the cursor; with another one kept, show what is different."""
        kept, here = self._kept, self._shown
        if here is None:
            return
        self._kept = None if kept is not None else here
        if kept is None:
            self.host.say(f"{_named(*here)} is kept for comparing: = on another one, or here to forget it.")
        elif kept == here:
            self.host.say(f"{_named(*here)} is not kept any more.")
        else:
            sides = [await self._side(*which) for which in (kept, here)]
            if sides[0] is not None and sides[1] is not None:
                await self.app.push_screen(CompareScreen(sides[0], sides[1]))

    async def _side(self, capture: int, child: int | None) -> Side | None:
        def read(archive: Archive) -> bytes | None:
            detail = archive.capture(capture)
            if detail is None:
                return None
            return part_of(detail, child)

        try:
            body = await self.bridge.ask(read)
        except StatsigTuiError as error:
            self.host.tell(error)
            return None
        if body is None:
            self.host.say(f"{_named(capture, child)} was forgotten: see [retention] in the settings.")
            return None
        return Side(_named(capture, child), body)

    @work(group="respond", exclusive=True)
    async def action_respond(self) -> None:
        """Choose what the receiver answers from the next request on."""
        if self.app.screen is not self:
            return
        chosen = await self.app.push_screen_wait(RespondDialog(self.host.config.receiver.respond))
        if chosen is None:
            return
        receiver = replace(self.host.config.receiver, respond=chosen or None)
        if not await self.host.change(replace(self.host.config, receiver=receiver)):
            return
        # Chosen again, a program starts again.
        await self.bridge.do(lambda engine: engine.respond(chosen or None))
        self.host.say(f"From now on: {chosen or 'as usual'}.")

    def action_tab(self, way: str) -> None:
        """Turn to a neighbouring tab of the detail; the list keeps the keys if it had them."""
        self.query_one(Detail).turn(1 if way == "next" else -1)

    def action_back(self) -> None:
        """To the list."""
        self._list.focus()

    def _destination(self) -> str:
        names = [destination.name for destination in self.host.config.destinations]
        return "receiver" if "receiver" in names else names[0]

    @work(group="replay")
    async def _replay(self, destination: str, how: Replay) -> None:
        if self._detail is None:
            return
        capture = self._detail.record.id
        try:
            delivery = await self.bridge.do(lambda engine: engine.replay(capture, destination, how))
        except StatsigTuiError as error:
            self.host.tell(error)
            return
        way = "as received" if how is Replay.AS_RECEIVED else "re-signed"
        self.host.say(f"{tag('c', capture)} replayed {way} to {destination}: {tag('d', delivery)}")


def _looked_at(detail: CaptureDetail, child: int | None) -> tuple[bytes, tuple[Mark, ...]]:
    body = part_of(detail, child)
    return body, marks.of_event(body) if child is not None else marks.of_capture(detail)


def _named(capture: int, child: int | None) -> str:
    return f"#{capture}" if child is None else f"#{capture} event {child}"


def _now() -> int:
    return time.time_ns() // 1_000_000
