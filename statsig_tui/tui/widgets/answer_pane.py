"""The answer to a sent event: status, what it means, how long each part took, headers (folded), body."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from statsig_tui.core.records import SentDetail
from statsig_tui.core.redact import Redactor
from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.outcome import answer, long_body

_MARGINS = 3
"""Cells beside a line: the padding, and the scrollbar's column."""


class AnswerPane(VerticalScroll):
    """Shows one answer, or why there is none yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,space", "fold", "Headers", id="answer.headers"),
    ]

    def __init__(self) -> None:
        super().__init__(id="answer", classes="pane text")
        self.border_title = "Answer"
        self._shown: tuple[SentDetail, Redactor] | None = None
        self._is_unfolded = False

    def compose(self) -> ComposeResult:
        """One text; below it a body that is too long for it."""
        yield Static(id="answer-text")
        yield JsonView(id="answer-body")

    def show(self, detail: SentDetail, redact: Redactor) -> None:
        """Show an answer."""
        self._shown = (detail, redact)
        self._show_body(long_body(detail, redact))
        self.border_subtitle = content(detail.record.target)
        self._draw()
        self.refresh_bindings()

    def say(self, words: str) -> None:
        """Show no answer, and why."""
        self._shown = None
        self.border_subtitle = ""
        self.query_one(Static).update(Content.styled(words, theme.QUIET))
        self._show_body(b"")

    def _show_body(self, body: bytes) -> None:
        self.set_class(bool(body), "-long")
        self.query_one(JsonView).load(body)

    def on_resize(self) -> None:
        """Long values wrap at the width there is."""
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There are headers only in an answer."""
        return action != "fold" or (self._shown is not None and bool(self._shown[0].response_headers))

    def action_fold(self) -> None:
        """Show the headers, or hide them."""
        self._is_unfolded = not self._is_unfolded
        self._draw()

    def _draw(self) -> None:
        if self._shown is None:
            return
        detail, redact = self._shown
        width = max(20, self.size.width - _MARGINS)
        self.query_one(Static).update(answer(detail, redact, width, unfolded=self._is_unfolded))
