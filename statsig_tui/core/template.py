"""Variables in a text: `{{now_ms -5m}}`, `{{uuid}}`, `{{pick a|b}}`, `{{name}}`; found, resolved, rendered.

Time, chance, environment and answers are arguments. Within a JSON string a value is escaped for it, elsewhere
it stands bare. A text without variables stays as it is; `{{{{}}` is a literal `{{`. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from statsig_tui.core import jsontext
from statsig_tui.core.nearest import nearest

BUILT_IN = ("now_ms", "now_s", "now_iso", "uuid", "seq", "pick", "env", "prompt")
"""Variables with a meaning of their own; every other name is a user's."""
NUMBERS = ("now_ms", "now_s", "seq")
"""Those whose value is a number."""
_LITERAL = "{{{{}}"
_TOKEN = re.compile(
    r"""
      (?P<literal> \{\{\{\{\}\} )
    | \{\{ [ \t]* (?P<name>now_(?:ms|s|iso)(?=-)|[A-Za-z_][A-Za-z0-9_.-]*) (?P<rest>[^{}\r\n]*) \}\}
    | (?P<open> \{\{ [ \t]* [A-Za-z_][A-Za-z0-9_.-]* )
    | (?P<escape> \\["\\] )
    | (?P<quote> " )
    | (?P<newline> \n )
    """,
    re.VERBOSE,
)
_MEANT = re.compile(r"\{\{(?=\{\{\}\}|[ \t]*[A-Za-z_])")
"""Two braces that would be taken for a variable, or for two literal ones."""
_OFFSET = re.compile(r"([+-])[ \t]*(\d{1,12})[ \t]*(ms|s|m|h|d)", re.ASCII)
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_START = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable where it stands in a text; offsets are characters."""

    name: str
    argument: str
    start: int
    end: int
    is_quoted: bool
    """Within a JSON string."""
    is_closed: bool = True


Piece = str | Variable


@dataclass(frozen=True, slots=True)
class Sources:
    """What variables are resolved from."""

    now: int
    """Milliseconds since the epoch."""
    uuid: Callable[[], str]
    choose: Callable[[int], int]
    """An index below the given count."""
    seq: int = 1
    """Which of a series is being sent, from 1."""
    env: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    """User variables by name, and answers by a prompt's label."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A variable that cannot be resolved: as it is spelled, its place (from 1, in characters), and why."""

    spelled: str
    line: int
    column: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.spelled} {self.why}"


