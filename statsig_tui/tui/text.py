"""The one gate for foreign text: what comes from outside is drawn as it is spelled, and can do nothing.

Every string that did not grow in this program passes printable() before a widget sees it; TerminalNet
catches on the way to the terminal what was forgotten (reliability.md §2.8, §4).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from unicodedata import category

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

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


def cut(text: str, width: int) -> str:
    """Printable text in at most `width` cells, ending in `…` where something was cut off."""
    if len(text) <= width and text.isascii():
        return text
    # Gated text has at most four characters without a cell after each that has one.
    head = text[: (width + 1) * (MAX_MARKS + 2)]
    if len(head) == len(text) and cell_len(head) <= width:
        return text
    if width <= 1:
        return "…"[:width] if width > 0 else ""
    return set_cell_size(head, width - 1).rstrip(" ") + "…"


def fit(text: str, width: int) -> str:
    """Foreign text, gated and cut to `width` cells; costs what the width costs, not the text's length."""
    head = text[: (width + 1) * (MAX_MARKS + 2)]
    shown = printable(head)
    return cut(shown if len(head) == len(text) else shown + "…", width)


def content(text: str, style: str = "") -> Content:
    """Foreign text for a widget: gated, in one style, never read as markup."""
    return Content.styled(printable(text), style, strip_control_codes=False)


class TerminalNet(LineFilter):
    """Scrubs controls, links and actions from every line drawn; for App.get_line_filters().

    A line keeps its width, so that a leak in one widget does not push its neighbours about.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same list where there is nothing to scrub, which is nearly always."""
        for text, style, control in segments:
            if not text.isprintable() or control is not None:
                break
            if style is not None and (style._link or (style._meta and b"@" in style._meta)):
                break
        else:
            return segments
        return [
            Segment(scrubbed, style and _inert(style))
            for text, style, _ in segments
            if (scrubbed := text if text.isprintable() else _scrub(text))
        ]


@lru_cache(maxsize=1024)
def _inert(style: Style) -> Style:
    """The style without a link and without actions; Textual's own offsets and row numbers stay."""
    meta = style.meta
    if style.link is None and not any(name.startswith("@") for name in meta):
        return style
    bare = style.update_link(None).clear_meta_and_links()
    kept = {name: value for name, value in meta.items() if not name.startswith("@")}
    return bare + Style.from_meta(kept) if kept else bare


@lru_cache(maxsize=1024)
def _scrub(text: str) -> str:
    if _unseen.search(text) is None:
        return text
    return set_cell_size(printable(text), cell_len(text))


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
    return category(character) in {"Mn", "Me"} or get_character_cell_size(character) == 0


_pictures_of_ascii = {point: _pictures[point] for point in [*range(0x20), 0x7F]}
