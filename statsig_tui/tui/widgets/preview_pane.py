"""The request exactly as it would go out now, and the same for other programs; nothing is sent here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from statsig_tui.core.records import Headers
from statsig_tui.core.request import Request, target_of
from statsig_tui.core.snippets import KINDS, Kind, Unwritable, snippet
from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.fields import Choice
from statsig_tui.tui.widgets.heads import head
from statsig_tui.tui.widgets.json_view import JsonView

REQUEST = "request"
_KINDS = tuple(kind for kind in KINDS if kind != "raw")
"""The request itself is shown raw."""
_MARGINS = 3
"""Cells beside a line: the padding, and the scrollbar's column."""
_AT_ONCE = 64 * 1024
"""Bytes of a body that are written as a snippet without a thread."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, and its head as it is shown."""

    request: Request
    head: Headers
    """Masked."""
    asked: Headers
    """Without what this program sends of itself: the others have their own."""
    left_out: tuple[str, ...]
    """Headers that the others have to be told not to send."""
    has_now: bool
    """The time in it is that of looking at it."""


class PlainView(JsonView):
    """A text of any size that is not meant to be JSON."""

    @property
    def head(self) -> int:
        """Nothing is wrong with it."""
        return 0


class PreviewPane(Vertical):
    """Head and body, or one of the snippets."""

    DEFAULT_CSS = """
    PreviewPane {
        #preview-kind {
            margin: 0 1;
        }
        #preview-head {
            height: auto;
            max-height: 50%;
            padding: 0 0 0 1;
            scrollbar-size-vertical: 1;
        }
        #preview-said {
            height: auto;
            padding: 0 1;
            color: $text-muted;
        }
        JsonView {
            height: 1fr;
            background: $background;
        }
    }
    """

    class Wanted(Message):
        """The request is to be prepared: it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._prepared: Prepared | None = None
        self._written: tuple[str, Request] | None = None

    def compose(self) -> ComposeResult:
        """Kind, head, size, body; or a snippet in place of the last three."""
        yield Choice((REQUEST, *_KINDS), id="preview-kind")
        with VerticalScroll(id="preview-head", can_focus=False):
            yield Static(id="preview-headers")
        yield Static(id="preview-said")
        body = JsonView(id="preview-body")
        body.set_reactive(JsonView.view, "raw")
        yield body
        snippet_view = PlainView(id="preview-snippet")
        snippet_view.set_reactive(JsonView.view, "raw")
        yield snippet_view

    def on_mount(self) -> None:
        """Nothing is prepared yet."""
        self.say("")

    @property
    def kind(self) -> Kind | None:
        """The kind of snippet that is shown; None: the request itself."""
        chosen = self.query_one(Choice).value
        return next((kind for kind in _KINDS if kind == chosen), None)

    def say(self, words: str) -> None:
        """Show no request, and why."""
        self._prepared = None
        self.query_one("#preview-said", Static).update(content(words))
        for part in ("#preview-head", "#preview-body", "#preview-snippet"):
            self.query_one(part).display = False

    def show(self, prepared: Prepared) -> None:
        """Show a request; what is shown already stays as it is."""
        self._prepared = prepared
        self._draw()

    def focus_first(self) -> None:
        """Give the keys to what is read."""
        self.query_one("#preview-body" if self.kind is None else "#preview-snippet").focus()

    def copied(self) -> tuple[str, str] | None:
        """What there is to copy, and what it is called; None: nothing is prepared."""
        if self._prepared is None:
            return None
        try:
            return _written(self.kind or "raw", self._prepared), self.kind or "the request"
        except Unwritable:
            return None

    def on_resize(self) -> None:
        """Long values wrap at the width there is."""
        self._draw()

    @on(Choice.Changed)
    def _draw(self) -> None:
        if self._prepared is None:
            return
        is_request = self.kind is None
        self.query_one("#preview-head").display = is_request
        self.query_one("#preview-body").display = is_request
        self.query_one("#preview-snippet").display = not is_request
        if is_request:
            self._draw_request(self._prepared)
        else:
            self._draw_snippet()

    def _draw_request(self, prepared: Prepared) -> None:
        request = prepared.request
        first = f"{request.method} {target_of(request.url)} HTTP/1.1"
        width = max(20, self.size.width - _MARGINS)
        self.query_one("#preview-headers", Static).update(head(first, prepared.head, str, width))
        size = f"{len(request.body):,} bytes"
        clock = ', "now" as of now' if prepared.has_now else ""
        self.query_one("#preview-said", Static).update(
            Content.assemble((size, theme.STRONG), (clock, theme.QUIET))
        )
        view = self.query_one("#preview-body", JsonView)
        if view.raw != request.body or not request.body:
            view.load(request.body)

    @work(group="snippet", exclusive=True)
    async def _draw_snippet(self) -> None:
        prepared, kind = self._prepared, self.kind
        if prepared is None or kind is None or self._written == (kind, prepared.request):
            return
        request = prepared.request
        said = Content.styled("keys stand in it as variables", theme.QUIET)
        try:
            if len(request.body) > _AT_ONCE:
                text = await asyncio.to_thread(_written, kind, prepared)
            else:
                text = _written(kind, prepared)
        except Unwritable as error:
            text, said = "", content(str(error), theme.WARN)
        if prepared is self._prepared and kind == self.kind:
            self._written = (kind, request)
            self.query_one("#preview-snippet", PlainView).load(text.encode("utf-8", "surrogateescape"))
            self.query_one("#preview-said", Static).update(said)


def _written(kind: Kind, prepared: Prepared) -> str:
    request = prepared.request
    if kind == "raw":
        return snippet(kind, request)
    return snippet(kind, replace(request, headers=prepared.asked), prepared.left_out)
