"""Destinations: the list of webhook URLs, and of the one under the cursor all there is to set and to see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker

from statsig_tui.core.attempted import as_document
from statsig_tui.core.config import Filter
from statsig_tui.core.config_change import ConfigChange
from statsig_tui.core.health import Health
from statsig_tui.core.ids import tag
from statsig_tui.core.records import Counters, DeliveryRecord, DestinationCounters
from statsig_tui.tui import theme
from statsig_tui.tui.commands import bindings, key
from statsig_tui.tui.screens.arranging import ACTIONS, ArrangingScreen
from statsig_tui.tui.screens.changing import send_change
from statsig_tui.tui.screens.comparing import compare
from statsig_tui.tui.screens.filter_details import FilterDetails
from statsig_tui.tui.screens.matrix import MatrixScreen
from statsig_tui.tui.screens.redeliver import redeliver
from statsig_tui.tui.screens.self_test import self_test
from statsig_tui.tui.screens.send_test import send_test
from statsig_tui.tui.screens.time_control import hurry, next_speed
from statsig_tui.tui.widgets.attempt_rows import held_words
from statsig_tui.tui.widgets.destination_list import DestinationList, card
from statsig_tui.tui.widgets.destination_panes import (
    ATTEMPTS,
    DELIVERY,
    FILTER,
    SIGNING,
    DestinationPanes,
    Found,
    Subject,
)
from statsig_tui.tui.widgets.editor import Edited, Looked
from statsig_tui.tui.widgets.filter_parts import DetailsLine
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.signing import SigningPane

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

_OFFERED = 500
"""Newest events whose values a condition is completed with."""
_IN_LIST = frozenset({"send_test", "duplicate", "edit", "toggle_enabled", "filter", "delete"})
_OF_A_SECRET = frozenset({"reveal-secret", "copy-secret"})
"""Buttons of the signing tab that need one."""


class DestinationsScreen(ArrangingScreen):
    """The list takes the letters; enter goes to the tab beside it, escape back."""

    MODE: ClassVar[str] = "destinations"
    BINDINGS: ClassVar[list[BindingType]] = bindings("destinations")

    def __init__(self) -> None:
        super().__init__()
        self._counters = Counters()
        self._change = ConfigChange()
        """What the form of a config change offers."""
        self._testing: Worker[None] | None = None
        """The test of an endpoint that was asked for last."""
        self._kept: tuple[int, int] | None = None
        """The attempt, by its delivery and number, that the next one is compared with."""

    def body(self) -> Iterable[Widget]:
        """List and tabs."""
        with Container(id="destinations", classes="mode-body"):
            yield self._list
            yield self._panes

    def on_mount(self) -> None:
        """The list takes the keys."""
        self._list.empty = Content.styled(f"No destination. {key('destinations.new')} adds one.", theme.QUIET)
        self._list.focus()
        self.config_changed()

    # What is shown

    def config_changed(self) -> None:
        """Destinations may have come, gone or changed."""
        if self._panes.is_mounted:
            self._show_list()
            self._panes.show(self._subject())

    async def pull(self) -> None:
        """Read the totals and what the shown tab needs, at one go."""
        question = self._panes.question()

        def look(archive: Archive) -> tuple[Counters, Found]:
            counters = archive.counters()
            return counters, question(archive, counters.events)

        self._counters, found = await self.bridge.ask(look)
        self._show_list()
        subject = self._subject()
        if subject is not None:
            self._panes.recount(subject)
        self._panes.take(found, self._counters.events, self._curl())
        self._offer()

    def _show_list(self) -> None:
        items = self.destinations()
        title = Content(f"Destinations  {len(items)}")
        if self._list.border_title != title.markup:
            self._list.border_title = title
        found = self.host.news.health
        self._list.show(
            [card(item, self._counts(item.name), found.get(item.name, Health())) for item in items]
        )

    def _subject(self) -> Subject | None:
        """The destination under the cursor with what has to be known beside it."""
        saved, engine = self.selected, self.bridge.engine
        if saved is None:
            return None
        url = next((item.url for item in self.destinations() if item.name == saved.name), saved.url)
        return Subject(
            saved=saved,
            real_url=url,
            counts=self._counts(saved.name),
            health=self.host.news.health.get(saved.name, Health()),
            taken=[item.name for item in self.host.config.destinations if item.name != saved.name],
            emulator=engine.addresses.emulator if engine is not None else None,
            redact=engine.redact if engine is not None else str,
            check_cert=engine.check_client_cert if engine is not None else lambda chosen: None,
            proxy=engine.proxy_of(url) if engine is not None else None,
            probe_at=engine.next_probe(saved.name) if engine is not None else None,
        )

    def _counts(self, name: str) -> DestinationCounters:
        return self._counters.destinations.get(name, DestinationCounters())

    def _curl(self) -> str:
        engine = self.bridge.engine
        base = engine.addresses.emulator if engine is not None else None
        if base is None:
            return ""
        return (
            f"curl -H 'STATSIG-API-KEY: secret-x' {base}/v1/webhooks/event_webhook \\\n"
            """  -d '{"user":{"userID":"u"},"event":"hello"}'"""
        )

    async def reveal(self, goal: object) -> None:
        """Go to a destination, or to a delivery among its attempts."""
        name = goal.destination if isinstance(goal, DeliveryRecord) else getattr(goal, "name", "")
        names = [item.name for item in self.destinations()]
        if name not in names:
            if name:
                self.host.say(f"The destination {name} is not there any more.")
            return
        self._list.select(names.index(name))
        self._panes.show(self._subject())
        if isinstance(goal, DeliveryRecord):
            await self._panes.open(ATTEMPTS)
            self._panes.attempts.open(goal)
        else:
            self._list.focus()

    # What the panes tell

    @on(DestinationList.Highlighted)
    def _highlighted(self) -> None:
        self._panes.show(self._subject())
        self._offer()
        self.host.pull_soon()

    @on(DestinationList.Turned)
    async def _turned(self, event: DestinationList.Turned) -> None:
        await self._panes.turn(event.by)

    @on(DestinationList.Opened)
    async def _enter(self) -> None:
        await self._panes.enter()

    @on(DestinationPanes.Turned)
    @on(Looked)
    def _look(self) -> None:
        self._offer()
        self.host.pull_soon()

    @on(Edited)
    @on(RowList.Highlighted)
    def _changed(self) -> None:
        self._offer()

    @on(SigningPane.Copied)
    def _copied(self, event: SigningPane.Copied) -> None:
        self.host.copy(event.value, event.what)

    @on(SigningPane.Tested)
    def _tested(self, event: SigningPane.Tested) -> None:
        saved = self.selected
        if saved is not None:
            tested = self_test(self, saved.name, verification_only=event.verification_only)
            self._testing = self.run_worker(tested, group="self-test", exclusive=True)

    # Actions

    async def action_tab(self, way: str) -> None:
        """Turn to a neighbouring tab."""
        is_inside = self._panes.has_focus_within
        await self._panes.turn(1 if way == "next" else -1)
        if is_inside:
            await self._panes.enter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters act in the list; nothing is offered that cannot be done."""
        if action not in ACTIONS and action != "sign":
            return True
        if not self._panes.is_mounted:
            return False
        in_list, panes = self._list.has_focus, self._panes
        match action:
            case "undo":
                return in_list and bool(self._deleted)
            case "save":
                return panes.is_changed
            case "sign":
                return self._can_sign(str(parameters[0]))
            case "back":
                return panes.is_changed or not in_list or self._is_testing()
            case "search" | "filter_details":
                # In a field the keys are text.
                is_typing = isinstance(self.focused, Input)
                return panes.tab == FILTER and self.selected is not None and not is_typing
            case "retry" | "cancel_delivery":
                return self._can(action)
            case "compare":
                return panes.tab == ATTEMPTS and not in_list and panes.attempts.chosen() is not None
            case "hurry":
                return self.selected is not None and bool(self._counts(self.selected.name).queued)
            case "mark" | "only_marked" | "redeliver":
                return panes.tab == ATTEMPTS and self.selected is not None and self._can_with_marks(action)
            case _ if action in _IN_LIST:
                return in_list and self.selected is not None and self.bridge.engine is not None
        return self.bridge.engine is not None

    def _can_sign(self, button: str) -> bool:
        destination = self.selected
        if destination is None or self.bridge.engine is None:
            return False
        has_secret = destination.secret is not None and destination.secret.value is not None
        return has_secret or button not in _OF_A_SECRET

    def _is_testing(self) -> bool:
        return self._testing is not None and self._testing.is_running

    def _can(self, action: str) -> bool:
        attempts = self._panes.attempts
        item = attempts.delivery() if self._panes.tab == ATTEMPTS and attempts.has_focus_within else None
        if item is None:
            return False
        if action == "retry":
            return item.can_be_due
        return item.state.is_open

    def _can_with_marks(self, action: str) -> bool:
        attempts = self._panes.attempts
        match action:
            case "mark":
                return attempts.has_focus_within and attempts.can_mark()
            case "only_marked":
                return attempts.is_mounted and attempts.can_show_marked()
        return bool(attempts.marked or (self.selected and self._counts(self.selected.name).failed))

    def action_back(self) -> None:
        """Cancel a test that runs, or the edits; without any, a step back."""
        panes = self._panes
        if self._testing is not None and self._is_testing():
            self._testing.cancel()
            panes.signing.give_up()
        elif panes.editor is not None and panes.is_changed:
            panes.editor.revert()
        elif panes.tab == ATTEMPTS and panes.attempts.back():
            self._look()
        else:
            self._list.focus()

    async def action_edit(self) -> None:
        """Go to the form."""
        await self._panes.open(DELIVERY)

    async def action_sign(self, button: str) -> None:
        """Go to the signing secret and press one of the buttons there."""
        await self._panes.open(SIGNING)
        self._panes.signing.press(button)

    async def action_filter(self) -> None:
        """Go to the filter."""
        await self._panes.open(FILTER)

    @on(DetailsLine.Pressed)
    def action_filter_details(self) -> None:
        """Ask for kinds, types, patterns, tiers and the sample of the filter that is shown."""
        editor = self._panes.filter_editor

        def use(made: Filter | None) -> None:
            if made is not None:
                editor.use(made)

        details = FilterDetails(editor.chosen())
        self.app.push_screen(details, use)
        self._offer_values(details)

    @work(group="offers", exclusive=True)
    async def _offer_values(self, details: FilterDetails) -> None:
        seen = await self.bridge.ask(lambda archive: archive.judged(_OFFERED))
        if details.is_attached:
            details.see(seen)

    def action_search(self) -> None:
        """Go to the search box."""
        self._panes.search()

    async def action_matrix(self) -> None:
        """Show what every filter said to what was seen last."""
        names = [item.name for item in self.host.config.destinations]
        judged = await self.bridge.ask(lambda archive: archive.matrix())
        self.app.push_screen(MatrixScreen(names, judged))

    @work(group="change", exclusive=True)
    async def action_send_change(self) -> None:
        """Ask for a config change and send it through the emulator."""
        self._change = await send_change(self, self._change)

    async def action_send_test(self) -> None:
        """Ask for an event and send it to the destination under the cursor alone."""
        if (saved := self.selected) is not None:
            await send_test(self, saved.name)

    async def action_retry(self) -> None:
        """Make the delivery under the cursor due."""
        item = self._panes.attempts.delivery()
        if item is None:
            return
        done = await self.bridge.do(lambda engine: engine.retry_now(item.id))
        waits = f", but waits: {held}" if (held := held_words(self._panes.held())) else ""
        number = tag("d", item.id)
        self.host.say(f"{number} is due now{waits}." if done else f"{number} is being sent, or has arrived.")

    async def action_cancel_delivery(self) -> None:
        """Give up the delivery under the cursor."""
        item = self._panes.attempts.delivery()
        if item is not None and await self.bridge.do(lambda engine: engine.cancel(item.id)):
            self.host.say(
                f"{tag('d', item.id)} is cancelled. {key('destinations.retry')} delivers it after all."
            )

    @work(group="compare", exclusive=True)
    async def action_compare(self) -> None:
        """Keep the attempt under the cursor; with another one kept, show what is different."""
        if (here := self._panes.attempts.chosen()) is not None:
            self._kept = await compare(self, self._kept, here, _attempt_name, _attempt_document)

    async def action_hurry(self) -> None:
        """End the waiting for next attempts at the destination under the cursor."""
        if (saved := self.selected) is not None:
            await hurry(self, saved.name, held_words(self._panes.held()))

    async def action_next_speed(self) -> None:
        """Let waiting go at the next speed."""
        await next_speed(self)

    def action_mark(self) -> None:
        """Mark the delivery under the cursor for redelivering, or mark it no longer."""
        self._panes.attempts.mark()
        self._offer()

    def action_only_marked(self) -> None:
        """Show only what is marked, or all again."""
        self._panes.attempts.only_marked()
        self._look()

    def action_redeliver(self) -> None:
        """Ask which, and make it due."""
        if (saved := self.selected) is not None:
            attempts = self._panes.attempts
            held = held_words(self._panes.held())
            asked = redeliver(self, saved.name, attempts.marked, attempts.minute, held)
            self.run_worker(asked, group="redeliver")


def _attempt_name(of: tuple[int, int]) -> str:
    return f"{tag('d', of[0])} attempt {of[1]}"


def _attempt_document(archive: Archive, of: tuple[int, int]) -> bytes | None:
    found = next((each for each in archive.attempts(of[0]) if each.number == of[1]), None)
    return as_document(found, archive.batch_body(of[0]) or b"") if found is not None else None
