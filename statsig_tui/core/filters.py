"""The Event Filter: whether one event goes to one destination, and the clause that decided (§4).

The console's boxes admit an event; tiers, a condition and a sample can only narrow that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from statsig_tui.core import jsontext
from statsig_tui.core.config import NO_TIER, Filter
from statsig_tui.core.event import Event, EventClass

if TYPE_CHECKING:
    from statsig_tui.core.query.view import View

_HASHED = 2**64


class Clause(StrEnum):
    """What decided; the texts are part of the JSON lines' contract."""

    EXPOSURES_ON = "exposures on"
    EXPOSURES_OFF = "exposures off"
    KIND_OFF = "kind of exposure off"
    CONFIG_CHANGES_ON = "config changes on"
    CONFIG_CHANGES_OFF = "config changes off"
    CHANGE_TYPE_OFF = "type of config change off"
    CHANGE_ACTION_OFF = "action of config change off"
    TRACKED = "custom event tracked"
    NOT_TRACKED = "custom event not tracked"
    PATTERN = "name pattern included"
    PATTERN_OFF = "name pattern excluded"
    NEW_INCLUDED = "new event included"
    NEW_NOT_INCLUDED = "new event not included"
    TIER_OFF = "environment tier off"
    CONDITION = "condition not met"
    NOT_IN_SAMPLE = "not in the sample"
    INTERNAL = "internal event"
    INVALID_NAME = "invalid event name"
    DISABLED = "destination disabled"
    DEMO = "demo event"
    TEST = "test event"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Forwarded or filtered, and why."""

    forwarded: bool
    clause: Clause


@dataclass(frozen=True, slots=True)
class Step:
    """One question of a filter to one event."""

    asked: str
    """What was looked at, in words; it may hold text of the event."""
    passes: bool
    clause: Clause | None
    """What it decides where nothing after it decides otherwise; None: nothing by itself."""


def decide(chosen: Filter, event: Event) -> Verdict:
    """The verdict of a destination's filter on one event: total, and the same for the same input."""
    admitted = Clause.NEW_INCLUDED
    for step in explain(chosen, event):
        if step.clause is not None:
            if not step.passes:
                return Verdict(False, step.clause)
            admitted = step.clause
    return Verdict(True, admitted)


def judge(chosen: Filter) -> Callable[[Event], bool]:
    """Whether a filter forwards each of many events, as decide() says.

    What the name decides is decided once a name, and nothing is put into words.
    """
    by_name = replace(chosen, tiers={}, where="", sample=1.0)
    looks_into_changes = bool(chosen.change_types or chosen.change_actions)
    narrowing = [test for is_used, test in _narrowing(chosen) if is_used]
    known: dict[tuple[str, str], bool] = {}

    def forwards(event: Event) -> bool:
        mark = (event.name, event.forbidden)
        admitted = known.get(mark)
        if admitted is None:
            admitted = decide(by_name, event).forwarded
            if not (looks_into_changes and event.event_class is EventClass.CONFIG_CHANGE):
                known[mark] = admitted
        if admitted:
            for test in narrowing:
                if not test(event):
                    return False
        return admitted

    return forwards


def explain(chosen: Filter, event: Event) -> Iterator[Step]:
    """The questions in the order in which they are asked; the first that does not pass is the last one."""
    for step in _questions(chosen, event):
        yield step
        if not step.passes:
            return


def track(chosen: Filter, name: str) -> Step:
    """Whether a custom event of that name is tracked: by its box, by a pattern, or by default."""
    tracked = chosen.events.get(name)
    if tracked is not None:
        return Step("the event's box", tracked, Clause.TRACKED if tracked else Clause.NOT_TRACKED)
    for pattern, on in chosen.patterns.items():
        if fnmatchcase(name, pattern):
            return Step(f"the pattern {pattern}", on, Clause.PATTERN if on else Clause.PATTERN_OFF)
    on = chosen.include_new_events
    clause = Clause.NEW_INCLUDED if on else Clause.NEW_NOT_INCLUDED
    return Step("Include new events by default", on, clause)


def needs_content(chosen: Filter) -> bool:
    """Whether the verdict depends on more of an event than its name."""
    of_content = chosen.change_types or chosen.change_actions or chosen.tiers or chosen.where.strip()
    return bool(of_content) or chosen.sample < 1


