"""Response programs: what the receiver answers to the n-th request, by path, in one line of text. Pure.

`/hook: 500 x2 then 200; 503 30% seed=7`: rules, each with steps. What no rule or step speaks of is answered
as usual. Every text is a program, or a ProgramError that names the place.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from fnmatch import translate
from typing import Literal

from statsig_tui.core.destination import Invalid, validate_headers
from statsig_tui.core.nearest import nearest
from statsig_tui.core.printable import printable
from statsig_tui.core.records import Headers
from statsig_tui.errors import UsageError

MAX_LENGTH = 4000
"""Characters of a program."""
MOST_TIMES = 1_000_000
LONGEST_DELAY_MS = 3_600_000
EVERY = 100.0
"""Percent of the requests."""
USUAL: Literal["usual"] = "usual"
PRESETS = (
    (USUAL, "what the receiver says by itself"),
    ("200", "whatever comes"),
    ("500 x2 then 200", "fail twice, then recover"),
    ("503 30% seed=7", "fail now and then, as the seed says"),
    ("delay 12s then 200", "slow, and right in the end"),
    ("hang", "never answer"),
    ("cut", "end the connection without an answer"),
    ("429 retry-after=5", "ask for patience"),
    ("410", "gone: the sender should stop"),
)
"""Programs to choose from, each with what it is good for."""

Word = Literal["hang", "cut", "usual"]
_WORDS: tuple[Word, ...] = ("hang", "cut", "usual")
_KNOWN = (*_WORDS, "then", "delay", "seed=7", "body={}", "x2", "30%")
_SPACE = re.compile(r"\s*")
_PLAIN = re.compile(r"[^\s;]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PATH = re.compile(r"(/[^\s;]*):(?=[\s;]|$)")
_NAMED = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=")
_STATUS = re.compile(r"[2-5][0-9][0-9]", re.ASCII)
_TIMES = re.compile(r"x([0-9]{1,7})", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%", re.ASCII)
_DELAY = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)(ms|s|m)", re.ASCII)
_UNITS = {"ms": 1, "s": 1000, "m": 60_000}
_SEED = re.compile(r"[0-9]{1,18}", re.ASCII)
_BARE = re.compile(r'[^\s;"][^\s;]*')
_HASHED = 2**64
_AN_ANSWER = "write a status such as 500, or hang, cut or usual"
_JSON = json.JSONDecoder()


class ProgramError(Invalid):
    """A text that is no program: why, how to mend it, and the place (characters, from 0)."""

    def __init__(self, what: str, position: int, hint: str = "") -> None:
        super().__init__("", f"at character {position + 1}: {what}", hint)
        self.what = what
        self.position = position


@dataclass(frozen=True, slots=True)
class Step:
    """One answer, and which of the requests it is for."""

    answer: int | Word
    """A status; or no answer at all, on an open connection or one that ends."""
    delay_ms: int = 0
    times: int | None = None
    """How many requests; None, which only the last step may have: all that follow."""
    percent: float = EVERY
    """Of these requests; the others are answered as usual."""
    seed: int = 0
    headers: Headers = ()
    body: str | None = None

    @property
    def content_type(self) -> str:
        """What the body is, where no header says so."""
        return "application/json" if self.body is None or _is_json(self.body) else "text/plain; charset=utf-8"

    def is_for(self, n: int) -> bool:
        """Whether the n-th request is one of the percentage: by the seed, so always the same ones."""
        if self.percent >= EVERY:
            return True
        drawn = hashlib.sha256(f"{self.seed} {n}".encode()).digest()
        return int.from_bytes(drawn[:8]) / _HASHED < self.percent / 100

    @property
    def word(self) -> str:
        """The step without headers, body and seed, for beside what it answered."""
        parts = [f"delay {_duration(self.delay_ms)} then"] if self.delay_ms else []
        parts.append(str(self.answer))
        if self.times is not None:
            parts.append(f"x{self.times}")
        if self.percent < EVERY:
            parts.append(f"{f'{self.percent:.6f}'.rstrip('0').rstrip('.')}%")
        return " ".join(parts)

    def __str__(self) -> str:
        parts = [self.word]
        parts += [f"seed={self.seed}"] if self.seed else []
        parts += [f"{name}={_spelled(value)}" for name, value in self.headers]
        if self.body is not None:
            parts.append(f"body={self.body if _is_json(self.body) else _quoted(self.body)}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Rule:
    """The steps for the requests at a path, in which `*` is any text; None: for all that no other is for."""

    path: str | None
    steps: tuple[Step, ...]

    def step(self, n: int) -> Step | None:
        """What the n-th of its requests gets, counted from 1; None: the usual answer."""
        left = n
        for step in self.steps:
            if step.times is None or left <= step.times:
                return step if step.is_for(n) and (step.answer != USUAL or step.delay_ms) else None
            left -= step.times
        return None

    def __str__(self) -> str:
        steps = " then ".join(str(step) for step in self.steps)
        return steps if self.path is None else f"{self.path}: {steps}"


@dataclass(frozen=True, slots=True)
class Program:
    """Rules; the first whose path fits is the one, and the one without a path comes last."""

    rules: tuple[Rule, ...]
    _paths: tuple[re.Pattern[str] | None, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_paths", tuple(_pattern(rule.path) for rule in self.rules))

    def rule(self, path: str, *, named: bool = False) -> int | None:
        """The place of the rule for a path; with `named` only one that names a path will do."""
        for place, pattern in enumerate(self._paths):
            if pattern is not None and pattern.match(path):
                return place
        return None if named or None not in self._paths else self._paths.index(None)

    def __str__(self) -> str:
        return "; ".join(str(rule) for rule in self.rules)


class Course:
    """A program, and how many requests each of its rules has answered."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._counts = [0] * len(program.rules)

    def next(self, path: str, *, named: bool = False) -> Step | None:
        """What the request that came now gets; as Program.rule() and Rule.step()."""
        place = self.program.rule(path, named=named)
        if place is None:
            return None
        self._counts[place] += 1
        return self.program.rules[place].step(self._counts[place])


