"""A JSON string character by character, each with its spelling, so that one can change alone. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from unicodedata import category, normalize

from statsig_tui.core.printable import printable
from statsig_tui.core.spans import dump

_PIECE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)
_WORD = re.compile(r"\w+")
_LONGEST = 10_000
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
"""Parts of emoji and of some scripts."""
_CYRILLIC = "аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅ", "aeopcyxijshdqwABEKMHOPCTYXIJS"
_GREEK = "οανριΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oavpiABEZHIKMNOPTYX"
_LOOK_ALIKE = {
    other: latin
    for others, latins in (_CYRILLIC, _GREEK)
    for other, latin in zip(others, latins, strict=True)
}


def meant(raw: str) -> str:
    """The text of a spelled string."""
    return str(json.loads(raw)) if "\\" in raw else raw[1:-1]


def respelled(raw: str, change: Callable[[str], str]) -> str | None:
    """A spelled string with some characters changed; the others keep their spelling.

    None for a string so long that going through it would take a while.
    """
    if len(raw) > _LONGEST:
        return None
    return '"' + "".join(_changed(piece, character, change) for piece, character in pieces(raw)) + '"'


def pieces(raw: str) -> Iterator[tuple[str, str]]:
    """Every character of a spelled string: how it is spelled, and what it is."""
    for match in _PIECE.finditer(raw, 1, len(raw) - 1):
        yield match[0], meant(f'"{match[0]}"') if match[0].startswith("\\") else match[0]


def trimmed(raw: str) -> str:
    """A spelled string without the white space around its text."""
    spelled = list(pieces(raw))
    while spelled and spelled[0][1].isspace():
        spelled.pop(0)
    while spelled and spelled[-1][1].isspace():
        spelled.pop()
    return '"' + "".join(piece for piece, _ in spelled) + '"'


def unseen_in(text: str) -> str:
    """The characters of a text that cannot be seen or turn it around, each once; no tabs and no lines."""
    if printable(text) == text:
        return ""
    return "".join(dict.fromkeys(character for character in text if _is_unseen(character)))


def look_alikes_in(text: str) -> str:
    """The letters that look like Latin ones and stand in one word with such, each once."""
    if text.isascii():
        return ""
    return "".join(dict.fromkeys(item for word in _WORD.findall(text) for item in _among_latin(word)))


def latinised(raw: str) -> str | None:
    """A spelled string with Latin letters for those that look so; None where that would harm other words."""
    text = meant(raw)
    alike = look_alikes_in(text)
    if any(item in alike for word in _WORD.findall(text) if not _among_latin(word) for item in word):
        return None
    return respelled(raw, lambda item: latin(item) if item in alike else item)


def latin(character: str) -> str:
    """The Latin letter or digit that a character looks like; itself where it looks like none."""
    if character.isascii() or category(character)[0] not in "LN":
        return character
    plain = _LOOK_ALIKE.get(character) or normalize("NFKC", character)
    is_one = len(plain) == 1 and plain.isascii() and plain.isalnum()
    return plain if is_one and category(character) != "No" else character


def _among_latin(word: str) -> list[str]:
    # A word all in Cyrillic or Greek is just a word.
    has_latin = any(item.isascii() and item.isalpha() for item in word)
    return [item for item in word if latin(item) != item and (has_latin or item not in _LOOK_ALIKE)]


def _is_unseen(character: str) -> bool:
    if character in "\t\r\n" or character in _JOINERS or "\U000e0020" <= character <= "\U000e007f":
        return False
    shown = printable(character)
    return shown != character and not shown.startswith("◌") and not "\ud800" <= character <= "\udfff"


def _changed(piece: str, character: str, change: Callable[[str], str]) -> str:
    other = change(character)
    return piece if other == character else dump(other)[1:-1]
