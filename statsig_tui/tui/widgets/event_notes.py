"""What is said of an event beside its own words: lag, order, where it came first, what is new. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from statsig_tui.core import drift, marks
from statsig_tui.core.envelope import Batch, decode
from statsig_tui.core.marks import Mark, Oddity
from statsig_tui.core.records import CaptureDetail, CaptureRecord
from statsig_tui.core.repeats import Beside
from statsig_tui.core.timing import is_strange, lag_words, out_of_order
from statsig_tui.tui.times import clock

_FIELD = re.compile(r"(?:(?:data)?\[(\d+)\]\.)?(timestamp|timeUUID|eventName)")
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


class Notes:
    """What stands beside the lines of a body's tree."""

    def __init__(
        self,
        record: CaptureRecord,
        child: int | None,
        beside: Beside,
        new: Sequence[tuple[int, drift.Drift]],
        rejected: Sequence[int] = (),
    ) -> None:
        """Of a capture's body, or of that of one event of it; `rejected` items of a batch are no events."""
        self._record = record
        self._child = child
        self._told = told(record, beside, 0, len(record.events))
        self._rejected = rejected
        self._is_new = {self._path(place, found) for place, found in new}

    def __call__(self, path: str) -> tuple[str, bool] | None:
        """What to say beside the value at a path, and whether that is odd; None: nothing."""
        words: list[str] = []
        is_odd = path in self._is_new
        field = _FIELD.fullmatch(path)
        place = self._place(field[1]) if field is not None else None
        if field is not None and place is not None:
            said, event = self._told[place], self._record.events[place]
            if field[2] == "timestamp" and event.timestamp is not None:
                # A time of day says nothing of another day, and the value itself must stay readable.
                words = [said.lag] if said.is_strange else [_clock(event.timestamp), said.lag]
                is_odd = is_odd or said.is_strange
            # What has no timeUUID is known again by more than one field; it is said at its name.
            shown_at = "timeUUID" if event.time_uuid is not None else "eventName"
            if field[2] == shown_at and said.odd:
                words, is_odd = [said.odd], True
        if path in self._is_new:
            words.append("new here")
        return (", ".join(filter(None, words)), is_odd) if words else None

    def _place(self, item: str | None) -> int | None:
        """The event that an item of the body is; None: it is none."""
        if (self._child is None) == (item is None):
            return None
        place = self._child
        if item is not None:
            place = int(item) - bisect_left(self._rejected, int(item))
        return place if place is not None and place < len(self._told) else None

    def _path(self, item: int, found: drift.Drift) -> str:
        if self._child is not None:
            return drift.path_of(found.path)
        above = ("data", item) if self._record.envelope == "data" else (item,)
        return drift.path_of((*above, *found.path))


def looked_at(
    detail: CaptureDetail, child: int | None, body: bytes, beside: Beside
) -> tuple[tuple[Mark, ...], Notes]:
    """The marks on a capture, or on one event of it whose bytes are `body`, and the notes beside its tree."""
    is_batch = detail.record.envelope in ("data", "array")
    new = drift.of_body(body, is_event=child is not None) if is_batch else ()
    odd = marks.of_event(body) if child is not None else marks.of_capture(replace(detail, body=body))
    found = (*_repeats(detail.record.id, beside.first, child), *odd, *drift.marks(new))
    batch = decode(body) if child is None else None
    rejected = batch.rejected if isinstance(batch, Batch) else ()
    return found, Notes(detail.record, child, beside, new, rejected)


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


def _clock(at: int) -> str:
    try:
        return clock(at)
    except (OverflowError, ValueError, OSError):
        return ""  # no year that a clock can show
