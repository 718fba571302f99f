"""A received event as a template: times and ids that were those of one event become variables. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from statsig_tui.core import template
from statsig_tui.core.event import milliseconds
from statsig_tui.core.paste import Converted, Pasted
from statsig_tui.core.paths import Step, spelled
from statsig_tui.core.spans import items_at, object_at

_NEAR_MS = 24 * 3_600_000
"""A number or a text that is a time within a day of the event's is taken for one."""
_TELLING = 6
"""Characters of an id that is no other thing's value by chance."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MS = re.compile(r"[1-9][0-9]{12}")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_SPACE = re.compile(r"[ \t\r\n]*")


def plain(pasted: Pasted) -> Pasted:
    """The same with every event's text as it is: nothing in it is a variable."""
    return replace(
        pasted, events=tuple(replace(each, text=template.literal(each.text)) for each in pasted.events)
    )


def generalised(pasted: Pasted, at: int) -> Pasted:
    """The same with variables for times and ids, which are listed; `at` is when it came, epoch ms."""
    return replace(pasted, events=tuple(_generalised(each, at) for each in pasted.events))


@dataclass(slots=True)
class _Found:
    """What is put in the place of what, and what the variables are by default."""

    now: int
    variables: dict[str, str] = field(default_factory=dict)
    """Name -> what it was."""
    places: list[tuple[int, int, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def put(self, start: int, end: int, path: tuple[Step, ...], variable: str, *, is_text: bool) -> None:
        self.places.append((start, end, f'"{variable}"' if is_text else variable))
        self.said.append(f"{spelled(path)} is {variable}")

    def named(self, name: str, value: str) -> str:
        """The variable of an id: of the same value the same."""
        known = next((name for name, was in self.variables.items() if was == value), None)
        if known is None:
            first = re.sub(r"[^A-Za-z0-9_]", "_", name)
            first = (
                first if re.match("[A-Za-z_]", first) and first not in template.BUILT_IN else f"id_{first}"
            )
            known, count = first, 1
            while known in self.variables:
                count += 1
                known = f"{first}{count}"
            self.variables[known] = value
        return f"{{{{{known}}}}}"


def _generalised(event: Converted, at: int) -> Converted:
    text = event.text
    values = list(_values(text, _skip(text), ()))
    stamp = next((text[start:end] for start, end, path in values if path == ("timestamp",)), "")
    found = _Found(int(stamp) if _MS.fullmatch(stamp) else at)
    # Ids first: where one stands a second time, it is the same variable.
    for start, end, path in values:
        if _is_id(path) and text[start] == '"' and (value := json.loads(text[start:end])):
            found.named(str(path[-1]), value)
    for start, end, path in values:
        _take(found, text, start, end, path)
    out, last = [], 0
    for start, end, variable in found.places:
        out += [template.literal(text[last:start]), variable]
        last = end
    whole = "".join([*out, template.literal(text[last:])])
    return replace(
        event,
        text=whole,
        differences=(*event.differences, *found.said),
        variables={**event.variables, **found.variables},
    )


def _values(text: str, start: int, path: tuple[Step, ...]) -> Iterator[tuple[int, int, tuple[Step, ...]]]:
    """Where every value that holds no other one starts and ends, and its path."""
    parts: list[tuple[int, int, Step]]
    if text[start] == "{":
        parts = [(each.value, each.end, each.name) for each in object_at(text, start).members]
    elif text[start] == "[":
        parts = [(*place, number) for number, place in enumerate(items_at(text, start))]
    else:
        return
    for value, end, step in parts:
        if text[value] in "{[":
            yield from _values(text, value, (*path, step))
        else:
            yield value, end, (*path, step)


def _take(found: _Found, text: str, start: int, end: int, path: tuple[Step, ...]) -> None:
    raw = text[start:end]
    is_text = raw.startswith('"')
    value = str(json.loads(raw)) if is_text else raw
    if is_text and value in found.variables.values() and (_is_id(path) or len(value) >= _TELLING):
        found.put(start, end, path, found.named("", value), is_text=True)
    elif path == ("timestamp",) and (_MS.fullmatch(value) or _ISO.fullmatch(value)):
        found.put(start, end, path, "{{now_ms}}", is_text=False)
    elif is_text and _UUID.fullmatch(value):
        found.put(start, end, path, "{{uuid}}", is_text=True)
    elif (is_iso := is_text and _ISO.fullmatch(value) is not None) or _MS.fullmatch(value):
        moment = milliseconds(value)
        if moment is not None and abs(moment - found.now) <= _NEAR_MS:
            variable = _now("now_iso" if is_iso else "now_ms", moment - found.now)
            found.put(start, end, path, variable, is_text=is_text)


def _is_id(path: tuple[Step, ...]) -> bool:
    return path == ("user", "userID") or (len(path) == 3 and path[:2] == ("user", "customIDs"))


def _now(name: str, offset: int) -> str:
    if not offset:
        return f"{{{{{name}}}}}"
    unit, ms = next((unit, ms) for unit, ms in _UNITS if offset % ms == 0)
    return f"{{{{{name} {'+' if offset > 0 else '-'}{abs(offset) // ms}{unit}}}}}"


def _skip(text: str) -> int:
    match = _SPACE.match(text)
    return match.end() if match else 0
