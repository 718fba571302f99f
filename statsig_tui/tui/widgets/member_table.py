"""An object of the draft as a table: a row a member, with mark, name, value and type, edited in place.

It shows what it is given and tells what the rows are to be; the text is core/tables.py's affair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input

from statsig_tui.core import cells, notation
from statsig_tui.core.cells import Kind
from statsig_tui.core.draft import Field
from statsig_tui.core.notation import FieldError
from statsig_tui.core.tables import Row, Table
from statsig_tui.tui.widgets.cell_input import LEAVES, CellInput, Offers
from statsig_tui.tui.widgets.member_edit import Change, MemberEdit
from statsig_tui.tui.widgets.member_rows import MARK, Column, Columns, columns, last_line, line, whole_line
from statsig_tui.tui.widgets.turning import Turning


class MemberTable(Turning, Widget, can_focus=True, can_focus_children=True):
    """Rows over one line to add another; letters act on the row under the cursor, enter edits a cell."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    MemberTable {
        height: auto;
        width: 1fr;
        CellInput {
            display: none;
            position: absolute;
            height: 1;
            padding: 0;
            background: $foreground 16%;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--row", "table--cell"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit", "Edit"),
        Binding("a", "add", "Add"),
        Binding("space", "switch", "On/off"),
        Binding("t,ctrl+y", "type(1)", "Type"),
        Binding("T", "type(-1)", "Type before", show=False),
        Binding("delete,backspace", "delete", "Delete"),
        Binding("u,ctrl+z", "undo", "Undo"),
        Binding("alt+up,K", "shift(-1)", "Move the row up", show=False),
        Binding("alt+down,J", "shift(1)", "Move the row down", show=False),
        Binding("up,k", "move(-1)", "Row above", show=False),
        Binding("down,j", "move(1)", "Row below", show=False),
        Binding("left,h", "column('name')", "Name", show=False),
        Binding("right,l", "column('value')", "Value", show=False),
    ]

    class Edited(Message):
        """Rows are to be others now, or what is typed cannot be meant."""

    class Undone(Message):
        """The last edit is to be taken back."""

    def __init__(self, field: Field) -> None:
        super().__init__(id=f"field-{field}")
        self.field = field
        self._edit = MemberEdit(field)
        self._row = 0
        self._column: Column = "name"
        self._editing: Column | None = None
        self._is_new = False
        """The row under the cursor takes its type from what is typed."""
        self._told = ""
        """What is typed, as far as the rows have it."""
        self._offers = Offers(field)
        self._input = CellInput(self)

    def compose(self) -> list[Widget]:
        """The cell that is typed in."""
        return [self._input]

    # What is shown

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they are to be."""
        return self._edit.rows

    @property
    def table(self) -> Table:
        """What the text has, and the rows that are off."""
        return self._edit.table

    @property
    def refused(self) -> str:
        """Why what is typed is not in the rows."""
        return self._edit.refused

    @property
    def cursor(self) -> int:
        """The row under the cursor; behind the last: the line to add one."""
        return self._row

    @property
    def is_editing(self) -> bool:
        """Whether a cell is being typed in."""
        return self._editing is not None

    @property
    def change(self) -> Change | None:
        """What was edited and is not shown yet as a part of the text, keys pressed a moment ago too."""
        self._take_typed()
        return self._edit.change

    def show(self, table: Table) -> None:
        """Show an object as the text has it; the cell that is typed in stays, if its row does."""
        expected, height = self.rows, self._height
        if not self._edit.show(table):
            return
        here = slice(self._row, self._row + 1)
        is_same = self._row < len(expected) and self.rows[here] == expected[here]
        if self._editing is not None and not (is_same or self._is_pending or self._edit.keeps_place):
            self._end()
        self._row = min(self._row, self._last)
        self.disabled = table.too_large
        self.refresh(layout=self._height != height)
        if self._height != height and (self.has_focus or self._editing is not None):
            self.call_after_refresh(self.bring)

    def refuse(self, words: str) -> None:
        """Go back to what the text has, and say why; what is typed stays to be mended."""
        self._edit.refuse(words)
        self.refresh(layout=True)
        self.call_after_refresh(self.bring)

    def suggest(self, names: Sequence[str], values: Mapping[str, Sequence[str]]) -> None:
        """Offer names, and by name spelled values, while one is typed."""
        self._offers.use(names, values)

    def go_to(self, name: str) -> None:
        """Put the cursor on the row of a name."""
        found = [index for index, row in enumerate(self.rows) if row.is_on and row.name == name]
        self._row = found[-1] if found else 0
        self._column = "value"
        self.focus()
        self.bring()
        self.refresh()

    # Drawing

    @property
    def says_who(self) -> bool:
        """Whether its values say who somebody is."""
        return self.field in (Field.CUSTOM_IDS, Field.PRIVATE)

    @property
    def _is_whole(self) -> bool:
        return self._edit.is_whole

    @property
    def _is_pending(self) -> bool:
        return self._editing is not None and not self._is_whole and self._row >= len(self.rows)

    @property
    def _last(self) -> int:
        return 0 if self._is_whole or self.table.too_large else len(self.rows)

    @property
    def _height(self) -> int:
        return self._last + 1

    @property
    def _columns(self) -> Columns:
        return columns(self.rows, self.size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line a row, and one to add another."""
        return self._height

    def render_line(self, y: int) -> Strip:
        """Draw a row."""
        is_cursor = y == self._row and (self.has_focus or self._editing is not None)
        style = self.get_visual_style("table--row") if is_cursor else self.visual_style
        segments = self._line(y, is_cursor and self._editing is None).render_segments(style)
        return Strip(segments).adjust_cell_length(self.size.width, style.rich_style)

    def _line(self, y: int, is_cursor: bool) -> Content:
        if self.table.too_large:
            return Content()
        if self._is_whole:
            return whole_line(self.table.other, self.size.width, has_cursor=is_cursor)
        if y >= len(self.rows):
            return last_line(self.table, is_empty=not self.rows, has_cursor=is_cursor)
        return line(
            self.rows[y],
            self._columns,
            self._column if is_cursor else None,
            is_overruled=y in self.table.overruled(),
            says_who=self.says_who,
        )

    # Moving

    def on_key(self, event: events.Key) -> None:
        """Open a cell at once; what was typed behind that key is for the cell."""
        if self._editing is not None:
            if event.is_printable or event.key in LEAVES:
                event.stop()
                event.prevent_default()
                if event.key in LEAVES:
                    self.leave(LEAVES[event.key])
                elif event.character is not None:
                    self._input.insert_text_at_cursor(event.character)
        elif event.key in ("enter", "a"):
            event.stop()
            event.prevent_default()
            (self.action_edit if event.key == "enter" else self.action_add)()

    def action_move(self, by: int) -> None:
        """One row up or down; beyond the ends to the fields there."""
        if 0 <= self._row + by <= self._last:
            self._row += by
            self.bring()
            self.refresh()
        elif by < 0:
            self.screen.focus_previous()
        else:
            self.screen.focus_next()

    def action_column(self, column: Column) -> None:
        """To the name or to the value."""
        self._column = column
        self.refresh()

    def on_focus(self, event: events.Focus) -> None:
        """Show the cursor."""
        self.call_after_refresh(self.bring)

    def bring(self) -> None:
        """Scroll the form to the row under the cursor."""
        form = next((each for each in self.ancestors if isinstance(each, VerticalScroll)), None)
        if form is not None and self.size:
            # With what is wrong below the rows.
            height = self._height - self._row + 2 if self.refused else 1
            line = Region(self.region.x, self.region.y + self._row, self.size.width, height)
            form.scroll_to_region(
                line.translate(form.scroll_offset - form.content_region.offset), animate=False, force=True
            )

    def on_click(self, event: events.Click) -> None:
        """Go to a cell; on the mark switch the row, on the type change it, on the cursor's cell edit it."""
        at = event.get_content_offset(self)
        if at is None or event.widget is not self:
            return
        was = (self._row, self._column)
        under = self._columns.under(at.x)
        self._row = min(at.y, self._last)
        self._column = "name" if under in ("mark", "name") else "value"
        self.refresh()
        if self._row >= len(self.rows) and not self._is_whole:
            self.action_add()
        elif under == "mark":
            self.action_switch()
        elif under == "type":
            self.action_type(1)
        elif was == (self._row, self._column):
            self.action_edit()

    # Editing

    def action_edit(self) -> None:
        """Type in the cell under the cursor; a truth value flips at once."""
        if self._is_whole:
            self._edit.enter_whole()
            self._enter("value", self.table.other)
            return
        if self._row >= len(self.rows):
            self.action_add()
            return
        row = self.rows[self._row]
        if self._column == "name":
            self._enter("name", notation.shown_text(row.key) if row.name else "")
        elif row.kind is Kind.BOOL:
            self._edit.flip(self._row)
            self._tell()
        elif len(row.raw) > cells.LONGEST:
            self._edit.refused = f"{len(row.raw):,} characters: edit it as JSON"
            self._tell()
        else:
            self._is_new = row.kind is Kind.NULL
            self._enter("value", "" if self._is_new else cells.content(row.raw))

    def action_add(self) -> None:
        """Type the name of a new row below the others."""
        if not self._is_whole:
            self._row = len(self.rows)
            self._is_new = True
            self._enter("name", "")

    def action_switch(self) -> None:
        """Take the row out of the text, or put it back where it was."""
        if self._row < len(self.rows):
            self._edit.switch(self._row)
            self._tell()

    def action_type(self, by: int) -> None:
        """Make the value one of the next type; once round it is what it was."""
        if self._row >= len(self.rows):
            return
        raw = self._edit.retype(self._row, by)
        self._tell()
        if self._editing == "value":
            self._is_new = False
            self._enter("value", cells.content(raw))

    def action_delete(self) -> None:
        """Delete the row; of an object without rows the object itself."""
        if self._edit.delete(self._row):
            self._row = min(self._row, max(0, len(self.rows) - 1))
            self._tell()

    def action_undo(self) -> None:
        """Take back the last edit."""
        self.post_message(self.Undone())

    def action_shift(self, by: int) -> None:
        """Move the row among the others."""
        to = self._row + by
        if self._row < len(self.rows) and 0 <= to < len(self.rows):
            self._edit.shift(self._row, to)
            self._row = to
            self._tell()
            self.bring()

    @property
    def listing(self) -> str:
        """The rows as one text, for an editor."""
        return self._edit.listing

    def take(self, text: str) -> None:
        """Make the rows what an editor made of their listing; those that are off stay."""
        self._edit.take(text)
        self._tell()

    def on_paste(self, event: events.Paste) -> None:
        """Take lines of `name = value`, or the members of an object; a name that is there gets the value."""
        event.stop()
        if self._editing is not None or self._is_whole:
            return
        self._edit.paste(event.text.replace("\r", "\n"))
        self._tell()

    def leave(self, how: str) -> None:
        """Leave the cell by a key: on to the next cell, or back to the rows."""
        column = self._editing
        if self._take_typed():
            self._tell()
        if how == "escape":
            self._give_up()
            return
        if self.refused:
            return  # it says what is to be mended; escape gives it up
        is_named = not self._is_pending
        if column == "name" and how in ("enter", "tab") and is_named and not self._is_whole:
            self._column = "value"
            row = self.rows[self._row]
            if row.kind is not Kind.BOOL and len(row.raw) <= cells.LONGEST:
                self._enter("value", cells.content(row.raw), keeps=self._is_new)
                return
        if column == "value" and how == "back" and not self._is_whole:
            self._column = "name"
            self._enter("name", notation.shown_text(self.rows[self._row].key), keeps=True)
            return
        goes_on = self._is_new and is_named and how == "enter"
        self._end()
        if how in ("up", "down"):
            self.action_move(-1 if how == "up" else 1)
        elif how == "tab":
            self.screen.focus_next()
        elif goes_on:
            self._row, self._column = len(self.rows), "name"
            self.bring()
            self.refresh()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """What is typed is told already: the cell closes, unless the terminal alone lost the focus."""
        if self._editing is not None and self.app.app_focus and not self._input.has_focus:
            self._end(takes_focus=False)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._take_typed():
            self._tell()

    def _take_typed(self) -> bool:
        """Make what is typed the rows, where it was not yet."""
        content = self._input.value
        if self._editing is None or content == self._told:
            return False
        self._told, self._edit.refused = content, ""
        try:
            if self._is_whole:
                self._edit.type_whole(content)
            elif self._is_pending:
                if content:
                    self._edit.type_new(notation.read_text(content))
            elif self._editing == "name":
                self._edit.type_name(self._row, content)
            else:
                self._edit.type_value(self._row, content, is_new=self._is_new)
        except FieldError as error:
            self._edit.refused = str(error)
        return True

    def _enter(self, column: Column, content: str, *, keeps: bool = False) -> None:
        """Open a cell; with `keeps` as a part of the edit that is under way."""
        if not keeps:
            self._edit.enter()
        self._editing = self._column = column
        self._edit.refused = ""
        self._input.suggester = self._suggester(column)
        with self.prevent(Input.Changed):
            self._input.value = self._told = content
        self._input.cursor_position = len(content)
        self._place()
        self._input.display = True
        self.screen.set_focus(self._input)
        self.refresh(layout=True)
        self.call_after_refresh(self.bring)

    def _suggester(self, column: Column) -> Suggester | None:
        if self._is_whole:
            return None
        if column == "name":
            return self._offers.names(lambda: self.rows)
        row = self.rows[self._row]
        return self._offers.values(row, is_new=self._is_new)

    def _place(self) -> None:
        """Put what is typed in over its cell."""
        widths = self._columns
        is_name = self._editing == "name"
        start = MARK if is_name or self._is_whole else widths.value_at
        width = self.size.width - MARK if self._is_whole else widths.name if is_name else widths.value
        self._input.styles.offset = Offset(start, self._row)
        self._input.styles.width = width

    def on_resize(self) -> None:
        """The cell that is typed in is elsewhere now."""
        if self._editing is not None:
            self._place()

    def _give_up(self) -> None:
        self._edit.give_up()
        self._end()
        self._row = min(self._row, self._last)
        self._tell()

    def _end(self, *, takes_focus: bool = True) -> None:
        self._editing, self._is_new = None, False
        self._edit.leave()
        self._input.display = False
        if takes_focus:
            self.screen.set_focus(self)
        self.refresh(layout=True)
        self.post_message(self.Edited())

    def _tell(self) -> None:
        self.refresh(layout=True)
        self.post_message(self.Edited())
        if self.refused:
            self.call_after_refresh(self.bring)
