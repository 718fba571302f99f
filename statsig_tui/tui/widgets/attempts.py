"""Attempts of one destination, in three steps: minutes, a minute's deliveries, an attempt."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from statsig_tui.core.records import (
    FLAGGED_BY,
    AttemptRecord,
    DeliveryRecord,
    DeliveryState,
    DiagnosticsRow,
)
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.times import day_and_clock
from statsig_tui.tui.widgets.attempt_detail import AttemptDetail, Way, back
from statsig_tui.tui.widgets.attempt_rows import (
    MINUTE,
    DeliveryRows,
    MinuteRows,
    countdown,
    held_words,
    minutes_heading,
)
from statsig_tui.tui.widgets.capture_rows import MARK
from statsig_tui.tui.widgets.editor import Looked
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.table import Table

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

Of = tuple[str, int | None, tuple[int, ...] | None, tuple[int, int] | None]
"""Destination, its minute, instead of that these deliveries alone, and of one of them this attempt."""
MINUTES, DELIVERIES, ATTEMPT = "minutes", "deliveries", "attempt"
_LIMIT = 200


@dataclass(frozen=True, slots=True)
class View:
    """What was read for the shown step."""

    of: Of
    """What it was read for."""
    minutes: Sequence[DiagnosticsRow] = ()
    deliveries: Sequence[DeliveryRecord] = ()
    attempts: Mapping[int, Sequence[AttemptRecord]] = field(default_factory=dict)
    attempt: AttemptRecord | None = None
    body: bytes = b""


class DeliveryTable(Table):
    """Deliveries, each unfolded: an attempt is what one looks for."""

    def show(self, begin: bool) -> None:
        """The rows are others now."""
        rows = self.rows
        self._open_keys |= {rows.key(index) for index in range(len(rows))}
        self.refresh_rows(keep_cursor=not begin)


class AttemptsPane(Vertical):
    """Enter goes a step deeper, back() a step up."""

    DEFAULT_CSS = """
    AttemptsPane {
        height: 1fr;
        ContentSwitcher {
            height: 1fr;
        }
        #attempts-way {
            height: auto;
            padding: 0 1 0 3;
            color: $text-muted;
        }
        DeliveryTable > .row-list--child {
            color: $foreground 90%;
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id)
        self._minutes = MinuteRows()
        self._deliveries = DeliveryRows()
        self._destination = ""
        self._minute: int | None = None
        self._alone: tuple[int, ...] | None = None
        """What was marked when only that was asked for: marking it no longer takes no row away."""
        self._attempt: tuple[int, int] | None = None
        self._marks: dict[str, set[int]] = {}
        """By destination: what is to be redelivered. What has arrived is marked no longer."""
        self._wanted: int | None = None
        """The delivery to put the cursor on once it is read."""
        self._known: dict[int, tuple[int, Sequence[AttemptRecord]]] = {}
        """Of each delivery the revision at which its attempts were read, and these."""
        self._drawn_for: tuple[object, ...] = ()
        self._timer: Timer | None = None
        self._redact: Callable[[str], str] = str

    def compose(self) -> ComposeResult:
        """One step is seen at a time."""
        yield Way("", id="attempts-way", markup=False)
        with ContentSwitcher(initial=MINUTES):
            yield Table(self._minutes, header=minutes_heading, id=MINUTES)
            yield DeliveryTable(self._deliveries, id=DELIVERIES)
            yield AttemptDetail(id=ATTEMPT)

    def on_mount(self) -> None:
        """Begin with what was chosen before the widgets were there."""
        self.query_one(AttemptDetail).redact = self._redact
        self._go(MINUTES)

    @property
    def step(self) -> str:
        """Which step is shown."""
        return self.query_one(ContentSwitcher).current or MINUTES

    def first(self) -> Widget:
        """What takes the keys in the shown step."""
        if self.step == ATTEMPT:
            return self.query_one(AttemptDetail).first()
        return self.query_one(f"#{self.step}", Table)

    def show(self, destination: str, redact: Callable[[str], str]) -> None:
        """Begin with a destination's minutes."""
        self._redact = redact
        if self.is_mounted:
            self.query_one(AttemptDetail).redact = redact
        if destination == self._destination:
            return
        self._destination = destination
        self._minute = self._alone = self._attempt = None
        self._known.clear()
        if self.is_mounted:
            self._go(MINUTES)

    def renamed(self, name: str) -> None:
        """The shown destination has another name now."""
        if marks := self._marks.pop(self._destination, None):
            self._marks[name] = marks
        self._destination = name

    @property
    def minute(self) -> int | None:
        """The minute that is open, or under the cursor (epoch ms)."""
        if self._minute is not None or self._alone is not None or not self.is_mounted:
            return self._minute if self._alone is None else None
        cursor = self.query_one(f"#{MINUTES}", Table).cursor
        return -cursor[0] * MINUTE if cursor is not None else None

    def delivery(self) -> DeliveryRecord | None:
        """The delivery under the cursor, or the one whose attempt is shown."""
        if self.step == ATTEMPT and self._attempt is not None:
            return self._deliveries.find(-self._attempt[0])
        if self.step == DELIVERIES:
            cursor = self.query_one(DeliveryTable).cursor
            return self._deliveries.find(cursor[0]) if cursor is not None else None
        return None

    def chosen(self) -> tuple[int, int] | None:
        """The attempt that is shown, or under the cursor: its delivery and number."""
        if self.step == ATTEMPT:
            return self._attempt
        cursor = self.query_one(DeliveryTable).cursor if self.step == DELIVERIES else None
        return self._attempt_at(*cursor) if cursor is not None else None

    def _attempt_at(self, key: int, child: int | None) -> tuple[int, int] | None:
        item = self._deliveries.find(key)
        attempts = self._deliveries.attempts.get(item.id, ()) if item is not None else ()
        if item is None or not attempts:
            return None
        # On the delivery itself: its last attempt, which is how it stands.
        found = attempts[-1] if child is None else attempts[min(child, len(attempts) - 1)]
        return item.id, found.number

    @property
    def marked(self) -> frozenset[int]:
        """The shown destination's marked deliveries, of whatever minute."""
        return frozenset(self._marks.get(self._destination, ()))

    def can_mark(self) -> bool:
        """Whether the cursor is on a delivery that can be redelivered, or is marked already."""
        item = self.delivery() if self.step == DELIVERIES else None
        return item is not None and (item.can_be_due or item.id in self.marked)

    def mark(self) -> None:
        """Mark the delivery under the cursor, or mark it no longer."""
        if (item := self.delivery()) is not None:
            self._marks.setdefault(self._destination, set()).symmetric_difference_update({item.id})
            self._show_marks()
            self._say_way()

    def can_show_marked(self) -> bool:
        """Whether there is something marked to show alone, or that is shown."""
        return self.step != ATTEMPT and (self._alone is not None or bool(self.marked))

    def only_marked(self) -> None:
        """Show only what is marked, of whatever minute, or all again."""
        if self._alone is not None:
            self.back()
            return
        self._alone = tuple(sorted(self.marked))
        had_focus = self.has_focus_within
        self._empty()
        self._go(DELIVERIES)
        if had_focus:
            self.first().focus()

    def _empty(self) -> None:
        """Show none of the former deliveries until the next ones are read."""
        self._deliveries.deliveries = ()
        self.query_one(DeliveryTable).refresh_rows()

    def _show_marks(self) -> None:
        self._deliveries.marked = self.marked
        self.query_one(DeliveryTable).rows_changed()

    def open(self, delivery: DeliveryRecord) -> None:
        """Show a delivery among those of its minute."""
        self._minute, self._alone = delivery.created - delivery.created % MINUTE, None
        self._attempt = None
        self._wanted = delivery.id
        self._empty()
        self._go(DELIVERIES)
        self.first().focus()
        self.post_message(Looked())

    def back(self) -> bool:
        """One step up; False on the first."""
        had_focus = self.has_focus_within
        if self.step == MINUTES:
            return False
        self._attempt = None
        if self.step == DELIVERIES and self._alone is not None:
            self._alone = None
            self._empty()
        elif self.step == DELIVERIES:
            self._minute = None
        self._go(MINUTES if self._is_first else DELIVERIES)
        if had_focus:
            self.first().focus()
        return True

    @property
    def _is_first(self) -> bool:
        return self._minute is None and self._alone is None

    @property
    def _of(self) -> Of:
        return self._destination, self._minute, self._alone, self._attempt

    # From the store

    def question(self) -> Callable[[Archive], View]:
        """What is to be asked for the shown step."""
        of, known = self._of, dict(self._known)

        def ask(archive: Archive) -> View:
            name, minute, alone, attempt = of
            if alone is not None:
                found = archive.deliveries_of(name, alone)
            elif minute is not None:
                found = archive.deliveries(name, _LIMIT, since=minute, until=minute + MINUTE)
            else:
                return View(of, minutes=archive.diagnostics(name, _LIMIT))
            changed = [item for item in found if known.get(item.id, (None,))[0] != item.rev]
            attempts = {item.id: archive.attempts(item.id) for item in changed}
            if attempt is None:
                return View(of, deliveries=found, attempts={k: _light(v) for k, v in attempts.items()})
            number, nth = attempt
            every = attempts.get(number) or archive.attempts(number)
            return View(
                of,
                deliveries=found,
                attempts={k: _light(v) for k, v in attempts.items()},
                attempt=next((item for item in every if item.number == nth), None),
                body=archive.batch_body(number) or b"",
            )

        return ask

    def take(self, view: View, empty: Content, held: str = "") -> None:
        """Draw what was read, unless another step is shown by now; `held`: what keeps it all."""
        if view.of != self._of:
            return
        self._deliveries.held = held
        begin = view.of != self._drawn_for
        self._drawn_for = view.of
        now = time.time_ns() // 1_000_000
        if self._is_first:
            self._minutes.minutes, self._minutes.now = view.minutes, now
            minutes = self.query_one(f"#{MINUTES}", Table)
            minutes.empty = empty
            minutes.refresh_rows(keep_cursor=True)
        else:
            self._take_deliveries(view, begin)
            if view.attempt is not None and (item := self.delivery()) is not None:
                detail = self.query_one(AttemptDetail)
                detail.show(view.attempt, view.body)
                detail.recount(item, now, held)
        self._say_way()
        self.tick()

    def _take_deliveries(self, view: View, begin: bool) -> None:
        revisions = {item.id: item.rev for item in view.deliveries}
        for number, attempts in view.attempts.items():
            self._known[number] = (revisions[number], attempts)
        self._known = {number: kept for number, kept in self._known.items() if number in revisions}
        arrived = {item.id for item in view.deliveries if item.state is DeliveryState.DELIVERED}
        self._marks.get(self._destination, set()).difference_update(arrived)
        self._deliveries.marked = self.marked
        self._deliveries.deliveries = view.deliveries
        self._deliveries.attempts = {number: kept[1] for number, kept in self._known.items()}
        self._deliveries.now = time.time_ns() // 1_000_000
        table = self.query_one(DeliveryTable)
        table.show(begin and self._attempt is None)
        if self._wanted is not None:
            table.go_to(-self._wanted)
            self._wanted = None

    def tick(self) -> None:
        """Count down once a second, while something is retried and this is seen."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        now = time.time_ns() // 1_000_000
        held = self._deliveries.held
        is_waiting = not held and any(countdown(item, now) for item in self._deliveries.deliveries)
        if self._is_first or not is_waiting or not self._is_seen():
            return
        self._deliveries.now = now
        self.query_one(DeliveryTable).rows_changed()
        if self._attempt is not None and (item := self.delivery()) is not None:
            self.query_one(AttemptDetail).recount(item, now, held)
        self._timer = self.set_timer(1.0, self.tick)

    def _is_seen(self) -> bool:
        return self.screen.is_current and self.is_on_screen

    # Deeper

    @on(RowList.Opened, f"#{MINUTES}")
    def _open_minute(self, event: RowList.Opened) -> None:
        self._minute = -event.key * MINUTE
        self._empty()
        self._go(DELIVERIES)
        self.first().focus()
        self.post_message(Looked())

    @on(RowList.Opened, f"#{DELIVERIES}")
    def _open_attempt(self, event: RowList.Opened) -> None:
        chosen = self._attempt_at(event.key, event.child)
        if chosen is None:
            return
        self._attempt = chosen
        self._go(ATTEMPT)
        self.first().focus()
        self.post_message(Looked())

    def _go(self, step: str) -> None:
        self.query_one(ContentSwitcher).current = step
        self._say_way()
        self.refresh_bindings()

    def _say_way(self) -> None:
        way = self.query_one("#attempts-way", Static)
        way.display = not self._is_first and self._attempt is None
        count = len(self._deliveries)
        newest = "newest " if count == _LIMIT and self._alone is None else ""
        words = f"{newest}{count:,} deliver{'y' if count == 1 else 'ies'}"
        if self._alone is not None:
            where = "only marked"
        elif self._minute is not None:
            where = day_and_clock(self._minute)[:16]
        else:
            return
        marked = f"   {MARK} {len(self.marked):,} marked" if self.marked else ""
        turns = "all" if self._alone is not None else "only these" if marked else ""
        asks = f"  {key('destinations.marked')} {turns}" if turns else ""
        held = f"   {waits}" if (waits := held_words(self._deliveries.held)) else ""
        way.update(
            Content.assemble(
                (f"{back()}   {where}   {words}", theme.QUIET),
                (marked, theme.ACCENT),
                (asks, theme.QUIET),
                (held, theme.WARN),
            )
        )


def _light(attempts: Sequence[AttemptRecord]) -> list[AttemptRecord]:
    """Without the bodies, which no line shows, but for what flags them."""
    return [replace(attempt, response_body=attempt.response_body[:FLAGGED_BY]) for attempt in attempts]
