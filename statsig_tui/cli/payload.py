"""One body that `send` is to send: a text with variables, and what the command line changes in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from statsig_tui.core import draft, jsontext, notation, paths, template
from statsig_tui.core.library import Template
from statsig_tui.core.nearest import nearest
from statsig_tui.core.request import Shape, header_lines, is_token
from statsig_tui.core.spans import dump
from statsig_tui.core.template import Unresolved
from statsig_tui.engine.sources import real_sources
from statsig_tui.errors import NotFound, UsageError

_TEXTS = ("userID", "email", "ip", "userAgent", "country", "locale", "appVersion")
"""Fields of the user that are text, whatever is given (statsig-wire.md §2)."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What the command line says beside the source."""

    settings: Sequence[str] = ()
    """`path=value`, with + in front where the member may be new."""
    json_settings: Sequence[str] = ()
    variables: Sequence[str] = ()
    """`name=value`, also for a prompt's label."""
    exact: bool = False
    """Send the bytes as they are, as one body."""
    shape: Shape = field(default_factory=Shape)
    """What the request asks for beside the body."""

    @property
    def given(self) -> dict[str, str]:
        """Values by the variable's name. Raises UsageError."""
        return dict(_split(item, "--var") for item in self.variables)

    def check(self) -> None:
        """Raise UsageError for what is no setting or variable at all, whatever it is to change."""
        if self.exact and (self.settings or self.json_settings or self.variables):
            raise UsageError("--exact sends the bytes as they are.", "Leave out --set, --set-json and --var.")
        for setting in self.settings:
            _split(setting, "--set")
        for setting in self.json_settings:
            path, value = _split(setting, "--set-json")
            if not is_json(value):
                raise UsageError(
                    f"--set-json {path}: {value} is not JSON.", "Text goes in quotes, or with --set."
                )


@dataclass(frozen=True, slots=True)
class Payload:
    """One body to send: a text with variables, or with `exact` one that is sent as it is."""

    text: str
    shape: Shape = field(default_factory=Shape)
    values: Mapping[str, str] | None = None
    """Of its variables; None: exact."""

    def body(self, seq: int) -> bytes:
        """The bytes to send now, as the so-maniest of a series. Raises UsageError."""
        if self.values is None:
            return draft.encode(self.text)
        sources = real_sources(seq, self.values)
        try:
            return draft.encode(draft.resolved(template.render(self.text, sources), sources.now))
        except Unresolved as error:
            raise _unresolved(self.text, error) from None


def in_turn(payload: Payload, repeat: int) -> Iterator[tuple[bytes, Shape]]:
    """Bodies of a series, each rendered when it is asked for, with what is asked for beside it."""
    for seq in range(1, repeat + 1):
        yield payload.body(seq), payload.shape


def shape_of(method: str, path: str, headers: Sequence[str]) -> Shape:
    """What --method, --path and --header ask for. Raises UsageError for what no request can have."""
    if method and not is_token(method):
        raise UsageError(f"--method {method} is no method.", "Write --method PUT.")
    for given in headers:
        lines = header_lines(given)
        if len(lines) != 1 or lines[0].is_wrong:
            why = lines[0].note if len(lines) == 1 else "it is not one line"
            raise UsageError(
                f"--header {given}: {why}.", "Write --header 'name: value'; 'name:' leaves it out."
            )
    return Shape(method, path, "\n".join(headers))


def is_json(text: str) -> bool:
    """Whether a text is JSON, but for variables where it wants a value."""
    return _value(text) is not _NONE


def is_object(text: str) -> bool:
    """Whether it is a JSON object."""
    return text.lstrip("\ufeff \t").startswith("{") and isinstance(_value(text), dict)


def changed(text: str, changes: Changes) -> str:
    """The text with everything set that is to be. Raises UsageError."""
    for setting in changes.settings:
        path, value = _split(setting, "--set")
        text = _assign(text, path, partial(_spelled, path, value))
    for setting in changes.json_settings:
        path, value = _split(setting, "--set-json")
        text = _assign(text, path, partial(_as_given, value))
    return text


def _assign(text: str, path: str, value: Callable[[str | None], str]) -> str:
    try:
        return paths.assign(text, path.removeprefix("+"), value, add=path.startswith("+"))
    except paths.PathError as error:
        new = f" A new member is set with +{path}=…" if not path.startswith("+") else ""
        raise UsageError(f"--set {error}.", f"Paths are written metadata.plan.{new}") from None
    except notation.FieldError as error:
        raise UsageError(f"--set {path}: {error}.", "Text that begins like JSON goes in quotes.") from None


def _as_given(value: str, former: str | None) -> str:
    return value


def _spelled(path: str, value: str, former: str | None) -> str:
    """A value as JSON: text where the field is text, else as what it looks like."""
    steps = paths.parse(path.removeprefix("+"))
    of_user = steps[0] == "user" and (steps[-1] in _TEXTS or "customIDs" in steps[1:-1])
    was_text = former is not None and former.startswith('"') and steps != ("timestamp",)
    if of_user or was_text or steps == ("event",):
        return dump(value)
    return notation.read(value) if value else dump("")


def _split(item: str, option: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} {item} is not understood.", f"Write {option} name=value.")
    return name, value


def variables(text: str) -> set[str]:
    """What a text can be given values for: its variables, and the labels of its prompts."""
    return {*template.names(text), *template.prompts(text)} if "{{" in text else set()


def check_variables(given: Iterable[str], known: Collection[str]) -> None:
    """Raise NotFound, with the nearest name, for a value that nothing asks for."""
    for name in given:
        if name not in known:
            near = nearest(name, known)
            there = ", ".join(sorted(known)) or "it has none"
            raise NotFound(
                f"There is no variable {name}." + (f" Did you mean {near}?" if near else ""),
                f"Variables of the payload: {there}.",
            )


def made(found: Template, changes: Changes) -> Payload:
    """What is to be sent of a template. Raises UsageError and NotFound."""
    if changes.exact:
        return Payload(found.text, found.shape)
    text = changed(found.text, changes)
    check_variables(changes.given, variables(text) | set(found.variables))
    payload = Payload(text, found.shape, {**found.variables, **changes.given})
    payload.body(1)
    return payload


_NONE = object()


def _value(text: str) -> object:
    """The JSON value of a text with variables; _NONE where it is none."""
    try:
        value: object = jsontext.parse(draft.encode(template.stand_in(text)))
    except jsontext.JsonError:
        return _NONE
    return value


def _unresolved(text: str, error: Unresolved) -> UsageError:
    problem = error.problems[0]
    labels = [label for label in template.prompts(text) if label in problem.spelled]
    option = f'--var "{labels[0]}=…"' if labels else "--var name=value"
    return UsageError(
        f"A variable cannot be resolved: {error}.", f"Give it with {option}, or send with --exact."
    )
