"""What is said of an event beside its own words: lag, order, where it came first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from statsig_tui.core import drift, marks
from statsig_tui.core.marks import Mark, Oddity
from statsig_tui.core.records import CaptureDetail, CaptureRecord
from statsig_tui.core.repeats import Beside
from statsig_tui.core.timing import is_strange, lag_words, out_of_order

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What an event's line says of its coming."""

    lag: str = ""
    is_strange: bool = False
    odd: str = ""
    """`dup of #51`, `out of order`; empty: nothing."""


def told(record: CaptureRecord, beside: Beside, first: int, last: int) -> tuple[Told, ...]:
    """What the lines of the events from `first` to before `last` say."""
    times = [event.timestamp for event in record.events[:last]]
    before = next((at for at in reversed(times[:first]) if at is not None), beside.before)
    order = out_of_order(times[first:], before)
    found = []
    for place, at in enumerate(times[first:], first):
        odd = [_dup_of(record.id, *beside.first[place])] if place in beside.first else []
        odd += ["out of order"] * order[place - first]
        lag = record.at - at if at is not None else None
        words = lag_words(lag) if lag is not None else ""
        found.append(Told(words, lag is not None and is_strange(lag), " · ".join(odd)))
    return tuple(found)


def marks_of(
    detail: CaptureDetail,
    child: int | None,
    body: bytes,
    beside: Beside,
    new: Sequence[tuple[int, drift.Drift]],
) -> tuple[Mark, ...]:
    """The marks on a capture, or on one event of it, whose bytes are `body`; `new` is what drifted there."""
    odd = marks.of_event(body) if child is not None else marks.of_capture(replace(detail, body=body))
    return (*_repeats(detail.record.id, beside.first, child), *odd, *drift.marks(new))


def drifted(
    record: CaptureRecord, body: bytes, child: int | None = None
) -> tuple[tuple[int, drift.Drift], ...]:
    """What is new about a capture, or about one event of it, whose bytes are `body`."""
    is_batch = record.envelope in ("data", "array")
    return drift.of_body(body, is_event=child is not None) if is_batch else ()


def _dup_of(here: int, capture: int, place: int) -> str:
    return f"dup of #{capture}" if capture != here else f"dup of event {place}"


def _repeats(here: int, first: Mapping[int, tuple[int, int]], child: int | None) -> list[Mark]:
    if child is not None:
        if child not in first:
            return []
        capture, place = first[child]
        return [_mark(f"it came before, {f'in #{capture}' if capture != here else f'as event {place}'}.")]
    # Twice in one batch is an oddity of the batch: it has a mark of its own.
    earlier = [(place, capture) for place, (capture, _) in first.items() if capture != here]
    if not earlier:
        return []
    named = [f"event {place} in #{capture}" for place, capture in earlier[:_NAMED]]
    more = f" and {len(earlier) - _NAMED:,} more" if len(earlier) > _NAMED else ""
    return [_mark(f"came before: {', '.join(named)}{more}.")]


def _mark(message: str) -> Mark:
    return Mark(Oddity.AGAIN, message)
