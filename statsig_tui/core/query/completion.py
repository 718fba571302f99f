"""What may stand at the cursor of a query: keys, their words, and what was seen. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from statsig_tui.core.query.terms import KEYS, Key, Takes

_BEHIND = re.compile(r'[^\s()",]*')
_SPLIT = re.compile(r"(?P<key>[^:=<>!]+)(?P<sign>:(?:>=|<=|>|<|=)?|!=|>=|<=|=|>|<)(?P<values>.*)", re.DOTALL)
_BARE = re.compile(r'[^\s()",*<>=][^\s()",*]*')


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that may stand there, and what it is."""

    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What would replace the text from `start` to before `end`."""

    start: int
    end: int
    candidates: tuple[Candidate, ...] = ()


def complete(
    text: str, cursor: int, seen: Mapping[str, Sequence[str]], keys: Mapping[str, Key] = KEYS
) -> Completion:
    """What fits at the cursor; `seen` are values by key (`event`) and by path (`metadata.plan`)."""
    start = _start(text[:cursor])
    behind = _BEHIND.match(text, cursor)
    end = behind.end() if behind is not None else cursor
    while start < cursor and text[start] == "-":
        start += 1
    term = text[start:cursor]
    split = _SPLIT.fullmatch(term)
    if split is None:
        return Completion(start, end, tuple(_keys(term, seen, keys)))
    begun = _last(split["values"])
    key = split["key"]
    return Completion(cursor - len(begun), end, tuple(_values(key, begun, seen, keys)))


def _start(text: str) -> int:
    """Where the term that the text ends in begins."""
    start = at = 0
    is_quoted = False
    while at < len(text):
        if is_quoted and text[at] == "\\":
            at += 1
        elif text[at] == '"':
            is_quoted = not is_quoted
        elif not is_quoted and (text[at].isspace() or text[at] in "()"):
            start = at + 1
        at += 1
    return start


def _keys(begun: str, seen: Mapping[str, Sequence[str]], keys: Mapping[str, Key]) -> Iterable[Candidate]:
    for key in keys.values():
        if key.name.startswith(begun):
            yield Candidate(f"{key.name}:", key.about)
    for path in seen:
        if path not in KEYS and path.startswith(begun):
            yield Candidate(f"{path}=", "a field that was seen")


def _values(
    name: str, begun: str, seen: Mapping[str, Sequence[str]], keys: Mapping[str, Key]
) -> Iterable[Candidate]:
    if name in KEYS and name not in keys:
        return
    key = keys.get(name)
    if key is not None and key.takes is Takes.STATUS:
        known: Iterable[str] = ("2xx", "3xx", "4xx", "5xx", "none")
    elif key is not None and key.takes is Takes.PATH:
        known = (path for path in seen if path not in KEYS)
    elif key is not None:
        known = key.choices
    else:
        known = ()
    wanted = begun.removeprefix('"')
    for value in dict.fromkeys((*known, *seen.get(name, ()))):
        if value.lower().startswith(wanted.lower()):
            yield Candidate(value if _BARE.fullmatch(value) else json.dumps(value, ensure_ascii=False))


def _last(values: str) -> str:
    """What was begun of the last value."""
    at = 0
    is_quoted = False
    for place, character in enumerate(values):
        if character == '"' and values[place - 1 : place] != "\\":
            is_quoted = not is_quoted
        elif character == "," and not is_quoted:
            at = place + 1
    return values[at:]
