"""One attempt: what was sent and what came back, heads and bodies."""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from statsig_tui.core.ids import tag
from statsig_tui.core.mending import mend
from statsig_tui.core.records import AttemptRecord, DeliveryRecord, Headers
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import clock, size
from statsig_tui.tui.widgets.attempt_rows import closed_words, countdown, held_words, result, why
from statsig_tui.tui.widgets.destination_list import place
from statsig_tui.tui.widgets.fields import Choice
from statsig_tui.tui.widgets.heads import head
from statsig_tui.tui.widgets.json_view import JsonView

REQUEST, RESPONSE = "Request", "Response"
_MARGINS = 3
"""Cells beside a line: the padding, and the scrollbar's column."""


def back() -> str:
    """The way back to the list, as a line begins with it."""
    return f"‹ {key('destinations.back')}"


class Way(Static):
    """A line that begins with the way back, which a click goes."""

    ALLOW_SELECT = False

    async def on_click(self, event: events.Click) -> None:
        """As escape does."""
        at = event.get_content_offset(self)
        if at is not None and at.y == 0 and at.x < len(back()):
            await self.run_action("screen.back")


class AttemptDetail(Vertical):
    """The two sides of an attempt; left and right change the side."""

    DEFAULT_CSS = """
    AttemptDetail {
        #attempt-summary {
            height: auto;
            padding: 0 1;
        }
        #attempt-side {
            margin: 0 1;
        }
        #attempt-head {
            height: auto;
            max-height: 40%;
            padding: 0 1;
            scrollbar-size-vertical: 1;
            color: $text-muted;
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id)
        self.redact: Callable[[str], str] = str
        self._attempt: AttemptRecord | None = None
        self._body = b""
        self._said = Content()
        self._loaded: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Summary, side, head, body."""
        yield Way("", id="attempt-summary", markup=False)
        yield Choice((REQUEST, RESPONSE), id="attempt-side")
        with VerticalScroll(id="attempt-head"):
            yield Static("", id="attempt-headers", markup=False)
        yield JsonView(id="attempt-body")

    def first(self) -> Widget:
        """The choice of the side."""
        return self.query_one(Choice)

    def on_resize(self) -> None:
        """Long values wrap at the width there is."""
        self._load()

    def show(self, attempt: AttemptRecord, body: bytes) -> None:
        """Show an attempt; what is shown already stays as it is."""
        self._attempt, self._body = attempt, body
        self._load()

    def recount(self, delivery: DeliveryRecord, now: int, held: str) -> None:
        """Bring state and countdown up to date."""
        if self._attempt is None or self._attempt.delivery != delivery.id:
            return
        summary = _summary(delivery, self._attempt, countdown(delivery, now, held_words(held)))
        if summary != self._said:
            self._said = summary
            self.query_one("#attempt-summary", Static).update(summary)

    @on(Choice.Changed)
    def _turned(self) -> None:
        self._load()

    def _load(self) -> None:
        attempt = self._attempt
        if attempt is None:
            return
        side = self.query_one(Choice).value
        width = self.size.width - _MARGINS
        known = (attempt, side, self._body, width)
        if known == self._loaded:
            return
        self._loaded = known
        body = self._body if side == REQUEST else attempt.response_body
        shown = (
            head(f"POST {attempt.url}", _as_sent(attempt, len(body)), self.redact, width)
            if side == REQUEST
            else _answer(attempt, self.redact, width)
        )
        self.query_one("#attempt-headers", Static).update(shown)
        view = self.query_one(JsonView)
        if view.raw != body or not body:
            view.load(body)
        view.display = bool(body)


def _summary(delivery: DeliveryRecord, attempt: AttemptRecord, due: str) -> Content:
    mark, style, word = result(attempt)
    state_mark, state_style = theme.delivery(delivery.state)
    took = f" in {attempt.ms:,.0f} ms" if attempt.ms is not None else ""
    parts = [
        Content.assemble(
            (f"{back()}   ", theme.QUIET),
            (tag("d", delivery.id), theme.STRONG),
            f"   attempt {attempt.number} of {delivery.attempt}   {clock(attempt.at)}   ",
            (f"{mark} {word}", style),
            (took, theme.QUIET),
            (f"   {closed}" if (closed := closed_words(delivery)) else "", theme.QUIET),
        )
    ]
    parts.append(
        Content.assemble(
            (f"{state_mark} {delivery.state}", state_style),
            (f"   {due}" if due else "", theme.WARN),
            (f"   {printable(error)}" if (error := why(attempt)) else "", theme.BAD),
            (f"   {attempt.flag}" if attempt.flag else "", theme.WARN),
        )
    )
    if todo := mend(attempt):
        parts.append(Content.styled(f"→ {todo}", theme.ACCENT))
    return Content("\n").join(parts)


def _as_sent(attempt: AttemptRecord, size: int) -> Headers:
    """The head with the lines that follow from the URL and the body."""
    return (("Host", place(attempt.url)), *attempt.request_headers, ("Content-Length", str(size)))


def _answer(attempt: AttemptRecord, redact: Callable[[str], str], width: int) -> Content:
    if attempt.status is None:
        return Content.styled("No answer came." if attempt.error else "No answer yet.", theme.QUIET)
    cut = "  (cut: the rest was not kept)" if attempt.truncated else ""
    line = f"{attempt.status} {attempt.reason}  {size(len(attempt.response_body))}{cut}"
    return head(line, attempt.response_headers, redact, width)
