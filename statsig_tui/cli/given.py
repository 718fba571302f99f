"""What `send` is given: a template, a file or standard input, and whether it is one body or one a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from statsig_tui.cli import reading
from statsig_tui.cli.lined import LONGEST, Lined
from statsig_tui.cli.payload import Changes, Payload, is_object, made
from statsig_tui.core import curl, draft, paste
from statsig_tui.core.library import Template, built_in
from statsig_tui.core.nearest import nearest
from statsig_tui.core.request import over
from statsig_tui.errors import NotFound, UsageError
from statsig_tui.settings import templates as own
from statsig_tui.settings.templates import Shelf

_NAMES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
"""Of files that hold one JSON object a line, whatever is in them."""
_LARGEST = 256 * 1024 * 1024
"""Bytes of what is one body."""
_LOOKED_AT = 5
"""Lines that show whether each is a payload."""
_BEGINNING = 100
"""Bytes that show whether the first may be."""
_SOURCES = "Name a template, a file, or - for standard input."
_EXACT = "Or send the text itself with --exact."


def payloads(
    source: str, shelf: Shelf, changes: Changes, tell: Callable[[str], None] = lambda words: None
) -> Payload | Lined:
    """Everything to send, once through. Raises UsageError and NotFound, with the nearest name.

    `tell` hears what of a curl command is different here.
    """
    changes.check()
    found = _found(source, shelf, changes, tell)
    if isinstance(found, Lined):
        return found.alone() or found
    return made(replace(found, shape=over(found.shape, changes.shape)), changes)


def _found(source: str, shelf: Shelf, changes: Changes, tell: Callable[[str], None]) -> Template | Lined:
    if source != "-" and "/" not in source and (template := _template(source, shelf)) is not None:
        return template
    if source.lstrip().startswith(("{", "[")):
        raise UsageError(
            "An event itself is no name.", "Give it on standard input: echo '…' | statsig-tui send -"
        )
    path = Path(source)
    if source != "-" and "/" not in source and not path.exists():
        near = nearest(source, (each.name for each in (*shelf.load().templates, *built_in())))
        meant = f" Did you mean {near}?" if near else ""
        raise NotFound(
            f"There is no template and no file {source}.{meant}", "statsig-tui send --list names them."
        )
    file = reading.open_source(source, _SOURCES)
    name = "Standard input" if source == "-" else path.name
    try:
        found = _read(name, file, changes, tell)
    except reading.BROKEN as error:
        file.close()
        raise UsageError(f"{source} cannot be read: {reading.why(error)}.", _SOURCES) from None
    except BaseException:
        file.close()
        raise
    if not isinstance(found, Lined):
        file.close()
    return found


def _read(name: str, file: BinaryIO, changes: Changes, tell: Callable[[str], None]) -> Template | Lined:
    if changes.exact:
        return Template(name, draft.decode(file.read()))
    if name.endswith(".toml"):
        return own.read(file.read(), name)[0]
    start = file.tell() if file.seekable() else None
    unpacked = reading.unpacked(file)
    must = name.endswith(_NAMES)
    head = b"" if must else _head(unpacked)
    if must or _is_lined(head):
        return Lined(file, reading.behind(head, unpacked), changes, start)
    data = head + unpacked.read(_LARGEST + 1 - len(head))
    if len(data) > _LARGEST:
        raise UsageError(
            f"{name} is one body of more than {_LARGEST // 1024 // 1024} MiB.",
            "One JSON object a line is sent line by line, in a file that is named .ndjson or .jsonl.",
        )
    return _one(name, draft.decode(data), tell)


def _template(name: str, shelf: Shelf) -> Template | None:
    """The user's own one, or else the built-in one."""
    saved = shelf.find(name)
    return saved or next((each for each in built_in() if each.name == name), None)


def _one(name: str, text: str, tell: Callable[[str], None]) -> Template:
    """What a curl command would send, or else the text itself."""
    pasted = None if curl.read(text) is None else paste.recognise(text)
    if pasted is None:
        return Template(name, text)
    if pasted.cannot:
        raise UsageError(pasted.cannot, _EXACT)
    if pasted.files:
        read = {file: _of_command(file) for file in pasted.files}
        pasted = paste.recognise(text, read) or pasted
    [event] = pasted.events
    for words in event.differences:
        tell(words)
    return Template(name, event.text, shape=event.shape)


def _of_command(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {reading.why(error)}.", f"It is looked for from {Path.cwd()}."
        ) from None


def _head(file: BinaryIO) -> bytes:
    """As much of the beginning as shows whether each line is a payload."""
    head = b""
    while len(head) <= LONGEST and not _is_lined(head):
        # A character of which only the first bytes have come is nothing yet.
        begins = head[:_BEGINNING].decode(errors="ignore").lstrip("\ufeff \t\r\n")
        if (begins and not begins.startswith("{")) or head.count(b"\n") >= _LOOKED_AT:
            break
        more = reading.some(file)
        if not more:
            break
        head += more
    return head


def _is_lined(head: bytes) -> bool:
    """Whether a text that begins so can only be one JSON object a line.

    It is where the first line is an object and more follows, and where two lines in a row are, the first
    ones being broken: no JSON document has two values with nothing between them.
    """
    if b"\n" not in head:
        return False
    lines = _lines(head)
    if len(lines) < 2 or not lines[0].startswith("{"):
        return False
    return is_object(lines[0]) or any(is_object(one) and is_object(two) for one, two in pairwise(lines[1:]))


def _lines(head: bytes) -> list[str]:
    """The lines that are not blank; the last one may be only begun."""
    lines = (draft.decode(line).strip("\ufeff \t\r\n") for line in head.split(b"\n", _LOOKED_AT + 1))
    return [line for line in lines if line][: _LOOKED_AT + 1]
