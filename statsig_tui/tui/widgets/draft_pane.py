"""The draft of an event: one text under two views, form and JSON; whichever was typed in last is right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import TabbedContent, TabPane, TextArea

from statsig_tui.core import draft, template
from statsig_tui.core.draft import Check, Field, Shown
from statsig_tui.core.template import Sources
from statsig_tui.tui import theme
from statsig_tui.tui.widgets.event_form import EventForm
from statsig_tui.tui.widgets.json_editor import JsonEditor
from statsig_tui.tui.widgets.variables_line import VariablesLine

_SETTLE_SECONDS = 0.15
"""Typing rests this long before the text is judged."""
_AT_ONCE = 64 * 1024
"""Characters that are judged without a thread."""


class DraftPane(Vertical):
    """Holds the text; knows no target and sends nothing."""

    def __init__(self, text: str, sources: Callable[[], Sources]) -> None:
        super().__init__(id="draft", classes="pane")
        self.text = text
        """The draft as it would be sent, but for its variables and a timestamp of `now`."""
        self._sources = sources
        self.border_title = "Event"
        self._clean = text
        self._check = draft.check(text)
        self._typed_in: Field | None = None
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """Two tabs."""
        with TabbedContent(initial="form", id="views"):
            with TabPane("Form", id="form"):
                yield EventForm()
            with TabPane("JSON", id="json"):
                yield JsonEditor(self.text, id="text", numbers=True)
        yield VariablesLine()

    def on_mount(self) -> None:
        """Show the text."""
        self._show(*_judge(self.text, self._sources()))

    @property
    def has_changes(self) -> bool:
        """Whether something would be lost by opening another text."""
        return self.text != self._clean

    def open(self, text: str) -> None:
        """Make this the draft; ctrl+z in the JSON editor brings the former one back."""
        self._typed_in = None
        self._clean = text
        self._use(text)

    def mark_sent(self, text: str) -> None:
        """Remember that this text is in the history now."""
        self._clean = text

    def next_view(self) -> None:
        """From form to JSON and back."""
        views = self.query_one(TabbedContent)
        views.active = "json" if views.active == "form" else "form"
        self.focus_view()

    def focus_view(self) -> None:
        """Put the cursor into the view that is shown."""
        if self.query_one(TabbedContent).active == "json":
            self.query_one(JsonEditor).focus()
        else:
            self.query_one(EventForm).focus_first()

    def take(self) -> str:
        """The draft with all that is typed, a moment ago too."""
        self._take_json(self.query_one(JsonEditor).text)
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

    def _take_json(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self._typed_in = None
            self._settle_soon()

    def _take_fields(self) -> None:
        form = self.query_one(EventForm)
        for field, typed in form.untold():
            if not self._check.is_object:
                continue
            try:
                text = draft.edit(self.text, field, typed)
            except draft.FieldError as error:
                form.refuse(field, str(error))
                continue
            self._typed_in = field
            self._use(text)

    @on(TabbedContent.TabActivated)
    def _view_changed(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        self._settle_soon()

    def _use(self, text: str) -> None:
        self.text = text
        self.query_one(JsonEditor).set_text(text)
        self._settle_soon()

    def _settle_soon(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE_SECONDS, self._settle)

    @work(group="judge", exclusive=True)
    async def _settle(self) -> None:
        text = self.text
        sources = self._sources()
        is_large = len(text) > _AT_ONCE
        judged = await asyncio.to_thread(_judge, text, sources) if is_large else _judge(text, sources)
        if text is self.text:
            self._show(*judged)

    def _show(self, check: Check, fields: Mapping[Field, Shown], variables: Sequence[template.Shown]) -> None:
        self._check = check
        self.query_one(VariablesLine).show(variables)
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
        elif self.query_one(TabbedContent).active == "form":
            form.show(fields, self._typed_in)


def _judge(text: str, sources: Sources) -> tuple[Check, Mapping[Field, Shown], Sequence[template.Shown]]:
    check = draft.check(text)
    fields = draft.fields(text) if check.is_object else {}
    return check, fields, template.preview(text, sources)
