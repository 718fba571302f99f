"""An editor for a JSON text that keeps every character of it: only a line feed ends a line.

It colours what looks like JSON, valid or not, and shows what cannot be seen; it judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.document._document import Document, DocumentBase, EditResult, Location
from textual.document._document_navigator import DocumentNavigator
from textual.document._wrapped_document import WrappedDocument
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from statsig_tui.tui.privacy import is_private, masked_line
from statsig_tui.tui.text import printable
from statsig_tui.tui.widgets.at_once import AtOnce

_COLOURED = 5_000
"""Characters of a line; longer ones stay plain."""
_WRAPPED = 2_000
"""Characters of a line; wrapping a text with longer ones would take seconds a key."""
_KINDS = ("key", "string", "number", "word", "punctuation")
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<string>"(?:[^"\\]|\\.)*"?)|(?P<number>-?\d[\d.eE+-]*)'
    r"|(?P<word>\b(?:true|false|null)\b)|(?P<punctuation>[{}\[\]:,])"
)


class ExactDocument(Document):
    """A document whose text comes back as it was given."""

    def __init__(self, text: str) -> None:
        super().__init__("")
        self._lines = text.split("\n")

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Replace a range; the end of what was put in, and what was there."""
        (top, left), (bottom, right) = sorted((start, end))
        replaced = self.get_text_range((top, left), (bottom, right))
        lines = self._lines
        before = lines[top][:left] if top < len(lines) else ""
        after = lines[bottom][right:] if bottom < len(lines) else ""
        put = text.split("\n")
        put[0] = before + put[0]
        column = len(put[-1])
        put[-1] += after
        lines[top : bottom + 1] = put
        return EditResult((top + len(put) - 1, column), replaced)


class CountedDocument(WrappedDocument):
    """A wrapped document that knows its height; Textual counts all lines anew for each one that it draws."""

    @property
    def height(self) -> int:
        """Lines on the screen, if it were high enough."""
        return len(self._offset_to_line_info)


class ExactArea(AtOnce, TextArea):
    """A TextArea that keeps every character, shows the unseen ones, and never blinks."""

    def __init__(
        self,
        text: str = "",
        *,
        id: str,  # noqa: A002 Textual's name
        placeholder: str = "",
        numbers: bool = False,
    ) -> None:
        super().__init__(text, id=id, placeholder=placeholder, compact=True, show_line_numbers=numbers)
        self.cursor_blink = False
        for key in ("f6", "f7"):
            # Textual selects with them; here they lead to the screens, from everywhere.
            self._bindings.key_to_bindings.pop(key, None)

    def set_text(self, text: str) -> None:
        """Bring the text to this one by one edit of what differs, which ctrl+z takes back."""
        former = self.text
        if text == former:
            return
        head = _common(former, text)
        tail = _common(former[head:][::-1], text[head:][::-1])
        start, end = _location(former, head), _location(former, len(former) - tail)
        self.soft_wrap = self.soft_wrap and _can_wrap(text.split("\n"))
        self.history.checkpoint()
        self.replace(text[head : len(text) - tail], start, end)
        self.history.checkpoint()

    def find(self, wanted: str, way: int) -> tuple[int, int]:
        """Select a text, whatever its case: here or behind (0), behind here (1), before here (-1).

        Which of how many it is; none is 0. It goes on at the other end.
        """
        found = [match.span() for match in re.finditer(re.escape(wanted), self.text, re.I)] if wanted else []
        if not found:
            return 0, 0
        start, end = sorted(_offset(self.text, at) for at in self.selection)
        if way < 0:
            at = next((n for n in reversed(range(len(found))) if found[n][0] < start), len(found) - 1)
        else:
            here = max(start + 1, end) if way else start
            at = next((n for n in range(len(found)) if found[n][0] >= here), 0)
        self.select_span(*found[at])
        return at + 1, len(found)

    def select_span(self, start: int, end: int) -> None:
        """Select some characters of the text, and bring them into sight."""
        text = self.text
        self.selection = Selection(
            _location(text, min(end, len(text))), _location(text, min(start, len(text)))
        )
        self.scroll_cursor_visible(center=True, animate=False)

    def get_line(self, line_index: int) -> Text:
        """A line to draw: what cannot be seen is a symbol of one character, so that columns stay."""
        lines = self.document.lines
        line = masked_line(lines, line_index) if is_private(self) else lines[line_index]
        return Text(_visible(line), end="", no_wrap=True)

    def undo(self) -> None:
        """Take back the last edit."""
        self.soft_wrap = False
        super().undo()
        self._wrap_again()

    def redo(self) -> None:
        """Do again what was taken back."""
        self.soft_wrap = False
        super().redo()
        self._wrap_again()

    def _recompute_cursor_offset(self) -> None:
        # Textual asks while an undo has made the text shorter, and the cursor is still behind its end.
        if self.cursor_location[0] < self.document.line_count:
            super()._recompute_cursor_offset()  # type: ignore[no-untyped-call]

    def on_text_area_changed(self) -> None:
        """Wrap lines again where the long ones are gone."""
        if not self.soft_wrap:
            self._wrap_again()

    def _wrap_again(self) -> None:
        self.soft_wrap = _can_wrap(self.document.lines)

    async def _on_paste(self, event: events.Paste) -> None:
        # Terminals paste line ends as carriage returns.
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        event.stop()
        event.prevent_default()
        self.soft_wrap = self.soft_wrap and _can_wrap(text.split("\n"))
        await super()._on_paste(events.Paste(text))

    def _set_document(self, text: str, language: str | None) -> None:
        document: DocumentBase = ExactDocument(text)
        self.document = document
        self.wrapped_document = CountedDocument(document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._build_highlight_map()
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()


class VeiledArea(ExactArea):
    """Masks the secrets in its text, until it has the focus to be edited."""

    def __init__(self, *, id: str, placeholder: str = "") -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, placeholder=placeholder)
        self.redact: Callable[[str], str] = str

    def get_line(self, line_index: int) -> Text:
        """A line to draw."""
        line = super().get_line(line_index)
        return line if self.has_focus else Text(self.redact(line.plain), end="", no_wrap=True)

    def on_focus(self) -> None:
        """Show what there is to edit."""
        self._draw_anew()

    def on_blur(self) -> None:
        """Mask it again."""
        self._draw_anew()

    def _draw_anew(self) -> None:
        # Lines that were drawn are remembered, whoever has the focus.
        self.notify_style_update()
        self.refresh()