def _questions(chosen: Filter, event: Event) -> Iterator[Step]:
    valid = bool(event.name) and not event.forbidden
    yield Step("the name", valid, None if valid else Clause.INVALID_NAME)
    kind = event.event_class
    if kind is EventClass.INTERNAL:
        yield Step("an SDK's own event", False, Clause.INTERNAL)
    elif kind is EventClass.CONFIG_CHANGE:
        yield from _of_change(chosen, event)
    elif kind.is_exposure:
        yield from _of_exposure(chosen, kind)
    else:
        yield track(chosen, event.name)
    if chosen.tiers:
        passes = _is_of_tiers(chosen.tiers, event)
        yield Step(f"tier {', '.join(_tiers(event))}", passes, None if passes else Clause.TIER_OFF)
    if chosen.where.strip():
        passes = _condition(chosen.where)(event)
        yield Step(f"the condition {chosen.where.strip()}", passes, None if passes else Clause.CONDITION)
    if chosen.sample < 1:
        place = _place(event)
        passes = place < chosen.sample
        asked = f"the sample of {chosen.sample * 100:.4g} %: the user is at {place * 100:.2f} %"
        yield Step(asked, passes, None if passes else Clause.NOT_IN_SAMPLE)


def _narrowing(chosen: Filter) -> list[tuple[bool, Callable[[Event], bool]]]:
    """What can only narrow: whether it is used, and what it says of an event."""
    return [
        (bool(chosen.tiers), lambda event: _is_of_tiers(chosen.tiers, event)),
        (bool(chosen.where.strip()), _condition(chosen.where)),
        (chosen.sample < 1, lambda event: _place(event) < chosen.sample),
    ]


def _of_exposure(chosen: Filter, kind: EventClass) -> Iterator[Step]:
    on = chosen.exposures
    yield Step("the box Exposures", on, Clause.EXPOSURES_ON if on else Clause.EXPOSURES_OFF)
    if chosen.exposure_kinds:
        name = kind.removesuffix("_exposure")
        on = chosen.exposure_kinds.get(name, True)
        yield Step(f"exposures of the kind {name}", on, None if on else Clause.KIND_OFF)


def _of_change(chosen: Filter, event: Event) -> Iterator[Step]:
    on = chosen.config_changes
    clause = Clause.CONFIG_CHANGES_ON if on else Clause.CONFIG_CHANGES_OFF
    yield Step("the box Configuration Changes", on, clause)
    for named, member, off in (
        (chosen.change_types, "type", Clause.CHANGE_TYPE_OFF),
        (chosen.change_actions, "action", Clause.CHANGE_ACTION_OFF),
    ):
        if named:
            value = _text(_table(_content(event.raw), "metadata").get(member))
            on = _is_on(named, value)
            yield Step(f"changes of the {member} {value}", on, None if on else off)


def _tiers(event: Event) -> tuple[str, ...]:
    """The environment of a runtime event, or those that a config change names."""
    content = _content(event.raw)
    if event.event_class is EventClass.CONFIG_CHANGE:
        metadata = _table(content, "metadata")
        named = _text(metadata.get("environments", metadata.get("environment")))
        found: Iterable[str] = (part.strip() for part in named.split(","))
    else:
        found = (_text(_table(_table(content, "user"), "statsigEnvironment").get("tier")),)
    return tuple(dict.fromkeys(tier for tier in found if tier)) or (NO_TIER,)


def _is_of_tiers(chosen: Mapping[str, bool], event: Event) -> bool:
    return any(_is_on(chosen, tier) for tier in _tiers(event))


@lru_cache(maxsize=64)
def _condition(where: str) -> Callable[[Event], bool]:
    # Imported here: the language is not needed for the first paint.
    from statsig_tui.core.query import QueryError, parse_condition

    try:
        matches = parse_condition(where).matches
    except QueryError:
        # Settings refuse it before it gets here; an event must not be lost by it.
        return lambda event: True

    return lambda event: _newest.fits(event, where, matches)


class _Newest:
    """What conditions said to the event that was looked at last: several filters ask one after the other."""

    def __init__(self) -> None:
        self._kept: tuple[Event, View, dict[str, bool]] | None = None

    def fits(self, event: Event, where: str, matches: Callable[[View, int], bool]) -> bool:
        kept = self._kept
        if kept is None or kept[0] is not event:
            from statsig_tui.core.query.view import of_event

            # Its own time, so that the verdict on an event is the same whenever it is asked for.
            kept = self._kept = (event, of_event(event, event.timestamp or 0), {})
        _, seen, said = kept
        if where not in said:
            said[where] = matches(seen, seen.at)
        return said[where]


_newest = _Newest()


def _place(event: Event) -> float:
    """Where a user stands among all, from 0 to below 1; events of nobody are spread one by one."""
    of = event.user_id or event.time_uuid
    text = of.encode(errors="surrogatepass") if of else event.raw
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) / _HASHED


def _is_on(named: Mapping[str, bool], value: str) -> bool:
    wanted = value.casefold()
    return next((on for name, on in named.items() if name.casefold() == wanted), True)


@lru_cache(maxsize=64)
def _content(raw: bytes) -> dict[str, Any]:
    """An event's members; remembered because every destination's filter asks for the same ones."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # It takes no half of a character; the slower reader does.
        try:
            found = jsontext.parse(raw)
        except jsontext.JsonError:
            return {}
    return found if isinstance(found, dict) else {}


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
