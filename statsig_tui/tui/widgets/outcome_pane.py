"""What became of one sent event: its answer, and below it its way from there on, as the store has it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from statsig_tui.core.config import EMULATOR, Config
from statsig_tui.core.ids import tag
from statsig_tui.core.records import SentDetail, SentRecord, Trace
from statsig_tui.core.redact import Redactor
from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.answer_pane import AnswerPane
from statsig_tui.tui.widgets.outcome import next_due, waiting
from statsig_tui.tui.widgets.trace_view import TraceView

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

_Found = tuple[SentDetail | None, Trace | None]


class OutcomePane(Container):
    """Follows one sent event at a time."""

    def __init__(self, look_again: Callable[[], None]) -> None:
        """`look_again` is called when time alone has changed what there is to show."""
        super().__init__(id="outcome")
        self.followed: SentRecord | None = None
        """The one that is shown."""
        self._look_again = look_again
        self._detail: SentDetail | None = None
        self._due: Timer | None = None

    def compose(self) -> ComposeResult:
        """The answer over the way."""
        yield AnswerPane()
        with VerticalScroll(id="next", classes="pane text") as box:
            box.border_title = "What happened next"
            yield TraceView(id="trace")
            yield Static(id="waiting")

    @property
    def is_read(self) -> bool:
        """Whether the answer has the keys."""
        return self.query_one(AnswerPane).has_focus_within

    @property
    def answer(self) -> bytes | None:
        """The body of the answer that is shown."""
        return self._detail.response_body if self._detail is not None else None

    def invite(self, send_key: str) -> None:
        """Say what there will be to see."""
        self.say(f"{send_key} sends the event.")
        self._say_waiting("Its way is shown here: verdict, batch, delivery, capture.")

    def say(self, words: str) -> None:
        """Say something in the place of an answer."""
        self.query_one(AnswerPane).say(words)

    def refuse(self, words: Content) -> None:
        """Follow none: it was not sent, and why."""
        self.followed = None
        self.say("")
        self.query_one("#answer-text", Static).update(words)

    def begin(self) -> None:
        """Follow none: the next one is on its way."""
        self.followed = None
        self.say("sending…")
        self.query_one(TraceView).show(None, 0)
        self._say_waiting("")

    def follow(self, record: SentRecord) -> None:
        """Show what becomes of this one from the next look on."""
        self.followed, self._detail = record, None

    def rest(self) -> None:
        """Wait for nothing."""
        if self._due is not None:
            self._due.stop()
            self._due = None

    async def look(
        self,
        ask: Callable[[Callable[[Archive], _Found]], Awaitable[_Found]],
        redact: Redactor,
        config: Config,
    ) -> None:
        """Bring answer and way up to date."""
        followed, known = self.followed, self._detail
        if followed is None:
            return
        trace_id = followed.trace or tag("s", followed.id)

        def find(archive: Archive) -> _Found:
            return known or archive.sent_detail(followed.id), archive.trace(trace_id)

        detail, trace = await ask(find)
        if followed is not self.followed or not self._is_there():
            return
        if detail is not None and self._detail is None:
            self._detail = detail
            self.query_one(AnswerPane).show(detail, redact)
        self._show_way(followed, trace, config)

    def _show_way(self, followed: SentRecord, trace: Trace | None, config: Config) -> None:
        now = time.time_ns() // 1_000_000
        self.query_one(TraceView).show(trace, now, "It was forgotten: see [retention] in the settings.")
        self.query_one("#next").border_subtitle = content(followed.trace or "")
        self._say_waiting(waiting(trace, config, seen=followed.target == EMULATOR) if trace else "")
        self.rest()
        self.call_after_refresh(self._bring_newest)
        if trace is not None and next_due(trace) is not None and self.screen.is_current:
            # The countdown in the trace changes with the clock alone.
            self._due = self.set_timer(1.0, self._look_again)

    def _is_there(self) -> bool:
        """Whether it still has its widgets: the app may have ended while the store was asked."""
        return bool(self.query(TraceView))

    def _bring_newest(self) -> None:
        if not self._is_there():
            return
        box = self.query_one("#next")
        if not box.has_focus:
            box.scroll_end(animate=False)

    def _say_waiting(self, words: str) -> None:
        line = self.query_one("#waiting", Static)
        line.update(Content.styled(words, theme.QUIET))
        line.display = bool(words)
