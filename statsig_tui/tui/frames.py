"""When the screens that are shown draw: after something came, at most once a frame, the header with them.

However fast the engine is, one look at the store follows another only when it has ended.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual.screen import Screen
from textual.timer import Timer

from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.news import News
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.widgets.status_line import StatusLine

FRAME_SECONDS = 0.05
"""Screens draw at most this often, however fast the engine is."""
FLOOD_FRAME_SECONDS = 0.1
"""The same while more comes in a frame than an eye can take in: the engine needs the processor then."""


class Frames:
    """Brings the screens of a stack up to date."""

    def __init__(
        self,
        bridge: Bridge,
        news: News,
        *,
        stack: Callable[[], Sequence[Screen[Any]]],
        call_in: Callable[[float, Callable[[], None]], Timer],
        work: Callable[[Callable[[], Awaitable[None]]], object],
        tell: Callable[[StatsigTuiError], None],
    ) -> None:
        """`stack` is empty while the app ends; `call_in` calls after so many seconds."""
        self._bridge = bridge
        self._news = news
        self._stack = stack
        self._call_in = call_in
        self._work = work
        self._tell = tell
        self._is_pulling = False
        self._pull_again = False
        self._last_pull = 0.0
        self._ticker: Timer | None = None

    def pull_soon(self) -> None:
        """Bring the shown screen up to date, at most once a frame."""
        if self._is_pulling:
            self._pull_again = True
            return
        if self._bridge.engine is None:
            return
        self._is_pulling = True
        frame = FLOOD_FRAME_SECONDS if self._news.is_flooded else FRAME_SECONDS
        wait = max(0.0, self._last_pull + frame - time.monotonic())
        self._call_in(wait or 0.001, self._begin)

    def _begin(self) -> None:
        self._work(self._pull)

    async def _pull(self) -> None:
        self._last_pull = time.monotonic()
        self._bridge.release()
        try:
            if self._news.tell_refusals():
                self.show_status()
            is_new = await self._news.look(self._line)
            self._pull_again = self._pull_again or self._news.is_behind
            stack = self._stack()
            is_held = any(isinstance(top, Dialog) and top.HOLDS for top in stack[-1:])
            for screen in () if is_held else stack:
                if isinstance(screen, ModeScreen) and screen.is_mounted:
                    await screen.pull_all()
                elif isinstance(screen, Dialog) and screen.is_mounted:
                    await screen.pull()
            if is_new:
                # After the screen, so that both are in one frame.
                self.show_status()
        except StatsigTuiError as error:
            self._tell(error)
        finally:
            self._is_pulling = False
        if self._pull_again:
            self._pull_again = False
            self.pull_soon()

    def show_status(self) -> None:
        """Bring the header up to date; look again when an age in it will have changed."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        stack, line = self._stack(), self._line()
        if line is not None:
            self._news.show(line)
        if not stack:
            return
        if isinstance(stack[-1], ModeScreen) and stack[-1].is_mounted:
            stack[-1].ticked()
        stays = self._news.stays()
        if stays is not None:
            self._ticker = self._call_in(stays, self.show_status)

    def _line(self) -> StatusLine | None:
        stack = self._stack()
        return stack[-1].query_one_optional(StatusLine) if stack else None
