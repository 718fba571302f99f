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

from statsig_tui.core.config import Destination
from statsig_tui.core.records import DestinationCounters
from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.attempts import AttemptsPane
from statsig_tui.tui.widgets.destination_form import DestinationForm
from statsig_tui.tui.widgets.destination_text import follows_receiver
from statsig_tui.tui.widgets.editor import Edited, Editor
from statsig_tui.tui.widgets.filter_editor import FilterEditor
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
_PANES: dict[str, Callable[[], Widget]] = {
    OVERVIEW: Overview,
    FILTER: FilterEditor,
    DELIVERY: DestinationForm,
    SIGNING: SigningPane,
    ATTEMPTS: AttemptsPane,
}
_NONE = "Nothing is forwarded.\n\nctrl+n adds a destination; u in the list brings back a deleted one."


@dataclass(frozen=True, slots=True)
class Subject:
    """A destination and what has to be known beside it."""

    saved: Destination
    real_url: str
    """Where it really leads: the built-in one follows the receiver."""
    counts: DestinationCounters
    taken: Collection[str]
    """Names of the others."""
    emulator: str | None
    """Base URL that no destination may point at."""
    redact: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Found:
    """What the shown tab got from the store."""

    seen: list[SeenEvent] | None
    view: View | None


class DestinationPanes(Vertical):
    """Overview, Event Filtering, Delivery, Signing and Attempts."""

    class Turned(Message):
        """Another tab is shown."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes=classes)
        self._subject: Subject | None = None
        self._counted = -1
        """Accepted events when the names were last read."""

    def compose(self) -> ComposeResult:
        """The tabs, and what stands there without a destination."""
        yield Static(_NONE, id="no-destination", markup=False)
        with TabbedContent(initial=OVERVIEW):
            for tab, title in TABS.items():
                with TabPane(Content(title), id=tab):
                    yield _PANES[tab]()

    @property
    def tab(self) -> str:
        """The shown tab's id."""
        return self.query_one(TabbedContent).active

    @tab.setter
    def tab(self, tab: str) -> None:
        self.query_one(TabbedContent).active = tab

    @property
    def attempts(self) -> AttemptsPane:
        """The Attempts tab."""
        return self.query_one(AttemptsPane)

    @property
    def editor(self) -> Editor[Any] | None:
        """The shown tab's editor, if it has one."""
        return self._editors().get(self.tab)

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save in the shown tab."""
        editor = self.editor
        return editor is not None and editor.is_changed

    def turn(self, by: int) -> None:
        """Show a neighbouring tab."""
        tabs = list(TABS)
        self.tab = tabs[(tabs.index(self.tab) + by) % len(tabs)]

    def enter(self) -> None:
        """Go to the first thing in the shown tab."""
        pane = self.query_one(f"#{self.tab}", TabPane).children[0]
        (pane.first() if isinstance(pane, Editor | AttemptsPane) else pane).focus()

    def open(self, tab: str) -> None:
        """Show a tab and go to the first thing in it."""
        self.tab = tab
        self.enter()

    def search(self) -> None:
        """Go to the search box of Event Filtering."""
        self.query_one(FilterEditor).search()

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
        form = self.query_one(DestinationForm)
        form.taken, form.emulator, form.real_url = subject.taken, subject.emulator, subject.real_url
        for editor in self._editors().values():
            editor.show(subject.saved)
        self.attempts.show(subject.saved.name, subject.redact)
        self.recount(subject)

    def recount(self, subject: Subject) -> None:
        """Take new totals of the shown destination."""
        self._subject = subject
        if self.tab == OVERVIEW:
            self.query_one(Overview).show(
                subject.saved,
                subject.redact(subject.real_url),
                subject.counts,
                follows=follows_receiver(subject.saved),
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
            unsaved = Content.assemble(("unsaved", theme.WARN), " · ctrl+s save · esc cancel")
            self.border_subtitle = unsaved if is_unsaved else Content()

    # From the store

    def question(self) -> Callable[[Archive, int], Found]:
        """What the shown tab asks, given how many events are accepted by now."""
        is_filter, counted = self.tab == FILTER, self._counted
        attempts = self.attempts.question() if self.tab == ATTEMPTS else None

        def ask(archive: Archive, events: int) -> Found:
            seen = archive.seen_events() if is_filter and events != counted else None
            return Found(seen, attempts(archive) if attempts is not None else None)

        return ask

    def take(self, found: Found, events: int, curl: str) -> None:
        """Draw what was found; `curl` is what to try where there is nothing."""
        if found.seen is not None:
            self._counted = events
            self.query_one(FilterEditor).take({event.name: event.volume for event in found.seen}, curl)
        if found.view is not None:
            nothing = f"No event was judged for this destination yet.\n\n{curl}"
            self.attempts.take(found.view, Content.styled(nothing, theme.QUIET), self.held())

    def held(self) -> str:
        """Why the shown destination is sent nothing; empty: it is."""
        if self._subject is None or not self._subject.saved.enabled:
            return "the destination is off"
        return "the destination is disabled" if self._subject.counts.disabled is not None else ""

    @on(Edited)
    def _edited(self) -> None:
        self.say_unsaved()

    @on(TabbedContent.TabActivated)
    def _activated(self) -> None:
        self._counted = -1
        self.query_one(FilterEditor).order()
        if self._subject is not None:
            self.recount(self._subject)
        self.post_message(self.Turned())

    def _editors(self) -> dict[str, Editor[Any]]:
        return {
            FILTER: self.query_one(FilterEditor),
            DELIVERY: self.query_one(DestinationForm),
            SIGNING: self.query_one(SigningPane),
        }
