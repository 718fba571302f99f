"""Notes on captures: kept where typing rests and where it ends, so that nothing typed is lost."""

from __future__ import annotations

from textual import events, on, work
from textual.timer import Timer

from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.screens.finding import FindingScreen
from statsig_tui.tui.widgets.notes import Note

_REST_SECONDS = 0.3


class NotingScreen(FindingScreen):
    """The list, and the note on what is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._unkept: dict[int, str] = {}
        """By capture the note that the store does not have yet."""
        self._resting: Timer | None = None

    def note_on(self, capture: int, kept: str | None) -> str:
        """The note on a capture as it was typed, where `kept` is what the store has of it."""
        return self._unkept.get(capture, kept or "")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A note is written on what is looked at, not on what comes next."""
        if isinstance(event.widget, Note):
            self._list.follow = False

    async def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Whoever leaves a note may look for it at once."""
        if isinstance(event.widget, Note):
            await self._keep_notes()

    @on(Note.Edited)
    async def _note_edited(self, event: Note.Edited) -> None:
        before = len(self._rows.annotated)
        (self._rows.annotated.add if event.note.strip() else self._rows.annotated.discard)(event.capture)
        if len(self._rows.annotated) != before:
            self._list.rows_changed()
        self._unkept[event.capture] = event.note
        if not isinstance(self.focused, Note):
            await self._keep_notes()
            return
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_REST_SECONDS, self._rested)

    @work(group="notes")
    async def _rested(self) -> None:
        await self._keep_notes()

    async def _keep_notes(self) -> None:
        for capture, note in list(self._unkept.items()):
            try:
                await self.bridge.do(lambda engine, capture=capture, note=note: engine.note(capture, note))  # type: ignore[misc]  # binds the loop's names
            except StatsigTuiError as error:
                self.host.tell(error)
                return
            # Only now: the app may end meanwhile, and more may be typed.
            if self._unkept.get(capture) == note:
                del self._unkept[capture]

    def leave(self) -> None:
        """Take what was typed a moment ago, while there are widgets to ask."""
        for note in self.query(Note):
            if (typed := note.typed()) is not None:
                self._unkept[typed[0]] = typed[1]

    async def on_unmount(self) -> None:
        """Keep what was not kept yet."""
        if self._unkept:
            await self._keep_notes()
