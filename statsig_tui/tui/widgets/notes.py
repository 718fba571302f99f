"""A note on a capture: free text, which is kept with every change."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from statsig_tui.tui.text import printable

MOST = 10_000
"""Characters of a note."""


class Note(TextArea):
    """The note on one capture; escape leaves it."""

    DEFAULT_CSS = """
    Note {
        height: 1fr;
        border: none;
        padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "screen.back", "Back", show=False)]

    class Edited(Message):
        """The user changed the note on a capture."""

        def __init__(self, capture: int, text: str) -> None:
            super().__init__()
            self.capture = capture
            self.note = text

    def __init__(self) -> None:
        super().__init__(
            id="note",
            compact=True,
            show_line_numbers=False,
            placeholder="A note on this capture; note:word finds it.",
        )
        self.cursor_blink = False
        for key in ("f6", "f7"):
            # Textual selects with them; here they lead to the screens, from everywhere.
            self._bindings.key_to_bindings.pop(key, None)
        self.capture: int | None = None
        self._known = ""
        """What is kept, as far as it is known here."""
        self._is_edited = False
        """Whether Edited was told of this capture's."""
        self._is_long = False
        self.read_only = True

    def show_note(self, capture: int | None, text: str) -> None:
        """Show the note on a capture; the same one again stays as it is being typed."""
        if capture != self.capture:
            self.capture, self._known, self._is_edited = capture, text, False
            self.read_only = capture is None
            self.load_text(text)

    def typed(self) -> tuple[int, str] | None:
        """The capture and its note at this moment; None: nothing was typed into it."""
        if self.capture is None or not (self._is_edited or self.text != self._known):
            return None
        return self.capture, self.text[:MOST]

    @on(TextArea.Changed)
    def _keep(self, event: TextArea.Changed) -> None:
        event.stop()
        if self.capture is not None and self.text != self._known:
            self._known, self._is_edited = self.text, True
            self.post_message(self.Edited(self.capture, self.text[:MOST]))
            was_long, self._is_long = self._is_long, len(self.text) > MOST
            if self._is_long and not was_long:
                words = f"A note has {MOST:,} characters: what is behind is not kept."
                self.notify(printable(words), markup=False, severity="warning")
