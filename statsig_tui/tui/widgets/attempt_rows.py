"""Rows of the diagnostics table and of its deliveries with their attempts: what they say, no widget."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from textual.content import Content

from statsig_tui.core.ids import tag
from statsig_tui.core.records import ISOLATING, AttemptRecord, DeliveryRecord, DeliveryState, DiagnosticsRow
from statsig_tui.tui import theme
from statsig_tui.tui.text import fit_words, printable
from statsig_tui.tui.times import age, clock, size
from statsig_tui.tui.widgets.capture_rows import MARK

MINUTE = 60_000
OFF = "off"
"""What a destination is that is sent nothing because nobody turned it on."""
_DAY = 86_400
_COLUMNS = (("Events", 7), ("Forwarded", 10), ("Filtered", 9), ("Rate Limited", 13), ("Failed", 7))
_TIMESTAMP = 11
_WIDE = 78
"""Cells from which a delivery's size has room."""


class MinuteRows:
    """Minutes of one destination, the newest first."""

    def __init__(self) -> None:
        self.minutes: Sequence[DiagnosticsRow] = ()
        self.now = 0

    def __len__(self) -> int:
        return len(self.minutes)

    def key(self, index: int) -> int:
        """Descending minutes make ascending keys."""
        return -self.minutes[index].at // MINUTE

    def revision(self, index: int) -> int:
        """Changes with any of its numbers."""
        return hash((self.minutes[index], self.now // 1000 // _DAY))

    def line(self, index: int, width: int) -> Content:
        """The console's columns."""
        row = self.minutes[index]
        numbers = (row.events, row.forwarded, row.filtered, row.rate_limited, row.failed)
        styles = ("", "", theme.WARN, theme.WARN, theme.BAD)
        cells = [
            (f"{number:,}".rjust(columns), (style if number else theme.QUIET))
            for number, style, (_, columns) in zip(numbers, styles, _COLUMNS, strict=True)
        ]
        room = width - _TIMESTAMP - sum(columns for _, columns in _COLUMNS) - 2
        error = fit_words(row.error, max(0, room)) if row.error else ""
        return Content.assemble(
            (minute(row.at, self.now).ljust(_TIMESTAMP), ""), *cells, "  ", (error, theme.BAD)
        )

    def children(self, index: int) -> int:
        """Its deliveries are a list of their own."""
        return 0

    def child(self, index: int, n: int, width: int) -> Content:
        """Its deliveries are a list of their own."""
        return Content()


def minutes_heading(width: int) -> Content:
    """The console's words."""
    columns = "".join(f"{title:>{cells}}" for title, cells in _COLUMNS)
    return Content(f"{'Timestamp':<{_TIMESTAMP}}{columns}  Error"[: max(0, width)])


def minute(at: int, now: int) -> str:
    """`14:02` today, `01-31 14:02` before."""
    then, today = time.localtime(at / 1000), time.localtime(now / 1000)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%m-%d %H:%M", then)


class DeliveryRows:
    """Deliveries of one minute, the newest first, each with its attempts below it."""

    def __init__(self) -> None:
        self.deliveries: Sequence[DeliveryRecord] = ()
        self.attempts: Mapping[int, Sequence[AttemptRecord]] = {}
        self.now = 0
        self.held = ""
        """What the destination is while nothing is sent, though it may be due: `paused`."""
        self.marked: Collection[int] = ()

    def __len__(self) -> int:
        return len(self.deliveries)

    def key(self, index: int) -> int:
        """Descending numbers make ascending keys."""
        return -self.deliveries[index].id

    def find(self, key: int | None) -> DeliveryRecord | None:
        """The delivery of a key."""
        return next((item for item in self.deliveries if key == -item.id), None)

    def revision(self, index: int) -> int:
        """Changes with the delivery, its attempts, and each second of its countdown."""
        item = self.deliveries[index]
        return hash(
            (
                item.rev,
                len(self.attempts.get(item.id, ())),
                self.held,
                countdown(item, self.now),
                item.id in self.marked,
            )
        )

    def line(self, index: int, width: int) -> Content:
        """`✗ failed   ◆d7   14:02:11.204   3 events   412 B   503`."""
        item = self.deliveries[index]
        mark, style = theme.delivery(item.state)
        events = f"{item.events:,} event{'s' * (item.events != 1)}"
        is_wide = width >= _WIDE
        head = Content.assemble(
            (f"{mark} {item.state:<10}", style),
            (MARK if item.id in self.marked else " ", theme.ACCENT),
            (f"{tag('d', item.id):<7}", theme.STRONG),
            f"{clock(item.created)}",
            f"{events:>13}" if is_wide else f"{events:>11}",
            f"{size(item.size):>9}" if is_wide else "",
            "   ",
        )
        left = max(0, width - head.cell_length)
        said = Content.styled(fit_words(outcome(item, self.now, self.held), left), style)
        closed = Content.styled((" · " if said else "") + closed_words(item), theme.QUIET)
        return head + said + (closed if said.cell_length + closed.cell_length <= left else "")

    def children(self, index: int) -> int:
        """Its attempts."""
        return len(self.attempts.get(self.deliveries[index].id, ()))

    def child(self, index: int, n: int, width: int) -> Content:
        """`attempt 2   14:02:12.210   ✗ 503   11 ms   Service Unavailable`."""
        attempt = self.attempts[self.deliveries[index].id][n]
        return attempt_line(attempt, width)


def attempt_line(attempt: AttemptRecord, width: int) -> Content:
    """One attempt and what came of it."""
    mark, style, word = result(attempt)
    took = f"{attempt.ms:,.0f} ms" if attempt.ms is not None else ""
    head = Content.assemble(
        f"attempt {attempt.number:<3}",
        (f"{clock(attempt.at)}   ", theme.QUIET),
        (f"{mark} {word:<10}", style),
        f"{took:>9}   ",
    )
    style, words = (theme.WARN, attempt.flag) if attempt.flag else (theme.QUIET, why(attempt))
    return head + Content.styled(fit_words(words, max(0, width - head.cell_length)), style)


def why(attempt: AttemptRecord) -> str:
    """What failed, without the status, which stands beside it: `Internal Server Error`."""
    return (attempt.error or "").removeprefix(f"{attempt.status}").lstrip()


def result(attempt: AttemptRecord) -> tuple[str, str, str]:
    """Symbol, style and word of an attempt."""
    if attempt.status is None and attempt.error is None:
        return "→", theme.ACCENT, "sending"
    mark, style = theme.status(attempt.status)
    return mark, style, "no answer" if attempt.status is None else str(attempt.status)


def countdown(item: DeliveryRecord, now: int, held: str = "") -> str:
    """`next attempt in 4s`; empty where none is to come by itself; `held`: what keeps it from coming."""
    if item.next_at is None or not item.state.is_open:
        return ""
    if held:
        return f"waits: {held}"
    if item.state is DeliveryState.WAITING and item.next_at <= now:
        return ""
    if item.next_at <= now:
        return "next attempt is due"
    return f"next attempt in {age(item.next_at - now + 999)}"


def closed_words(item: DeliveryRecord) -> str:
    """Why its batch was closed; empty where it never was open."""
    if item.replay is not None or not item.closed_by:
        return ""
    if item.closed_by == ISOLATING:
        return "part of a refused batch"
    return "half of a larger batch" if item.closed_by == "halved" else f"closed: {printable(item.closed_by)}"


def held_words(held: str) -> str:
    """`the destination is paused; space in the list resumes it`; empty where it is sent everything."""
    mend = "turns it on" if held == OFF else "resumes it"
    return f"the destination is {held}; space in the list {mend}" if held else ""


def outcome(item: DeliveryRecord, now: int, held: str = "") -> str:
    """What is to be said of a delivery beside its state; why an attempt failed stands at the attempt."""
    parts = [countdown(item, now, held)]
    if item.is_rate_limited:
        parts.append("waits: rate limit" if item.state is DeliveryState.WAITING else "rate limited")
    if item.state is DeliveryState.CANCELLED:
        parts.append(printable(item.error or ""))
    elif item.state is DeliveryState.FAILED:
        if item.closed_by == ISOLATING and item.events == 1:
            parts.append("refused by itself: isolated from its batch")
        parts.append(f"given up after {item.attempt} attempt{'s' * (item.attempt != 1)}")
    if item.replay is not None:
        parts.append(f"replayed {item.replay}")
    return " · ".join(part for part in parts if part)
