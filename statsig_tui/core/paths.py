"""A place in a JSON text by its path, `metadata.plan` or `items[0]."a.b"`, and another value put there.

What is not replaced keeps its spelling. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from statsig_tui.core import jsontext
from statsig_tui.core.nearest import nearest
from statsig_tui.core.spans import dump, items_at, new_member, object_at, splice
from statsig_tui.core.template import stand_in

Step = str | int
_STEP = re.compile(r'"(?:[^"\\]|\\.)*"|[^.\[\]"]+|\[\d+\]')
_SPACE = " \t\r\n\ufeff"


class PathError(ValueError):
    """A path that cannot be read, or that leads nowhere in a text; says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands in a text."""

    start: int
    end: int


def parse(path: str) -> tuple[Step, ...]:
    """The steps of a path. Raises PathError."""
    steps: list[Step] = []
    at = 0
    while at < len(path) or not steps:
        match = _STEP.match(path, at)
        if match is None or (match[0].startswith("[") and not steps):
            raise PathError(f'{path or "the path"} is not understood: write metadata.plan, "a.b" or tags[0]')
        word = match[0]
        if word.startswith("["):
            steps.append(int(word[1:-1]))
        else:
            steps.append(str(json.loads(word)) if word.startswith('"') else word)
        at = match.end()
        if path[at : at + 1] == ".":
            at += 1
            if at == len(path):
                raise PathError(f"{path} ends in a dot")
        elif at < len(path) and path[at] != "[":
            raise PathError(f"{path} is not understood behind {path[:at]}")
    return tuple(steps)


def spelled(steps: Sequence[Step]) -> str:
    """Steps as a path that parse() reads."""
    out = ""
    for step in steps:
        if isinstance(step, int):
            out += f"[{step}]"
        else:
            plain = step and not set(step) & set('."[]')
            out += ("." if out else "") + (step if plain else dump(step))
    return out


def assign(text: str, path: str, value: Callable[[str | None], str], *, add: bool = False) -> str:
    """The text with the value at a path replaced by what `value` makes of the former one.

    Both are spelled as JSON. With `add` members that are missing are made; without it they are errors.
    Variables may stand where JSON wants a value. Raises PathError.
    """
    steps = parse(path)
    shape = stand_in(text)
    try:
        whole = jsontext.parse(shape.encode("utf-8", "surrogatepass"))
    except jsontext.JsonError as error:
        raise PathError(f"{path} cannot be set: {error.message}") from None
    if not isinstance(whole, dict | list):
        raise PathError(f"{path} cannot be set: the body is neither an object nor a list")
    start = len(shape) - len(shape.lstrip(_SPACE))
    for depth, step in enumerate(steps):
        place = _within(shape, start, steps[:depth], step)
        if place is None:
            if not add or isinstance(step, int):
                raise PathError(_missing(shape, start, steps, depth))
            return _added(text, shape, start, steps[depth:], value(None))
        if depth + 1 == len(steps):
            return text[: place.start] + value(text[place.start : place.end]) + text[place.end :]
        start = place.start
    raise PathError(f"{path} leads nowhere")


def _within(shape: str, start: int, before: Sequence[Step], step: Step) -> Place | None:
    """Where a member or an item of the value at `start` is; None where there is none."""
    if isinstance(step, int):
        if shape[start] != "[":
            raise PathError(f"{spelled(before)} is no list: [{step}] is not to be had")
        found = items_at(shape, start)
        return Place(*found[step]) if step < len(found) else None
    if shape[start] != "{":
        raise PathError(f"{spelled(before) or 'the body'} is no object: it has no member {step}")
    member = object_at(shape, start).last(step)
    return Place(member.value, member.end) if member is not None else None


def _missing(shape: str, start: int, steps: Sequence[Step], depth: int) -> str:
    step, path = steps[depth], spelled(steps)
    if isinstance(step, int):
        count = len(items_at(shape, start))
        return f"there is no {path}: {spelled(steps[:depth])} has {count} item{'s' * (count != 1)}"
    known = [member.name for member in object_at(shape, start).members]
    near = nearest(step, known)
    meant = f"; did you mean {spelled((*steps[:depth], near))}?" if near is not None else ""
    return f"there is no {spelled(steps[: depth + 1])}{meant}"


def _added(text: str, shape: str, start: int, steps: Sequence[Step], value: str) -> str:
    for step in reversed(steps[1:]):
        if isinstance(step, int):
            raise PathError(f"[{step}] cannot be added: give the whole list as JSON")
        value = f"{{{dump(step)}: {value}}}"
    holder = object_at(shape, start)
    kept = [member.spelled(text) for member in holder.members]
    return splice(text, holder, [*kept, new_member(text, holder, str(steps[0]), value)])
