"""Redeliver what has failed: the question since when, with the numbers beside each answer, and the doing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.attempt_rows import MINUTE, minute

_HOUR = 3_600_000
_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """Deliveries of a time, and what of them has failed."""

    words: str
    since: int
    until: int
    deliveries: int = 0
    events: int = 0


class RedeliverDialog(Dialog[Span | None]):
    """Spans of time with their numbers; dismissed with one, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, destination: str, spans: Sequence[Span]) -> None:
        super().__init__()
        self._destination = destination
        self._spans = spans

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Redeliver what has failed")
            box.border_subtitle = "enter makes them due now · esc cancels"
            yield Static(Content.assemble("To ", content(self._destination, theme.STRONG), "."))
            yield OptionList(*(Option(_line(span)) for span in self._spans), markup=False)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._spans[event.option_index])


async def redeliver(screen: ModeScreen, destination: str, at: int | None, held: str) -> None:
    """Ask since when, and make that due; `at` is the minute that is looked at, `held` why it may wait."""
    now = time.time_ns() // 1_000_000
    spans = [Span("the last hour", now - _HOUR, _EVER), Span("the last day", now - 24 * _HOUR, _EVER)]
    if at is not None:
        shown = minute(at, now)
        spans[:0] = [Span(f"{shown} alone", at, at + MINUTE), Span(f"{shown} and later", at, _EVER)]
    spans.append(Span("everything", 0, _EVER))
    try:
        counted = await screen.bridge.ask(
            lambda archive: [
                Span(span.words, span.since, span.until, *archive.failed(destination, span.since, span.until))
                for span in spans
            ]
        )
        failing = [span for span in counted if span.deliveries]
        if not failing:
            screen.host.say("Nothing of this destination has failed.")
            return
        chosen = await screen.app.push_screen_wait(RedeliverDialog(destination, failing))
        if not isinstance(chosen, Span):
            return
        count = await screen.bridge.do(
            lambda engine: engine.redeliver(destination, chosen.since, chosen.until)
        )
    except StatsigTuiError as error:
        screen.host.tell(error)
        return
    waits = f", but waits: {held}" if held else ""
    screen.host.say(f"{_number(count, 'delivery', 'deliveries')} due now{waits}.")


def _line(span: Span) -> Content:
    deliveries = _number(span.deliveries, "delivery", "deliveries")
    events = _number(span.events, "event", "events")
    return Content.assemble((f"{span.words:<20}", theme.STRONG), (f"{deliveries}, {events}", theme.QUIET))


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
