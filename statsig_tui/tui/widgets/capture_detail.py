"""Everything there is to know of one capture, in tabs."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static, TabbedContent, TabPane

from statsig_tui.core.records import CaptureDetail, Headers
from statsig_tui.tui import theme
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import clock, day_and_clock, size
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.trace_view import TraceView


class Detail(Container):
    """One capture: body, headers, signature, answer, trace; the tab stays while stepping through rows."""

    def compose(self) -> ComposeResult:
        """The tabs."""
        with TabbedContent(id="detail-tabs"):
            with TabPane("Body", id="body"):
                yield JsonView(id="body-view")
            for name in ("Headers", "Signature", "Answer"):
                with TabPane(Content(name), id=name.lower()), VerticalScroll(classes="text"):
                    yield Static(id=f"{name.lower()}-text")
            with TabPane("Trace", id="trace"), VerticalScroll(classes="text"):
                yield TraceView(id="trace-text")

    def on_mount(self) -> None:
        """Nothing is shown yet."""
        self._shown: tuple[CaptureDetail, bytes] | None = None

    def clear(self, reason: str = "") -> None:
        """Show no capture, and why."""
        self._shown = None
        self.border_title, self.border_subtitle = Content(), Content()
        self.query_one(JsonView).load(b"")
        for name in _TEXTS:
            self.query_one(f"#{name}-text", Static).update(Content.styled(reason, theme.QUIET))

    def show(self, detail: CaptureDetail, child: int | None, body: bytes) -> None:
        """Show a capture, or one event of it, whose bytes are `body`."""
        record = detail.record
        place = "" if child is None else f" · event {child}"
        self.border_title = Content(f"#{record.id}{place}")
        self.border_subtitle = Content(size(len(body)))
        self._shown = (detail, body)
        self._draw()

    @on(TabbedContent.TabActivated)
    def _draw(self) -> None:
        """Bring the active tab up to date; the others follow when they are looked at."""
        if self._shown is None:
            return
        detail, body = self._shown
        active = self.query_one(TabbedContent).active
        if active in _TEXTS:
            text: Content = _TEXTS[active](detail)
            self.query_one(f"#{active}-text", Static).update(text)
        elif active == "body":
            self.query_one(JsonView).load(body)

    def enter(self) -> None:
        """Give the keys to what the active tab shows."""
        pane = self.query_one(TabbedContent).active_pane
        if pane is not None:
            for widget in pane.query("JsonView, VerticalScroll"):
                widget.focus()
                return


def _head(detail: CaptureDetail) -> Content:
    record = detail.record
    first = f"{record.method} {record.path} HTTP/{detail.http_version}"
    facts = [("from", detail.peer), ("arrived", day_and_clock(record.at)), ("body", f"{record.size:,} bytes")]
    return Content("\n").join(
        [
            Content.styled(printable(first), theme.STRONG),
            *_pairs(detail.headers),
            Content(),
            *_pairs(tuple(facts)),
        ]
    )


def _signature(detail: CaptureDetail) -> Content:
    mark, style = theme.signature(detail.record.signature)
    given = tuple(
        (name, value)
        for name, value in detail.headers
        if name.lower() in ("x-statsig-signature", "x-statsig-request-timestamp")
    )
    lines = [
        Content.assemble(
            (f"{mark} {detail.record.signature}", style), f"  {printable(detail.signature_reason)}"
        ),
        Content(),
        *(_pairs(given) or [Content.styled("no signature headers came", theme.QUIET)]),
    ]
    sent_at = {name.lower(): value for name, value in given}.get("x-statsig-request-timestamp", "")
    if sent_at.isdigit() and len(sent_at) == 13:
        skew = detail.record.at - int(sent_at)
        lines.append(
            Content.styled(f"signed at {clock(int(sent_at))}, {skew:+,} ms before it arrived", theme.QUIET)
        )
    return Content("\n").join(lines)


def _answer(detail: CaptureDetail) -> Content:
    mark, style = theme.status(detail.record.status)
    fault = f"  {detail.record.fault}" if detail.record.fault else ""
    took = f"  in {detail.record.ms:.1f} ms"
    body = detail.answer_body.decode(errors="replace")
    return Content("\n").join(
        [
            Content.assemble((f"{mark} {detail.record.status}", style), printable(fault + took)),
            Content(),
            *_pairs(detail.answer_headers),
            Content(),
            Content(printable(body)),
        ]
    )


def _pairs(pairs: Headers) -> list[Content]:
    width = max((len(name) for name, _ in pairs), default=0)
    return [
        Content.assemble((f"{printable(name):<{width}}  ", theme.QUIET), printable(value))
        for name, value in pairs
    ]


_TEXTS = {"headers": _head, "signature": _signature, "answer": _answer}
