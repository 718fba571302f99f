"""What a draft asks for beside its body: method, path and header lines, and what is odd about them.

It shows a shape and tells what is typed; what a shape means is core/request.py's affair.
"""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static, TextArea

from statsig_tui.core.request import HeaderLine, Shape, header_lines
from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.json_editor import ExactArea

_HOW = """\
name: value   adds or replaces a header
name:         leaves it out, also one that is always sent
name;         sends it empty"""


class FieldArea(ExactArea):
    """Lines of text, as high as they need; the arrows leave it at its ends."""

    def on_key(self, event: events.Key) -> None:
        """Go on to the next field where there is no line left."""
        row = self.cursor_location[0]
        if (event.key == "up" and row == 0) or (event.key == "down" and row == self.document.line_count - 1):
            event.prevent_default()
            event.stop()
            (self.screen.focus_previous if event.key == "up" else self.screen.focus_next)()


class HeadersPane(VerticalScroll, can_focus=False):
    """Everything of the request that is not its body; empty fields ask for nothing."""

    DEFAULT_CSS = """
    HeadersPane {
        padding: 0 0 0 1;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        .line {
            height: auto;
        }
        .label {
            width: 10;
            height: 1;
            color: $text-muted;
        }
        Input, FieldArea {
            width: 1fr;
            height: auto;
            padding: 0 1;
            background: $foreground 4%;
            background-tint: $foreground 0%;
            &:focus {
                background: $foreground 10%;
            }
        }
        FieldArea {
            min-height: 3;
            max-height: 10;
            scrollbar-size-vertical: 1;
            .text-area--cursor-line {
                background: transparent;
            }
        }
        #header-notes, #header-how {
            height: auto;
            margin-left: 11;
        }
        #header-how {
            margin-top: 1;
            color: $text-muted;
        }
    }
    """

    class Changed(Message):
        """Something was typed."""

    def __init__(self) -> None:
        super().__init__()
        self._shape = Shape()
        """What the fields begin with."""

    def compose(self) -> ComposeResult:
        """Method, path, lines; what is odd about the lines; how they are written."""
        for name, hint in (("method", "POST"), ("path", "/v1/webhooks/event_webhook")):
            with Horizontal(classes="line"):
                yield Static(Content(name), classes="label")
                yield LineInput(id=f"shape-{name}", placeholder=hint, compact=True, select_on_focus=False)
        with Horizontal(classes="line"):
            yield Static(Content("headers"), classes="label")
            yield FieldArea(id="shape-headers", placeholder="Content-Type: text/plain")
        yield Static(id="header-notes")
        yield Static(Content(_HOW), id="header-how")

    def on_mount(self) -> None:
        """Show what was asked for while nobody looked."""
        self._fill()

    @property
    def shape(self) -> Shape:
        """What is typed."""
        if not self.is_mounted:
            return self._shape
        method, path = (self.query_one(f"#shape-{name}", Input).value.strip() for name in ("method", "path"))
        return Shape(method, path, self.query_one(FieldArea).text)

    def show(self, shape: Shape) -> None:
        """Show a shape."""
        self._shape = shape
        if self.is_mounted:
            self._fill()

    def _fill(self) -> None:
        shape = self._shape
        with self.prevent(Input.Changed, TextArea.Changed):
            self.query_one("#shape-method", Input).value = shape.method
            self.query_one("#shape-path", Input).value = shape.path
            self.query_one(FieldArea).load_text(shape.headers)
        self._note()

    def focus_first(self) -> None:
        """Put the cursor into the header lines."""
        self.query_one(FieldArea).focus()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _typed(self, event: Input.Changed | TextArea.Changed) -> None:
        event.stop()
        self._note()
        self.post_message(self.Changed())

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    def _note(self) -> None:
        notes = [_note(line) for line in header_lines(self.query_one(FieldArea).text) if line.note]
        shown = self.query_one("#header-notes", Static)
        shown.update(Content("\n").join(notes))
        shown.display = bool(notes)


def _note(line: HeaderLine) -> Content:
    style = theme.BAD if line.is_wrong else theme.QUIET if line.value in (None, "") else theme.WARN
    where = f"{line.name}: " if line.name else ""
    return Content.assemble((f"line {line.line}  ", theme.QUIET), content(f"{where}{line.note}", style))
