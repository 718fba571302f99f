"""Our list and body view, and Textual's own, each alone in an app that a terminal can drive.

python -m benchmarks.viewers rows|table        a feed of 1,000 rows a second
python -m benchmarks.viewers body|text FILE    a JSON file, opened with o
python -m benchmarks.viewers draft FILE|blank  a JSON file as Compose's draft, and nothing, to type into
"""

from __future__ import annotations

import sys
import time
from array import array
from pathlib import Path

from rich.text import Text
from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import DataTable, Static, TextArea

from statsig_tui.core.event import EventClass
from statsig_tui.core.records import CaptureRecord, EventSummary
from statsig_tui.core.signing import SignatureState
from statsig_tui.engine.sources import real_sources
from statsig_tui.tui.times import clock, size
from statsig_tui.tui.widgets.capture_rows import CaptureRows, header
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.json_editor import JsonEditor
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.row_list import RowList

RATE = 1000
_FRAME_SECONDS = 0.05
_READY = "ready"


def record(number: int) -> CaptureRecord:
    """The n-th row."""
    names = ("checkout_completed", "page_view", "add_to_cart")
    events = tuple(
        EventSummary(name, EventClass.CUSTOM, f"user-{number}", None, 1_700_000_000_000)
        for name in names[: 1 + number % 3]
    )
    return CaptureRecord(
        number, number, 1_700_000_000_000 + number, "POST", f"/{number}", 5000, "data", events,
        SignatureState.VALID, 200, None, 1.0,
    )  # fmt: skip


class _Feed(App[None]):
    """Takes as many rows at each frame as have become due; what it cannot keep up with piles up."""

    def on_mount(self) -> None:
        self._number = 0
        self._began = time.monotonic()
        self.set_interval(_FRAME_SECONDS, self._tick)

    def _tick(self) -> None:
        due = int((time.monotonic() - self._began) * RATE)
        rows = [record(number) for number in range(self._number + 1, due + 1)]
        self._number = due
        if rows:
            self.add(rows)

    def add(self, rows: list[CaptureRecord]) -> None:
        """Show these behind the others."""


class _RowFeed(_Feed):
    def compose(self) -> ComposeResult:
        self._rows = CaptureRows(lambda ids: [record(number) for number in ids])
        self._rows.load(array("q"))
        yield RowList(self._rows, header=header)

    def add(self, rows: list[CaptureRecord]) -> None:
        for row in rows:
            self._rows.append(row)
        self.query_one(RowList).rows_changed()


class _TableFeed(_Feed):
    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        self.query_one(DataTable).add_columns("time", "answer", "ev", "what", "signature", "size", "path")
        super().on_mount()

    def add(self, rows: list[CaptureRecord]) -> None:
        shown: DataTable[Text] = self.query_one(DataTable)
        for row in rows:
            what = ", ".join(event.event_name for event in row.events)
            cells = (
                clock(row.at), str(row.status), str(len(row.events)), what, row.signature.value,
                size(row.size), row.path,
            )  # fmt: skip
            shown.add_row(*(Text(cell) for cell in cells))
        shown.move_cursor(row=shown.row_count - 1, animate=False)


class _Viewer(App[None]):
    """Opens its file when o is pressed, and goes to its end when e is."""

    BINDINGS = [("o", "open_file", "Open"), ("e", "end", "End")]  # noqa: RUF012 - Textual declares it as an instance's

    def __init__(self, path: Path, viewer: Widget) -> None:
        super().__init__()
        self._raw = path.read_bytes()
        self._viewer = viewer

    def compose(self) -> ComposeResult:
        yield Static(_READY)
        yield self._viewer

    def action_open_file(self) -> None:
        if isinstance(self._viewer, JsonView):
            self._viewer.load(self._raw)
        elif isinstance(self._viewer, TextArea):
            self._viewer.text = self._raw.decode()
        self._viewer.focus()

    def action_end(self) -> None:
        if isinstance(self._viewer, JsonView):
            self._viewer.action_bottom()
        elif isinstance(self._viewer, TextArea):
            self._viewer.move_cursor(self._viewer.document.end)


class _Typing(App[None]):
    """Has the cursor where it is typed."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self._text = path.read_text() if path is not None else None

    def compose(self) -> ComposeResult:
        if self._text is None:
            area = TextArea()
            area.cursor_blink = False
            yield area
        else:
            yield DraftPane(self._text, lambda: real_sources(1, {}))
        yield Static(_READY)

    async def on_mount(self) -> None:
        if self._text is None:
            self.query_one(TextArea).focus()
            return
        await self.query_one(DraftPane).next_view()
        # Into a text in the midst of it.
        lines = self._text.split("\n")
        row = next(row for row in range(len(lines) // 2, len(lines)) if '": "' in lines[row])
        self.query_one(JsonEditor).move_cursor((row, lines[row].index('": "') + 4))


def main(kind: str, *arguments: str) -> None:
    """Run one of them until its terminal ends it."""
    if kind == "rows":
        _RowFeed().run()
    elif kind == "table":
        _TableFeed().run()
    elif kind == "body":
        _Viewer(Path(arguments[0]), JsonView()).run()
    elif kind in ("draft", "blank"):
        _Typing(Path(arguments[0]) if arguments else None).run()
    elif kind == "text":
        _Viewer(Path(arguments[0]), TextArea(read_only=True, soft_wrap=False)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
