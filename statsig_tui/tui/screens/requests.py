"""What was not plainly accepted: mistakes and polls at the emulator, and what neither listener kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from statsig_tui.core.records import RefusedRecord, RequestRecord
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import clock

Found = tuple[Sequence[RequestRecord], Sequence[RefusedRecord]]
"""The emulator's requests, newest first, and what was refused, oldest first."""


class RequestsScreen(Dialog[None]):
    """The newest of both, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Close")]

    def __init__(self, found: Found, look: Callable[[], Awaitable[Found]] | None = None) -> None:
        super().__init__()
        self._found = found
        self._look = look

    def compose(self) -> ComposeResult:
        """One column."""
        with VerticalScroll(classes="dialog") as scroll:
            scroll.border_subtitle = "esc closes"
            yield Static()

    def on_mount(self) -> None:
        """Show what was found."""
        self._draw()

    async def pull(self) -> None:
        """Look again."""
        if self._look is None:
            return
        found = await self._look()
        if found != self._found and self.is_mounted:
            self._found = found
            self._draw()

    def _draw(self) -> None:
        requests, refusals = self._found
        lines = [
            *((request.at, request_line(request)) for request in requests),
            *((refusal.at, refusal_line(refusal)) for refusal in reversed(refusals)),
        ]
        lines.sort(key=lambda line: -line[0])
        nothing = Content.styled("Everything that came was plainly accepted.", theme.QUIET)
        scroll = self.query_one(VerticalScroll)
        scroll.border_title = Content(f"Requests and refusals  {len(lines)}")
        self.query_one(Static).update(Content("\n").join([line for _, line in lines] or [nothing]))


def request_line(request: RequestRecord) -> Content:
    """Time, status, method, path and the mistake."""
    what = printable(f"{request.method} {request.path}")
    return _line(request.at, request.status, what, request.fault or "")


def refusal_line(refusal: RefusedRecord) -> Content:
    """Time, status, who sent it whereto, and why it was not kept."""
    what = printable(f"{refusal.listener}, from {refusal.peer}")
    return _line(refusal.at, refusal.status, what, f"Not kept. {refusal.message}")


def _line(at: int, status: int | None, what: str, why: str) -> Content:
    mark, style = theme.status(status)
    return Content.assemble(
        (f"{clock(at)}  ", theme.QUIET),
        (f"{mark} {status or 'no answer'}", style),
        f"  {what}",
        (f"\n{'':<14}{printable(why)}" if why else "", theme.WARN),
    )
