"""Text to query and back. Every text is a query, or a QueryError that names the place. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from statsig_tui.core import paths
from statsig_tui.core.event import milliseconds
from statsig_tui.core.nearest import nearest
from statsig_tui.core.query import terms
from statsig_tui.core.query.terms import (
    EVENT_FIELDS,
    KEYS,
    All,
    AnyOf,
    Clause,
    Field,
    Key,
    Node,
    Not,
    Operator,
    Takes,
    Value,
    Word,
)

MAX_LENGTH = 4000
"""Characters of a query."""
_MAX_DEPTH = 40
_SPACE = re.compile(r"\s*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_HEAD = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s()"\\:=<>!]|!(?!=))*', re.DOTALL)
_BARE = re.compile(r'[^\s()"]*')
_BARE_VALUE = re.compile(r'[^\s()",]*')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_OPERATOR = re.compile(r":(?:>=|<=|>|<|=)?|!=|>=|<=|=|>|<")
_PLAIN = re.compile(r'[^\s()"\\:=<>!,*-][^\s()"\\:=<>!]*')
_PLAIN_VALUE = re.compile(r'[^\s()",*<>=][^\s()",*]*')
_PLAIN_STEP = re.compile(r'[^\s()"\\:=<>!.\[\]]+')
_JOINING = ("or", "and")
_MOMENTS = (Takes.MOMENT, Takes.TIME)


class QueryError(ValueError):
    """A text that is no query: why, how to mend it, and the place (characters, from 0)."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position
        self.hint = hint


