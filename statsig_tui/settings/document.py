"""TOML documents -> Config: every complaint with its line and field, and never with a secret."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, time
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, Len

from statsig_tui.core import programs
from statsig_tui.core.config import DEFAULT_EMULATOR_PORT, STATSIG_URL, Config, Secret
from statsig_tui.core.destination import (
    Invalid,
    check_not_emulator,
    is_control,
    out_of_bounds,
    validate_destination,
    validate_host,
    validate_secret,
    validate_target,
    validate_url,
)
from statsig_tui.core.redact import Redactor
from statsig_tui.errors import SettingsError
from statsig_tui.settings.lines import Lines, Route, TooComplex, scan
from statsig_tui.settings.plain import Unfit, built
from statsig_tui.settings.references import map_secrets, strip_secret

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

LARGEST = 256 * 1024
"""Bytes of a settings file."""
DEFAULT_KEY = Secret(env="STATSIG_SERVER_SECRET")
DEFAULT_SECRETS = (Secret(env="STATSIG_WEBHOOK_SECRET"),)

Table = dict[str, Any]

_DEEPEST = 100
_MOST_WARNINGS = 50

_MEND = "correct it, or delete it to use the default"
_SENSITIVE = {"secret", "secrets", "key", "keys", "headers", "url", "public_url"}
"""Fields whose values a complaint does not repeat."""
_TYPES = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "dataclass_type": "must be a table",
}


@dataclass(slots=True)
class Report:
    """What was found wrong (errors) or doubtful (warnings) about one file."""

    file: str
    lines: Lines = field(default_factory=Lines)
    document: Table = field(default_factory=dict)
    errors: list[SettingsError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def error(self, route: Route, message: str, hint: str) -> None:
        """Note what keeps the file from being used."""
        self.errors.append(SettingsError(self._placed(route, message), hint))

    def warn(self, route: Route, message: str) -> None:
        """Note what the file can be used in spite of."""
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(self._placed(route, message))
        elif len(self.warnings) == _MOST_WARNINGS:
            self.warnings.append(f"{self.file}: and more of that kind")

    @contextmanager
    def judging(self, route: Route) -> Iterator[None]:
        """Note as an error what a rule of the core finds within."""
        try:
            yield
        except Invalid as error:
            place = error.field.split(".", 1) if error.field else ()
            self.error((*route, *place), error.message, error.hint)

    def _placed(self, route: Route, message: str) -> str:
        line = self.lines.of(route)
        where = f"{self.file} line {line}" if line else self.file
        return f"{where}: {_dotted(route, self.document)}: {message}" if route else f"{where}: {message}"


def parse(data: bytes, file: str, *, largest: int = LARGEST) -> Report:
    """A report with the document and its lines; raises SettingsError for what is no usable TOML."""

    def refused(message: str, hint: str, line: int | None = None) -> SettingsError:
        return SettingsError(f"{file} line {line}: {message}" if line else f"{file}: {message}", hint)

    simplify = "such a file is flat and not this large: remove what does not belong there"
    if len(data) > largest:
        raise refused(f"is larger than {largest // 1024} KiB", simplify)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise refused("is not UTF-8 text (UTF-16, or no text at all)", "save it with the encoding UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused("is not UTF-8 text", "save it with the encoding UTF-8", line) from None
    if alone := re.search(r"\r(?!\n)", text):
        line = text.count("\n", 0, alone.start()) + 1
        raise refused("has line ends of a carriage return alone", "save it with Unix line ends", line)
    try:
        # Before tomllib, which takes seconds for long dotted keys and has no limit of depth of its own.
        lines = scan(text)
        document = tomllib.loads(text)
        report = Report(file, lines, document)
        for route, value in leaves(document):
            if len(route) > _DEEPEST or (isinstance(value, int) and abs(value) >= 2**63):
                raise TooComplex("holds a nesting or a number beyond all bounds", lines.of(route) or 1)
    except TooComplex as error:
        raise refused(str(error), simplify, error.line) from None
    except tomllib.TOMLDecodeError as error:
        raise _broken(str(error), text, refused) from None
    except (RecursionError, ValueError):
        raise refused("holds a nesting or a number beyond all bounds", simplify) from None
    return report


def to_config(report: Report, default: Callable[[], Config]) -> Config | None:
    """The report's document as a configuration, secrets not yet resolved; None where it has errors."""
    document = report.document
    known = _known_only(Config, document, (), report)
    for route, value in leaves(known):
        if isinstance(value, date | time):
            report.error(route, "cannot be a date or a time", _MEND)
        elif isinstance(value, float) and not math.isfinite(value):
            report.error(route, "must be a finite number", _MEND)
    if report.errors:
        return None
    config = _typed(known, report)
    if config is None:
        return None
    if "destinations" not in document:
        config = replace(config, destinations=default().destinations)
    if "secrets" not in document.get("receiver", {}):
        config = replace(config, receiver=replace(config.receiver, secrets=DEFAULT_SECRETS))
    config = replace(
        config,
        targets=tuple(
            replace(target, key=DEFAULT_KEY)
            if target.key is None and (target.name, target.url) == ("statsig", STATSIG_URL)
            else target
            for target in config.targets
        ),
    )
    config = map_secrets(config, lambda route, secret: _stripped(route, secret, report))
    _judge(config, report)
    return None if report.errors else config


