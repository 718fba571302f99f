"""The export menu of Live, and the writing: off the loop, in short steps that can be cancelled between."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from statsig_tui.core.config import DEFAULT_RECEIVER_URL
from statsig_tui.core.exporting import FORMATS, Format
from statsig_tui.core.query import Query, parse
from statsig_tui.core.records import CaptureRecord
from statsig_tui.engine.exporting import Export, new_file
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.fields import Choice, Tick
from statsig_tui.tui.widgets.id_view import IdView

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive

_WORDS: dict[Format, tuple[str, str]] = {
    "ndjson": ("NDJSON", "ndjson"), "har": ("HAR", "har"), "curl": ("curl", "sh"),
    "raw": ("raw request", "http"), "csv": ("CSV of events", "csv"),
}  # fmt: skip
"""What a format is called, and how a file of it ends."""
_BY_WORD = {word: each for each, (word, _) in _WORDS.items()}
_PAGE = 64
"""Captures whose summaries are read at a time."""
_STEP_SECONDS = 0.05
"""How long a step keeps the store's reader from the screens."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Captures that can be exported: what they are called, and their ids, newest first."""

    words: str
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was chosen."""

    format: Format
    scope: int
    with_secrets: bool
    path: Path


class ExportDialog(Dialog[Wish | None]):
    """Format, which captures, secrets, and the file; dismissed with the wish, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("ctrl+s,ctrl+j", "accept", "Export", priority=True),
    ]
    DEFAULT_CSS = """
    ExportDialog {
        .label {
            color: $text-muted;
        }
        Choice, Tick {
            margin: 0 0 1 0;
        }
        #export-said {
            height: auto;
            min-height: 1;
        }
    }
    """

    def __init__(self, scopes: Sequence[Scope], stem: str) -> None:
        """`stem` is the file's name without its end."""
        super().__init__()
        self._scopes = scopes
        self._stem = stem
        self._named = ""

    def compose(self) -> ComposeResult:
        """A line for each question."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Export"
            box.border_subtitle = "tab on · ←→ choose · enter, ctrl+s exports · esc cancels"
            yield Static("Format", classes="label")
            yield Choice([_WORDS[each][0] for each in FORMATS], id="export-format")
            yield Static("Captures", classes="label")
            yield Choice([scope.words for scope in self._scopes], id="export-scope")
            yield Tick(Content("With secrets, as they were received"), gutter=0, id="export-secrets")
            yield Static("File", classes="label")
            yield LineInput(compact=True, id="export-file")
            yield Static(id="export-said")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="no", compact=True)
                yield Button("Export", id="yes", compact=True, variant="primary")

    def on_mount(self) -> None:
        """Offer a name."""
        self._offer_name()

    @on(Choice.Changed, "#export-format")
    def _offer_name(self) -> None:
        field = self.query_one(Input)
        if field.value == self._named:
            self._named = f"{self._stem}.{_WORDS[self._format][1]}"
            field.value = self._named

    @property
    def _format(self) -> Format:
        return _BY_WORD[self.query_one("#export-format", Choice).value]

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def action_accept(self) -> None:
        """Take what is chosen; a file that is there already is replaced only if that is answered with yes."""
        name = self.query_one(Input).value.strip()
        try:
            path = Path(name).expanduser()
        except RuntimeError:
            path = Path(name)  # nobody's home: it is a name like any other
        if not name or path.is_dir():
            words = "That is a directory: name a file in it." if name else "Name the file."
            self.query_one("#export-said", Static).update(Content.styled(words, theme.BAD))
            return
        scope = self.query_one("#export-scope", Choice)
        with_secrets = bool(self.query_one(Tick).value)
        self.dismiss(Wish(self._format, scope.options.index(scope.value), with_secrets, path))

    @on(Button.Pressed, "#no")
    def _cancelled(self) -> None:
        self.dismiss(None)


class ProgressDialog(Dialog[None]):
    """How far the writing is; escape ends it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop")]

    def __init__(self, path: Path, total: int) -> None:
        super().__init__()
        self._path = path
        self._total = total
        self.is_stopped = False

    def compose(self) -> ComposeResult:
        """One line."""
        with Vertical(classes="dialog confirm") as box:
            box.border_title = "Exporting"
            box.border_subtitle = "esc stops, and leaves no file"
            yield Static(content(str(self._path), theme.QUIET))
            yield Static(id="export-count")

    def tell(self, done: int) -> None:
        """Say how many are written."""
        percent = f"  {done * 100 // max(1, self._total)} %"
        words = f"{done:,} of {self._total:,} captures{percent}"
        count = self.query_one_optional("#export-count", Static)
        if count is not None:
            count.update(Content(words))

    def action_stop(self) -> None:
        """Write no further."""
        self.is_stopped = True


