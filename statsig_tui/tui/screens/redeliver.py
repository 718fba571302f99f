"""Redeliver what is marked or has failed: which, with the numbers beside each answer, and the doing."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

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

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

_HOUR = 3_600_000
_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Lot:
    """Deliveries of a time that have failed, or marked ones that have not arrived."""

    words: str
    since: int = 0
    until: int = _EVER
    marked: tuple[int, ...] | None = None
    deliveries: int = 0
    events: int = 0

    def counted(self, archive: Archive, destination: str) -> Lot:
        """With the numbers of what it would make due."""
        if self.marked is None:
            deliveries, events = archive.failed(destination, self.since, self.until)
            return replace(self, deliveries=deliveries, events=events)
        found = [item for item in archive.deliveries_of(destination, self.marked) if item.can_be_due]
        return replace(self, deliveries=len(found), events=sum(item.events for item in found))


class RedeliverDialog(Dialog[Lot | None]):
    """What may be redelivered, with its numbers; dismissed with one of it, or with None."""

    DEFAULT_CSS = """
    RedeliverDialog OptionList {
        height: auto;
        margin-top: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, destination: str, lots: Sequence[Lot]) -> None:
        super().__init__()
        self._destination = destination
        self._lots = lots

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Redeliver")
            box.border_subtitle = "enter makes them due now · esc cancels"
            yield Static(Content.assemble("To ", content(self._destination, theme.STRONG), "."))
            yield OptionList(*(Option(_line(lot)) for lot in self._lots), markup=False)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._lots[event.option_index])


async def redeliver(
    screen: ModeScreen, destination: str, marked: Collection[int], at: int | None, held: str
) -> None:
    """Ask which, and make it due; `at` is the minute that is looked at, `held` why it may wait."""
    try:
        lots = _lots(marked, at)
        counted = await screen.bridge.ask(lambda archive: [lot.counted(archive, destination) for lot in lots])
        offered = [lot for lot in counted if lot.deliveries]
        if not offered:
            screen.host.say("Nothing of this destination is to be redelivered.")
            return
        chosen = await screen.app.push_screen_wait(RedeliverDialog(destination, offered))
        if not isinstance(chosen, Lot):
            return
        these, since, until = chosen.marked, chosen.since, chosen.until
        count = await screen.bridge.do(
            lambda engine: (
                engine.redeliver(destination, since, until)
                if these is None
                else engine.redeliver_these(destination, these)
            )
        )
    except StatsigTuiError as error:
        screen.host.tell(error)
        return
    waits = f", but waits: {held}" if held else ""
    screen.host.say(f"{_number(count, 'delivery', 'deliveries')} due now{waits}.")


def _lots(marked: Collection[int], at: int | None) -> list[Lot]:
    now = time.time_ns() // 1_000_000
    lots: list[Lot] = []
    if marked:
        words = "the marked one" if len(marked) == 1 else f"the {len(marked):,} marked ones"
        lots.append(Lot(words, marked=tuple(sorted(marked))))
    if at is not None:
        shown = minute(at, now)
        lots += [
            Lot(f"failed {shown} alone", at, at + MINUTE),
            Lot(f"failed {shown} and later", at),
        ]
    return [
        *lots,
        Lot("failed in the last hour", now - _HOUR),
        Lot("failed in the last day", now - 24 * _HOUR),
        Lot("everything that failed"),
    ]


def _line(lot: Lot) -> Content:
    deliveries = _number(lot.deliveries, "delivery", "deliveries")
    events = _number(lot.events, "event", "events")
    return Content.assemble((f"{lot.words:<31}", theme.STRONG), (f"{deliveries}, {events}", theme.QUIET))


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
