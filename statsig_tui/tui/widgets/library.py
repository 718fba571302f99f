"""The library: templates, saved ones and what was sent, in a tree with a search, and words on the one under
the cursor. It shows what it is given and tells what is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from statsig_tui.core.library import Template, built_in
from statsig_tui.core.records import SentRecord
from statsig_tui.tui import theme
from statsig_tui.tui.commands import short_key
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.times import clock
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.library_rows import HISTORY, SAVED, Contents, Entry, Row, likeliest, rows
from statsig_tui.tui.widgets.line_view import FOLDED, OPEN

_STATUS = 4
_OPENED = {SAVED, HISTORY, "Events"}
"""What is unfolded at first."""


class LibraryList(OptionList):
    """The tree; each option's id is its row's key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "cursor_up", "Up", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
        Binding("right", "fold(True)", "Unfold", show=False),
        Binding("left", "fold(False)", "Fold", show=False),
    ]

    class Folded(Message):
        """The heading under the cursor is to be unfolded, or folded."""

        def __init__(self, is_open: bool) -> None:
            super().__init__()
            self.is_open = is_open

    def action_fold(self, is_open: bool) -> None:
        """Unfold or fold the heading under the cursor."""
        self.post_message(self.Folded(is_open))


class Library(Vertical):
    """Search, tree, and what the template under the cursor is for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave_search", "Back", show=False)]

    class Chosen(Message):
        """An entry is to be opened."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    class Moved(Message):
        """Another row is under the cursor, or none."""

    class Searched(Message):
        """What was sent is to be searched beyond what is listed: every word, casefolded."""

        def __init__(self, search: str) -> None:
            super().__init__()
            self.search = search
            self.words = search.casefold().split()

    class Left(Message):
        """Escape was pressed where there was no search to leave."""

    def __init__(self) -> None:
        super().__init__(id="library", classes="pane")
        self.border_title = "Library"
        self._contents = Contents()
        self._from_all: tuple[str, Sequence[SentRecord]] = ("", ())
        """What a search found among all that was sent."""
        self._opened = set(_OPENED)
        self._rows: dict[str, Row] = {}
        self._list = LibraryList(id="library-list", markup=False, compact=True)
        self._search = LineInput(
            id="library-search",
            placeholder=f"{short_key('compose.search')} search",
            compact=True,
            select_on_focus=False,
        )
        self._about = Static(id="library-about")

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield self._search
        yield self._list
        yield self._about

    def is_tree(self, widget: Widget) -> bool:
        """Whether a widget is the tree, where letters act."""
        return widget is self._list

    @property
    def entry(self) -> Entry | None:
        """What is under the cursor; None for a heading."""
        row = self._row()
        return row.entry if row is not None else None

    @property
    def saved(self) -> Sequence[Template]:
        """The user's own templates."""
        return self._contents.saved

    def is_saved(self, entry: Entry | None) -> bool:
        """Whether an entry is one of the user's own templates."""
        return isinstance(entry, Template) and any(entry is each for each in self._contents.saved)

    def show(
        self,
        *,
        saved: Sequence[Template] | None = None,
        sent: Sequence[SentRecord] | None = None,
        sent_total: int | None = None,
    ) -> None:
        """Show these, of what was sent the newest; the cursor stays on its row."""
        former = self._contents
        self._contents = Contents(
            # Made when they are shown first: that takes longer than the first frame.
            built_in(),
            former.saved if saved is None else saved,
            former.sent if sent is None else sent,
            former.sent_total if sent_total is None else sent_total,
        )
        self._fill()
        self._search_on()

    def show_found(self, search: str, sent: Sequence[SentRecord]) -> None:
        """Show what a search found among all that was sent, if it is still the search."""
        if search == self._search.value:
            self._from_all = (search, sent)
            listed = [row.entry for row in self._rows.values() if isinstance(row.entry, SentRecord)]
            if listed != list(sent):
                self._fill()
            if self.entry is None:
                self.go(likeliest(self._rows.values(), search))

    def focus_search(self) -> None:
        """Put the cursor into the search."""
        self._search.focus()

    def focus_list(self) -> None:
        """Put the cursor into the tree."""
        self._list.focus()

    def go(self, key: str) -> None:
        """Put the cursor on a row, if it is shown."""
        if key in self._rows:
            self._list.highlighted = self._list.get_option_index(key)

    def on_resize(self) -> None:
        """Names take the width there is."""
        self._fill()

    def action_leave_search(self) -> None:
        """Show everything again; without a search, leave."""
        if self._search.value:
            self._search.value = ""
        elif self._list.has_focus:
            self.post_message(self.Left())
        self._list.focus()

    @on(Input.Changed, "#library-search")
    def _searched(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()
        if event.value:
            # So that enter opens what was likely meant.
            self.go(likeliest(self._rows.values(), event.value))
        self._search_on()

    @on(Input.Submitted, "#library-search")
    def _found(self, event: Input.Submitted) -> None:
        event.stop()
        self._list.focus()

    @on(OptionList.OptionHighlighted, "#library-list")
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._tell_about()
        self.post_message(self.Moved())

    @on(OptionList.OptionSelected, "#library-list")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self._rows.get(event.option_id or "")
        if row is None:
            return
        if row.entry is not None:
            self.post_message(self.Chosen(row.entry))
        else:
            self._fold(row, is_open=not row.is_open)

    @on(LibraryList.Folded)
    def _folded(self, event: LibraryList.Folded) -> None:
        event.stop()
        row = self._row()
        if row is None:
            return
        if row.entry is not None and not event.is_open:
            # Left, on an entry, goes to its heading.
            keys = list(self._rows)
            above = [key for key in keys[: keys.index(row.key)] if self._rows[key].entry is None]
            self.go(above[-1])
        elif row.entry is None:
            self._fold(row, is_open=event.is_open)

    def _fold(self, row: Row, *, is_open: bool) -> None:
        if is_open:
            self._opened.add(row.title)
        else:
            self._opened.discard(row.title)
        self._fill()

    def _search_on(self) -> None:
        if self._search.value.strip() and self._contents.sent_total > len(self._contents.sent):
            self.post_message(self.Searched(self._search.value))

    def _row(self) -> Row | None:
        option = self._list.highlighted_option
        return self._rows.get(option.id or "") if option is not None else None

    def _fill(self) -> None:
        width = self._list.scrollable_content_region.width - 2
        if width <= 0 or not self._contents.built_in:
            return
        former, at = self._row(), self._list.highlighted
        search, found = self._from_all
        contents = self._contents
        if search and search == self._search.value:
            contents = replace(contents, sent=found)
        shown = rows(contents, self._opened, self._search.value)
        self._rows = {row.key: row for row in shown}
        self._list.clear_options()
        self._list.add_options([Option(_line(row, width), id=row.key) for row in shown])
        if not shown:
            self._list.add_option(Option(Content.styled("Nothing found.", theme.QUIET), disabled=True))
        elif former is not None and former.key in self._rows:
            self.go(former.key)
        elif at is not None:
            self._list.highlighted = min(at, len(shown) - 1)
        self._tell_about()

    def _tell_about(self) -> None:
        entry = self.entry
        words = Content()
        if isinstance(entry, Template):
            answered = f"The emulator answers {entry.answer}. " if entry.answer is not None else ""
            words = Content("\n").join(
                part
                for part in (content(entry.about), content(answered + entry.expect, theme.QUIET))
                if part.plain
            )
        self._about.update(words)
        self._about.display = bool(words.plain)


def outcome(record: SentRecord) -> tuple[str, str, str]:
    """Symbol, short word and style of how a sent event ended."""
    if record.status is not None:
        mark, style = theme.status(record.status)
        return mark, str(record.status), style
    return ("?", "", theme.WARN) if record.certainty == "unknown" else ("✗", "", theme.BAD)


def _line(row: Row, width: int) -> Content:
    indent = "  " * row.depth
    if isinstance(row.entry, SentRecord):
        return _sent(row.entry, width)
    if row.entry is not None:
        mark = "✗ " if row.entry.fault else ""
        name = content(fit(row.entry.name, width - len(indent) - len(mark)))
        return Content.assemble(indent, (mark, theme.BAD), name)
    count = f"{row.count:,}" if row.count == row.total else f"{row.count:,} of {row.total:,}"
    nothing = {SAVED: f"{short_key('compose.save')} saves", HISTORY: "nothing yet"}
    if not row.total and row.title in nothing:
        count = nothing[row.title]
    mark = OPEN if row.is_open and row.total else FOLDED
    room = width - len(indent) - len(count) - 3
    title = fit(row.title, room)
    gap = " " * (room - len(title) + 1)
    return Content.assemble(
        indent, (f"{mark} ", theme.ACCENT), (title, theme.STRONG), gap, (count, theme.QUIET)
    )


def _sent(record: SentRecord, width: int) -> Content:
    mark, word, style = outcome(record)
    room = width - 6 - 1 - _STATUS
    name = content(fit(record.event_name or "(no name)", room))
    gap = " " * max(0, room - name.cell_length)
    return Content.assemble(
        (f"{clock(record.at)[:5]} ", theme.QUIET), name, gap, " ", (f"{mark}{word}".ljust(_STATUS), style)
    )
