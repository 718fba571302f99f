"""What Compose does with its draft beside sending it: preview, paste, files. It knows no answer."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from textual import on, work

from statsig_tui.core import draft, paste
from statsig_tui.core.config import Target
from statsig_tui.core.paste import Pasted
from statsig_tui.errors import StatsigTuiError, UsageError
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.screens.paste import FileDialog, PasteDialog
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.json_editor import ExactArea, JsonEditor
from statsig_tui.tui.widgets.preview_pane import Prepared, PreviewPane
from statsig_tui.tui.widgets.targets import prepared

LONGEST_FILE = 10 * 1024 * 1024
"""Bytes; the emulator takes no longer body either."""


class DraftingScreen(ModeScreen):
    """A screen with a draft and a target for it."""

    @property
    def _draft(self) -> DraftPane:
        return self.query_one(DraftPane)

    def _target(self) -> Target | None:
        raise NotImplementedError

    @on(ExactArea.Cut)
    def _say_cut(self, event: ExactArea.Cut) -> None:
        self.host.say(f"Too long to paste: the first {event.kept:,} characters were taken.")

    # The request

    def action_next_view(self) -> None:
        """From form to JSON and back."""
        self._draft.next_view()

    def action_next_request_view(self) -> None:
        """To the whole request, and to its headers."""
        self._draft.next_request_view()

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
            resolved = draft.resolved(text, now())
            return prepared(target, engine, draft.encode(resolved), shape, has_now=resolved != text)

        try:
            found = await asyncio.to_thread(prepare)
        except StatsigTuiError as error:
            pane.say(error.message)
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

    @on(JsonEditor.Filled)
    @work(group="paste", exclusive=True)
    async def _offer(self, event: JsonEditor.Filled) -> None:
        pasted = await asyncio.to_thread(paste.recognise, event.text)
        if pasted is not None and not pasted.is_as_it_is and self._draft.take() == event.text:
            await self._convert(pasted)

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
            await self._convert(pasted)

    async def _convert(self, pasted: Pasted) -> None:
        chosen = await self.app.push_screen_wait(PasteDialog(pasted))
        if chosen is not None:
            self._draft.become(chosen.text, chosen.shape)

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


def _read(name: str) -> bytes:
    path = Path(name).expanduser()
    try:
        if not path.is_file():
            raise UsageError(f"{path} is no file.")
        with path.open("rb") as file:
            raw = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    if len(raw) > LONGEST_FILE:
        raise UsageError(f"{path} is too large: a body has at most {LONGEST_FILE:,} bytes.")
    return raw
