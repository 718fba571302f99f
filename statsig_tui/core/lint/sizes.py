"""Advice on lengths: 64 characters are documented, SDKs cut at 128, objects end at 4,096 (§1). Pure."""

from __future__ import annotations

import re

from statsig_tui.core.lint.body import LONGEST_TEXT, Part, value_of
from statsig_tui.core.spans import Member, counting

DOCUMENTED = 64
OBJECT = 4096
_LONG_BY_NATURE = ("userAgent",)
_STRING_OR_GAP = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[ \t\r\n]++')


def advise_sizes(part: Part) -> None:
    """Note every text and every object of the event and its user that is longer than Statsig takes."""
    for member in counting(part.holder):
        if part.kind(member) == "object":
            _object(part, member)
            if member.name == "user" and (inner := part.inner(member)) is not None:
                advise_sizes(inner)
        elif member.name not in _LONG_BY_NATURE and part.kind(member) == "text":
            advise_length(part, member)


def advise_length(part: Part, member: Member, *, is_kept: bool = False) -> None:
    """Note a text that is longer than documented; one that `is_kept` is not cut by SDKs."""
    length = len(part.string(member) or "")
    if length <= DOCUMENTED:
        return
    note = part.sheet.hint if is_kept else part.sheet.warning
    words = f"{length:,} characters: Statsig documents {DOCUMENTED} at most"
    if length > LONGEST_TEXT:
        note = part.sheet.warning if is_kept else part.sheet.error
        words += "" if is_kept else f", and its Node SDK cuts at {LONGEST_TEXT}"
    note("length", part.path(member), words, value_of(member))


def compact_length(raw: str) -> int:
    """The characters of a spelled value without the white space between its parts."""
    gaps = (match for match in _STRING_OR_GAP.finditer(raw) if not match[0].startswith('"'))
    return len(raw) - sum(len(gap[0]) for gap in gaps)


def _object(part: Part, member: Member) -> None:
    raw = member.raw(part.text)
    length = compact_length(raw) if len(raw) > OBJECT // 2 else len(raw)
    if length > OBJECT:
        words = f"{length:,} characters as JSON: Statsig documents {OBJECT:,} at most"
        part.sheet.error("length", part.path(member), words, value_of(member))
    elif len(raw) > OBJECT // 2 or member.name == "user":
        # What is shorter has room for all that is mended in it; into the user an id can be moved.
        part.sheet.bound(value_of(member), OBJECT - length)