def parse(text: str) -> Program:
    """The program that a text is. Raises ProgramError."""
    if len(text) > MAX_LENGTH:
        raise ProgramError(f"a program has {MAX_LENGTH:,} characters at most", MAX_LENGTH)
    reader = _Reader(text)
    rules: list[Rule] = []
    while not reader.is_done or not rules:
        start = reader.position
        rule = reader.rule()
        if any(rule.path == other.path for other in rules):
            whose = "every path" if rule.path is None else rule.path
            raise ProgramError(f"there is a rule for {whose} already", start, "join them with then")
        rules.append(rule)
    return Program(tuple(rules))


def checked(text: str) -> Program:
    """As parse(), for whoever has to tell it to a user. Raises UsageError that names the place."""
    try:
        return parse(text)
    except ProgramError as error:
        raise UsageError(
            f"The response program is not understood {printable(error.message)}.", printable(error.hint)
        ) from None


class _Reader:
    """Where the reading of a text has come to."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.position = 0
        self._skip(0)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.position == len(self._text)

    def rule(self) -> Rule:
        """A path with its steps, and the semicolon behind them."""
        path = None
        if self._text.startswith("/", self.position):
            found = _PATH.match(self._text, self.position)
            if found is None:
                end = self._word()
                raise ProgramError(
                    "a colon ends the path", self.position + len(end), f"write {end.rstrip(':')}: 500"
                )
            path = found[1]
            self._skip(found.end())
        steps: list[Step] = []
        while True:
            step, goes_on = self._step()
            if not goes_on:
                break
            steps.append(replace(step, times=step.times or 1))
        if not self.is_done:
            self._skip(self.position + 1)
        return Rule(path, (*steps, step))

    def _step(self) -> tuple[Step, bool]:
        """One step, and whether another one follows."""
        made = _Made()
        while word := self._word():
            if word != "then":
                self._take(made, word)
                continue
            at = self.position
            self._skip(at + len(word))
            if made.answer is not None or not made.is_late or made.is_open:
                return made.step(at), True
            # `delay 2s then 200` is one answer.
            made.is_open = True
        if made.is_late and not made.is_open and made.answer is None:
            made.answer = USUAL
        return made.step(self.position), False

    def _take(self, made: _Made, word: str) -> None:
        """Read one part of a step."""
        at = self.position
        if (named := _NAMED.match(self._text, at)) is not None:
            self._check_answered(made, at)
            self._named(made, named[1], at, named.end())
            return
        self._skip(at + len(word))
        if word == "delay":
            self._delay(made, at)
        elif _STATUS.fullmatch(word) or word in _WORDS:
            if made.answer is not None:
                raise ProgramError("a step has one answer", at, f"write: then {word}")
            made.answer = int(word) if word.isdigit() else _WORDS[_WORDS.index(word)]
        elif (times := _TIMES.fullmatch(word)) is not None:
            self._check_answered(made, at)
            if made.times is not None:
                raise ProgramError("how many times is said already", at, "leave one out")
            if not 1 <= int(times[1]) <= MOST_TIMES:
                raise ProgramError(f"from x1 to x{MOST_TIMES}", at, "write such as x2")
            made.times = int(times[1])
        elif (percent := _PERCENT.fullmatch(word)) is not None:
            self._check_answered(made, at)
            if made.percent is not None:
                raise ProgramError("the percentage is said already", at, "leave one out")
            if not 0 < float(percent[1]) <= EVERY:
                raise ProgramError("from above 0% to 100%", at, "write such as 30%")
            made.percent = float(percent[1])
        else:
            raise _unknown(word, at)

    def _delay(self, made: _Made, at: int) -> None:
        if made.answer is not None or made.is_late:
            raise ProgramError(
                "a delay comes before its answer, once", at, "write such as: delay 2s then 200"
            )
        word = self._word()
        found = _DELAY.fullmatch(word)
        if found is None:
            raise ProgramError("how long is the delay?", self.position, "write 500ms, 2s or 1m behind it")
        ms = round(float(found[1]) * _UNITS[found[2]])
        if not 1 <= ms <= LONGEST_DELAY_MS:
            raise ProgramError("a delay is from 1ms to 60m", self.position, "write such as 12s")
        made.is_late, made.delay_ms = True, ms
        self._skip(self.position + len(word))

    def _named(self, made: _Made, name: str, at: int, start: int) -> None:
        value, end = self._value(name, start)
        lower = name.lower()
        if made.answer in _WORDS and lower != "seed":
            raise ProgramError(f"{made.answer} has no headers and no body of its own", at, _AN_ANSWER)
        if lower in made.names:
            raise ProgramError(f"{name} is said already", at, "leave one out")
        made.names.add(lower)
        if lower == "seed":
            if not _SEED.fullmatch(value):
                raise ProgramError("a seed is a whole number", start, "write such as seed=7")
            made.seed, made.seed_at = int(value), at
        elif lower == "body":
            made.body = value
        else:
            try:
                validate_headers({name: value})
            except Invalid as error:
                raise ProgramError(f"{name} {error.message}", at, error.hint) from None
            made.headers.append((name, value))
        self._skip(end)

    def _value(self, name: str, start: int) -> tuple[str, int]:
        """What stands behind `name=`, and where it ends."""
        text = self._text
        try:
            if text.startswith('"', start):
                found = _STRING.match(text, start)
                if found is None:
                    raise ProgramError("a quote is missing at the end", start, 'write " behind the value')
                value, end = json.loads(found[0], strict=False), found.end()
            elif name.lower() == "body" and text.startswith(("{", "["), start):
                end = _JSON.raw_decode(text, start)[1]
                value = text[start:end]
            else:
                found = _PLAIN.match(text, start)
                if found is None:
                    raise ProgramError("the value is missing", start, f'write such as {name}=5; or {name}=""')
                value, end = found[0], found.end()
            value.encode()
        except UnicodeEncodeError:
            raise ProgramError("holds half of a character", start, "remove it") from None
        except (ValueError, RecursionError) as error:
            if isinstance(error, ProgramError):
                raise
            raise ProgramError("is no complete JSON", start, 'write such as {"ok":true} or "text"') from None
        if text[end : end + 1].strip(";").strip():
            raise ProgramError("a blank is missing here", end, "put one behind the value")
        return value, end

    def _check_answered(self, made: _Made, at: int) -> None:
        if made.answer is None:
            raise ProgramError("the answer comes first", at, _AN_ANSWER)

    def _word(self) -> str:
        found = _PLAIN.match(self._text, self.position)
        return found[0] if found is not None else ""

    def _skip(self, position: int) -> None:
        found = _SPACE.match(self._text, position)
        self.position = found.end() if found is not None else position


@dataclass(slots=True)
class _Made:
    """A step as far as it is read."""

    answer: int | Word | None = None
    is_late: bool = False
    is_open: bool = False
    """A delay is followed by `then`, and so by an answer."""
    delay_ms: int = 0
    times: int | None = None
    percent: float | None = None
    seed: int = 0
    seed_at: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str | None = None
    names: set[str] = field(default_factory=set)

    def step(self, position: int) -> Step:
        """The whole step, which ends at a place."""
        if self.answer is None:
            raise ProgramError("an answer is missing", position, _AN_ANSWER)
        if self.seed_at is not None and self.percent is None:
            raise ProgramError("a seed without a percentage", self.seed_at, "write such as 30% seed=7")
        chance = EVERY if self.percent is None else self.percent
        seed = self.seed if chance < EVERY else 0
        headers = tuple(self.headers)
        return Step(self.answer, self.delay_ms, self.times, chance, seed, headers, self.body)


def _unknown(word: str, at: int) -> ProgramError:
    near = nearest(word, _KNOWN)
    shown = word if len(word) <= 40 else f"{word[:39]}…"
    if word.isascii() and word.isdigit():
        return ProgramError(f"{shown} is no status from 200 to 599", at, "write such as 500")
    return ProgramError(f'"{shown}" means nothing here', at, f"did you mean {near}?" if near else _AN_ANSWER)


def _pattern(path: str | None) -> re.Pattern[str] | None:
    if path is None:
        return None
    return re.compile(translate(re.sub(r"[?[]", r"[\g<0>]", path)))


def _duration(ms: int) -> str:
    return f"{ms}ms" if ms % 1000 else f"{ms // 1000}s"


def _is_json(body: str) -> bool:
    if not body.startswith(("{", "[")):
        return False
    try:
        return _JSON.raw_decode(body)[1] == len(body)
    except (ValueError, RecursionError):
        return False


def _spelled(value: str) -> str:
    return value if _BARE.fullmatch(value) else _quoted(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
