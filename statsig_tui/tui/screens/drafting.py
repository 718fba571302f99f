"""What Compose does with its draft beside sending it: preview, paste, files, the user's own editor.

The draft is kept in the store from one run to the next. It knows no answer.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from textual import on, work
from textual.timer import Timer
from textual.widgets import Input

from statsig_tui.core import draft, kept, paste
from statsig_tui.core.config import Target
from statsig_tui.core.paste import Converted, Pasted
from statsig_tui.core.request import Shape
from statsig_tui.core.template import Unresolved
from statsig_tui.errors import StatsigTuiError, UsageError
from statsig_tui.tui.commands import key
from statsig_tui.tui.external import edited, editor, handed_over
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.screens.paste import FileDialog, PasteDialog
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.event_form import EventForm
from statsig_tui.tui.widgets.headers_pane import FieldArea
from statsig_tui.tui.widgets.json_editor import JsonEditor
from statsig_tui.tui.widgets.member_table import MemberTable
from statsig_tui.tui.widgets.preview_pane import Prepared, PreviewPane
from statsig_tui.tui.widgets.targets import prepared

_FACT = "draft"
_SAVE_SECONDS = 0.5
"""Typing rests this long before the draft is kept."""
_SEEN = 200
"""Newest events whose names, ids and keys are offered."""
LONGEST_FILE = 10 * 1024 * 1024
"""Bytes; the emulator takes no longer body either."""


class DraftingScreen(ModeScreen):
    """A screen with a draft and a target for it."""

    def __init__(self) -> None:
        super().__init__()
        self._saving: Timer | None = None
        self._saved = ""
        """What the store keeps of the draft."""
        self._unsaved: kept.Kept | None = None
        self._is_restored = False

    @property
    def _draft(self) -> DraftPane:
        return self.query_one(DraftPane)

    def _target(self) -> Target | None:
        raise NotImplementedError

    def resolved(self, text: str) -> str:
        """The text as it would be sent now. Raises Unresolved."""
        return draft.resolved(text, now())

    # From one run to the next

    def config_changed(self) -> None:
        """Once the store can be asked, bring back the draft of the last run."""
        if not self._is_restored:
            self._is_restored = True
            self._restore()

    @work(group="restore")
    async def _restore(self) -> None:
        known = await self.bridge.ask(lambda archive: archive.fact(_FACT))
        self._saved = known or ""
        found = kept.load(self._saved)
        if found is not None and self._draft.take() == draft.SAMPLE and self._draft.shape == Shape():
            (self._draft.become if found.is_changed else self._draft.open)(found.text, found.shape, found.off)
            self.host.say(f"Your draft is restored; {key('compose.new')} begins anew.")

    @on(DraftPane.Changed)
    def _save_soon(self) -> None:
        self._note_draft()
        if self._saving is not None:
            self._saving.stop()
        self._saving = self.set_timer(_SAVE_SECONDS, self._save)

    @work(group="save")
    async def _save(self) -> None:
        await self._save_now()

    async def _save_now(self) -> None:
        unsaved = self._unsaved
        if unsaved is None or not self._is_restored:
            return
        self._unsaved = None
        text = await asyncio.to_thread(kept.dump, unsaved)
        if text != self._saved:
            self._saved = text
            await self.bridge.do(lambda engine: engine.remember(_FACT, text))

    def _note_draft(self) -> None:
        pane = self._draft
        self._unsaved = kept.Kept(pane.text, pane.shape, pane.has_changes, pane.off)

    def leave(self) -> None:
        """Note what was typed a moment ago, while there are widgets to ask."""
        if self.query(DraftPane):
            self._draft.take()
            self._note_draft()

    async def on_unmount(self) -> None:
        """Keep what was noted."""
        await self._save_now()

    # What has been seen

    @on(EventForm.Wanted)
    @work(group="seen", exclusive=True)
    async def _suggest(self) -> None:
        if self.bridge.engine is not None:
            seen = await self.bridge.ask(lambda archive: archive.seen(_SEEN))
            if self.query(DraftPane):
                self._draft.suggest(seen)

    # The request

    async def action_next_view(self) -> None:
        """From form to JSON and back."""
        await self._draft.next_view()

    async def action_next_request_view(self) -> None:
        """To the whole request, and to its headers."""
        await self._draft.next_request_view()

    @on(PreviewPane.Wanted)
    @work(group="preview", exclusive=True)
    async def _prepare(self) -> None:
        pane, target, engine = self._draft.preview, self._target(), self.bridge.engine
        if pane is None:
            return
        if target is None or engine is None:
            pane.say("Starting…")
            return
        text, shape = self._draft.take(), self._draft.shape

        def prepare() -> Prepared:
            resolved = self.resolved(text)
            return prepared(target, engine, draft.encode(resolved), shape, has_now=resolved != text)

        try:
            found = await asyncio.to_thread(prepare)
        except StatsigTuiError as error:
            pane.say(error.message)
            return
        except Unresolved as error:
            pane.say(f"Nothing is sent as long as this is not resolved: {error}.")
            return
        if self.is_mounted and pane is self._draft.preview:
            pane.show(found)

    def action_copy_request(self) -> None:
        """Copy what the preview shows."""
        found = self._draft.preview.copied() if self._draft.preview is not None else None
        if found is not None:
            self.host.copy(*found)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to copy only in the preview."""
        if action == "copy_request":
            return bool(self.query(DraftPane)) and self._draft.preview is not None
        return super().check_action(action, parameters)

    # Paste

    @on(JsonEditor.Pasted)
    @work(group="offer", exclusive=True)
    async def _offer(self, event: JsonEditor.Pasted) -> None:
        pasted = await asyncio.to_thread(paste.recognise, event.text)
        if pasted is None or pasted.is_as_it_is or self._draft.take() != event.whole:
            return
        # A part of an event may look like one; a command is never meant to be a part.
        if pasted.kind == "curl" or event.text == event.whole:
            await self._convert(pasted, event.text)

    @work(group="paste", exclusive=True)
    async def action_paste_as(self) -> None:
        """Say what the text is, and convert it."""
        text = self._draft.take()
        pasted = await asyncio.to_thread(paste.recognise, text)
        if pasted is None:
            self.host.say("This is no curl command, event, batch or SDK body that is known here.")
        elif pasted.is_as_it_is:
            self.host.say("This is an incoming event: there is nothing to convert.")
        else:
            await self._convert(pasted, text)

    async def _convert(self, pasted: Pasted, text: str) -> None:
        if self.app.screen_stack[-1:] != [self]:
            return  # it is asked already, or something else is
        if pasted.cannot:
            self.host.tell(UsageError(pasted.cannot))
            return
        chosen = await self.app.push_screen_wait(PasteDialog(pasted))
        if chosen is not None and pasted.files:
            chosen = await self._with_files(pasted.files, text)
        if chosen is None:
            return
        self._draft.become(chosen.text, chosen.shape)
        # The body of a command may be an SDK's: that is the next question.
        inner = await asyncio.to_thread(paste.recognise, chosen.text) if pasted.kind == "curl" else None
        if inner is not None and not inner.is_as_it_is and self._draft.take() == chosen.text:
            await self._convert(inner, chosen.text)

    async def _with_files(self, files: Sequence[str], text: str) -> Converted | None:
        """The same with the bytes of the files that it names; None, and said, where one cannot be read."""
        try:
            found = {name: await asyncio.to_thread(_read, name) for name in files}
        except UsageError as error:
            self.host.tell(error)
            return None
        pasted = await asyncio.to_thread(paste.recognise, text, found)
        return pasted.events[0] if pasted is not None else None

    # The user's own editor

    def action_edit_elsewhere(self) -> None:
        """Open $EDITOR on the field under the cursor, or on the whole text."""
        # Behind the keys that were pressed before this one and are not typed yet.
        (self.focused or self).call_later(self._edit_elsewhere)

    def _edit_elsewhere(self) -> None:
        if isinstance(self.focused, MemberTable):
            self._edit_table(self.focused)
            return
        field = self.focused if isinstance(self.focused, Input | FieldArea) else None
        text = self._draft.take() if field is None else _text_of(field)
        found = self._edited(draft.encode(text), ".json" if field is None else ".txt")
        if found is None:
            return
        if found == draft.encode(text):
            self.host.say("Nothing was changed.")
        elif field is None:
            self._draft.become(draft.decode(found), self._draft.shape)
        elif isinstance(field, FieldArea):
            field.set_text(draft.decode(found))
        elif b"\n" in found:
            self.host.tell(UsageError("This field takes one line: nothing was taken."))
        else:
            field.value = draft.decode(found)

    def _edit_table(self, table: MemberTable) -> None:
        text = table.listing
        found = self._edited(draft.encode(text), ".json")
        if found == draft.encode(text):
            self.host.say("Nothing was changed.")
        elif found is not None:
            table.take(draft.decode(found))

    def _edited(self, raw: bytes, suffix: str) -> bytes | None:
        """What the user's editor makes of it; None: nothing, which was said."""
        try:
            command = editor(os.environ)
            return handed_over(self.app, lambda: edited(command, raw, suffix))
        except UsageError as error:
            self.host.tell(error)
            return None

    # Files

    @work(group="file", exclusive=True)
    async def action_load_body(self) -> None:
        """Make the bytes of a file the body."""
        name = await self.app.push_screen_wait(FileDialog())
        if name is None:
            return
        try:
            raw = await asyncio.to_thread(_read, name)
        except UsageError as error:
            self.host.tell(error)
            return
        self._draft.become(draft.decode(raw), self._draft.shape)
        self.host.say(f"{len(raw):,} bytes are the body now.")


def now() -> int:
    """Epoch ms."""
    return time.time_ns() // 1_000_000


def _text_of(field: Input | FieldArea) -> str:
    return field.value if isinstance(field, Input) else field.text


def _read(name: str) -> bytes:
    path = Path(name).expanduser()
    try:
        if not path.is_file():
            raise UsageError(f"{path} is no file.", f"It is looked for from {Path.cwd()}.")
        with path.open("rb") as file:
            raw = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    if len(raw) > LONGEST_FILE:
        raise UsageError(f"{path} is too large: a body has at most {LONGEST_FILE:,} bytes.")
    return raw
