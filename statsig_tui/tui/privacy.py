"""What a screen that others look at should not show: ids of users, e-mail addresses, keys.

They are found by their shape and by the name before them. A value of which only the middle is in the
text is not: whoever cuts a text masks it before, and what has no name beside it is marked where it is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

_ID = re.compile(
    r"\w*(?:ID|Id|_id)s?|(?i:ids?|uuid|ip|e-?mail|[\w-]*(?:password|token|secret|[-_]key)|apikey)"
)
_VALUE = (
    r"""(?:\\+"(?P<escaped>(?:[^"\\]|\\(?!"))*)|"(?P<quoted>(?:[^"\\]|\\.)*)"""
    r"""|(?P<bare>[^\s"'\\,;&(){}\[\]]+))"""
)
_NAMED = re.compile(
    rf"(?<![\w-])(?:{_ID.pattern})"
    rf"""(?:\\*["']?\s{{0,40}}[:=]\s{{0,40}}|\s{{1,80}}(?=["\d]))(?!(?:null|true|false)\b){_VALUE}"""
)
_ASKED = re.compile(r"(?<!\w)(?:user|uuid|id):(?P<bare>[^\s,;{}\[\]()\"]+)")
"""A term of the filter line."""
_CUSTOM_IDS = re.compile(r"""\bcustomIDs\\*["']?\s*[:=]?\s*\{([^{}]*)""")
_MEMBER = re.compile(rf":\s*{_VALUE}")
_SHAPES = re.compile(
    r"[^\s\"'<>(),;:|=\\@]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}"
    r"|\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
    r"|\b(?:secret|client|console|webhook)-(?:…\w{0,4}|[A-Za-z0-9_%]{8,})"
)
_HINTS = re.compile(r"(?i)id|@|-|ip|key|token|user|mail|secret|password")
_PARTS = ("escaped", "quoted", "bare")
AROUND = 4_096
"""Characters before and behind a part of a text that are looked at, so that what it cuts is known."""

_ABOVE = 1_024
"""Characters above a line that are looked at: what names its value may stand there."""
_MARK = "private"
_PRIVATE = Style.from_meta({_MARK: True})


class Veil(LineFilter):
    """Masks what is private in every line drawn, for App.get_line_filters(); no line changes its width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same list where there is nothing to mask."""
        marked = [dots(text) if _is_marked(style) else text for text, style, _ in segments]
        line = masked("".join(marked))
        found: list[Segment] = []
        at = 0
        for (_, style, control), text in zip(segments, marked, strict=True):
            found.append(Segment(line[at : at + len(text)], style, control))
            at += len(text)
        return found


def is_private(widget: Widget) -> bool:
    """Whether the app masks what is private now."""
    return bool(getattr(widget.app, "is_private", False))


def private(text: Content) -> Content:
    """The text, marked as saying who somebody is."""
    return text.stylize(_PRIVATE)


def marked(strip: Strip) -> Strip:
    """A line, marked as saying who somebody is."""
    return strip.apply_meta({_MARK: True})


def _is_marked(style: RichStyle | None) -> bool:
    return style is not None and style._meta is not None and _MARK in style.meta


@lru_cache(maxsize=512)
def identifies(path: str) -> bool:
    """Whether what is at a path, as in user.customIDs.account, says who somebody is."""
    steps = [step for step in re.split(r"[.\[\]]+", path) if step]
    return "customIDs" in steps or (bool(steps) and _ID.fullmatch(steps[-1]) is not None)


def masked(text: str) -> str:
    """The text with what is private as dots, character for character and of the same width."""
    if _HINTS.search(text) is None:
        return text
    return _masked_line(text) if len(text) <= AROUND else _masked_text(text)


@lru_cache(maxsize=512)
def _masked_line(text: str) -> str:
    return _mask(text)


@lru_cache(maxsize=2)
def _masked_text(text: str) -> str:
    # One that is typed in is another with every key.
    return _mask(text)


def _mask(text: str) -> str:
    spans = _spans(text)
    return _dotted(text, spans) if spans else text


def masked_part(text: str, start: int, end: int) -> str:
    """A part of a text, masked as the whole is."""
    first = max(0, start - AROUND)
    return masked(text[first : end + AROUND])[start - first : end - first]


def masked_line(lines: Sequence[str], at: int) -> str:
    """A line, masked by what stands above it as well: a name whose value is below it, an open customIDs."""
    first, length = at, 0
    while first and length < _ABOVE:
        first -= 1
        length += len(lines[first]) + 1
    above = "\n".join([*lines[first:at], ""])[-_ABOVE:]
    return masked(above + lines[at])[len(above) :]


@lru_cache(maxsize=4_096)
def dots(text: str) -> str:
    """As wide as the text, character for character, and says nothing of it; blanks around it stay."""
    body = text.strip(" ")
    at = len(text) - len(text.lstrip(" "))
    return text[:at] + "".join(_dot(character) for character in body) + text[at + len(body) :]


def _dot(character: str) -> str:
    cells = cell_len(character)
    return "＊" if cells > 1 else "•" if cells else character


def _spans(text: str) -> list[tuple[int, int]]:
    found = [match.span() for match in _SHAPES.finditer(text)]
    found += [_value_of(match) for match in _NAMED.finditer(text)]
    found += [match.span("bare") for match in _ASKED.finditer(text)]
    for box in _CUSTOM_IDS.finditer(text):
        found += [_value_of(match) for match in _MEMBER.finditer(text, *box.span(1))]
    return sorted(found)


def _value_of(match: re.Match[str]) -> tuple[int, int]:
    return next((match.span(part) for part in _PARTS if match[part] is not None), (0, 0))


def _dotted(text: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        if end > at:
            start = max(start, at)
            parts += [text[at:start], dots(text[start:end])]
            at = end
    return "".join([*parts, text[at:]])
