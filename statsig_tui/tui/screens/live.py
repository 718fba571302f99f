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

from statsig_tui.core.ids import tag
from statsig_tui.core.marks import Mark
from statsig_tui.core.records import CaptureDetail
from statsig_tui.core.repeats import Beside
from statsig_tui.core.replaying import Part
from statsig_tui.core.tunnel import steps
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.commands import bindings, key, palette
from statsig_tui.tui.screens.comparing import compare
from statsig_tui.tui.screens.copies import edit_copy, events_of, part_of, save_copy
from statsig_tui.tui.screens.counting import CountingScreen
from statsig_tui.tui.screens.exporting import export_from
from statsig_tui.tui.screens.noting import NotingScreen
from statsig_tui.tui.screens.opening import OpeningScreen
from statsig_tui.tui.screens.replaying import ReplayingScreen, named
from statsig_tui.tui.screens.respond import RespondDialog
from statsig_tui.tui.screens.taking import Place, copy_from
from statsig_tui.tui.text import printable
from statsig_tui.tui.widgets.capture_detail import Detail
from statsig_tui.tui.widgets.event_notes import Notes, looked_at
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.names_panel import NamesPanel
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.trace_view import TraceView

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

_PAGE = 500
_READING_SECONDS = 0.4
"""How often the detail changes while the list follows."""


