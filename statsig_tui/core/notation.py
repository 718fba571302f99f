"""How values are written in one-line fields: text bare where that reads as nothing else, the rest as JSON.

Every `shown…` text is read back by the `read…` function beside it as the value it came from. Pure.
"""

from __future__ import annotations

import json
import re

from statsig_tui.core import jsontext, template
from statsig_tui.core.printable import printable
from statsig_tui.core.spans import dump

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LINE = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s="{}\[\],:][^=]*?)\s*=\s*(.*)', re.DOTALL)
_GAPS = re.compile(r'("(?:[^"\\]|\\.)*"|\{\{[^{}]*\}\})|[ \t\r\n]+', re.DOTALL)
_KINDS = {'"': "text", "{": "object", "[": "array", "t": "boolean", "f": "boolean", "n": "null"}


class FieldError(ValueError):
    """What a field holds cannot be meant; says why."""


def kind(raw: str) -> str:
    """The word for a spelled value: text, number, boolean, null, object, array or variable."""
    if raw.startswith("{{"):
        return "variable"
    return _KINDS.get(raw[:1], "number")


def a(word: str) -> str:
    """A kind with its article."""
    return word if word in ("text", "null") else f"{'an' if word[0] in 'ao' else 'a'} {word}"


def shown_text(raw: str) -> str:
    """A spelled string: bare, or in quotes where it is empty or something in it cannot be seen."""
    return _bare(raw) or _quoted(raw)


def read_text(content: str) -> str:
    """The string that is meant, spelled. Raises FieldError."""
    if not content.startswith('"'):
        return dump(content)
    return read_json(content.strip(), "the text in quotes")


def shown(raw: str, *, bare: bool) -> str:
    """Any spelled value on one line; strings stay in quotes unless `bare`, or where they read as JSON."""
    text = _bare(raw) if bare and kind(raw) == "text" else None
    if text and not is_spelled(text):
        return text
    tight = _GAPS.sub(lambda match: match[1] or "", raw)
    if printable(tight) == tight or template.stand_in(tight) != tight:
        return tight
    return json.dumps(json.loads(tight), separators=(",", ":"))


def read(content: str) -> str:
    """The value that is meant: JSON where it is spelled as JSON, else text. Raises FieldError."""
    if (variable := template.alone(content)) is not None:
        return content.strip() if variable.name in template.NUMBERS else dump(content.strip())
    content = content.strip() if is_spelled(content.strip()) else content
    return read_json(content, "this") if is_spelled(content) else dump(content)


def is_spelled(content: str) -> bool:
    """Whether a content is meant as JSON rather than as text."""
    if content.startswith(('"', "{", "[")) or content in ("true", "false", "null"):
        return True
    return _NUMBER.fullmatch(content) is not None


def read_lines(content: str, *, texts: bool) -> list[tuple[str, str]]:
    """The names and values of lines `name = value`, spelled. Raises FieldError.

    With `texts` whatever is not in quotes or brackets is text, numbers too.
    """
    found: list[tuple[str, str]] = []
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise FieldError(f"line {number}: write name = value")
        spelled, typed = match[1], match[2]
        if not typed:
            raise FieldError(f'line {number}: the value is missing; "" is an empty text')
        try:
            key = read_json(spelled, "the name") if spelled.startswith('"') else dump(spelled)
            is_text = texts and not typed.startswith(('"', "{", "["))
            found.append((key, dump(typed) if is_text else read(typed)))
        except FieldError as error:
            raise FieldError(f"line {number}: {error}") from None
    return found


def read_json(content: str, what: str) -> str:
    """JSON as it is typed. Raises FieldError, naming what it is."""
    try:
        jsontext.parse(template.stand_in(content).encode(errors="surrogatepass"))
    except jsontext.JsonError as error:
        if error.code in ("bad_number", "too_deep"):
            raise FieldError(error.message) from None
        raise FieldError(f"{what} is not complete JSON yet") from None
    return content


def _bare(raw: str) -> str | None:
    text: str = json.loads(raw)
    seen = text and text == text.strip() and not text.startswith('"') and printable(text) == text
    return text if seen else None


def _quoted(raw: str) -> str:
    return raw if printable(raw) == raw else json.dumps(json.loads(raw))
