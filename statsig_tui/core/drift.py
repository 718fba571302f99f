"""What of an outgoing event statsig-wire.md §3 does not know: fields, types, names. Never refused. Pure.

One table says what is known; what a caller may choose freely (a custom event's metadata, `custom`, further
keys of a user or of statsigMetadata) is never new.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from statsig_tui.core import config_change, jsontext
from statsig_tui.core.event import storable
from statsig_tui.core.marks import Mark, Oddity
from statsig_tui.core.paths import Step

Kinds = frozenset[str]
MOST = 1000
"""Findings of one body that are kept."""
_NAMED = 3
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)

_TEXT: Kinds = frozenset({"text"})
_OBJECT: Kinds = frozenset({"object"})
_ARRAY: Kinds = frozenset({"array"})
_TEXT_OR_NUMBER: Kinds = frozenset({"text", "number"})
_ANY: Kinds = frozenset()

EVENT: Mapping[str, Kinds] = {
    "eventName": _TEXT, "user": _OBJECT, "userID": _TEXT, "timestamp": _TEXT_OR_NUMBER, "value": _TEXT,
    "metadata": _OBJECT, "statsigMetadata": _OBJECT, "timeUUID": _TEXT, "unitID": _TEXT, "companyID": _TEXT,
}  # fmt: skip
"""§3.2."""
USER: Mapping[str, Kinds] = {
    "userID": _TEXT, "email": _TEXT, "ip": _TEXT, "userAgent": _TEXT, "country": _TEXT, "locale": _TEXT,
    "appVersion": _TEXT, "custom": _OBJECT, "customIDs": _OBJECT, "statsigEnvironment": _OBJECT,
}  # fmt: skip
"""§2; further keys are the caller's."""
_PRIVATE = "privateAttributes"
"""The one key of a user that must not be on the way out."""
ACTOR: Mapping[str, Kinds] = {"name": _TEXT, "email": _TEXT}
"""The `user` of a config change (§3.4)."""
_CONFIG: Mapping[str, Kinds] = {
    "config": _TEXT, "ruleID": _TEXT, "reason": _TEXT, "time": _TEXT_OR_NUMBER,
}  # fmt: skip
CHANGE = config_change.NAME
METADATA: Mapping[str, Mapping[str, Kinds]] = {
    "statsig::gate_exposure": {
        "gate": _TEXT, "gateValue": _TEXT, "ruleID": _TEXT, "reason": _TEXT, "time": _TEXT_OR_NUMBER,
    },
    "statsig::config_exposure": _CONFIG,
    "statsig::experiment_exposure": {**_CONFIG, "experimentGroupName": _TEXT},
    "statsig::layer_exposure": {
        **_CONFIG, "allocatedExperiment": _TEXT, "parameterName": _TEXT, "isExplicitParameter": _ANY,
    },
    CHANGE: {
        "type": _TEXT, "name": _TEXT, "description": _TEXT, "action": _TEXT, "environments": _TEXT,
        "environment": _TEXT, "projectName": _TEXT, "projectID": _TEXT, "tags": _ARRAY, "targetApps": _ARRAY,
    },
}  # fmt: skip
"""§3.3 and §3.4: the names of which the metadata is known, and what it holds."""
NAMES = frozenset(METADATA) | {
    "statsig::holdout_exposure", "statsig::app_metrics", "statsig::app_error", "statsig::diagnostics",
    "statsig::non_exposed_checks", "statsig::log_line",
}  # fmt: skip
"""§3.3; every name that does not begin with `statsig::` is somebody's own."""
_FIRST_EXPOSURE = "statsig::first_exposure"
_WORDS: Mapping[str, frozenset[str]] = {
    "type": frozenset(config_change.TYPES),
    "action": frozenset(config_change.ACTIONS),
}
"""§3.4: what stands in these fields of a config change."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is new, and where it is in its event."""

    path: tuple[Step, ...]
    about: str
    """Behind the path it makes a sentence: `is a field nobody knows of`."""


def of_event(event: Mapping[str, Any]) -> tuple[Drift, ...]:
    """What is new about one event, in its order."""
    return tuple(_of_event(event))


def of_body(raw: bytes, *, is_event: bool = False) -> tuple[tuple[int, Drift], ...]:
    """What is new about a batch in either envelope, or about one event, by the item's place; up to MOST."""
    try:
        value = jsontext.parse(jsontext.without_bom(raw))
    except jsontext.JsonError:
        return ()
    if is_event:
        items: object = [value]
    else:
        items = value.get("data") if isinstance(value, dict) else value
    if not isinstance(items, list):
        return ()
    found = (
        (place, drift)
        for place, item in enumerate(items)
        if isinstance(item, dict)
        for drift in _of_event(item)
    )
    return tuple(islice(found, MOST))


def marks(found: Sequence[tuple[int, Drift]]) -> tuple[Mark, ...]:
    """The mark on a capture, or an event, of which this is new."""
    if not found:
        return ()
    sentences = list(dict.fromkeys(f"{path_of(drift.path)} {drift.about}" for _, drift in found))
    more = f"; {len(sentences) - _NAMED:,} more" if len(sentences) > _NAMED else ""
    return (Mark(Oddity.NEW, storable("; ".join(sentences[:_NAMED]) + more + ".")),)


def path_of(steps: Iterable[Step]) -> str:
    """A path as the body's tree spells it: `data[0].metadata.plan`."""
    out = ""
    for step in steps:
        if isinstance(step, int):
            out += f"[{step}]"
        elif _IDENTIFIER.fullmatch(step):
            out += f".{step}" if out else step
        else:
            out += f"[{json.dumps(step, ensure_ascii=False)}]"
    return out


def _of_event(event: Mapping[str, Any]) -> Iterator[Drift]:
    name = event.get("eventName")
    name = name if isinstance(name, str) else ""
    if name.startswith("statsig::") and name not in NAMES and not name.startswith(_FIRST_EXPOSURE):
        yield Drift(("eventName",), "is a name of Statsig's that is not known")
    for key, value in event.items():
        yield from _field((), key, value, EVENT)
        if not isinstance(value, dict):
            continue
        if key == "user":
            yield from _of_user(value, is_actor=name == CHANGE)
        elif key == "metadata" and name in METADATA:
            for inner, held in value.items():
                yield from _field(("metadata",), inner, held, METADATA[name])
                known = _WORDS.get(inner) if name == CHANGE else None
                if known is not None and isinstance(held, str) and held not in known:
                    yield Drift(("metadata", inner), "is none of the known words")


def _of_user(user: Mapping[str, Any], *, is_actor: bool) -> Iterator[Drift]:
    for key, value in user.items():
        if is_actor:
            yield from _field(("user",), key, value, ACTOR)
        elif key in USER:
            yield from _field(("user",), key, value, USER)
        elif key == _PRIVATE:
            yield Drift(("user", key), "is never to be forwarded")


def _field(above: tuple[Step, ...], key: str, value: object, known: Mapping[str, Kinds]) -> Iterator[Drift]:
    kinds = known.get(key)
    if kinds is None:
        yield Drift((*above, key), "is a field that is not known")
    # A null says as much as the field's absence does.
    elif kinds and value is not None and (kind := _kind(value)) not in kinds:
        yield Drift((*above, key), f"is {_article(kind)}, known as {' or '.join(sorted(kinds))}")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict | list):
        return "object" if isinstance(value, dict) else "array"
    return "number"


def _article(kind: str) -> str:
    return kind if kind == "text" else f"{'an' if kind[0] in 'ao' else 'a'} {kind}"