class Unresolved(ValueError):
    """A text cannot be rendered: every variable that has no value."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Shown:
    """A variable as it is spelled, with its value, or with what keeps it from having one."""

    name: str
    argument: str
    spelled: str
    value: str | None
    problem: Problem | None = None


class _Missing(ValueError):
    """Why a variable has no value."""


def parse(text: str) -> tuple[Piece, ...]:
    """The text in pieces: variables, and what stands between them as it is sent."""
    if "{{" not in text:
        return (text,) if text else ()
    found: list[Piece] = []
    at = 0
    for start, end, piece in _pieces(text):
        if start > at:
            found.append(text[at:start])
        found.append(piece)
        at = end
    if at < len(text):
        found.append(text[at:])
    return tuple(found)


def render(text: str, sources: Sources) -> str:
    """The text with every variable resolved. Raises Unresolved, naming all that are not."""
    if "{{" not in text:
        return text
    out: list[str] = []
    problems: list[Problem] = []
    for piece in parse(text):
        if isinstance(piece, str):
            out.append(piece)
            continue
        try:
            value = _value(piece, sources)
        except _Missing as why:
            problems.append(_problem(text, piece, str(why)))
        else:
            out.append(jsontext.dump(value).decode()[1:-1] if piece.is_quoted else value)
    if problems:
        raise Unresolved(tuple(problems))
    return "".join(out)


def preview(text: str, sources: Sources) -> list[Shown]:
    """Every variable of a text once, in its order, with what it resolves to."""
    found: dict[str, Shown] = {}
    for variable in variables(text):
        spelled = text[variable.start : variable.end]
        if spelled in found:
            continue
        value, problem = None, None
        try:
            value = _value(variable, sources)
        except _Missing as why:
            problem = _problem(text, variable, str(why))
        found[spelled] = Shown(variable.name, variable.argument, spelled, value, problem)
    return list(found.values())


def variables(text: str) -> list[Variable]:
    """The variables of a text, in its order."""
    return [piece for piece in parse(text) if isinstance(piece, Variable)]


def alone(text: str) -> Variable | None:
    """The variable that is all of a text; None where there is more to it, or none."""
    pieces = parse(text.strip())
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], Variable) and pieces[0].is_closed else None


def prompts(text: str) -> list[str]:
    """The labels of what a text asks for, each once."""
    return _once(each.argument for each in variables(text) if each.name == "prompt" and each.argument)


def names(text: str) -> list[str]:
    """The user variables of a text, each once."""
    return _once(each.name for each in variables(text) if each.is_closed and each.name not in BUILT_IN)


def stand_in(text: str) -> str:
    """The text with a number, of the same length, for each variable that stands where JSON wants a value."""
    if "{{" not in text:
        return text
    out = list(text)
    for variable in variables(text):
        if variable.is_closed and not variable.is_quoted:
            out[variable.start : variable.end] = "1" * (variable.end - variable.start)
    return "".join(out)


def literal(text: str) -> str:
    """The text written so that rendering gives it back: nothing in it is a variable."""
    return _MEANT.sub(lambda match: _LITERAL, text)


def _pieces(text: str) -> Iterator[tuple[int, int, Piece]]:
    in_string = False
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "quote":
            in_string = not in_string
        elif kind == "newline":
            # No JSON string goes beyond its line: one that was never closed ends here.
            in_string = False
        elif kind == "literal":
            yield match.start(), match.end(), "{{"
        elif kind == "open":
            name = match["open"].lstrip("{ \t")
            yield match.start(), match.end(), Variable(name, "", *match.span(), in_string, is_closed=False)
        elif kind == "rest":
            argument = match["rest"].strip(" \t")
            if in_string:
                argument = _unescaped(argument)
            yield match.start(), match.end(), Variable(match["name"], argument, *match.span(), in_string)


def _unescaped(argument: str) -> str:
    try:
        return str(json.loads(f'"{argument}"'))
    except ValueError:
        return argument


def _value(variable: Variable, sources: Sources) -> str:
    name, argument = variable.name, variable.argument
    if not variable.is_closed:
        raise _Missing("is not closed: write }} after it, or {{{{}} for two plain braces")
    match name:
        case "now_ms" | "now_s" | "now_iso":
            return _time(name, sources.now + _offset(argument))
        case "seq":
            if argument and not _START.fullmatch(argument):
                raise _Missing("is not understood: write {{seq}}, or {{seq 100}} to begin there")
            return str(sources.seq - 1 + int(argument or 1))
        case "pick":
            if not argument:
                raise _Missing("has nothing to pick from: write {{pick a|b}}")
            choices = [choice.strip(" \t") for choice in argument.split("|")]
            return choices[sources.choose(len(choices))]
        case "env":
            return _looked_up(argument, sources.env, "an environment variable", "is not set")
        case "prompt":
            return _looked_up(argument, sources.values, "a label to ask by", "has no answer")
    if argument:
        raise _Missing(f"is not understood: {name} takes no argument{_meant(name, BUILT_IN)}")
    if name == "uuid":
        return sources.uuid()
    if name not in sources.values:
        raise _Missing(f"has no value{_meant(name, (*BUILT_IN, *sources.values))}")
    return sources.values[name]


def _looked_up(argument: str, known: Mapping[str, str], what: str, missing: str) -> str:
    if not argument:
        raise _Missing(f"names nothing: it takes {what}")
    if argument not in known:
        raise _Missing(f"{missing}{_meant(argument, known)}")
    return known[argument]


def _offset(argument: str) -> int:
    if not argument:
        return 0
    match = _OFFSET.fullmatch(argument)
    if match is None:
        raise _Missing("is not understood: an offset is written -5m, +1h, -2d, +30s or -250ms")
    return int(match[1] + match[2]) * _UNITS[match[3]]


def _time(name: str, ms: int) -> str:
    if name == "now_ms":
        return str(ms)
    if name == "now_s":
        return str(ms // 1000)
    try:
        moment = _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        raise _Missing("is beyond what a date can say") from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _meant(name: str, known: Mapping[str, str] | tuple[str, ...]) -> str:
    near = nearest(name, known)
    return f"; did you mean {near}?" if near is not None and near != name else ""


def _problem(text: str, variable: Variable, why: str) -> Problem:
    line = text.count("\n", 0, variable.start) + 1
    column = variable.start - text.rfind("\n", 0, variable.start)
    return Problem(text[variable.start : variable.end], line, column, why)


def _once(found: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(found))
