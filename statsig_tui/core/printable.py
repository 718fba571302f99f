"""Foreign text made harmless to read: what comes from outside is shown as it is spelled, and does nothing.

Pure; the screens' gate (tui/text.py) and the commands' lines both stand on it (reliability.md §2.8).
"""

from __future__ import annotations

import re
from itertools import groupby
from unicodedata import category

MAX_MARKS = 4
"""Combining marks kept in a row; the rest is counted."""

# Controls, bidi controls, everything that takes no room or hides, and lone surrogates.
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Marks are no word characters, conjoining jamo are: a flood is among these runs, and rarely anything else is.
_RUN = rf"[^\w\s\x00-\x7f]{{{MAX_MARKS + 1},}}|[\u1161-\u11ff\ud7b0-\ud7fb]{{{MAX_MARKS + 1},}}"
_unseen = re.compile(f"[{_UNSEEN}]+")
_runs = re.compile(_RUN)
# What JSON and TOML leave unescaped though a terminal obeys it: DEL, C1 and what turns text around.
_driving = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_jamo = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb]")
_suspect = re.compile(f"[{_UNSEEN}]|{_RUN}")


class _Pictures(dict[int, str]):
    def __missing__(self, point: int) -> str:
        picture = self[point] = f"\\u{{{point:x}}}"
        return picture


_pictures = _Pictures({point: chr(0x2400 + point) for point in range(0x20)})
_pictures |= {0x7F: "␡", ord("\n"): "⏎", ord("\t"): "⇥"}


def printable(text: str) -> str:
    """One line that shows every character of the text: controls as pictures, the unseen as `\\u{…}`.

    More than four combining marks in a row become a counted marker.
    """
    if text.isascii():
        return text if text.isprintable() else text.translate(_pictures_of_ascii)
    if category(text[0]).startswith("M"):
        text = "◌" + text  # or it would sit on whatever is drawn to the left of it
    if _suspect.search(text) is None:
        return text
    return _unseen.sub(_picture, _runs.sub(_without_flood, text))


def from_bytes(raw: bytes) -> str:
    r"""One line that shows UTF-8 bytes; those that are not UTF-8 as `\xNN`."""
    return printable(raw.decode("utf-8", "backslashreplace"))


def lines(text: str) -> list[str]:
    """The text's lines, each printable; only a line feed ends a line."""
    return [printable(line) for line in text.split("\n")]


def escaped(text: str) -> str:
    """Text of JSON or TOML with what a terminal obeys in it as the escapes that both know."""
    return _driving.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _picture(match: re.Match[str]) -> str:
    return match[0].translate(_pictures)


def _without_flood(match: re.Match[str]) -> str:
    shown: list[str] = []
    for is_mark, run in groupby(match[0], _is_mark):
        marks = "".join(run)
        if is_mark and len(marks) > MAX_MARKS:
            marks = f"{marks[:MAX_MARKS]}‹+{len(marks) - MAX_MARKS:,} marks›"
        shown.append(marks)
    return "".join(shown)


def _is_mark(character: str) -> bool:
    return category(character) in {"Mn", "Me"} or _jamo.match(character) is not None


_pictures_of_ascii = {point: _pictures[point] for point in [*range(0x20), 0x7F]}
