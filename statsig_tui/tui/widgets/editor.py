"""What the panes of a destination share: a draft of each destination that lasts until saved or given up."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.message import Message
from textual.widget import Widget

from statsig_tui.core.config import Destination

Draft = TypeVar("Draft")


class Edited(Message):
    """There is something to save now, or nothing any more."""


class Looked(Message):
    """Something else is looked at now, and has to be read from the store."""


class Editor(Widget, Generic[Draft]):
    """Shows one destination; edits of others are kept until it is their turn again."""

    DEFAULT_CSS = """
    Editor {
        height: 1fr;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes=classes)
        self.shown: Destination | None = None
        self.is_ready = False
        """Whether the widgets are there to be drawn."""
        self._drafts: dict[str, Draft] = {}

    def on_mount(self) -> None:
        """Show what was chosen before the widgets were there."""
        self.is_ready = True
        self.draw()

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return self.shown is not None and self.shown.name in self._drafts

    def show(self, destination: Destination) -> None:
        """Show a destination as it is saved, with the edits made to it since."""
        self.shown = destination
        self.draw()

    def revert(self) -> None:
        """Give up the edits of the shown destination."""
        if self.shown is not None:
            self.forget(self.shown.name)
            self.draw()
            self.post_message(Edited())

    def forget(self, name: str) -> None:
        """Drop the edits of a destination: they are saved, or it is gone."""
        self._drafts.pop(name, None)

    def rename(self, old: str, new: str) -> None:
        """Keep the edits under a destination's new name."""
        if old in self._drafts:
            self._drafts[new] = self._drafts.pop(old)

    def draft(self) -> Draft | None:
        """The edits of the shown destination."""
        return self._drafts.get(self.shown.name) if self.shown is not None else None

    def keep(self, draft: Draft | None) -> None:
        """Keep edits of the shown destination; None: it is as it was saved."""
        if self.shown is None:
            return
        if draft is None:
            self._drafts.pop(self.shown.name, None)
        else:
            self._drafts[self.shown.name] = draft
        self.post_message(Edited())

    def draw(self) -> None:
        """Bring the widgets up to date with destination and draft."""
        raise NotImplementedError

    def edited(self, saved: Destination) -> Destination:
        """The destination of the settings with the edits in it; raises Invalid."""
        raise NotImplementedError

    def first(self) -> Widget:
        """What takes the focus."""
        raise NotImplementedError
