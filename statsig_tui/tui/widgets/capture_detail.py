"""Everything there is to know of one capture, in tabs."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static, TabbedContent, TabPane

from statsig_tui.core.diagnosis import Diagnosis
from statsig_tui.core.marks import Mark
from statsig_tui.core.records import CaptureDetail, Headers
from statsig_tui.tui import theme
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import day_and_clock, size
from statsig_tui.tui.widgets.events_table import EventsTable
from statsig_tui.tui.widgets.find_line import FindLine
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.json_views import Notes
from statsig_tui.tui.widgets.notes import Note
from statsig_tui.tui.widgets.signature_text import signature_text
from statsig_tui.tui.widgets.trace_view import TraceView


class Detail(Container):
    """One capture: events, body, headers, signature, answer, trace, notes; the tab stays."""

    def compose(self) -> ComposeResult:
        """The tabs."""
        with TabbedContent(id="detail-tabs", initial="body"):
            with TabPane("Events", id="events"):
                yield EventsTable()
            with TabPane("Body", id="body"):
                yield Static(id="marks")
                yield Static(id="packed")
                yield JsonView(id="body-view")
            for name in ("Headers", "Signature", "Answer"):
                with TabPane(Content(name), id=name.lower()), VerticalScroll(classes="text"):
                    yield Static(id=f"{name.lower()}-text")
            with TabPane("Trace", id="trace"), VerticalScroll(classes="text"):
                yield TraceView(id="trace-text")
            with TabPane("Notes", id="notes"):
                yield Note()

    def on_mount(self) -> None:
        """Nothing is shown yet."""
        self._shown: tuple[CaptureDetail, bytes] | None = None
        self._is_whole = True
        """Whether a capture is shown, and not one event of it."""
        self._notes: Notes | None = None
        self.query_one("#packed", Static).display = False
        self.query_one(JsonView).can_find = True
        self._mark(())
        self._diagnosis: Diagnosis | None = None

    @property
    def active(self) -> str:
        """The tab that is looked at."""
        return self.query_one(TabbedContent).active

    def clear(self, reason: str = "") -> None:
        """Show no capture, and why."""
        self._shown = None
        self.border_title, self.border_subtitle = Content(), Content()
        self._mark(())
        self.query_one("#packed", Static).display = False
        self.query_one(JsonView).load(b"")
        self.query_one(EventsTable).load(None, (), ())
        self.query_one(Note).show_note(None, "")
        for name in (*_TEXTS, "signature"):
            self.query_one(f"#{name}-text", Static).update(Content.styled(reason, theme.QUIET))

    def show(
        self,
        detail: CaptureDetail,
        child: int | None,
        body: bytes,
        marks: Sequence[Mark] = (),
        notes: Notes | None = None,
        events: Sequence[bytes] = (),
        note: str = "",
    ) -> None:
        """Show a capture, or one event of it, whose bytes are `body`, and what is odd about these.

        `notes` says what stands beside the lines of the body's tree; `events` are the bytes of all events.
        """
        record = detail.record
        place = "" if child is None else f" · event {child}"
        self.border_title = Content(f"#{record.id}{place}")
        words = ", ".join(dict.fromkeys(mark.oddity.value for mark in marks))
        badge = (f"⚠ {words}  ", theme.WARN) if marks else ("", "")
        self.border_subtitle = Content.assemble(badge, size(len(body)))
        self._mark(marks)
        if self._shown is None or self._shown[0].record.id != record.id:
            self._diagnosis = None
        self._shown = (detail, body)
        self._is_whole = child is None
        self._notes = notes
        table = self.query_one(EventsTable)
        table.load(record.id, record.events, events)
        if child is not None:
            table.go_to(child)
        self.query_one(Note).show_note(record.id, note)
        self._draw()

    def show_diagnosis(self, capture: int, diagnosis: Diagnosis | None) -> None:
        """Add what the signature's examination came to, if its capture is still the one that is shown."""
        if self._shown is not None and self._shown[0].record.id == capture:
            self._diagnosis = diagnosis
            self._draw()

    def _mark(self, marks: Sequence[Mark]) -> None:
        view = self.query_one("#marks", Static)
        view.display = bool(marks)
        if marks:
            view.update(Content("\n").join([mark_line(mark) for mark in marks]))

    @on(TabbedContent.TabActivated)
    def _draw(self) -> None:
        """Bring the active tab up to date; the others follow when they are looked at."""
        if self._shown is None:
            return
        detail, body = self._shown
        active = self.active
        if active in _TEXTS:
            text: Content = _TEXTS[active](detail)
            self.query_one(f"#{active}-text", Static).update(text)
        elif active == "signature":
            signature: Content = signature_text(detail, self._diagnosis)
            self.query_one("#signature-text", Static).update(signature)
        elif active == "body":
            words = _packing(detail, body) if self._is_whole else ""
            packed = self.query_one("#packed", Static)
            packed.display = bool(words)
            packed.update(Content.styled(words, theme.QUIET))
            received = detail.body if self._is_whole and body != detail.body else None
            self.query_one(JsonView).load(body, self._notes, received)

    def look_at(self, tab: str) -> None:
        """Show a tab, and give it the keys."""
        self.query_one(TabbedContent).active = tab
        self.call_after_refresh(self.enter)

    def event_at_cursor(self) -> int | None:
        """The event under the cursor of the table, while that has the keys."""
        table = self.query_one(EventsTable)
        return table.cursor[0] if table.has_focus and table.cursor is not None else None

    def readable(self) -> bytes | None:
        """What is looked at: the answer's body, the event under the table's cursor, or the body."""
        if self._shown is None:
            return None
        if self.active == "answer":
            return self._shown[0].answer_body
        event = self.event_at_cursor()
        return self.query_one(EventsTable).events.spelled(event) if event is not None else self._shown[1]

    def value_at_cursor(self) -> tuple[str | None, str]:
        """What the cursor of the tree is on, while that is looked at, and its path."""
        view = self.query_one(JsonView)
        is_seen = self.active == "body" and view.has_value
        return (view.value_at_cursor(), view.path_at_cursor()) if is_seen else (None, "")

    @on(JsonView.FindAsked)
    async def _ask_for_text(self) -> None:
        if not self.query(FindLine):
            await self.query_one("#body", TabPane).mount(FindLine())
        self.query_one(FindLine).begin()

    @on(FindLine.Asked)
    def _find(self, event: FindLine.Asked) -> None:
        event.stop()
        self.query_one(JsonView).find(event.text, event.way)

    @on(JsonView.Found)
    def _found(self, event: JsonView.Found) -> None:
        for line in self.query(FindLine):
            line.tell(event.at, event.total, event.is_done)

    @on(FindLine.Left)
    async def _leave_text(self, event: FindLine.Left) -> None:
        event.stop()
        await self.query_one(FindLine).remove()
        self.query_one(JsonView).focus()

    def turn(self, by: int) -> None:
        """Show a neighbouring tab."""
        tabs = self.query_one(TabbedContent)
        names = [pane.id or "" for pane in tabs.query(TabPane)]
        is_inside = self.has_focus_within
        tabs.active = names[(names.index(tabs.active) + by) % len(names)]
        if is_inside:
            self.call_after_refresh(self.enter)

    def enter(self) -> None:
        """Give the keys to what the active tab shows."""
        pane = self.query_one(TabbedContent).active_pane
        if pane is not None:
            for widget in pane.query("EventsTable, JsonView, VerticalScroll, Note"):
                widget.focus()
                return


