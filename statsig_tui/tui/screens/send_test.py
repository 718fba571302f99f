"""Send Test Event: one event to one destination, from what was seen lately or from a template."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from statsig_tui.core import incoming, jsontext
from statsig_tui.core.library import Template, built_in
from statsig_tui.core.places import Place, fitting
from statsig_tui.core.template import Unresolved
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.screens.outgoing import Renderer
from statsig_tui.tui.screens.questions import PromptDialog
from statsig_tui.tui.text import column, content, fit
from statsig_tui.tui.widgets.fields import SearchInput, Tick

if TYPE_CHECKING:
    from statsig_tui.engine.archive import SeenEvent

_LATEST = 1_000
"""Names of events that are offered, those seen last."""
_SHOWN, _UNSEARCHED = 100, 30
"""Lines at the most, and of what was seen before anything is searched: the templates stay in reach."""
_KIND, _NAME, _ABOUT = 10, 26, 32


@dataclass(frozen=True, slots=True)
class TestEvent:
    """What is to be sent: the newest event of a name, or a template's."""

    event: str | Template
    filtered: bool
    """Whether the destination's filter is asked."""


class _Events(OptionList):
    """A click only chooses: what is clicked in passing must not be sent."""

    async def _on_click(self, event: events.Click) -> None:
        event.prevent_default()
        clicked = event.style.meta.get("option")
        if clicked is None or self.get_option_at_index(clicked).disabled:
            return
        self.highlighted = clicked
        if event.chain == 2:
            self.action_select()


class SendTestDialog(Dialog[TestEvent | None]):
    """What was seen last, own templates, then every class of event; the filter is asked, or not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("f", "turn", "Filter"),
        Binding("slash", "search", "Search"),
    ]
    DEFAULT_CSS = """
    SendTestDialog {
        #test-search {
            margin: 1 0 0 0;
        }
        OptionList {
            height: auto;
            max-height: 1fr;
        }
    }
    """
    AUTO_FOCUS = "OptionList"

    def __init__(self, destination: str, seen: Sequence[SeenEvent], saved: Sequence[Template]) -> None:
        super().__init__()
        self._destination = destination
        group = built_in()[0].group
        self._seen: list[Place[str | Template]] = [
            Place("seen", item.name, f"the newest of {item.volume:,}", item.name) for item in seen
        ]
        self._templates: list[Place[str | Template]] = [
            Place("saved", item.name, item.about, item) for item in saved
        ]
        self._templates += [
            Place("template", item.name, item.about, item) for item in built_in() if item.group == group
        ]
        self._shown: list[Place[str | Template]] = []

    def compose(self) -> ComposeResult:
        """The switch, the search, and the list."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content.assemble("Send Test Event to ", content(self._destination))
            box.border_subtitle = "enter or double click sends · / search · f filter · esc cancels"
            way = Content.assemble("Through the filter", ("   off: past it, whatever it says", theme.QUIET))
            yield Tick(way, is_switch=True, gutter=0, id="filtered")
            with Horizontal(id="test-search", classes="search-row"):
                yield Static("/", markup=False)
                yield SearchInput(placeholder="search events and templates", compact=True)
            yield _Events(markup=False, compact=True)

    def on_mount(self) -> None:
        """Offer all there is."""
        self._fill("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)

    def _fill(self, text: str) -> None:
        every = [*self._seen, *self._templates]
        found = fitting(every, text, len(every))
        self._shown = found[:_SHOWN] if text.strip() else [*self._seen[:_UNSEARCHED], *self._templates]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_line(place)) for place in self._shown])
        more = len(found) - len(self._shown)
        if more or not found:
            words = f"{more:,} more: / finds them" if more else "Nothing fits."
            options.add_option(Option(Content.styled(words, theme.QUIET), disabled=True))
        if found:
            options.highlighted = 0

    @on(Input.Submitted)
    @on(SearchInput.Left)
    def _to_list(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        filtered = bool(self.query_one("#filtered", Tick).value)
        self.dismiss(TestEvent(self._shown[event.option_index].goal, filtered))

    def action_turn(self) -> None:
        """Ask the filter, or not."""
        self.query_one("#filtered", Tick).action_check()

    def action_search(self) -> None:
        """Go to the search box."""
        self.query_one(SearchInput).focus()

    def action_cancel(self) -> None:
        """Send nothing."""
        self.dismiss(None)


def _line(place: Place[str | Template]) -> Content:
    return Content.assemble(
        (f"{place.kind:<{_KIND}}", theme.QUIET),
        (column(place.name, _NAME), theme.STRONG),
        (fit(place.about, _ABOUT), theme.QUIET),
    )


async def send_test(screen: ModeScreen, destination: str) -> None:
    """Ask for an event and send it to one destination."""
    seen = await screen.bridge.ask(lambda archive: archive.latest_events(_LATEST))
    saved: Sequence[Template] = ()
    if (shelf := screen.host.shelf) is not None:
        try:
            saved = (await asyncio.to_thread(shelf.load)).templates
        except StatsigTuiError as error:
            screen.host.tell(error)

    def chosen(test: TestEvent | None) -> None:
        if test is not None:
            screen.run_worker(_send(screen, destination, test), group="send-test")

    screen.app.push_screen(SendTestDialog(destination, seen, saved), chosen)


async def _send(screen: ModeScreen, destination: str, test: TestEvent) -> None:
    is_seen = isinstance(test.event, str)
    raw = await (_newest(screen, test.event) if isinstance(test.event, str) else _made(screen, test.event))
    if raw is None:
        return
    trace = await screen.bridge.do(
        lambda engine: engine.send_test(destination, raw, filtered=test.filtered, renewed=is_seen)
    )
    found = await screen.bridge.ask(lambda archive: archive.trace(trace))
    verdict = found.verdicts[0] if found is not None and found.verdicts else None
    if verdict is not None and not verdict.forwarded:
        screen.host.say(f"Filtered: {verdict.clause}. Nothing was sent to {destination}.")
    else:
        way = "through the filter" if test.filtered else "past the filter"
        screen.host.say(f"Test event queued for {destination}, {way}: {trace}.")


async def _newest(screen: ModeScreen, name: str) -> bytes | None:
    event = await screen.bridge.ask(lambda archive: archive.newest_event(name))
    if event is None:
        screen.host.say("That event was forgotten since; choose another one.")
    return event.raw if event is not None else None


async def _made(screen: ModeScreen, chosen: Template) -> bytes | None:
    """The event of a template as it goes out; None, and said why, where it makes none."""

    async def ask(labels: Sequence[str], answers: Mapping[str, str]) -> Mapping[str, str] | None:
        return await screen.app.push_screen_wait(PromptDialog(labels, answers))

    renderer = Renderer()
    try:
        made = await renderer.render(chosen.text, chosen, ask)
        body = jsontext.parse(made.body) if made is not None else None
    except (Unresolved, jsontext.JsonError) as error:
        screen.host.say(f"Not sent: {error}.")
        return None
    if made is None:
        screen.host.say("Not sent.")
        return None
    if not isinstance(body, dict):
        screen.host.say(f"Not sent: {chosen.name} is not one event but a batch, or something else.")
        return None
    now = renderer.sources(chosen).now
    return incoming.to_event(made.body, body, now=now, time_uuid="test").raw