def _broken(
    message: str, text: str, refused: Callable[[str, str, int | None], SettingsError]
) -> SettingsError:
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    what = message[: found.start()] if found else message
    line = int(found[1]) if found and found[1] else text.rstrip().count("\n") + 1
    column = f" (column {found[2]})" if found and found[2] else ""
    shown = what[:1].lower() + what[1:]
    return refused(f"is not valid TOML{column}: {shown}", "correct that line or what precedes it", line)


def _known_only(cls: type, table: Table, route: Route, report: Report) -> Table:
    """The table without unknown fields, each of which gets a warning."""
    nested = nested_fields(cls)
    result: Table = {}
    for name, value in table.items():
        here = (*route, name)
        if name not in nested:
            near = get_close_matches(name, nested, 1) if len(report.warnings) < _MOST_WARNINGS else []
            hint = f'; did you mean "{near[0]}"?' if near else ""
            report.warn(here, f"is unknown, kept and ignored{hint}")
            continue
        inner, many = nested[name]
        if inner and many and isinstance(value, list):
            result[name] = [
                _known_only(inner, entry, (*here, index), report) if isinstance(entry, dict) else entry
                for index, entry in enumerate(value)
            ]
        elif inner and isinstance(value, dict):
            result[name] = _known_only(inner, value, here, report)
        else:
            result[name] = value
    return result


@cache
def nested_fields(cls: type) -> dict[str, tuple[type | None, bool]]:
    """The fields a file may set, each with the dataclass it holds and whether in a list."""
    hints = get_type_hints(cls)
    nested: dict[str, tuple[type | None, bool]] = {}
    for item in fields(cls):
        hint = hints[item.name]
        inner = next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), None)
        if not (cls is Secret and item.name == "value"):
            nested[item.name] = (inner if isinstance(inner, type) else None, get_origin(hint) is tuple)
    return nested


def _typed(document: Table, report: Report) -> Config | None:
    try:
        config: Config = built(Config, document)
    except Unfit:
        return _validated(document, report)
    return config


def _validated(document: Table, report: Report) -> Config | None:
    from pydantic import ValidationError

    try:
        # Strict JSON is strict about types and still takes a list for a tuple, an int for a float.
        return _adapter().validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            _note(detail, report)
    return None


@cache
def _adapter() -> TypeAdapter[Config]:
    # Slow to import and to build, and needed only where a file may be wrong.
    from pydantic import TypeAdapter

    return TypeAdapter(Config)


def _note(detail: ErrorDetails, report: Report) -> None:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    last = str(detail["loc"][-1]) if detail["loc"] else ""
    # A union complains once for each of its arms: keep the one whose arm was meant.
    if kind == "literal_error" and last.startswith("literal[") and isinstance(given, list):
        return
    if kind == "tuple_type" and last.startswith("tuple["):
        return
    route = _route(detail, report.document)
    hint = _MEND
    bounded = {
        "greater_than_equal": lambda: out_of_bounds(Ge(context["ge"]), given),
        "less_than_equal": lambda: out_of_bounds(Le(context["le"]), given),
        "string_too_short": lambda: out_of_bounds(Len(context["min_length"]), given),
        "string_too_long": lambda: out_of_bounds(Len(0, context["max_length"]), given),
    }
    if kind in bounded:
        message = bounded[kind]() or detail["msg"]
    elif kind == "missing":
        message, hint = "is missing", "add it"
    elif kind == "literal_error":
        message = "must be " + context["expected"].replace("'", '"')
        message += ", or a list of seconds such as [1, 5, 30]" if route[-1] == "schedule" else ""
        message += _got(route, given)
    elif kind == "dataclass_type" and context.get("class_name") == "Secret":
        message = "must be a reference to a secret"
        hint = 'write { env = "NAME" }, { keyring = "…" }, { file = "…" } or { inline = "…" }'
    else:
        message = _TYPES.get(kind, detail["msg"]) + _got(route, given)
        if kind == "tuple_type" and isinstance(given, dict):
            hint = f"write [[{route[-1]}]] with two brackets"
        elif isinstance(given, str) and kind in {"int_type", "float_type", "bool_type"}:
            hint = f"write {'true or false' if kind == 'bool_type' else 'it'} without quotes"
    report.error(route, message, hint)