def mark_line(mark: Mark) -> Content:
    """Symbol, word and sentence."""
    return Content.assemble((f"⚠ {mark.oddity.value}  ", theme.WARN), printable(mark.message))


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


def _packing(detail: CaptureDetail, body: bytes) -> str:
    """What is to be known of a body that came packed, where `body` is what is shown of it."""
    encoding = next((value for name, value in detail.headers if name.lower() == "content-encoding"), "")
    if encoding.strip().lower() in ("", "identity"):
        return ""
    if body == detail.body:
        return printable(f"{encoding}: not to be unpacked here, shown as received")
    came = f"{encoding}, {len(detail.body):,} bytes received"
    return printable(f"{came}; shown unpacked, {len(body):,} bytes; h: hex of what was received")


def _answer(detail: CaptureDetail) -> Content:
    mark, style = theme.status(detail.record.status or None)
    by = f"  by program: {detail.record.program}" if detail.record.program is not None else ""
    fault = f"  {detail.record.fault}" if detail.record.fault else ""
    took = f"  in {detail.record.ms:.1f} ms"
    body = detail.answer_body.decode(errors="replace")
    return Content("\n").join(
        [
            Content.assemble(
                (f"{mark} {detail.record.status or 'no answer'}", style), printable(fault + by + took)
            ),
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


_TEXTS = {"headers": _head, "answer": _answer}
