"""The one gate for foreign text: what comes from outside is drawn as it is spelled, and can do nothing.

Every string that did not grow in this program passes printable() before a widget sees it; TerminalNet
catches on the way to the terminal what was forgotten (reliability.md §2.8, §4).
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from statsig_tui.core.printable import MAX_MARKS, from_bytes, lines, printable

__all__ = ["TerminalNet", "bound", "content", "cut", "fit", "fit_words", "from_bytes", "lines", "printable"]


def bound(width: int) -> int:
    """How many characters can matter for `width` cells: each cell is followed by a few marks at most."""
    return (width + 1) * (MAX_MARKS + 2)


def cut(text: str, width: int) -> str:
    """Printable text in at most `width` cells, ending in `…` where something was cut off."""
    if len(text) <= width and text.isascii():
        return text
    head = text[: bound(width)]
    if len(head) == len(text) and cell_len(head) <= width:
        return text
    if width <= 1:
        return "…"[:width] if width > 0 else ""
    return set_cell_size(head, width - 1).rstrip(" ") + "…"


def fit(text: str, width: int) -> str:
    """Foreign text, gated and cut to `width` cells; costs what the width costs, not the text's length."""
    head = text[: bound(width)]
    shown = printable(head)
    return cut(shown if len(head) == len(text) else shown + "…", width)


def fit_words(text: str, width: int) -> str:
    """The same, cut behind a whole word, unless that would leave less than half of the width."""
    shown = fit(text, width)
    head = shown[:-1]
    if not shown.endswith("…") or text.startswith(shown):
        return shown
    words = head if text.startswith(f"{head} ") else head[: head.rfind(" ") + 1]
    return words.rstrip(" :;,·") + "…" if cell_len(words) >= width // 2 else shown


def sentences(message: str, hint: str = "") -> str:
    """What happened, and how to mend it as a sentence of its own."""
    end = "" if message.endswith((".", "?", "!", ":", "…")) else "."
    return f"{message}{end} {capital(hint)}".strip()


def capital(text: str) -> str:
    """Begun as a sentence, unless with a name such as a file's, which is written as it is."""
    first = text[:40].split(maxsplit=1)[:1]
    is_word = bool(first) and first[0].rstrip(":,;").isalpha()
    return text[:1].upper() + text[1:] if is_word else text


def column(text: str, width: int) -> str:
    """Foreign text, gated, cut and padded to exactly `width` cells, with a blank behind it."""
    shown = fit(text, width - 1)
    return shown + " " * (width - cell_len(shown))


def content(text: str, style: str = "") -> Content:
    """Foreign text for a widget: gated, in one style, never read as markup."""
    return Content.styled(printable(text), style, strip_control_codes=False)


_OF_SCROLLBARS = {"@mouse.down": ("grab", "scroll_up", "scroll_down")}
"""Actions that scrollbars are drawn with. Whoever else had them could do no more than scroll."""


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
    """The style without a link and without actions; offsets, row numbers and scrollbars' own stay."""
    meta = style.meta
    kept = {
        name: value
        for name, value in meta.items()
        if not name.startswith("@") or value in _OF_SCROLLBARS.get(name, ())
    }
    if style.link is None and len(kept) == len(meta):
        return style
    bare = style.update_link(None).clear_meta_and_links()
    return bare + Style.from_meta(kept) if kept else bare


@lru_cache(maxsize=1024)
def _scrub(text: str) -> str:
    shown = printable(text)
    return text if shown == text else set_cell_size(shown, cell_len(text))