def _route(detail: ErrorDetails, document: Table) -> Route:
    """Where an error is, without the names of a union's arms, which pydantic puts in between."""
    route: Route = ()
    here: Any = document
    for step in detail["loc"]:
        inside = isinstance(here, dict) and step in here
        if inside or (isinstance(here, list) and isinstance(step, int) and step < len(here)):
            here, route = here[step], (*route, step)
    return (*route, detail["loc"][-1]) if detail["type"] == "missing" else route


def _got(route: Route, value: object) -> str:
    if not isinstance(value, str | int | float) or not _SENSITIVE.isdisjoint(route):
        return ""
    if isinstance(value, str):
        return f' (got "{_shown(Redactor()(value))}")'
    return f" (got {str(value).lower() if isinstance(value, bool) else value})" if abs(value) < 10**20 else ""


def _shown(text: str) -> str:
    cut = text if len(text) <= 60 else f"{text[:59]}…"
    return "".join(f"\\u{ord(char):04x}" if is_control(char) else char for char in cut)


def _dotted(route: Route, document: Table) -> str:
    """A field as a user would name it: destinations[my-api].batch.max_events."""
    words = ""
    here: Any = document
    for step in route:
        inside = isinstance(here, list) or (isinstance(here, dict) and step in here)
        here = here[step] if inside else None
        if isinstance(step, str):
            words += f".{_shown(step)}" if words else _shown(step)
        else:
            name = here.get("name") if isinstance(here, dict) else None
            words += f"[{_shown(name)}]" if isinstance(name, str) and name else f"[{step}]"
    return words


def _stripped(route: Route, secret: Secret, report: Report) -> Secret:
    text = strip_secret(secret.inline or "")
    if secret.inline is None or secret.inline == text:
        return secret
    report.warn(route, "has spaces, line breaks or quotes around it; they are ignored")
    return replace(secret, inline=text)


def _judge(config: Config, report: Report) -> None:
    """Apply the rules that types do not say."""
    with report.judging(("emulator", "host")):
        validate_host(config.emulator.host)
    with report.judging(("receiver", "host")):
        validate_host(config.receiver.host)
    for index, key in enumerate(config.emulator.keys):
        with report.judging(("emulator", "keys", index)):
            validate_secret(key)
    if config.receiver.respond is not None:
        with report.judging(("receiver", "respond")):
            programs.parse(config.receiver.respond)
    if config.receiver.public_url is not None:
        with report.judging(("receiver", "public_url")):
            validate_url(config.receiver.public_url)
    for index, secret in enumerate(config.receiver.secrets):
        with report.judging(("receiver", "secrets", index)):
            validate_secret(secret)
    taken: set[str] = set()
    for index, target in enumerate(config.targets):
        with report.judging(("targets", index)):
            validate_target(target, taken)
        taken.add(target.name)
    taken = set()
    urls: dict[str, str] = {}
    emulator = _emulator(config)
    for index, destination in enumerate(config.destinations):
        with report.judging(("destinations", index)):
            validate_destination(destination, taken)
            if emulator is not None:
                check_not_emulator(destination.url, emulator)
        taken.add(destination.name)
        if (other := urls.setdefault(destination.url, destination.name)) != destination.name:
            report.warn(("destinations", index, "url"), f'is also the URL of "{_shown(other)}"')


def _emulator(config: Config) -> str | None:
    """Where the emulator is to listen; None: on any free port."""
    host, port = config.emulator.host, config.emulator.port
    if port == 0:
        return None
    authority = f"[{host}]" if ":" in host else host
    return f"http://{authority}:{DEFAULT_EMULATOR_PORT if port is None else port}"


def leaves(value: Any, route: Route = ()) -> Iterator[tuple[Route, Any]]:
    """Everything that holds nothing further."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not inside or not value:
        yield route, value
    for step, item in inside:
        yield from leaves(item, (*route, step))
