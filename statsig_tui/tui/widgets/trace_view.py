"""The way of an event as lines: sent, verdicts, batches, attempts, captures, with the times between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from textual.content import Content
from textual.widgets import Static

from statsig_tui.core.ids import tag
from statsig_tui.core.records import AttemptRecord, DeliveryRecord, DeliveryState, Trace
from statsig_tui.tui import theme
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import age, clock

Line = tuple[int, Content]
"""Epoch ms and what happened then."""
_SHOWN_EVENTS = 8
_WIDE = 40
"""Cells from which on the first time has its milliseconds."""


class TraceView(Static):
    """Shows one trace; it grows in place as more of it happens."""

    _shown: tuple[Trace, int] | None = None

    def show(self, trace: Trace | None, now: int, waiting: str = "") -> None:
        """Show a trace, or in its absence what is to be said instead."""
        self._shown = (trace, now) if trace is not None else None
        if trace is not None:
            self.update(trace_content(trace, now, self.size.width))
        else:
            self.update(Content.styled(waiting, theme.QUIET))

    def on_resize(self) -> None:
        """Lines break elsewhere."""
        if self._shown is not None:
            self.update(trace_content(*self._shown, self.size.width))


def trace_content(trace: Trace, now: int, width: int) -> Content:
    """A trace as lines in the order of time, each with the time since the first, in so many cells."""
    lines = sorted(_lines(trace, now), key=lambda line: line[0])
    if not lines:
        return Content.styled("Nothing is known of this one.", theme.QUIET)
    start = lines[0][0]
    begun = clock(start) if width >= _WIDE else clock(start)[:8]
    indent = len(begun) + 2
    shown: list[Content] = []
    for index, (at, text) in enumerate(lines):
        when = begun if index == 0 else f"+{_gap(at - start)}".rjust(len(begun))
        parts = text.wrap(max(1, width - indent)) if width > 2 * indent else [text]
        shown.append(Content.assemble((f"{when}  ", theme.QUIET), Content("\n" + " " * indent).join(parts)))
    if trace.untold:
        left_out = f"and {trace.untold:,} more, of many replays: `list deliveries` tells of them"
        shown.append(Content.styled(f"{' ' * indent}{left_out}", theme.QUIET))
    return Content("\n").join(shown)


def _lines(trace: Trace, now: int) -> Iterator[Line]:
    for sent in trace.sent:
        yield sent.at, _text("sent to ", (sent.target, theme.STRONG))
        mark, style = theme.status(sent.status)
        ended = sent.at + round(sent.ms or 0)
        if sent.status is not None:
            yield ended, _text((f"{mark} {sent.status}", style), f" in {sent.ms or 0:.0f} ms")
        else:
            word = "not sent" if sent.certainty == "not sent" else "unknown: it may have arrived"
            yield ended, _text((f"{mark} {word}", style), f"  {sent.error or ''}")
    for event in trace.events[:_SHOWN_EVENTS]:
        note = f"  {event.note}" if event.note else ""
        yield event.at, _text("accepted ", (event.name or "(no name)", theme.STRONG), (note, theme.WARN))
    if len(trace.events) > _SHOWN_EVENTS:
        yield trace.events[0].at, _text(f"and {len(trace.events) - _SHOWN_EVENTS:,} more of the same request")
    counted = Counter((item.destination, item.forwarded, item.clause, item.at) for item in trace.verdicts)
    for (destination, forwarded, clause, at), count in sorted(counted.items()):
        many = f" ×{count}" if count > 1 else ""
        answer = ("✓ forwarded", theme.GOOD) if forwarded else ("– filtered", theme.WARN)
        yield at, _text((destination, theme.STRONG), "  ", answer, f"{many}: {clause}")
    for delivery in trace.deliveries:
        attempts = [attempt for attempt in trace.attempts if attempt.delivery == delivery.id]
        yield from _delivery(delivery, attempts, now)
    for capture in trace.captures:
        mark, style = theme.signature(capture.signature)
        yield (
            capture.at,
            _text(
                "captured ",
                (tag("c", capture.id), theme.STRONG),
                f"  {capture.status or 'no answer'}  signature ",
                (f"{mark} {capture.signature}", style),
                "" if capture.program is None else f"  by program: {capture.program}",
            ),
        )


def _delivery(delivery: DeliveryRecord, attempts: list[AttemptRecord], now: int) -> Iterator[Line]:
    how = f", replayed {delivery.replay}" if delivery.replay else ""
    closed = f", closed by {delivery.closed_by}" if delivery.closed_by and not how else ""
    yield (
        delivery.created,
        _text(
            f"batch of {delivery.events} → ",
            (delivery.destination, theme.STRONG),
            (f"  {tag('d', delivery.id)}{closed}{how}", theme.QUIET),
        ),
    )
    for attempt in attempts:
        number = f"attempt {attempt.number}: " if len(attempts) > 1 else ""
        if attempt.ms is None and attempt.error is None:
            yield attempt.at, _text(number, ("→ sending", theme.ACCENT))
            continue
        mark, style = theme.status(attempt.status)
        answer = str(attempt.status) if attempt.status is not None else "no answer"
        said = attempt.error or attempt.flag
        yield (
            attempt.at + round(attempt.ms or 0),
            _text(
                number,
                (f"{mark} {answer}", style),
                f" in {attempt.ms or 0:.0f} ms{f'  {said}' if said else ''}",
            ),
        )
    mark, style = theme.delivery(delivery.state)
    if delivery.state is DeliveryState.RETRYING and delivery.next_at is not None:
        due = (
            f"next attempt in {age(delivery.next_at - now)}"
            if delivery.next_at > now
            else "next attempt is due"
        )
        yield delivery.at, _text((f"{mark} {delivery.state}", style), f": {due}")
    elif delivery.state in (DeliveryState.FAILED, DeliveryState.CANCELLED):
        yield delivery.at, _text((f"{mark} {delivery.state}", style), f"  {delivery.error or ''}")


def _text(*parts: str | tuple[str, str]) -> Content:
    gated = (part if isinstance(part, tuple) else (part, "") for part in parts)
    return Content.assemble(*((printable(text), style) for text, style in gated))


def _gap(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.2f} s" if ms < 60_000 else age(ms)
