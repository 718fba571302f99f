"""Advice on every name and value of a JSON text, however deep: one pass over its tokens. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from statsig_tui.core.event import forbidden_in
from statsig_tui.core.lint.advice import Edit, Fix, Sheet, Span, Step, path_of
from statsig_tui.core.lint.body import LONGEST_TEXT
from statsig_tui.core.lint.strings import meant, respelled, unseen_in
from statsig_tui.core.printable import printable
from statsig_tui.core.spans import dump, object_at, removal

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],]|[^\s"{}\[\],:\ufeff]++', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LARGEST = 2**53
"""Beyond it a double, and with it JavaScript, skips whole numbers."""
_DIGITS = 17
"""Significant digits of a double."""
_DEEP = 20
_TWICE = "duplicate"


@dataclass(slots=True)
class _Holder:
    """An object or an array that is open."""

    start: int
    is_object: bool
    step: Step = 0
    """The name or the number of what is being read."""
    is_name_next: bool = False
    names: set[str] = field(default_factory=set)
    has_twice: bool = False


def advise(sheet: Sheet) -> None:
    """Note duplicates, numbers that lose digits, characters nobody sees, and depth; the text must be JSON."""
    text = sheet.text
    holders: list[_Holder] = []
    deepest = 0
    for match in _TOKEN.finditer(text):
        token, start = match[0], match.start()
        first = token[0]
        holder = holders[-1] if holders else None
        if first == '"':
            if holder is not None and holder.is_name_next:
                holder.is_name_next = False
                holder.step = meant(token)
                if holder.step in holder.names:
                    holder.has_twice = True
                holder.names.add(holder.step)
            if not token.isascii() or "\\" in token or not token.isprintable():
                _string(sheet, holders, token, match.span())
        elif first in "{[":
            holders.append(_Holder(start, first == "{", is_name_next=first == "{"))
            if len(holders) > max(_DEEP, deepest):
                deepest = len(holders)
        elif first in "}]":
            closed = holders.pop()
            if closed.has_twice:
                _duplicates(sheet, closed, _path(holders))
        elif first == ",":
            assert holder is not None
            holder.is_name_next = holder.is_object
            if isinstance(holder.step, int):
                holder.step += 1
        elif (len(token) > 15 or "e-" in token.lower()) and first not in "tfn":
            _number(sheet, holders, token, match.span())
    if deepest:
        words = f"{deepest} levels deep: Statsig takes flat metadata and custom fields"
        sheet.hint("depth", "", words, (0, len(text)))


def _path(holders: list[_Holder]) -> str:
    return path_of([holder.step for holder in holders])


def _string(sheet: Sheet, holders: list[_Holder], raw: str, at: Span) -> None:
    text = meant(raw)
    path = _path(holders)
    lone = {item for item in text if "\ud800" <= item <= "\udfff"} if _SURROGATE.search(raw) else set()
    if lone:
        words = f"half of a character (\\u{ord(min(lone)):x}): not Unicode, receivers differ on it"
        whole = respelled(raw, lambda item: "\ufffd" if item in lone else item)
        fix = Fix("put � instead", (Edit(*at, whole),)) if whole else None
        sheet.warning("surrogate", path, words, at, fix)
    unseen = unseen_in(text)
    if path == "event":
        unseen = "".join(item for item in unseen if not forbidden_in(item))
    if unseen:
        shown = printable(unseen[0])
        words = (
            f"holds {shown}, which cannot be seen"
            if shown.startswith("\\")
            else f"holds a control character, {shown}"
        )
        rest = respelled(raw, lambda item: "" if item in unseen else item)
        fix = Fix("take it out", (Edit(*at, rest),)) if rest and rest != '""' else None
        sheet.warning("unseen", path, words, at, fix)


def rounding(raw: str) -> str:
    """What becomes of a spelled number in a double, as a clause; empty: it stays what it is."""
    if raw.lstrip("-").isdigit():
        beyond = abs(int(raw)) > _LARGEST
        return "beyond 2^53: JavaScript and every double lose its last digits" if beyond else ""
    digits = re.split("[eE]", raw.lstrip("-"))[0].replace(".", "").strip("0")
    if digits and not float(raw):
        return "so small that it is read as 0"
    return f"{len(digits)} digits: a double keeps {_DIGITS}" if len(digits) > _DIGITS else ""


def _number(sheet: Sheet, holders: list[_Holder], raw: str, at: Span) -> None:
    words = rounding(raw)
    if not words:
        return
    path = _path(holders)
    if raw.lstrip("-").isdigit():
        fix = Fix(f"write {dump(raw)}", (Edit(*at, dump(raw)),)) if path == "value" else None
        sheet.warning("precision", path, words, at, fix if len(raw) <= LONGEST_TEXT else None)
    elif not float(raw):
        sheet.warning("precision", path, words, at)
    else:
        sheet.hint("precision", path, words, at)


def _duplicates(sheet: Sheet, closed: _Holder, path: str) -> None:
    holder = object_at(sheet.text, closed.start)
    last = {member.name: member for member in holder.members}
    for index, member in enumerate(holder.members):
        counts = last[member.name]
        if member is counts:
            continue
        line, column = sheet.place(counts.start)
        words = f"there twice: the one at line {line}, column {column} counts"
        # Its neighbours are enough to know what to cut: going through all of them each time takes long.
        near = replace(holder, members=holder.members[max(0, index - 1) : index + 2])
        cuts = removal(near, [member]) if sheet.lists(_TWICE) else []
        fix = Fix("remove this one", tuple(Edit(*span, "") for span in cuts)) if cuts else None
        name = path_of([member.name])
        sheet.warning(_TWICE, f"{path}.{name}" if path else name, words, (member.start, member.name_end), fix)
