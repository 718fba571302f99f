"""Jump: one dialog that finds screens, destinations, templates, what was sent, and whatever has an id.

It says where to go; the screens know how to show it. Commands are the palette's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from statsig_tui.core.config import Destination
from statsig_tui.core.ids import is_trace, numbered, tag
from statsig_tui.core.library import Template, built_in
from statsig_tui.core.places import Place, fitting
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, SentRecord
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.times import clock
from statsig_tui.tui.widgets.at_once import LineInput

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

Goal = str | Destination | Template | SentRecord | CaptureRecord | DeliveryRecord
"""A screen's mode, or what is to be shown."""
_SCREENS = (
    ("compose", "Compose", "craft and send an event"),
    ("destinations", "Destinations", "filters and deliveries"),
    ("live", "Live", "what the receiver gets"),
)
_SENT = 500
"""Newest sent events that are found by their names."""
_SHOWN = 50
_KIND = 13
_NAME = 28


class JumpDialog(Dialog[Goal | None]):
    """Finds as one types; dismissed with what to show, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(
        self, bridge: Bridge, destinations: Sequence[Destination], saved: Sequence[Template]
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._places: list[Place[Goal]] = [
            Place("screen", name, about, mode) for mode, name, about in _SCREENS
        ]
        self._places += [Place("destination", item.name, item.url, item) for item in destinations]
        self._places += [Place("saved", item.name, item.group, item) for item in saved]
        self._places += [Place("template", item.name, item.group, item) for item in built_in()]
        self._by_id: list[Place[Goal]] = []
        self._shown: list[Place[Goal]] = []
        self._submitted = ""
        """What was entered before it was looked up."""

    def compose(self) -> ComposeResult:
        """The line that is typed in, over what fits."""
        with Vertical(classes="dialog", id="jump") as box:
            box.border_title = Content("Jump")
            box.border_subtitle = "enter goes there · esc cancels"
            line = LineInput(placeholder="a name, or an id: c57  #57  d7  e12  t…", compact=True)
            yield line
            yield OptionList(markup=False, compact=True)

    def on_mount(self) -> None:
        """Show where one can go; what was sent joins when the store has answered."""
        self._fill()
        self._load()

    @work(group="sent", exit_on_error=False)
    async def _load(self) -> None:
        try:
            sent = await self._bridge.ask(lambda archive: archive.sent(_SENT))
        except StatsigTuiError:
            return  # whoever looks for an id is told below
        self._places += [
            Place("sent", item.event_name or "(no name)", f"{tag('s', item.id)} {clock(item.at)}", item)
            for item in sent
        ]
        if self.is_mounted:
            self._fill()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._by_id, self._submitted = [], ""
        self._fill()
        self._look_up(event.value)

    @work(group="ids", exclusive=True, exit_on_error=False)
    async def _look_up(self, text: str) -> None:
        wanted = _id(text)
        if not wanted or self._bridge.engine is None:
            return
        try:
            found = await self._bridge.ask(lambda archive: list(_stored(archive, wanted)))
        except StatsigTuiError as error:
            self.query_one("#jump").border_subtitle = content(error.message, theme.BAD)
            return
        if not self.is_mounted or self.query_one(Input).value != text:
            return
        self._by_id = found
        self._fill()
        if self._submitted == text and found:
            self.dismiss(found[0].goal)

    def _fill(self) -> None:
        text = self.query_one(Input).value
        self._shown = [*self._by_id, *fitting(self._places, text, _SHOWN)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_line(place)) for place in self._shown])
        if self._shown:
            options.highlighted = 0
        else:
            words = "Nothing has this id." if _id(text) else "Nothing fits."
            options.add_option(Option(Content.styled(words, theme.QUIET), disabled=True))

    def on_key(self, event: events.Key) -> None:
        """The arrows choose while the line keeps what is typed."""
        if event.key in ("up", "down") and self.query_one(Input).has_focus:
            event.stop()
            event.prevent_default()
            options = self.query_one(OptionList)
            if event.key == "up":
                options.action_cursor_up()
            else:
                options.action_cursor_down()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        at = self.query_one(OptionList).highlighted
        if self._shown and at is not None:
            self.dismiss(self._shown[at].goal)
        else:
            self._submitted = event.value

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if self._shown:
            self.dismiss(self._shown[event.option_index].goal)


def _id(text: str) -> str:
    """The id that a text is, `c57` for `#57`; empty where it is none."""
    text = text.strip()
    if text.removeprefix("#").isascii() and text.removeprefix("#").isdigit():
        return tag("c", int(text.removeprefix("#")[:18]))
    return text if is_trace(text) or numbered(text) is not None else ""


def _stored(archive: Archive, wanted: str) -> Iterator[Place[Goal]]:
    """What an id stands for; of an event or a trace, where it went."""
    found = numbered(wanted)
    if found is not None and found[0] != "e":
        stored = archive.found(*found)
    else:
        trace = archive.trace(wanted)
        stored = [*trace.captures, *trace.deliveries, *trace.sent] if trace is not None else []
    for item in stored:
        match item:
            case CaptureRecord():
                yield Place("capture", tag("c", item.id), f"{clock(item.at)}  {item.path}", item)
            case DeliveryRecord():
                about = f"{clock(item.created)}  {item.destination}, {item.state}"
                yield Place("delivery", tag("d", item.id), about, item)
            case SentRecord():
                yield Place("sent", item.event_name, f"{tag('s', item.id)} {clock(item.at)}", item)


def _line(place: Place[Goal]) -> Content:
    name = fit(place.name, _NAME)
    padded = name + " " * max(0, _NAME - Content(name).cell_length)
    return Content.assemble(
        (f"{place.kind:<{_KIND}}", theme.QUIET),
        content(padded, theme.STRONG),
        "  ",
        content(fit(place.about, 40), theme.QUIET),
    )