class LiveScreen(ReplayingScreen, OpeningScreen, CountingScreen, NotingScreen):
    """The list of captures on one side, the one under the cursor on the other."""

    MODE: ClassVar[str] = "live"
    BINDINGS: ClassVar[list[BindingType]] = bindings("live")

    def __init__(self) -> None:
        super().__init__()
        self._rev: int | None = None
        self._shown: tuple[int, int | None] | None = None
        self._detail: CaptureDetail | None = None
        self._following: Timer | None = None
        self._unsure: int | None = None
        """The capture that was shown before it was known what of it came before."""
        self._kept: tuple[int, int | None] | None = None
        """The capture, or event of one, that the next one is compared with."""

    def body(self) -> Iterable[Widget]:
        """List and detail."""
        with Container(id="live", classes="mode-body"):
            yield NamesPanel(id="names", classes="pane -auto")
            yield from self.list_side()
            yield Detail(id="detail", classes="pane")

    def on_mount(self) -> None:
        """The list takes the keys."""
        self._list.focus()
        self.show_title()

    # From the store

    async def pull(self) -> None:
        """Take what is new; a full page asks for another look instead of looping."""
        if not self._is_there():
            return
        captures = self._list
        if self._rev is None:
            self._rev = await self.bridge.ask(lambda archive: archive.rev)
            self._rows.load(await self.bridge.ask(lambda archive: archive.capture_ids()))
            await self.recall()
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
        is_gone_to = self.go_to_wanted()
        captures.empty = self.empty()
        if not len(self._rows):
            captures.refresh()
        self.show_title()
        await self.look_at_replay()
        if is_gone_to:
            self.enter_opened()
        await self.look_beside()
        is_read = self._is_there() and self.query_one(Detail).has_focus_within
        if self._unsure is not None and self._unsure <= self._noted and not is_read:
            self._unsure = None
            self._show_now()
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
            return Content.styled(f"The receiver does not listen. {palette('app.ports')}.", theme.WARN)
        sends, probes = f"{key('app.compose')}, then {key('compose.send')}", key("live.probe")
        lines = [
            "Nothing has arrived yet.",
            "",
            f"Press {sends}: an event goes the whole way and comes in here; {probes} probes every hop.",
            "Or send one from another terminal:",
            "",
            f"curl -H 'STATSIG-API-KEY: secret-x' {addresses.emulator}/v1/webhooks/event_webhook \\",
            """  -d '{"user":{"userID":"u"},"event":"hello"}'""",
            "",
            f"A webhook of anybody's can point at {addresses.receiver}/ too.",
            *self._public(),
        ]
        return Content("\n").join([Content.styled(line, theme.QUIET) for line in lines])

    def _public(self) -> list[str]:
        """How the real Statsig gets here, for the empty list."""
        url = self.host.config.receiver.public_url
        if url is None:
            return [f"For the real Statsig: {key('live.tunnel')} enters a tunnel's public URL and tries it."]
        return [
            "",
            *(printable(line) for line in steps(url, None)),
            f"{key('live.tunnel')} tries it end to end.",
        ]

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
    def _opened(self, event: RowList.Opened) -> None:
        # Who opens wants to read: the next row must not take it away.
        event.row_list.follow = False
        if self.is_replayed(event.key):
            self.open_trace()
        else:
            self.query_one(Detail).enter()

    @on(RowList.Opened, "#events-table")
    def _event_opened(self, event: RowList.Opened) -> None:
        if self._shown is not None:
            self._list.follow = False
            self._shown = (self._shown[0], event.key)
            self.query_one(Detail).look_at("body")
            self._show_now()

    @work(group="detail", exclusive=True)
    async def _load(self, capture: int, child: int | None) -> None:
        try:
            detail, beside, note = await self.bridge.ask(
                lambda archive: (archive.capture(capture), archive.beside(capture), archive.note(capture))
            )
            if not self._is_there():
                return
            if detail is None:
                self.query_one(Detail).clear(
                    "This capture has been forgotten: see [retention] of the settings."
                )
                return
            body, found, notes, objects = await asyncio.to_thread(_looked_at, detail, child, beside)
        except StatsigTuiError as error:
            self.host.tell(error)
            return
        if not self._is_there():
            return
        self._detail = detail
        self._unsure = capture if not beside.is_final else None
        self.query_one(Detail).show(detail, child, body, found, notes, objects, self.note_on(capture, note))
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

    def readable(self) -> bytes | None:
        """What the detail shows of the capture or event under the cursor."""
        return self.query_one(Detail).readable()

    @property
    def _here(self) -> tuple[int, int | None] | None:
        """The capture, or event of one, that a key is about."""
        event = self.query_one(Detail).event_at_cursor() if self._shown is not None else None
        return (self._shown[0], event) if self._shown is not None and event is not None else self._shown

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Replay needs a capture; back needs somewhere to come back from."""
        for can in (self.can(action), self.can_prove(action)):
            if can is not None:
                return can
        if action in ("compare", "copy", "export"):
            return self._shown is not None
        if action in ("replay", "replay_with"):
            return self.can_replay()
        if action in ("edit_copy", "save_copy"):
            return self._shown is not None and (action == "edit_copy" or self.host.shelf is not None)
        if action == "back":
            return self.is_mounted and (self.is_opened or self.has_replay or not self._list.has_focus)
        return True

    @work(group="take", exclusive=True)
    async def action_copy(self) -> None:
        """Ask what is to be copied of the capture or event under the cursor."""
        here = self._here
        if here is not None and self.app.screen is self:
            await copy_from(self, Place(*here, *self.query_one(Detail).value_at_cursor()))

    @work(group="take", exclusive=True)
    async def action_export(self) -> None:
        """Ask which captures are to be written, how and where to."""
        if self._shown is not None and self.app.screen is self:
            await export_from(
                self, self._shown[0], self._rows.view, self._filter_query if self._filter else None
            )

    @work(group="copy", exclusive=True)
    async def action_edit_copy(self) -> None:
        """Open the event under the cursor as Compose's draft."""
        if (here := self._here) is not None:
            await edit_copy(self, *here)

    @work(group="copy", exclusive=True)
    async def action_save_copy(self) -> None:
        """Keep the event under the cursor as a template."""
        if (here := self._here) is not None:
            await save_copy(self, *here)

    @work(group="compare", exclusive=True)
    async def action_compare(self) -> None:
        """Keep what is under the cursor; with another one kept, show what is different."""
        if (here := self._here) is not None:
            self._kept = await compare(self, self._kept, here, named, _part)

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
        """One step back: to the table that opened an event, to where a capture was opened from, to the list.

        From the list, away with the replay that is shown.
        """
        at = self._list.cursor
        if self._list.has_focus and self.has_replay:
            self.end_replay()
        elif self._shown is not None and at is not None and self._shown != at and at[0] == self._shown[0]:
            self._shown = at
            self.query_one(Detail).look_at("events")
            self._show_now()
        elif not self.leave_opened():
            self._list.focus()

    def open_trace(self) -> None:
        """The Trace tab takes the keys."""
        detail = self.query_one(Detail)
        detail.query_one(TabbedContent).active = "trace"
        detail.call_after_refresh(detail.enter)


def _looked_at(
    detail: CaptureDetail, child: int | None, beside: Beside
) -> tuple[bytes, tuple[Mark, ...], Notes, list[bytes]]:
    body = part_of(detail, child)
    return body, *looked_at(detail, child, body, beside), events_of(detail)


def _part(archive: Archive, of: Part) -> bytes | None:
    detail = archive.capture(of[0])
    return part_of(detail, of[1]) if detail is not None else None


def _now() -> int:
    return time.time_ns() // 1_000_000
