"""The user's own templates: a directory with one TOML file each, which can be edited by hand and kept in git.

TOML's literal strings keep a payload as it is, line by line; what they cannot hold is escaped, and bytes
that are no text stand as base64. Headers are a table, or lines where a table cannot say it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statsig_tui.core import draft
from statsig_tui.core.destination import is_control
from statsig_tui.core.library import Found, Template, name_fault
from statsig_tui.core.nearest import nearest
from statsig_tui.core.request import Shape, header_lines, lines_of
from statsig_tui.errors import NotFound, SettingsError, UsageError
from statsig_tui.settings import files
from statsig_tui.settings.document import Report, parse

LARGEST = 16 * 1024 * 1024
"""Bytes of a file: 10 MiB as base64, and more."""
_SUFFIX = ".toml"
_TEXTS = ("about", "expect", "method", "path", "body", "body_base64")
_TABLES = ("headers", "variables")
_MEND = "mend the file, or delete it"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The directory; made when the first template is saved."""

    directory: Path

    def load(self) -> Found:
        """Every template that can be read; one broken file hides no other."""
        templates: list[Template] = []
        broken: list[Template] = []
        errors: list[SettingsError] = []
        warnings: list[str] = []
        try:
            paths = sorted(self.directory.glob(f"[!.]*{_SUFFIX}"), key=lambda path: path.stem.casefold())
        except OSError as error:
            return Found(errors=(_unreadable(self.directory.name, error),))
        for path in paths:
            try:
                data = _data(path)
            except SettingsError as error:
                errors.append(error)
                continue
            try:
                template, report = read(data, path.name)
            except SettingsError as error:
                errors.append(error)
                broken.append(
                    Template(path.stem, draft.decode(data), about=error.message, fault=error.message)
                )
            else:
                templates.append(template)
                warnings.extend(report.warnings)
        return Found(tuple(templates), tuple(broken), tuple(errors), tuple(warnings))

    def find(self, name: str) -> Template | None:
        """The template of that name, if there is one. Raises SettingsError where its file is broken."""
        path = self.directory / f"{name}{_SUFFIX}"
        return _read(path)[0] if name_fault(name) is None and path.exists() else None

    def save(self, template: Template, *, replace: bool = False) -> bytes | None:
        """Write a template's file, whole or not at all; what stood there before, for restore().

        Raises UsageError for a name that cannot be or, without `replace`, is taken; SettingsError where it
        cannot be written.
        """
        path = self._path(template.name)
        if not replace and path.exists():
            raise UsageError(f"There is a template {template.name} already.", "Choose another name.")
        try:
            former = files.read(path, LARGEST)[0] if path.exists() else None
        except OSError as error:
            raise _unwritable(error) from None
        self._write(path, written(template))
        return former

    def rename(self, old: str, new: str) -> None:
        """Give a template another name. Raises what save() raises, and NotFound."""
        path, wanted = self._existing(old), self._path(new)
        if wanted.exists() and not wanted.samefile(path):
            raise UsageError(f"There is a template {new} already.", "Choose another name.")
        try:
            path.rename(wanted)
        except OSError as error:
            raise _unwritable(error) from None

    def delete(self, name: str) -> bytes:
        """Remove a template's file; its bytes, for restore(). Raises NotFound or SettingsError."""
        path = self._existing(name)
        try:
            data, _ = files.read(path, LARGEST)
            path.unlink()
        except OSError as error:
            raise _unwritable(error) from None
        return data

    def restore(self, name: str, data: bytes, *, replace: bool = False) -> None:
        """Bring back what delete() removed or save() replaced; without `replace` not over another."""
        path = self._path(name)
        if path.exists() and not replace:
            raise UsageError(f"There is a template {name} already.", "Rename that one first.")
        self._write(path, data)

    def mend(self, name: str, data: bytes) -> tuple[Template, bytes]:
        """Write the file of a broken template as it is; the template, and what stood there before.

        Raises SettingsError, with the place, where it is not understood either; NotFound.
        """
        template, _ = read(data, f"{name}{_SUFFIX}")
        path = self._existing(name)
        former = _data(path)
        self._write(path, data)
        return template, former

    def _path(self, name: str) -> Path:
        if fault := name_fault(name):
            raise UsageError(f"The name cannot be a template's: {fault}.", "Choose another name.")
        return self.directory / f"{name}{_SUFFIX}"

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.exists():
            raise NotFound(f"There is no template {name} any more.", f"See {self.directory}.")
        return path

    def _write(self, path: Path, data: bytes) -> None:
        try:
            files.write(files.replaceable(path), data)
        except OSError as error:
            raise _unwritable(error) from None


