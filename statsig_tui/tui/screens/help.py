"""Help: the keys of the shown screen and of lists and bodies, from the tables that bind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from statsig_tui.tui import theme
from statsig_tui.tui.commands import COMMANDS, keys_of, spelled
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.widgets.answer_pane import AnswerPane
from statsig_tui.tui.widgets.hanging import Hanging
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.line_view import LineView
from statsig_tui.tui.widgets.member_table import MemberTable
from statsig_tui.tui.widgets.row_list import RowList

WORDS = (
    ("emulator", "stands in for Statsig: takes incoming events and SDK batches"),
    ("destination", "a webhook URL, with the filter, batch and retry it is served by"),
    ("delivery", "one batch for one destination; it has attempts"),
    ("receiver", "the endpoint a destination can point at; a capture is what it got"),
    ("trace", "an event's way: sent, verdict, batch, attempts, capture"),
)
LANGUAGE = (
    ("checkout", 'a word: in a name, an id, the path or the body; "in quotes" with blanks'),
    ("event:check*", "an event's name, * is any text; a,b is either; likewise user: uuid: class:"),
    ("sig:bad", "the signature: valid, invalid, missing, stale, unchecked, good or bad"),
    ("status:5xx", "the answer; status:>=400, and fault:* is anything wrong"),
    ("path:/hook", "the request's path; likewise method: envelope: dest: id:"),
    ("size:>10k", "the size; likewise events:>1 took:>50ms lag:>10s"),
    ("since:10m", "not older than that; until:1h is older than that"),
    ("dup:yes", "an event that came before; drift:yes: one with what Statsig does not document"),
    ("note:tuesday", "what the note on it says; note:* has one"),
    ("metadata.a=new", "a field of an event; has:metadata.a: it is there"),
    ("-class:gate", "not that; side by side is and; a or (b c)"),
)
"""Examples of the query language, and what they ask."""


_LABEL = 18
"""Cells of a key, and of the blanks around it."""


class HelpScreen(Dialog[None]):
    """Everything a key does here."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,question_mark", "dismiss", "Close")]

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def compose(self) -> ComposeResult:
        """One column, scrolled with the arrows."""
        with VerticalScroll(classes="dialog", id="help") as scroll:
            scroll.border_title = "Help"
            scroll.border_subtitle = "esc closes"
            yield Hanging(_LABEL)

    def on_mount(self) -> None:
        """Say it in as many columns as there are."""
        self.query_one(Hanging).show(self._lines())

    def _lines(self) -> list[Content]:
        here = [(keys_of(c.id), c.help) for c in COMMANDS if c.scope == self._mode and c.keys]
        everywhere = [(keys_of(c.id), c.help) for c in COMMANDS if c.scope == "app" and c.keys]
        rows, lists, bodies, answers = (
            [(keys_of(b.id or "", b.key), b.description) for b in _bindings(*widgets)]
            for widgets in ((MemberTable,), (LineView, RowList), (JsonView,), (AnswerPane,))
        )
        tables = [
            _table(self._mode.capitalize(), here),
            _table("Everywhere", everywhere),
            *([_table("In tables of the form", rows)] if self._mode == "compose" else []),
            *([_table("In the answer", answers)] if self._mode == "compose" else []),
            *([_table("What the filter and the search take", LANGUAGE)] if self._mode == "live" else []),
            _table("In lists", lists),
            _table("In bodies", bodies),
            _table("Words", WORDS),
        ]
        return [line for table in tables for line in (*table, Content())][:-1]


def _bindings(*widgets: type[Widget]) -> list[Binding]:
    return [
        binding
        for widget in widgets
        for binding in widget.__dict__.get("BINDINGS", [])
        if isinstance(binding, Binding)
    ]


def _table(title: str, rows: Iterable[tuple[str, str]]) -> list[Content]:
    lines = [Content.styled(title, "bold $primary")]
    for keys, text in rows:
        shown = "  ".join(spelled(key) for key in keys.split(","))
        lines.append(Content.assemble((f"  {shown:<{_LABEL - 2}}", theme.STRONG), text))
    return lines