def parse_node(text: str, keys: Mapping[str, Key] = KEYS) -> Node:
    """The tree of a text, in its normal form; `keys` are those it may use. Raises QueryError."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a query has {MAX_LENGTH:,} characters at most", MAX_LENGTH)
    reader = _Reader(text, keys)
    node = reader.any_of(0)
    if reader.at < len(text):
        raise QueryError("this bracket closes nothing", reader.at, 'Text with brackets stands in "quotes".')
    return node


def spell(node: Node) -> str:
    """The text that parse_node() reads as this."""
    match node:
        case Word(value):
            return _spelled_word(value)
        case Clause(key, operator, values):
            return f"{key}:{'' if operator == '=' else operator}{_spelled_values(values, after_colon=True)}"
        case Field(path, operator, values):
            if operator is None:
                return f"has:{_spelled_path(path)}"
            return f"{_spelled_path(path)}{operator}{_spelled_values(values)}"
        case Not(part):
            return f"-({spell(part)})" if isinstance(part, All | AnyOf) else f"-{spell(part)}"
        case All(parts):
            return " ".join(f"({spell(part)})" if isinstance(part, AnyOf) else spell(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(map(spell, parts))


def all_of(parts: Iterable[Node]) -> Node:
    """The parts together, in normal form."""
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, All) else (part,)
    return flat[0] if len(flat) == 1 else All(tuple(flat))


class _Reader:
    def __init__(self, text: str, keys: Mapping[str, Key]) -> None:
        self._text = text
        self._keys = keys
        self.at = 0
        self._skip()

    def any_of(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise QueryError(f"brackets and minus signs go {_MAX_DEPTH} deep at most", self.at)
        found: list[Node] = []
        while True:
            node = self._all_of(depth)
            found += node.parts if isinstance(node, AnyOf) else (node,)
            place = self.at
            if not self._takes("or"):
                return found[0] if len(found) == 1 else AnyOf(tuple(found))
            if All() in found or self._ends():
                raise QueryError("or stands between two clauses", place, 'The word itself is "or".')

    def _all_of(self, depth: int) -> Node:
        found: list[Node] = []
        while not self._ends() and not self._is("or"):
            place = self.at
            if self._takes("and"):
                if not found or self._ends() or self._is("or") or self._is("and"):
                    raise QueryError("and stands between two clauses", place, 'The word itself is "and".')
            else:
                found.append(self._factor(depth))
        return all_of(found)

    def _factor(self, depth: int) -> Node:
        place = self.at
        if self._text[place] == "-":
            if depth >= _MAX_DEPTH:
                raise QueryError(f"brackets and minus signs go {_MAX_DEPTH} deep at most", place)
            self.at += 1
            if self.at == len(self._text) or self._text[self.at].isspace() or self._text[self.at] == ")":
                raise QueryError("- negates what follows it at once", place, 'The sign itself is "-".')
            return Not(self._factor(depth + 1))
        if self._text[place] == "(":
            self.at += 1
            self._skip()
            node = self.any_of(depth + 1)
            if self.at == len(self._text):
                raise QueryError("this bracket is never closed", place)
            if node == All():
                raise QueryError("nothing stands between the brackets", place)
            self.at += 1
            self._skip()
            return node
        node = self._term()
        self._skip()
        return node

    def _term(self) -> Node:
        start = self.at
        head = self._match(_HEAD)
        behind = self._text[self.at : self.at + 2]
        if not head and behind[:1] in ('"', "\\"):
            if behind[:1] == '"':
                raise QueryError("this quote is never closed", start)
            return self._word(start)
        is_key = head in KEYS
        is_foreign = head[:1] != '"' and not is_key and _NAME.match(head) is None
        # Names such as statsig::gate_exposure, addresses and times are text.
        if is_foreign or (not is_key and self._text.startswith(("::", "://"), self.at)):
            return self._word(start)
        sign = self._match(_OPERATOR)
        if not sign:
            if self._text[self.at : self.at + 1] not in ("", "(", ")") and not self._text[self.at].isspace():
                return self._word(start)
            return self._without_operator(head, start)
        place = self.at
        negated, operator = _operator(sign)
        if is_key and head not in self._keys:
            usable = ", ".join(self._keys)
            raise QueryError(
                f"{head} says nothing of an event before its delivery",
                start,
                f"Use {usable}, or a field such as metadata.plan=pro",
            )
        if is_key and self._keys[head].takes is Takes.PATH:
            return Not(self._has(place)) if negated else self._has(place)
        node = self._clause(self._keys[head], operator) if is_key else self._field(head, start, operator)
        return Not(node) if negated else node

    def _word(self, start: int) -> Node:
        """What was begun at `start` as text as it is, up to the next space, bracket or quote."""
        self.at = start
        text = self._match(_BARE)
        if self._text[self.at : self.at + 1] == '"':
            raise QueryError("a quote stands within a word", self.at, "Put all of it in quotes.")
        return Word(_value(text))

    def _without_operator(self, head: str, start: int) -> Node:
        if _STRING.fullmatch(head):
            return Word(_value(self._unquoted(head, start), literal=True))
        if '"' not in head and not _is_field(head):
            return Word(_value(head))
        return Field(self._path(head, start))

    def _has(self, place: int) -> Node:
        head = self._match(_HEAD)
        if not head:
            raise QueryError("has: what field?", place, "For example has:metadata.plan")
        return Field(self._path(head, place, known=False))

    def _clause(self, key: Key, operator: Operator) -> Node:
        place = self.at
        if operator != "=" and key.takes in (Takes.TEXT, Takes.CHOICE, *_MOMENTS):
            raise QueryError(f"{key.name} cannot be greater or less", place, f"{key.name}: takes {key.takes}")
        found = []
        for at, text, quoted in self._values(key.name, place):
            found.append(_checked(key, operator, text, quoted=quoted, at=at))
        if (operator != "=" or key.takes in _MOMENTS) and len(found) > 1:
            raise QueryError(f"{key.name} takes one value here", place)
        return Clause(key.name, operator, tuple(found))

    def _field(self, head: str, start: int, operator: Operator) -> Node:
        path = self._path(head, start)
        place = self.at
        found = [
            Value(text, quoted and "*" in text, None if quoted else terms.number(text))
            for _, text, quoted in self._values(head, place)
        ]
        if operator != "=" and (len(found) > 1 or found[0].number is None):
            raise QueryError(f"{operator} compares with one number", place)
        return Field(path, operator, tuple(found))

    def _values(self, name: str, place: int) -> list[tuple[int, str, bool]]:
        found: list[tuple[int, str, bool]] = []
        while True:
            at = self.at
            if self._text[at : at + 1] == '"':
                whole = self._match(_STRING)
                if not whole:
                    raise QueryError("this quote is never closed", at)
                found.append((at, self._unquoted(whole, at), True))
            else:
                text = self._match(_BARE_VALUE)
                if not text:
                    raise QueryError(f"{name}: what is it to be?", at)
                found.append((at, text, False))
            behind = self._text[self.at : self.at + 1]
            if behind == ",":
                self.at += 1
            elif behind in ("", ")") or behind.isspace():
                return found
            else:
                raise QueryError(
                    f"a value ends before {behind}", self.at, "Put a value with quotes or brackets in quotes."
                )

    def _path(self, head: str, start: int, *, known: bool = True) -> tuple[paths.Step, ...]:
        try:
            path = paths.parse(head)
        except ValueError as error:
            raise QueryError(str(error), start, 'Text that looks so stands in "quotes".') from None
        if known and not head.startswith('"') and path[0] not in EVENT_FIELDS:
            root = str(path[0])
            near = nearest(root, [*self._keys, *EVENT_FIELDS])
            meant = f"; did you mean {near}?" if near is not None else ""
            keys = ", ".join(self._keys)
            raise QueryError(
                f"there is no key {root}{meant}",
                start,
                f'Keys are {keys}. A field of that name is "{root}"; text stands in "quotes" as a whole.',
            )
        return path

    def _unquoted(self, text: str, at: int) -> str:
        try:
            return str(json.loads(text, strict=False))
        except ValueError:
            raise QueryError(
                "a backslash in quotes stands before a quote or another backslash", at, r"Write \\ for one."
            ) from None

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def _skip(self) -> None:
        self._match(_SPACE)

    def _ends(self) -> bool:
        return self.at == len(self._text) or self._text[self.at] == ")"

    def _is(self, word: str) -> bool:
        end = self.at + len(word)
        behind = self._text[end : end + 1]
        return self._text[self.at : end].lower() == word and (behind in ("", "(", ")") or behind.isspace())

    def _takes(self, word: str) -> bool:
        if not self._is(word):
            return False
        self.at += len(word)
        self._skip()
        return True


def _operator(sign: str) -> tuple[bool, Operator]:
    plain = sign.lstrip(":") or "="
    operators: dict[str, Operator] = {"=": "=", "!=": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
    return sign == "!=", operators[plain]


def _value(text: str, *, literal: bool = False) -> Value:
    # Without a star there is nothing to take literally: both spellings mean the same.
    return Value(text, literal and "*" in text)


def _is_field(head: str) -> bool:
    root = re.split(r"[.\[]", head, maxsplit=1)[0]
    if root == head or root not in EVENT_FIELDS:
        return False
    try:
        paths.parse(head)
    except ValueError:
        return False
    return True


def _checked(key: Key, operator: Operator, text: str, *, quoted: bool, at: int) -> Value:
    wrong = QueryError(f"{key.name}: {text} is not {key.takes}", at)
    match key.takes:
        case Takes.TEXT:
            return _value(text, literal=quoted)
        case Takes.CHOICE:
            word = text.lower()
            if word not in key.choices:
                near = nearest(word, key.choices)
                meant = f"; did you mean {near}?" if near is not None else ""
                raise QueryError(
                    f"{key.name} is never {text}{meant}", at, f"{key.name}: takes {', '.join(key.choices)}"
                )
            return Value(word)
        case Takes.STATUS:
            word = text.lower()
            if operator == "=" and (word == "none" or re.fullmatch("[1-5]xx", word)):
                return Value(word)
            if re.fullmatch("[1-9][0-9]{2}", word) is None:
                raise wrong
            return Value(word, number=int(word))
        case Takes.MOMENT:
            amount = _moment(text)
        case Takes.TIME:
            if terms.is_age(text):
                raise QueryError(
                    f"{key.name}: {text} is an age, and an event has none before its delivery",
                    at,
                    f"Write {Takes.TIME}",
                )
            amount = _moment(text)
        case Takes.SIZE:
            amount = terms.byte_count(text)
        case Takes.DURATION:
            amount = terms.duration(text)
        case _:
            amount = int(text) if re.fullmatch("[0-9]{1,15}", text) else None
    if amount is None:
        raise wrong
    return Value(text, number=amount)


def _moment(text: str) -> int | None:
    if terms.is_age(text):
        return terms.duration(text)
    at = milliseconds(text) if text.isascii() and text[:1].isdigit() else None
    return at if at is not None and abs(at) < 2**53 else None


def _spelled_word(value: Value) -> str:
    text = value.text
    if value.is_pattern or (_PLAIN.fullmatch(text) and text.lower() not in _JOINING and not _is_field(text)):
        return text
    return _json(text)


def _spelled_values(values: Sequence[Value], *, after_colon: bool = False) -> str:
    spelled = ",".join(map(_spelled_value, values))
    # A sign behind the colon would be read as the operator's.
    return f"={spelled}" if after_colon and spelled[0] in "<>=" else spelled


def _spelled_value(value: Value) -> str:
    text = value.text
    # What only looks like a number was said to be text.
    is_text = value.number is None and terms.number(text) is not None
    if value.is_pattern or (_PLAIN_VALUE.fullmatch(text) and not is_text):
        return text
    return _json(text)


def _spelled_path(path: Sequence[paths.Step]) -> str:
    root, *rest = path
    is_plain = root in EVENT_FIELDS and (rest or root not in KEYS)
    spelled = str(root) if is_plain else _json(str(root))
    for step in rest:
        if isinstance(step, int):
            spelled += f"[{step}]"
        else:
            spelled += f".{step if _PLAIN_STEP.fullmatch(step) else _json(step)}"
    return spelled


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
