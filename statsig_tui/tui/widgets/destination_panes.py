"""The tabs beside the list: everything there is to set and to see of one destination.

It knows which tab is shown, what is unsaved in it, and what it needs from the store.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static, TabbedContent, TabPane

from statsig_tui.core.config import ClientCert, Destination
from statsig_tui.core.event import Event
from statsig_tui.core.health import Health
from statsig_tui.core.judgements import DryRun
from statsig_tui.core.records import DestinationCounters
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.attempt_rows import OFF
from statsig_tui.tui.widgets.attempts import AttemptsPane
from statsig_tui.tui.widgets.destination_form import DestinationForm
from statsig_tui.tui.widgets.destination_text import follows_receiver
from statsig_tui.tui.widgets.editor import Edited, Editor
from statsig_tui.tui.widgets.filter_editor import FilterEditor, Trial
from statsig_tui.tui.widgets.overview import Overview
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


@dataclass(frozen=True, slots=True)
class Subject:
    """A destination and what has to be known beside it."""

    saved: Destination
    real_url: str
    """Where it really leads: the built-in one follows the receiver."""
    counts: DestinationCounters
    health: Health
    taken: Collection[str]
    """Names of the others."""
    emulator: str | None
    """Base URL that no destination may point at."""
    redact: Callable[[str], str]
    check_cert: Callable[[ClientCert], None] = lambda chosen: None
    """Raises Invalid where a client certificate's files cannot be used."""
    proxy: str | None = None
    """By which proxy it is reached, free of credentials."""
    probe_at: int | None = None
    """When it is tried again, while it is paused (epoch ms)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the shown tab got from the store."""

    seen: list[SeenEvent] | None
    view: View | None
    trial: tuple[Trial, DryRun] | None = None
    """The saved filter and the draft that were tried, and the outcome."""
    newest: tuple[str, Event | None] | None = None


