"""What became of the replay under way, or of the last one, on one line below the list."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from statsig_tui.core.replaying import Replayed
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.text import content, fit


class ReplayLine(Widget):
    """Grows with its outcome; a click opens it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    ReplayLine {
        height: auto;
        max-height: 3;
        padding: 0 1;
    }
    """
    said: reactive[Content] = reactive(Content, layout=True)
    _what = ""
    _style = ""
    _rest = Content()

    class Opened(Message):
        """A click."""

    def show(self, what: str, outcome: Replayed, *, is_done: bool, note: str) -> None:
        """What was replayed, and what it came to so far; `note`: why some of it waits."""
        style = theme.BAD if outcome.failed else theme.ACCENT if not is_done else theme.GOOD
        keys = f"{key('live.back')} {'closes' if is_done else 'stops'}"
        self._what, self._style = what, style
        self._rest = Content.assemble(
            content(outcome.words() or "sending…", style),
            content(f"  {note}" if note and outcome.waiting else "", theme.WARN),
            (f"  · ⏎ opens · {keys}", theme.QUIET),
        )
        self.on_resize()

    def on_resize(self) -> None:
        """On one line where there is room, else what came of it below what it was."""
        room = max(10, self.content_size.width)
        head = Content.assemble(("↻ ", self._style), content(fit(self._what, room - 2), theme.STRONG))
        is_short = head.cell_length + 2 + self._rest.cell_length <= room
        self.said = Content.assemble(head, "  " if is_short else "\n  ", self._rest)

    def render(self) -> RenderResult:
        """The line."""
        return self.said

    def on_click(self) -> None:
        """Open it."""
        self.post_message(self.Opened())
