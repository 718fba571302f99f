"""What is said beside the lines of a body's tree: time, lag, order, where it came first, what is new."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from statsig_tui.core import drift
from statsig_tui.core.envelope import Batch, decode
from statsig_tui.core.marks import Mark
from statsig_tui.core.records import CaptureDetail, CaptureRecord
from statsig_tui.core.repeats import Beside
from statsig_tui.core.told import drifted, marks_of, told
from statsig_tui.tui.times import clock

_FIELD = re.compile(r"(?:(?:data)?\[(\d+)\]\.)?(timestamp|timeUUID|eventName)")


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
    new = drifted(detail.record, body, child)
    batch = decode(body) if child is None else None
    rejected = batch.rejected if isinstance(batch, Batch) else ()
    found = marks_of(detail, child, body, beside, new)
    return found, Notes(detail.record, child, beside, new, rejected)


def _clock(at: int) -> str:
    try:
        return clock(at)
    except (OverflowError, ValueError, OSError):
        return ""  # no year that a clock can show
