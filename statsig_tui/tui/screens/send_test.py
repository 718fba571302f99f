"""Send Test Event: one event to one destination, from what was seen or from a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from statsig_tui.core import draft, incoming, jsontext, template
from statsig_tui.core.library import Template, built_in
from statsig_tui.engine.sources import real_sources
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.fields import Tick

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive


@dataclass(frozen=True, slots=True)
class TestEvent:
    """What is to be sent: the newest event of a name, or a template's."""

    seen: str | None
    template: Template | None
    filtered: bool
    """Whether the destination's filter is asked."""


class SendTestDialog(Dialog[TestEvent | None]):
    """The names that were seen first, then every class of event; the filter is asked, or not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("f", "turn", "Filter"),
    ]
    DEFAULT_CSS = """
    SendTestDialog OptionList {
        height: auto;
        max-height: 18;
        margin: 1 0 0 0;
    }
    """
    AUTO_FOCUS = "OptionList"

    def __init__(self, destination: str, seen: Sequence[str]) -> None:
        super().__init__()
        self._destination = destination
        self._seen = list(seen)
        group = built_in()[0].group
        self._templates = [item for item in built_in() if item.group == group]

    def compose(self) -> ComposeResult:
        """The switch, and the list."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content.assemble("Send Test Event to ", content(self._destination))
            box.border_subtitle = "enter sends · f filter · esc cancels"
            yield Tick(Content("Through the filter"), is_switch=True, gutter=0, id="filtered")
            yield OptionList(
                *(
                    Option(
                        Content.assemble(content(name, theme.STRONG), ("  the newest one seen", theme.QUIET))
                    )
                    for name in self._seen
                ),
                *(
                    Option(Content.assemble((item.name, theme.STRONG), (f"  {item.about}", theme.QUIET)))
                    for item in self._templates
                ),
                markup=False,
            )

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        filtered = bool(self.query_one("#filtered", Tick).value)
        at = event.option_index
        if at < len(self._seen):
            self.dismiss(TestEvent(self._seen[at], None, filtered))
        else:
            self.dismiss(TestEvent(None, self._templates[at - len(self._seen)], filtered))

    def action_turn(self) -> None:
        """Ask the filter, or not."""
        self.query_one("#filtered", Tick).action_check()

    def action_cancel(self) -> None:
        """Send nothing."""
        self.dismiss(None)


async def send_test(screen: ModeScreen, destination: str) -> None:
    """Ask for an event and send it to one destination."""
    seen = await screen.bridge.ask(lambda archive: [event.name for event in archive.seen_events()][:20])

    def chosen(test: TestEvent | None) -> None:
        if test is not None:
            screen.run_worker(_send(screen, destination, test), group="send-test")

    screen.app.push_screen(SendTestDialog(destination, seen), chosen)


async def _send(screen: ModeScreen, destination: str, test: TestEvent) -> None:
    raw = await screen.bridge.ask(lambda archive: _raw_of(test, archive))
    if raw is None:
        screen.host.say("That event was forgotten since; choose another one.")
        return
    trace = await screen.bridge.do(
        lambda engine: engine.send_test(
            destination, raw, filtered=test.filtered, renewed=test.template is None
        )
    )
    found = await screen.bridge.ask(lambda archive: archive.trace(trace))
    verdict = found.verdicts[0] if found is not None and found.verdicts else None
    if verdict is not None and not verdict.forwarded:
        screen.host.say(f"Filtered: {verdict.clause}. Nothing was sent to {destination}.")
    else:
        way = "through the filter" if test.filtered else "past the filter"
        screen.host.say(f"Test event queued for {destination}, {way}: {trace}.")


def _raw_of(test: TestEvent, archive: Archive) -> bytes | None:
    """The event's bytes as they go out; None where it is no longer kept."""
    if test.template is None:
        event = archive.newest_event(test.seen or "")
        return event.raw if event is not None else None
    sources = real_sources(1, test.template.variables)
    body = draft.encode(draft.resolved(template.render(test.template.text, sources), sources.now))
    return incoming.to_event(body, jsontext.parse(body), now=sources.now, time_uuid="test").raw