class DestinationPanes(Vertical):
    """Overview, Event Filtering, Delivery, Signing and Attempts."""

    class Turned(Message):
        """Another tab is shown."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes=classes)
        self._subject: Subject | None = None
        self._counted = -1
        """Accepted events when the names were last read."""
        self._overview = Overview()
        self._filter = FilterEditor()
        self._form = DestinationForm()
        self._signing = SigningPane()
        self.attempts = AttemptsPane()
        self._unseen: dict[str, Widget] = {
            FILTER: self._filter,
            DELIVERY: self._form,
            SIGNING: self._signing,
            ATTEMPTS: self.attempts,
        }
        """What was not shown yet: each is mounted when it is."""

    def compose(self) -> ComposeResult:
        """The tabs, and what stands there without a destination."""
        adds, restores = key("destinations.new"), key("destinations.undo")
        words = f"{adds} adds a destination; {restores} in the list brings back a deleted one."
        yield Static(Content(f"Nothing is forwarded.\n\n{words}"), id="no-destination")
        with TabbedContent(initial=OVERVIEW):
            for tab, title in TABS.items():
                with TabPane(Content(title), id=tab):
                    if tab == OVERVIEW:
                        yield self._overview

    @property
    def tab(self) -> str:
        """The shown tab's id."""
        return self.query_one(TabbedContent).active

    async def _go(self, tab: str) -> None:
        unseen = self._unseen.pop(tab, None)
        if unseen is not None:
            await self.query_one(f"#{tab}", TabPane).mount(unseen)
        self.query_one(TabbedContent).active = tab

    @property
    def editor(self) -> Editor[Any] | None:
        """The shown tab's editor, if it has one."""
        return self._editors().get(self.tab)

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save in the shown tab."""
        editor = self.editor
        return editor is not None and editor.is_changed

    async def turn(self, by: int) -> None:
        """Show a neighbouring tab."""
        tabs = list(TABS)
        await self._go(tabs[(tabs.index(self.tab) + by) % len(tabs)])

    async def enter(self) -> None:
        """Go to the first thing in the shown tab."""
        await self._go(self.tab)
        pane = self.query_one(f"#{self.tab}", TabPane).children[0]
        (pane.first() if isinstance(pane, Editor | AttemptsPane) else pane).focus()

    async def open(self, tab: str) -> None:
        """Show a tab and go to the first thing in it."""
        await self._go(tab)
        await self.enter()

    def search(self) -> None:
        """Go to the search box of Event Filtering."""
        self._filter.search()

    @property
    def signing(self) -> SigningPane:
        """The pane of the secret, and of the endpoint's tests."""
        return self._signing

    @property
    def filter_editor(self) -> FilterEditor:
        """The Event Filtering tab."""
        return self._filter

    def rename(self, old: str, new: str) -> None:
        """The shown destination has another name now; its edits stay its own."""
        for editor in self._editors().values():
            editor.rename(old, new)
        self.attempts.renamed(new)

    # What is shown

    def show(self, subject: Subject | None) -> None:
        """Bring every tab to a destination."""
        self._subject = subject
        self.set_class(subject is None, "-empty")
        self.border_title = content(subject.saved.name) if subject is not None else Content()
        if subject is None:
            self.border_subtitle = Content()
            return
        form = self._form
        form.taken, form.emulator, form.real_url = subject.taken, subject.emulator, subject.real_url
        form.redact, form.check_cert, form.proxy = subject.redact, subject.check_cert, subject.proxy
        for editor in self._editors().values():
            editor.show(subject.saved)
        self.attempts.show(subject.saved.name, subject.redact)
        self.recount(subject)

    def recount(self, subject: Subject) -> None:
        """Take new totals of the shown destination."""
        self._subject = subject
        if self.tab == OVERVIEW:
            self._overview.show(
                subject.saved,
                subject.redact(subject.real_url),
                subject.counts,
                subject.health,
                follows=follows_receiver(subject.saved),
                probe_at=subject.probe_at,
                proxy=subject.proxy,
            )
        self.say_unsaved()

    def say_unsaved(self) -> None:
        """Mark the tabs that have edits, and say what to do about those of the shown one."""
        tabs = self.query_one(TabbedContent)
        for tab, editor in self._editors().items():
            label = Content.assemble(TABS[tab], (" •", theme.WARN) if editor.is_changed else "")
            if tabs.get_tab(tab).label != label:
                tabs.get_tab(tab).label = label
        is_unsaved = self.is_changed and self._subject is not None
        if is_unsaved != bool(self.border_subtitle):
            unsaved = Content.assemble(
                ("unsaved", theme.WARN),
                f" · {key('destinations.save')} save · {key('destinations.back')} cancel",
            )
            self.border_subtitle = unsaved if is_unsaved else Content()

    # From the store

    def question(self) -> Callable[[Archive, int], Found]:
        """What the shown tab asks, given how many events are accepted by now."""
        is_filter, counted = self.tab == FILTER and self._filter.is_ready, self._counted
        is_attempts = self.tab == ATTEMPTS and self.attempts.is_mounted
        attempts = self.attempts.question() if is_attempts else None
        due, wondered = (self._filter.trial(), self._filter.wondered()) if is_filter else (None, None)

        def ask(archive: Archive, events: int) -> Found:
            trial = due(events) if due is not None else None
            return Found(
                seen=archive.seen_events() if is_filter and events != counted else None,
                view=attempts(archive) if attempts is not None else None,
                trial=(trial, archive.dry_run(*trial)) if trial is not None else None,
                newest=(wondered, archive.newest_event(wondered)) if wondered is not None else None,
            )

        return ask

    def take(self, found: Found, events: int, curl: str) -> None:
        """Draw what was found; `curl` is what to try where there is nothing."""
        if found.seen is not None:
            self._counted = events
            self._filter.take({event.name: event.volume for event in found.seen}, curl)
        if found.trial is not None:
            of, tried = found.trial
            self._filter.take_trial(tried, of, events)
        if found.newest is not None:
            self._filter.take_newest(*found.newest)
        if found.view is not None:
            nothing = f"No event was judged for this destination yet.\n\n{curl}"
            self.attempts.take(found.view, Content.styled(nothing, theme.QUIET), self.held())

    def held(self) -> str:
        """What the shown destination is while it is sent nothing, in a word; empty: it is sent everything."""
        if self._subject is None or not self._subject.saved.enabled:
            return OFF
        if self._subject.counts.disabled is not None:
            return "disabled"
        return "paused" if self._subject.counts.paused is not None else ""

    @on(Edited)
    def _edited(self) -> None:
        self.say_unsaved()

    @on(TabbedContent.TabActivated)
    async def _activated(self) -> None:
        await self._go(self.tab)
        self._counted = -1
        self._filter.order()
        if self._subject is not None:
            self.recount(self._subject)
        self.post_message(self.Turned())

    def _editors(self) -> dict[str, Editor[Any]]:
        return {
            FILTER: self._filter,
            DELIVERY: self._form,
            SIGNING: self._signing,
        }
