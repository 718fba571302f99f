"""What `send` is to send: a template, a file or standard input, with what the command line changes in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from statsig_tui.core import curl, draft, jsontext, notation, paste, paths, template
from statsig_tui.core.library import Template, built_in
from statsig_tui.core.nearest import nearest
from statsig_tui.core.request import Shape, header_lines, is_token, over
from statsig_tui.core.spans import dump
from statsig_tui.core.template import Unresolved
from statsig_tui.engine.sources import real_sources
from statsig_tui.errors import NotFound, UsageError
from statsig_tui.settings import files
from statsig_tui.settings import templates as own
from statsig_tui.settings.templates import Shelf

_TEXTS = ("userID", "email", "ip", "userAgent", "country", "locale", "appVersion")
"""Fields of the user that are text, whatever is given (statsig-wire.md §2)."""
_LINES = (".ndjson", ".jsonl")


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


def payloads(
    source: str, shelf: Shelf, changes: Changes, tell: Callable[[str], None] = lambda words: None
) -> list[Payload]:
    """Everything to send, once through. Raises UsageError and NotFound, with the nearest name.

    `tell` hears what of a curl command is different here.
    """
    found = _found(source, shelf, tell, exact=changes.exact)
    found = [replace(each, shape=over(each.shape, changes.shape)) for each in found]
    if changes.exact:
        if changes.settings or changes.json_settings or changes.variables:
            raise UsageError("--exact sends the bytes as they are.", "Leave out --set, --set-json and --var.")
        return [Payload(each.text, each.shape) for each in found]
    given = dict(_split(item, "--var") for item in changes.variables)
    changed = [replace(each, text=_changed(each.text, changes)) for each in found]
    _check_variables(given, changed)
    made = [Payload(each.text, each.shape, {**each.variables, **given}) for each in changed]
    for payload in made:
        payload.body(1)
    return made


def in_turn(found: Sequence[Payload], repeat: int) -> Iterator[tuple[bytes, Shape]]:
    """Bodies of a series, each rendered when it is asked for, with what is asked for beside it."""
    seq = 0
    for _ in range(repeat):
        for payload in found:
            seq += 1
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


def _found(source: str, shelf: Shelf, tell: Callable[[str], None], *, exact: bool) -> list[Template]:
    if source == "-":
        return _several("", sys.stdin.buffer.read(), tell, exact=exact)
    if "/" not in source and (template := _template(source, shelf)) is not None:
        return [template]
    if source.lstrip().startswith(("{", "[")):
        raise UsageError(
            "An event itself is no name.", "Give it on standard input: echo '…' | statsig-tui send -"
        )
    path = Path(source)
    if "/" in source or path.exists():
        data = _read(path)
        if path.suffix == ".toml" and not exact:
            return [own.read(data, path.name)[0]]
        return _several(path.name, data, tell, exact=exact)
    near = nearest(source, (each.name for each in (*shelf.load().templates, *built_in())))
    meant = f" Did you mean {near}?" if near else ""
    raise NotFound(
        f"There is no template and no file {source}.{meant}", "statsig-tui send --list names them."
    )


def _template(name: str, shelf: Shelf) -> Template | None:
    """The user's own one, or else the built-in one."""
    saved = shelf.find(name)
    return saved or next((each for each in built_in() if each.name == name), None)


def _read(path: Path, hint: str = "Name a template, a file, or - for standard input.") -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {files.reason(error)}", hint) from None


def _several(name: str, data: bytes, tell: Callable[[str], None], *, exact: bool) -> list[Template]:
    """What a curl command would send, or else what the bytes are."""
    text = draft.decode(data)
    pasted = None if exact or curl.read(text) is None else paste.recognise(text)
    if pasted is None:
        return _split_lines(name, text, exact=exact)
    if pasted.cannot:
        raise UsageError(pasted.cannot, "Or send the text itself with --exact.")
    if pasted.files:
        read = {file: _read(Path(file), f"It is looked for from {Path.cwd()}.") for file in pasted.files}
        pasted = paste.recognise(text, read) or pasted
    [event] = pasted.events
    for words in event.differences:
        tell(words)
    return [Template(name, event.text, shape=event.shape)]


def _split_lines(name: str, text: str, *, exact: bool) -> list[Template]:
    """One payload, or with a JSON object a line one for each."""
    whole = [Template(name, text)]
    must = name.endswith(_LINES)
    if exact or (not must and _is_json(text)):
        return whole
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not must and (len(lines) < 2 or not _is_object(lines[0][1])):
        return whole
    for number, line in lines:
        if not _is_object(line):
            raise UsageError(
                f"{name or 'Standard input'} holds one JSON object a line, but line {number} is none.",
                "Mend the line, or send all of it as one body with --exact.",
            )
    return [Template(name, line.strip()) for _, line in lines]


def _is_json(text: str) -> bool:
    try:
        jsontext.parse(draft.encode(template.stand_in(text)))
    except jsontext.JsonError:
        return False
    return True


def _is_object(line: str) -> bool:
    return line.lstrip("\ufeff \t").startswith("{") and _is_json(line)


def _changed(text: str, changes: Changes) -> str:
    for setting in changes.settings:
        path, value = _split(setting, "--set")
        text = _assign(text, path, partial(_spelled, path, value))
    for setting in changes.json_settings:
        path, value = _split(setting, "--set-json")
        if not _is_json(value):
            raise UsageError(
                f"--set-json {path}: {value} is not JSON.", "Text goes in quotes, or with --set."
            )
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


def _check_variables(given: Iterable[str], found: Sequence[Template]) -> None:
    known = {name for each in found for name in (*template.names(each.text), *template.prompts(each.text))}
    known |= {name for each in found for name in each.variables}
    for name in given:
        if name not in known:
            near = nearest(name, known)
            there = ", ".join(sorted(known)) or "it has none"
            raise NotFound(
                f"There is no variable {name}." + (f" Did you mean {near}?" if near else ""),
                f"Variables of the payload: {there}.",
            )


def _unresolved(text: str, error: Unresolved) -> UsageError:
    problem = error.problems[0]
    labels = [label for label in template.prompts(text) if label in problem.spelled]
    option = f'--var "{labels[0]}=…"' if labels else "--var name=value"
    return UsageError(
        f"A variable cannot be resolved: {error}.", f"Give it with {option}, or send with --exact."
    )
