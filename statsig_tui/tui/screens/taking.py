"""The copy menu of Live: what of a capture can be copied, in which form; masked as everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from statsig_tui.core.config import DEFAULT_RECEIVER_URL
from statsig_tui.core.exchange import Exchange, masked_bytes
from statsig_tui.core.exporting import again
from statsig_tui.core.ids import tag
from statsig_tui.core.records import CaptureDetail
from statsig_tui.core.signing import TIMESTAMP_HEADER
from statsig_tui.core.snippets import Kind, Unwritable
from statsig_tui.engine.exchanges import of_detail, without_secrets
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.screens.copies import part_of
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content, fit

Redact = Callable[[str], str]
_LONGEST = 33
"""Cells of a value, or of a path, beside its name."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to copy: its key in the menu, its name, and what is said of it."""

    key: str
    name: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What the cursor is on: a capture, an event of it, and a value in the tree where that is looked at."""

    capture: int
    child: int | None
    value: str | None = None
    path: str = ""


class CopyMenu(Dialog[str | None]):
    """Dismissed with the key of a piece, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, of: str, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._of = of
        self._pieces = pieces

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog") as box:
            box.border_title = content(f"Copy of {self._of}")
            box.border_subtitle = "enter, or its letter · esc cancels"
            yield OptionList(*(Option(_line(piece)) for piece in self._pieces), markup=False)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._pieces[event.option_index].key)

    def on_key(self, event: events.Key) -> None:
        """A letter chooses at once."""
        if any(piece.key == event.key for piece in self._pieces):
            event.stop()
            self.dismiss(event.key)


async def copy_from(screen: ModeScreen, place: Place) -> None:
    """Ask what is to be copied of a capture, and copy it."""
    pieces = _pieces(place)
    chosen = await screen.app.push_screen_wait(CopyMenu(_named(place), pieces))
    piece = next((piece for piece in pieces if piece.key == chosen), None)
    engine = screen.bridge.engine
    if piece is None or engine is None:
        return
    redact = engine.redact
    base = engine.addresses.receiver or DEFAULT_RECEIVER_URL.rstrip("/")
    try:
        detail = await screen.bridge.ask(lambda archive: archive.capture(place.capture))
    except StatsigTuiError as error:
        screen.host.tell(error)
        return
    if detail is None:
        screen.host.say("It was forgotten: see [retention] in the settings.")
        return
    try:
        text = await asyncio.to_thread(_text, piece.key, place, detail, base, redact)
    except Unwritable as error:
        screen.host.say(str(error))
        return
    screen.host.copy(text, f"{piece.name} of {_named(place)}")


def _pieces(place: Place) -> list[Piece]:
    found = []
    if place.value is not None:
        found.append(Piece("v", "the value", place.value))
        if place.path:
            found.append(Piece("p", "the path", place.path))
    if place.child is not None:
        found.append(Piece("e", "the event", "this one alone, as it is spelled"))
    return [
        *found,
        Piece("b", "the body", "unpacked where it was packed"),
        Piece("h", "the headers"),
        Piece("r", "the raw request", "as HTTP has it"),
        Piece("c", "curl", "secrets as variables"),
        Piece("l", "HTTPie"),
        Piece("o", "Python"),
        Piece("s", "the signature's base string", "v0:timestamp:body, what is signed"),
        Piece("a", "the answer's body"),
        Piece("i", "the id", tag("c", place.capture)),
    ]


def _text(key: str, place: Place, detail: CaptureDetail, base: str, redact: Redact) -> str:
    if key in ("v", "p"):
        return redact((place.value or "") if key == "v" else place.path)
    if key == "i":
        return tag("c", place.capture)
    if key in ("e", "b"):
        return _masked(part_of(detail, place.child if key == "e" else None), redact)
    if key == "s":
        return _masked(_base_string(detail), redact)
    it: Exchange = without_secrets(of_detail(detail, base), redact)
    if key == "h":
        return "\n".join(f"{name}: {value}" for name, value in it.headers)
    if key == "a":
        return it.answer_body.decode("utf-8", "surrogateescape")
    kinds: dict[str, Kind] = {"r": "raw", "c": "curl", "l": "httpie", "o": "python"}
    return again(kinds[key], it)


def _base_string(detail: CaptureDetail) -> bytes:
    name = TIMESTAMP_HEADER.lower()
    stamp = next((value for given, value in detail.headers if given.lower() == name), "")
    return b"v0:" + stamp.encode("latin-1", "replace") + b":" + detail.body


def _masked(raw: bytes, redact: Redact) -> str:
    return masked_bytes(raw, redact).decode("utf-8", "surrogateescape")


def _named(place: Place) -> str:
    return f"#{place.capture}" + (f" event {place.child}" if place.child is not None else "")


def _line(piece: Piece) -> Content:
    return Content.assemble(
        (f"{piece.key}  ", theme.ACCENT),
        (f"{piece.name:<29}", theme.STRONG),
        (fit(piece.about, _LONGEST), theme.QUIET),
    )