async def export_from(screen: ModeScreen, here: int, view: IdView, query: Query | None) -> None:
    """Ask which captures are to be exported, and how, and write them; `here` is the one under the cursor."""
    scopes = _scopes(here, view)
    at = time.time_ns() // 1_000_000
    stem = time.strftime("captures-%Y%m%d-%H%M%S", time.localtime(at / 1000))
    wish = await screen.app.push_screen_wait(ExportDialog(scopes, stem))
    if wish is None:
        return
    replaces = wish.path.exists()
    if replaces:
        words = Content.assemble(content(str(wish.path), theme.STRONG), " is there already.")
        if not await screen.app.push_screen_wait(ConfirmDialog("Replace the file?", words, "Replace")):
            screen.host.say("Nothing was written.")
            return
    # Of a capture that is shown because some of its events fit, a table holds these.
    fitting = query if query is not None and scopes[wish.scope].words.startswith("shown") else parse("")
    progress = ProgressDialog(wish.path, len(scopes[wish.scope].ids))
    await screen.app.push_screen(progress)
    try:
        count = await _write(screen, wish, scopes[wish.scope].ids, fitting, at, progress, replaces=replaces)
    except StatsigTuiError as error:
        screen.host.tell(error)
    else:
        what = "Stopped: nothing was kept." if count is None else _done(count, wish)
        screen.host.say(what)
    finally:
        progress.dismiss()


def _done(count: int, wish: Wish) -> str:
    secrets = "" if not wish.with_secrets else ", secrets and all"
    return f"{count:,} capture{'s' * (count != 1)} exported to {wish.path}{secrets}."


def _scopes(here: int, view: IdView) -> list[Scope]:
    found = [Scope(f"this one, #{here}", (here,))]
    if view.marked:
        found.append(Scope(f"marked {view.marked:,}", view.marks[::-1]))
    if len(view) < view.total:
        found.append(Scope(f"shown {len(view):,}", [view[at] for at in reversed(range(len(view)))]))
    return [*found, Scope(f"all {view.total:,}", view.all_ids()[::-1])]


async def _write(
    screen: ModeScreen,
    wish: Wish,
    ids: Sequence[int],
    query: Query,
    now: int,
    progress: ProgressDialog,
    *,
    replaces: bool,
) -> int | None:
    """Write captures, and say how many; None: it was stopped."""
    engine = screen.bridge.engine
    if engine is None:
        return None
    redact = None if wish.with_secrets else engine.redact
    base = engine.addresses.receiver or DEFAULT_RECEIVER_URL.rstrip("/")
    export = Export(engine.archive, query, redact, base, now)
    pieces = export.pieces(wish.format, _records(engine.archive, ids))
    try:
        with new_file(wish.path, replaces=replaces) as file:

            def step(archive: Archive) -> bool:
                """Write for a moment; whether there may be more."""
                until = time.monotonic() + _STEP_SECONDS
                for piece in pieces:
                    file.write(piece)
                    if time.monotonic() > until:
                        return True
                return False

            while await screen.bridge.ask(step):
                progress.tell(export.count)
                if progress.is_stopped:
                    raise _Stopped
    except _Stopped:
        return None
    return export.count


class _Stopped(Exception):
    """It was stopped: the file is to go."""


def _records(archive: Archive, ids: Sequence[int]) -> Iterator[CaptureRecord]:
    """Captures by id, as far as they are kept, in the order of the ids."""
    left = iter(ids)
    while page := list(islice(left, _PAGE)):
        found = {record.id: record for record in archive.captures(page)}
        yield from (found[number] for number in page if number in found)
