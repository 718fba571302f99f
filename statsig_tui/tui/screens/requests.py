"""What the emulator did not plainly accept: mistakes, and the polls of SDKs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from statsig_tui.core.records import RequestRecord
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import clock


class RequestsScreen(Dialog[None]):
    """The newest of them, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Close")]

    def __init__(self, requests: Sequence[RequestRecord]) -> None:
        super().__init__()
        self._requests = requests

    def compose(self) -> ComposeResult:
        """One column."""
        with VerticalScroll(classes="dialog") as scroll:
            scroll.border_title = Content(f"Emulator requests  {len(self._requests)}")
            scroll.border_subtitle = "esc closes"
            yield Static(self._text())

    def _text(self) -> Content:
        if not self._requests:
            return Content.styled("Everything that came was plainly accepted.", theme.QUIET)
        return Content("\n").join([request_line(request) for request in self._requests])


def request_line(request: RequestRecord) -> Content:
    """Time, status, method, path and the mistake."""
    mark, style = theme.status(request.status)
    fault = f"\n{'':<14}{printable(request.fault)}" if request.fault else ""
    return Content.assemble(
        (f"{clock(request.at)}  ", theme.QUIET),
        (f"{mark} {request.status}", style),
        f"  {printable(f'{request.method} {request.path}')}",
        (fault, theme.WARN),
    )
