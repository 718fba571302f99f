"""Advice on a text that is not JSON: its one error, where it is, and what would mend it. Pure."""

from __future__ import annotations

import re

from statsig_tui.core import draft, jsontext
from statsig_tui.core.jsontext import JsonError
from statsig_tui.core.lint.advice import Edit, Fix, Sheet, Span
from statsig_tui.core.spans import dump

_PLACE = re.compile(r"^The body is not JSON: (?=.)| at line \d+, column \d+| at offset \d+")
_WORD = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?Infinity|NaN|-?\d[\d.eE+-]*+', re.DOTALL)
_RULE = "json"
_SHORT = 40


def advise(sheet: Sheet, raw: bytes, error: JsonError) -> None:
    """Note the error that parsing the text's bytes gave."""
    text = sheet.text
    if not text.strip("\ufeff \t\r\n"):
        sheet.error(_RULE, "", "empty: an event is a JSON object", (0, len(text)))
        return
    if text.lstrip().startswith("curl "):
        words = "a curl command, not a body: send what stands behind its -d"
        sheet.error(_RULE, "", words, (0, len(text)))
        return
    words = _words(error)
    if error.code == "bad_number":
        at = _bad_number(text)
        word = text[at[0] : at[1]]
        quoted = Fix(f"write {dump(word)}", (Edit(*at, dump(word)),))
        fix = _if_mended(text, quoted) if len(word) <= _SHORT else None
    else:
        offset = _characters(raw, error.offset)
        at = offset, min(offset + 1, len(text))
        fix = _without_comma(text, offset)
        words = "not JSON: a comma too many" if fix is not None else words
    sheet.error(_RULE, "", words, at, fix)


def _words(error: JsonError) -> str:
    words = _PLACE.sub("", error.message).removesuffix(".")
    return words if error.code != "bad_json" else f"not JSON: {words}"


def _characters(raw: bytes, offset: int | None) -> int:
    return len(draft.decode(raw[:offset])) if offset is not None else 0


def _bad_number(text: str) -> Span:
    for match in _WORD.finditer(text):
        try:
            if not match[0].startswith('"'):
                jsontext.parse(match[0].encode())
        except JsonError as error:
            if error.code == "bad_number":
                return match.span()
    return 0, len(text)


def _without_comma(text: str, offset: int) -> Fix | None:
    """The comma gone that stands before a closing bracket, or twice."""
    at = text.rfind(",", 0, offset + 1)
    if at < 0 or text[at + 1 : offset].strip():
        return None
    return _if_mended(text, Fix("remove the comma", (Edit(at, at + 1, ""),)))


def _if_mended(text: str, fix: Fix) -> Fix | None:
    try:
        jsontext.parse(draft.encode(fix.applied(text)))
    except JsonError:
        return None
    return fix