def read(data: bytes, file: str) -> tuple[Template, Report]:
    """The template that a file of this name says, and a report with warnings; SettingsError at an error."""
    report = parse(data, file, largest=LARGEST)
    document = report.document
    for name, value in document.items():
        if name in _TEXTS and not isinstance(value, str):
            report.error((name,), "must be text", _MEND)
        elif name == "headers" and isinstance(value, str):
            continue
        elif name in _TABLES:
            _judge_table(report, name, value)
        elif name not in _TEXTS:
            near = nearest(name, (*_TEXTS, *_TABLES))
            report.warn((name,), "is unknown and ignored" + (f'; did you mean "{near}"?' if near else ""))
    if not report.errors:
        text = _body(report)
    if report.errors:
        raise report.errors[0]
    template = Template(
        name=file.removesuffix(_SUFFIX),
        text=text,
        about=document.get("about", ""),
        expect=document.get("expect", ""),
        shape=Shape(
            document.get("method", ""), document.get("path", ""), _lines(document.get("headers", ""))
        ),
        variables=document.get("variables", {}),
    )
    return template, report


def written(template: Template) -> bytes:
    """The file of a template; reading it gives the same bytes to send. Raises SettingsError where not."""
    raw = draft.encode(template.text)
    lines = [f"{name} = {_basic(text)}" for name, text in _words(template) if text]
    try:
        lines.append(f"body = {_block(raw.decode())}")
    except UnicodeDecodeError:
        lines.append(f'body_base64 = "{base64.b64encode(raw).decode()}"')
    lines += [*_headers(template.shape.headers), *_table("variables", template.variables)]
    try:
        data = ("\n".join(lines) + "\n").encode()
        again, _ = read(data, f"{template.name}{_SUFFIX}")
    except (SettingsError, UnicodeEncodeError) as error:
        raise SettingsError(
            f"The template cannot be saved: {error}", "Remove what cannot be written."
        ) from None
    if (draft.encode(again.text), again.shape) != (raw, template.shape):
        raise SettingsError("The template cannot be saved without a loss.", "Save it as a file of its own.")
    return data


def _read(path: Path) -> tuple[Template, Report]:
    return read(_data(path), path.name)


def _data(path: Path) -> bytes:
    try:
        return files.read(path, LARGEST)[0]
    except OSError as error:
        raise _unreadable(path.name, error) from None


def _body(report: Report) -> str:
    document = report.document
    given = [name for name in ("body", "body_base64") if name in document]
    if len(given) != 1:
        report.error(tuple(given[1:]), "needs body, or body_base64, and not both", _MEND)
        return ""
    if given == ["body"]:
        return str(document["body"])
    try:
        return draft.decode(base64.b64decode(document["body_base64"], validate=True))
    except ValueError:
        report.error(("body_base64",), "is not base64", _MEND)
        return ""


def _judge_table(report: Report, name: str, value: Any) -> None:
    if not isinstance(value, dict):
        kind = "a table, or lines of text" if name == "headers" else "a table"
        report.error((name,), f"must be {kind}", _MEND)
        return
    for key, item in value.items():
        if not isinstance(item, str):
            report.error((name, key), "must be text, in quotes", _MEND)
        elif name == "headers" and _is_no_line(key, item):
            report.error((name, key), "is no header: a name, and a value of one line", _MEND)


def _is_no_line(name: str, value: str) -> bool:
    lines = header_lines(lines_of([(name, value)]))
    return [item.name for item in lines] != [name]


def _lines(headers: str | Mapping[str, str]) -> str:
    return headers if isinstance(headers, str) else lines_of(headers.items())


def _headers(lines: str) -> list[str]:
    """As a table if it says the same; else as lines, which can leave a header out or send it twice."""
    table = {item.name: item.value or "" for item in header_lines(lines)}
    if lines_of(table.items()) == lines:
        return _table("headers", table)
    return [f"headers = {_block(lines)}"]


def _words(template: Template) -> tuple[tuple[str, str], ...]:
    shape = template.shape
    return (
        ("about", template.about),
        ("expect", template.expect),
        ("method", shape.method),
        ("path", shape.path),
    )


def _table(name: str, table: Mapping[str, str]) -> list[str]:
    return (
        ["", f"[{name}]", *(f"{_basic(key)} = {_basic(value)}" for key, value in table.items())]
        if table
        else []
    )


def _block(text: str) -> str:
    """A text of many lines: as it is where TOML lets it be."""
    plain = all(char in "\t\n" or not is_control(char) for char in text)
    if plain and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    return f'"""\n{"".join(_escaped(char) for char in text)}"""'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char in "\t\n" or not is_control(char) else f"\\U{ord(char):08x}"


def _basic(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _unreadable(name: str, error: OSError) -> SettingsError:
    return SettingsError(f"{name}: cannot be read: {files.reason(error)}", _MEND)


def _unwritable(error: OSError) -> SettingsError:
    return SettingsError(
        f"The template is not saved: {files.reason(error)}.", "Mend that, or set STATSIG_TUI_TEMPLATES."
    )
