"""The Event Filter: whether one event goes to one destination, and the clause that decided (§4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statsig_tui.core.config import Filter
from statsig_tui.core.event import Event, EventClass


class Clause(StrEnum):
    """What decided; the texts are part of the JSON lines' contract."""

    EXPOSURES_ON = "exposures on"
    EXPOSURES_OFF = "exposures off"
    CONFIG_CHANGES_ON = "config changes on"
    CONFIG_CHANGES_OFF = "config changes off"
    TRACKED = "custom event tracked"
    NOT_TRACKED = "custom event not tracked"
    NEW_INCLUDED = "new event included"
    NEW_NOT_INCLUDED = "new event not included"
    INTERNAL = "internal event"
    INVALID_NAME = "invalid event name"
    DISABLED = "destination disabled"
    DEMO = "demo event"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Forwarded or filtered, and why."""

    forwarded: bool
    clause: Clause


def decide(chosen: Filter, event: Event) -> Verdict:
    """The verdict of a destination's filter on one event: total, and the same for the same input."""
    if not event.name or event.forbidden:
        return Verdict(False, Clause.INVALID_NAME)
    if event.event_class is EventClass.INTERNAL:
        return Verdict(False, Clause.INTERNAL)
    if event.event_class is EventClass.CONFIG_CHANGE:
        on = chosen.config_changes
        return Verdict(on, Clause.CONFIG_CHANGES_ON if on else Clause.CONFIG_CHANGES_OFF)
    if event.event_class.is_exposure:
        return Verdict(chosen.exposures, Clause.EXPOSURES_ON if chosen.exposures else Clause.EXPOSURES_OFF)
    tracked = chosen.events.get(event.name)
    if tracked is None:
        new = chosen.include_new_events
        return Verdict(new, Clause.NEW_INCLUDED if new else Clause.NEW_NOT_INCLUDED)
    return Verdict(tracked, Clause.TRACKED if tracked else Clause.NOT_TRACKED)