class JsonEditor(ExactArea):
    """The text of a draft, coloured."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+a", "select_all", "Select all", show=False)]

    class Pasted(Message):
        """Something was pasted."""

        def __init__(self, text: str, whole: str) -> None:
            super().__init__()
            self.text = text
            """What was pasted."""
            self.whole = whole
            """The text that it is in now."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"json-editor--{kind}" for kind in _KINDS}
    DEFAULT_CSS = """
    JsonEditor {
        & .json-editor--key { color: $text-primary; }
        & .json-editor--string { color: $text-success; }
        & .json-editor--number { color: $text-warning; }
        & .json-editor--word { color: $text-accent; }
        & .json-editor--punctuation { color: $foreground-muted; }
    }
    """

    async def _on_paste(self, event: events.Paste) -> None:
        replaces_all = self.selected_text == self.text
        await super()._on_paste(event)
        self.post_message(self.Pasted(self.text if replaces_all else event.text, self.text))

    def get_line(self, line_index: int) -> Text:
        """A line in the colours of JSON."""
        line = super().get_line(line_index)
        if len(line) <= _COLOURED:
            styles = {
                kind: self.get_component_rich_style(f"json-editor--{kind}", partial=True) for kind in _KINDS
            }
            for token in _TOKEN.finditer(line.plain):
                if token.lastgroup is not None:
                    line.stylize(styles[token.lastgroup], *token.span())
        return line


def _can_wrap(lines: Sequence[str]) -> bool:
    return max(map(len, lines)) <= _WRAPPED


def _visible(line: str) -> str:
    if line.isascii() and (line.isprintable() or line.replace("\t", "").isprintable()):
        return line
    if printable(line.replace("\t", "")) == line.replace("\t", ""):
        return line
    return "".join(map(_symbol, line))


def _symbol(character: str) -> str:
    if character == "\t" or printable(character) == character:
        return character
    shown = printable(character)
    return shown if len(shown) == 1 else character if shown.startswith("◌") else "�"


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many first characters are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _offset(text: str, location: Location) -> int:
    row, column = location
    return sum(len(line) + 1 for line in text.split("\n")[:row]) + column


def _location(text: str, offset: int) -> Location:
    return text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)
