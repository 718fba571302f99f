"""Destinations: the list of webhook URLs, and of the one under the cursor all there is to set and to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static, TabbedContent, TabPane

from statsig_tui.core.config import Destination
from statsig_tui.core.destination import Invalid
from statsig_tui.core.ids import tag
from statsig_tui.core.records import Counters, DeliveryState, DestinationCounters
from statsig_tui.tui import theme
from statsig_tui.tui.commands import bindings
from statsig_tui.tui.screens.dialogs import NewDestination
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content, printable
from statsig_tui.tui.widgets.attempts import AttemptsPane
from statsig_tui.tui.widgets.destination_form import DestinationForm
from statsig_tui.tui.widgets.destination_list import DestinationList, card
from statsig_tui.tui.widgets.destination_text import follows_receiver
from statsig_tui.tui.widgets.editor import Edited, Editor, Looked
from statsig_tui.tui.widgets.filter_editor import FilterEditor
from statsig_tui.tui.widgets.overview import Overview
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.signing import SigningPane

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive, SeenEvent
    from statsig_tui.tui.widgets.attempts import View

OVERVIEW, FILTER, DELIVERY, SIGNING, ATTEMPTS = (
    "tab-overview", "tab-filter", "tab-delivery", "tab-signing", "tab-attempts",
)  # fmt: skip
TABS = {
    OVERVIEW: "Overview",
    FILTER: "Event Filtering",
    DELIVERY: "Delivery",
    SIGNING: "Signing",
    ATTEMPTS: "Attempts",
}
_IN_LIST = frozenset({"edit", "toggle_enabled", "filter", "delete"})


class DestinationsScreen(ModeScreen):
    """The list takes the letters; enter goes to the tab beside it, escape back."""

    MODE = "destinations"
    BINDINGS: ClassVar[list[BindingType]] = bindings("destinations")

    def __init__(self) -> None:
        super().__init__()
        self._counters = Counters()
        self._deleted: list[tuple[Destination, int]] = []
        """What undo brings back, and where it was."""
        self._counted_events = -1
        """Accepted events when the names were last read."""

    def body(self) -> Iterable[Widget]:
        """List and tabs."""
        with Container(id="destinations", classes="mode-body"):
            yield DestinationList(id="destination-list", classes="pane")
            with Vertical(id="destination", classes="pane"):
                yield Static("", id="no-destination", markup=False)
                with TabbedContent(initial=OVERVIEW):
                    for tab, title in TABS.items():
                        with TabPane(title, id=tab):
                            yield self._pane(tab)

    @staticmethod
    def _pane(tab: str) -> Widget:
        panes: dict[str, Callable[[], Widget]] = {
            OVERVIEW: Overview, FILTER: FilterEditor, DELIVERY: DestinationForm, SIGNING: SigningPane,
        }  # fmt: skip
        return panes.get(tab, AttemptsPane)()

    def on_mount(self) -> None:
        """The list takes the keys."""
        self._list.empty = Content.styled("No destination. ctrl+n adds one.", theme.QUIET)
        nothing = (
            "Nothing is forwarded.\n\nctrl+n adds a destination; u in the list brings back a deleted one."
        )
        self.query_one("#no-destination", Static).update(Content(nothing))
        self._list.focus()
        self.config_changed()

    # What is shown

    @property
    def _list(self) -> DestinationList:
        return self.query_one(DestinationList)

    @property
    def _tab(self) -> str:
        return self.query_one(TabbedContent).active

    @property
    def selected(self) -> Destination | None:
        """The destination under the cursor, as the settings have it."""
        name = self._list.selected
        return self.host.config.destination(name) if name is not None else None

    def destinations(self) -> tuple[Destination, ...]:
        """All of them, the built-in one at its real address."""
        engine = self.bridge.engine
        return engine.destinations() if engine is not None else self.host.config.destinations

    def config_changed(self) -> None:
        """Destinations may have come, gone or changed."""
        if not self.is_mounted and not self.query(DestinationList):
            return
        self._show_list()
        self._show_selected()

    async def pull(self) -> None:
        """Read the totals and what the shown tab needs, at one go."""
        counted, is_filter = self._counted_events, self._tab == FILTER
        attempts = self.query_one(AttemptsPane)
        question = attempts.question() if self._tab == ATTEMPTS else None

        def look(archive: Archive) -> tuple[Counters, list[SeenEvent] | None, View | None]:
            counters = archive.counters()
            seen = archive.seen_events() if is_filter and counters.events != counted else None
            return counters, seen, question(archive) if question is not None else None

        self._counters, seen, view = await self.bridge.ask(look)
        self._show_list()
        self._show_overview()
        if seen is not None:
            self._counted_events = self._counters.events
            self.query_one(FilterEditor).take({event.name: event.volume for event in seen}, self._curl())
        if view is not None:
            attempts.take(view, self._nothing_delivered(), self._held())
        self.refresh_bindings()

    def _show_list(self) -> None:
        items = self.destinations()
        self._list.show([card(item, self._counts(item.name)) for item in items])
        self._list.border_title = Content(f"Destinations  {len(items)}")
        self.query_one("#destination").set_class(not items, "-empty")

    def _show_selected(self) -> None:
        """Bring every tab to the destination under the cursor."""
        saved = self.selected
        pane = self.query_one("#destination")
        pane.border_title = content(saved.name) if saved is not None else Content()
        if saved is None:
            pane.border_subtitle = Content()
            return
        engine = self.bridge.engine
        form = self.query_one(DestinationForm)
        form.taken = [item.name for item in self.host.config.destinations if item.name != saved.name]
        form.emulator = engine.addresses.emulator if engine is not None else None
        form.real_url = next((item.url for item in self.destinations() if item.name == saved.name), saved.url)
        for editor in self._editors().values():
            editor.show(saved)
        self.query_one(AttemptsPane).show(saved.name, engine.redact if engine is not None else str)
        self._show_overview()
        self._say_unsaved()

    def _show_overview(self) -> None:
        saved = self.selected
        if saved is None or self._tab != OVERVIEW:
            return
        real = next((item for item in self.destinations() if item.name == saved.name), saved)
        self.query_one(Overview).show(real, self._counts(saved.name), follows=follows_receiver(saved))

    def _counts(self, name: str) -> DestinationCounters:
        return self._counters.destinations.get(name, DestinationCounters())

    def _editors(self) -> dict[str, Editor[Any]]:
        return {
            FILTER: self.query_one(FilterEditor),
            DELIVERY: self.query_one(DestinationForm),
            SIGNING: self.query_one(SigningPane),
        }

    def _editor(self) -> Editor[Any] | None:
        """The shown tab's editor, if it has one."""
        return self._editors().get(self._tab)

    def _say_unsaved(self) -> None:
        editors = self._editors()
        tabs = self.query_one(TabbedContent)
        for tab, editor in editors.items():
            label = Content.assemble(TABS[tab], (" •", theme.WARN) if editor.is_changed else "")
            if tabs.get_tab(tab).label != label:
                tabs.get_tab(tab).label = label
        shown = editors.get(self._tab)
        unsaved = Content.assemble(("unsaved", theme.WARN), " · ctrl+s save · esc cancel")
        self.query_one("#destination").border_subtitle = (
            unsaved if shown is not None and shown.is_changed else Content()
        )
        self.refresh_bindings()

    def _curl(self) -> str:
        engine = self.bridge.engine
        base = engine.addresses.emulator if engine is not None else None
        if base is None:
            return ""
        return (
            f"curl -H 'STATSIG-API-KEY: secret-x' {base}/v1/webhooks/event_webhook \\\n"
            """  -d '{"user":{"userID":"u"},"event":"hello"}'"""
        )

    def _held(self) -> str:
        """Why the shown destination is sent nothing; empty: it is."""
        saved = self.selected
        if saved is None or not saved.enabled:
            return "the destination is off"
        return "the destination is disabled" if self._counts(saved.name).disabled is not None else ""

    def _nothing_delivered(self) -> Content:
        return Content.styled(f"No event was judged for this destination yet.\n\n{self._curl()}", theme.QUIET)

    # What the panes tell

    @on(DestinationList.Highlighted)
    def _highlighted(self) -> None:
        self._show_selected()
        self.host.pull_soon()

    @on(DestinationList.Turned)
    def _turned(self, event: DestinationList.Turned) -> None:
        tabs = list(TABS)
        self._show_tab(tabs[(tabs.index(self._tab) + event.by) % len(tabs)])

    @on(DestinationList.Opened)
    def _enter(self) -> None:
        pane = self.query_one(f"#{self._tab}", TabPane)
        shown = pane.children[0]
        target = shown.first() if isinstance(shown, Editor | AttemptsPane) else shown
        target.focus()

    @on(TabbedContent.TabActivated)
    def _activated(self) -> None:
        self.query_one(FilterEditor).order()
        self._show_overview()
        self._say_unsaved()
        self._look()

    @on(Edited)
    def _edited(self) -> None:
        self._say_unsaved()

    @on(Looked)
    def _look(self) -> None:
        self._counted_events = -1
        self.host.pull_soon()

    @on(RowList.Highlighted)
    def _row(self) -> None:
        self.refresh_bindings()

    @on(SigningPane.Copied)
    def _copied(self, event: SigningPane.Copied) -> None:
        self.host.copy_to_clipboard(event.value)
        self.host.say("Copied the signing secret by the terminal (OSC 52).")

    def _show_tab(self, tab: str) -> None:
        self.query_one(TabbedContent).active = tab

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters act in the list; nothing is offered that cannot be done."""
        if not self.query(DestinationList):
            return False
        in_list = self._list.has_focus
        editor = self._editor()
        is_changed = editor is not None and editor.is_changed
        if action in _IN_LIST:
            return in_list and self.selected is not None and self.bridge.engine is not None
        if action == "undo":
            return in_list and bool(self._deleted)
        if action == "save":
            return is_changed
        if action == "back":
            return is_changed or not in_list
        if action == "search":
            return self._tab == FILTER and self.selected is not None
        if action in ("retry", "cancel_delivery"):
            return self._can(action)
        return action != "new" or self.bridge.engine is not None

    def _can(self, action: str) -> bool:
        attempts = self.query_one(AttemptsPane)
        item = attempts.delivery() if self._tab == ATTEMPTS and attempts.has_focus_within else None
        if item is None:
            return False
        if action == "retry":
            return item.state not in (DeliveryState.SENDING, DeliveryState.DELIVERED)
        return item.state.is_open

    def action_back(self) -> None:
        """Cancel the edits; without any, a step back."""
        editor = self._editor()
        if editor is not None and editor.is_changed:
            editor.revert()
        elif self._tab == ATTEMPTS and self.query_one(AttemptsPane).back():
            self._look()
        else:
            self._list.focus()

    def action_edit(self) -> None:
        """Go to the form."""
        self._show_tab(DELIVERY)
        self.query_one(DestinationForm).first().focus()

    def action_filter(self) -> None:
        """Go to the filter."""
        self._show_tab(FILTER)
        self.query_one(FilterEditor).first().focus()

    def action_search(self) -> None:
        """Go to the search box."""
        self.query_one(FilterEditor).search()

    async def action_save(self) -> None:
        """Use the shown tab's edits."""
        editor, saved = self._editor(), self.selected
        if editor is None or saved is None:
            return
        try:
            made = editor.edited(saved)
        except Invalid:
            return
        is_renamed = made.name != saved.name
        if is_renamed:
            self._rename(saved.name, made.name)
        destinations = [made if item is saved else item for item in self.host.config.destinations]
        if await self._use(destinations, renamed=(saved.name, made.name) if is_renamed else None):
            editor.forget(made.name)
            editor.draw()
            self._say_unsaved()
            self.host.say(f"Saved {printable(made.name)}.")
        elif is_renamed:
            self._rename(made.name, saved.name)

    async def action_toggle_enabled(self) -> None:
        """On or off; one that a 410 disabled takes deliveries again."""
        saved, engine = self.selected, self.bridge.engine
        if saved is None or engine is None:
            return
        if saved.enabled and engine.disabled(saved.name) is not None:
            await self.bridge.do(lambda engine: engine.resume(saved.name))
            self.host.say(f"{saved.name} takes deliveries again.")
            self.host.pull_soon()
            return
        turned = replace(saved, enabled=not saved.enabled)
        await self._use([turned if item is saved else item for item in self.host.config.destinations])

    async def action_delete(self) -> None:
        """Delete at once; undo brings it back with what waited for it."""
        saved, at = self.selected, self._list.index
        if saved is None:
            return
        if await self._use([item for item in self.host.config.destinations if item is not saved]):
            self._deleted.append((saved, at))
            self.host.say(f"Deleted {saved.name}. u brings it back, and what waited for it.")
            self.refresh_bindings()

    async def action_undo(self) -> None:
        """Bring back what was deleted last."""
        if not self._deleted:
            return
        lost, at = self._deleted[-1]
        if self.host.config.destination(lost.name) is not None:
            self.host.say(f"Another destination is called {lost.name} now; rename that one first.")
            return
        destinations = list(self.host.config.destinations)
        destinations.insert(at, lost)
        if await self._use(destinations):
            self._deleted.pop()
            self._list.select(at)
            self.refresh_bindings()

    def action_new(self) -> None:
        """Ask for a new destination."""
        engine = self.bridge.engine
        taken = [item.name for item in self.host.config.destinations]
        emulator = engine.addresses.emulator if engine is not None else None
        self.app.push_screen(NewDestination(self._add, taken, emulator))

    async def action_retry(self) -> None:
        """Make the delivery under the cursor due."""
        item = self.query_one(AttemptsPane).delivery()
        if item is None:
            return
        done = await self.bridge.do(lambda engine: engine.retry_now(item.id))
        waits = f", but waits: {held}" if (held := self._held()) else ""
        number = tag("d", item.id)
        self.host.say(f"{number} is due now{waits}." if done else f"{number} is being sent, or has arrived.")

    async def action_cancel_delivery(self) -> None:
        """Give up the delivery under the cursor."""
        item = self.query_one(AttemptsPane).delivery()
        if item is not None and await self.bridge.do(lambda engine: engine.cancel(item.id)):
            self.host.say(f"{tag('d', item.id)} is cancelled. r delivers it after all.")

    async def _add(self, made: Destination) -> bool:
        done = await self._use([*self.host.config.destinations, made])
        if done:
            self._list.select(len(self.host.config.destinations) - 1)
        return done

    async def _use(
        self, destinations: Iterable[Destination], *, renamed: tuple[str, str] | None = None
    ) -> bool:
        config = replace(self.host.config, destinations=tuple(destinations))
        return await self.host.change(config, renamed=renamed)

    def _rename(self, old: str, new: str) -> None:
        for editor in self._editors().values():
            editor.rename(old, new)
        self.query_one(AttemptsPane).renamed(new)
