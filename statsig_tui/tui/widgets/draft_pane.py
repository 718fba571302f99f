"""The draft of an event: one text under two views, form and JSON; whichever was typed in last is right.

Beside it, what is asked for beyond the body, and a look at the request that is made of both.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane, TextArea

from statsig_tui.core import draft, tables
from statsig_tui.core.draft import Field
from statsig_tui.core.lint import Advice
from statsig_tui.core.request import Shape
from statsig_tui.core.seen import Seen
from statsig_tui.core.tables import Off
from statsig_tui.core.template import Sources
from statsig_tui.tui import theme
from statsig_tui.tui.widgets.event_form import EventForm
from statsig_tui.tui.widgets.find_line import FindLine
from statsig_tui.tui.widgets.headers_pane import HeadersPane
from statsig_tui.tui.widgets.json_editor import JsonEditor
from statsig_tui.tui.widgets.judged import Judged, judge, place_of
from statsig_tui.tui.widgets.lint_list import LintList
from statsig_tui.tui.widgets.member_edit import Change
from statsig_tui.tui.widgets.member_table import MemberTable
from statsig_tui.tui.widgets.preview_pane import PreviewPane
from statsig_tui.tui.widgets.variables_line import VariablesLine

_SETTLE_SECONDS = 0.15
"""Typing rests this long before the text is judged."""
_AT_ONCE = 16 * 1024
"""Characters that are judged without a thread."""
_UNDOABLE = 50
"""Edits of tables that are remembered with the rows that were off."""


@dataclass(slots=True)
class _Step:
    """An edit of a table: the text before and after it, and the rows that were off before."""

    field: Field
    number: int
    before: str
    after: str
    off: Mapping[Field, Off]


class DraftPane(Vertical):
    """Holds the text; knows no target and sends nothing."""

    class FixesChanged(Message):
        """There is a fix to apply now, or none any more."""

    class Changed(Message):
        """The draft is another one now, or is kept elsewhere now."""

    def __init__(self, text: str, sources: Callable[[], Sources]) -> None:
        super().__init__(id="draft", classes="pane")
        self.text = text
        """The draft as it would be sent, but for its variables and a timestamp of `now`."""
        self._sources = sources
        self.border_title = "Event"
        self._clean = (text, Shape())
        self.off: Mapping[Field, Off] = {}
        """Rows of the tables that are not in the text."""
        self._steps: deque[_Step] = deque(maxlen=_UNDOABLE)
        self._judged = judge(text, sources(), self.off)
        self._is_judging = False
        self._about_key: Sequence[Advice] = ()
        self._typed_in: Field | None = None
        self._settling: Timer | None = None
        self._editor = JsonEditor(text, id="text", numbers=True)
        self._headers = HeadersPane()
        self._preview = PreviewPane()
        self._unseen: dict[str, Widget] = {
            "json": self._editor,
            "headers": self._headers,
            "preview": self._preview,
        }
        """Views that were not shown yet: the form comes up sooner without them."""

    def compose(self) -> ComposeResult:
        """Two views on the text; what goes with it; the whole request; what there is to say of the text."""
        with TabbedContent(initial="form", id="views"):
            with TabPane("Form", id="form"):
                yield EventForm()
            yield TabPane("JSON", id="json")
            yield TabPane("Headers", id="headers")
            yield TabPane("Preview", id="preview")
        yield VariablesLine()
        yield LintList()

    def on_mount(self) -> None:
        """Show the text."""
        self._show(self._judged)

    @property
    def has_changes(self) -> bool:
        """Whether something would be lost by opening another text."""
        return (self.text, self.shape) != self._clean

    @property
    def can_fix(self) -> bool:
        """Whether there is a fix to apply."""
        return self.query_one(LintList).can_fix

    @property
    def shape(self) -> Shape:
        """What is asked for beside the text."""
        return self._headers.shape

    def open(self, text: str, shape: Shape | None = None, off: Mapping[Field, Off] | None = None) -> None:
        """Make this the draft, as one that is kept elsewhere; ctrl+z in the JSON editor takes it back."""
        shape = shape or Shape()
        self._clean = (text, shape)
        self.become(text, shape, off)

    def become(self, text: str, shape: Shape, off: Mapping[Field, Off] | None = None) -> None:
        """Make this the draft, as if it had been typed."""
        self._typed_in = None
        self.off = off or {}
        self._steps.clear()
        self._headers.show(shape)
        self._show_shape()
        self._use(text)

    def mark_sent(self, text: str, shape: Shape) -> None:
        """Remember that this is in the history now."""
        self._clean = (text, shape)
        self.post_message(self.Changed())

    def advise_also(self, advice: Sequence[Advice]) -> None:
        """Show what there is to say about the key, too."""
        self._about_key = advice
        self._show_advice()

    @work(group="fix", exclusive=True)
    async def fix(self) -> None:
        """Apply the fix of the advice under the cursor, or else the first that there is, as one edit."""
        panel = self.query_one(LintList)
        chosen = panel.chosen if panel.has_focus else None
        text = self.take()
        judged = self._judged if self._judged.text == text else await self._judge_now()
        wanted = [item for item in judged.advice if chosen is None or _is_same(item, chosen)]
        fix = next((item.fix for item in wanted if item.fix is not None), None)
        if fix is not None and text == self.text:
            self._typed_in = None
            self._use(fix.applied(text))

    @on(LintList.Chosen)
    async def _go_to(self, event: LintList.Chosen) -> None:
        """Bring the cursor to an advice's place: in the form where a field shows it, else in the text."""
        event.stop()
        item = event.advice
        if not item.line:
            return
        views = self.query_one(TabbedContent)
        if views.active == "form":
            place = place_of(item.path)
            if place is not None and self.query_one(EventForm).go_to(*place):
                return
        await self._show_view("json")
        self._editor.focus()
        self._editor.select_span(item.start, item.end)

    @on(LintList.Undone)
    @on(MemberTable.Undone)
    def _undo(self, event: LintList.Undone | MemberTable.Undone) -> None:
        event.stop()
        if not self._steps or self._steps[-1].after != self.text:
            self._undo_text()
            return
        step = self._steps.pop()
        self._typed_in = None
        self.off = step.off
        if step.before == self.text:
            self.post_message(self.Changed())
            self._show_table(step.field)
        else:
            # It was the editor's last edit, too.
            self._undo_text()
            self._use(step.before)
            self._show_table(step.field)

    def _undo_text(self) -> None:
        self._editor.undo()
        self._take_json(self._editor.text)

    def suggest(self, seen: Seen) -> None:
        """Offer what has been seen while fields are typed in."""
        self.query_one(EventForm).suggest(seen)

    async def _show_view(self, name: str) -> None:
        unseen = self._unseen.pop(name, None)
        if unseen is not None:
            await self.query_one(f"#{name}", TabPane).mount(unseen)
        self.query_one(TabbedContent).active = name

    async def next_view(self) -> None:
        """From form to JSON and back."""
        await self._show_view("json" if self.query_one(TabbedContent).active == "form" else "form")
        self.focus_view()

    async def show_event(self) -> None:
        """Leave the headers, which say nothing of the event."""
        if self.query_one(TabbedContent).active == "headers":
            await self._show_view("form")
            self.focus_view()

    def focus_view(self) -> None:
        """Put the cursor into the view that is shown."""
        if self.query_one(TabbedContent).active == "json":
            self._editor.focus()
        else:
            self.query_one(EventForm).focus_first()

    async def find(self) -> None:
        """Ask for a text to be found in the JSON view."""
        await self._show_view("json")
        if not self.query(FindLine):
            await self.query_one("#json", TabPane).mount(FindLine())
        self.query_one(FindLine).begin()

    @on(FindLine.Asked)
    def _find(self, event: FindLine.Asked) -> None:
        event.stop()
        self.query_one(FindLine).tell(*self._editor.find(event.text, event.way))

    @on(FindLine.Left)
    async def _found(self, event: FindLine.Left) -> None:
        event.stop()
        self._editor.focus()
        await self.query_one(FindLine).remove()

    async def next_request_view(self) -> None:
        """To the request as it goes out, from there to its headers, and back."""
        if self.query_one(TabbedContent).active == "preview":
            await self._show_view("headers")
            self._headers.focus_first()
        else:
            await self._show_view("preview")
            self._preview.focus_first()

    @property
    def preview(self) -> PreviewPane | None:
        """The preview, while it is looked at."""
        is_shown = self.query_one(TabbedContent).active == "preview" and self._preview.is_mounted
        return self._preview if is_shown else None

    def take(self) -> str:
        """The draft with all that is typed, a moment ago too."""
        self._take_json(self._editor.text)
        self._take_fields()
        return self.text

    @on(TextArea.Changed, "#text")
    def _typed_json(self, event: TextArea.Changed) -> None:
        event.stop()
        self._take_json(event.text_area.text)

    @on(EventForm.Edited)
    def _typed_field(self, event: EventForm.Edited) -> None:
        event.stop()
        self._take_fields()

    @on(HeadersPane.Changed)
    def _typed_shape(self, event: HeadersPane.Changed) -> None:
        event.stop()
        self._show_shape()

    def _show_shape(self) -> None:
        """Mark the tab while it changes the request: it is out of sight most of the time."""
        tab = self.query_one(TabbedContent).get_tab("headers")
        tab.label = Content("Headers" if self.shape == Shape() else "Headers •")
        self.post_message(self.Changed())

    def _take_json(self, text: str) -> None:
        if text != self.text:
            step = self._steps[-1] if self._steps else None
            if step is not None and (step.after, step.before) == (self.text, text):
                self.off = self._steps.pop().off  # undone in the editor: its row is in the text again
            self.text = text
            self._typed_in = None
            self.post_message(self.Changed())
            self._settle_soon()

    def _take_fields(self) -> None:
        form = self.query_one(EventForm)
        for field, typed in form.untold():
            if not self._judged.check.is_object:
                continue
            try:
                text = draft.edit(self.text, field, typed)
            except draft.FieldError as error:
                form.refuse(field, str(error))
                continue
            self._typed_in = field
            self._use(text)
        for field, change in form.changes():
            if self._judged.check.is_object:
                self._take_table(form, field, change)

    def _take_table(self, form: EventForm, field: Field, change: Change) -> None:
        if tables.table(self.text, field, self._off_of(field)) != change.base:
            self._show_table(field)  # the text is another one by now
            return
        try:
            if change.whole is None:
                text = tables.written(self.text, field, change.rows)
            else:
                text = draft.edit(self.text, field, change.whole)
        except draft.FieldError as error:
            form.refuse(field, str(error))
            return
        last = self._steps[-1] if self._steps else None
        if last is not None and (last.field, last.number, last.after) == (field, change.step, self.text):
            last.after = text
        else:
            self._steps.append(_Step(field, change.step, self.text, text, self.off))
        self._typed_in = None
        self.off = {**self.off, field: tables.off(change.rows)}
        self._use(text)
        self._show_table(field)

    def _off_of(self, field: Field) -> Off:
        return self.off.get(field, tables.NOTHING)

    def _show_table(self, field: Field) -> None:
        self.query_one(EventForm).show_table(field, tables.table(self.text, field, self._off_of(field)))

    @on(TabbedContent.TabActivated)
    async def _view_changed(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        await self._show_view(self.query_one(TabbedContent).active)
        self._prepare_preview()
        self.screen.refresh_bindings()
        self._settle_soon()

    def _use(self, text: str) -> None:
        self.text = text
        self.post_message(self.Changed())
        self._editor.set_text(text)
        self._settle_soon()

    def _settle_soon(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE_SECONDS, self._settle)

    @work(group="judge")
    async def _settle(self) -> None:
        if self._is_judging:
            return  # what is typed meanwhile is judged behind it: one thread at a time is enough
        self._is_judging = True
        try:
            judged = await self._judge_now()
            while judged.text is not self.text or judged.off is not self.off:
                judged = await self._judge_now()
        finally:
            self._is_judging = False
        self._show(judged)

    async def _judge_now(self) -> Judged:
        text, sources, off = self.text, self._sources(), self.off
        is_large = len(text) > _AT_ONCE
        return await asyncio.to_thread(judge, text, sources, off) if is_large else judge(text, sources, off)

    def _show(self, judged: Judged) -> None:
        self._judged = judged
        check = judged.check
        self.query_one(VariablesLine).show(judged.variables)
        if check.fault:
            where = f": line {check.line}, column {check.column}" if check.line else ""
            verdict = Content.styled(f"not JSON{where}", theme.WARN)
        elif not check.is_object:
            verdict = Content.styled("valid JSON, but no object", theme.WARN)
        else:
            is_json = self.query_one(TabbedContent).active == "json"
            verdict = Content('valid JSON · "now" when sent' if check.has_now and is_json else "valid JSON")
        self.border_subtitle = Content.assemble(f"{check.size:,} bytes · ", verdict)
        form = self.query_one(EventForm)
        if not check.is_object:
            form.show_fault(check)
        elif self.query_one(TabbedContent).active in ("form", ""):  # at the start no view is active yet
            form.show(judged.fields, judged.tables, self._typed_in)
        self._show_advice()
        self._prepare_preview()

    def _show_advice(self) -> None:
        panel = self.query_one(LintList)
        could_fix = panel.can_fix
        panel.show((*self._about_key, *self._judged.advice))
        if panel.can_fix != could_fix:
            self.post_message(self.FixesChanged())

    def _prepare_preview(self) -> None:
        if self.preview is not None:
            self.preview.post_message(PreviewPane.Wanted())


def _is_same(one: Advice, other: Advice) -> bool:
    return (one.rule, one.path, one.message) == (other.rule, other.path, other.message)
