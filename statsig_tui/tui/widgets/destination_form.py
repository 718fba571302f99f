"""The form of a destination: name, URL and how it is delivered. Used by Delivery and by *new destination*."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from statsig_tui.core.config import RECEIVER, ClientCert, Destination
from statsig_tui.core.destination import Invalid
from statsig_tui.tui import theme
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.destination_text import (
    OFF,
    ON,
    OWN,
    SCHEDULE_OPTIONS,
    Texts,
    complaints,
    follows_receiver,
    from_texts,
    schedule_words,
    to_texts,
)
from statsig_tui.tui.widgets.editor import Editor
from statsig_tui.tui.widgets.fields import Choice, Field, Tick, VeiledInput
from statsig_tui.tui.widgets.json_editor import VeiledArea

EMULATED = "emulated"
"""Said of what Statsig does not document (statsig-wire.md §3.7)."""


class FormScroll(VerticalScroll, inherit_bindings=False):
    """The fields above each other; up and down go from one to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", show=False),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]
    can_focus = False


class DestinationForm(Editor[Texts]):
    """A draft is the texts of the fields that were edited, and no others."""

    DEFAULT_CSS = """
    DestinationForm {
        FormScroll {
            padding: 0 1;
            scrollbar-size-vertical: 1;
        }
        Input, TextArea {
            width: 1fr;
            background: $surface;
        }
        TextArea {
            height: 4;
            padding: 0;
        }
        Input.-short {
            width: 12;
        }
        #by-proxy {
            padding: 0 0 0 18;
            color: $text-muted;
        }
        .-heading {
            color: $text-muted;
            text-style: bold;
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id)
        self.taken: Collection[str] = ()
        """Names of the other destinations."""
        self.emulator: str | None = None
        """The address that must not be pointed at."""
        self.real_url: str | None = None
        """Where the shown destination really leads."""
        self.redact: Callable[[str], str] = str
        self.check_cert: Callable[[ClientCert], None] = lambda chosen: None
        """Raises Invalid where a client certificate's files cannot be used."""
        self.proxy: str | None = None
        """By which proxy the saved URL is reached."""
        self._fields: dict[str, Field] = {}
        self._is_insistent = False
        self._unusable: tuple[ClientCert, Invalid] | None = None
        """A client certificate whose files were looked at for nothing, and what was found."""

    def compose(self) -> ComposeResult:
        """One field a line."""
        with FormScroll():
            yield self._field("name", "Name", LineInput(compact=True, placeholder="my-api"))
            yield self._field("url", "Webhook URL", VeiledInput("http://localhost:3000/webhook"))
            yield Static(id="by-proxy", markup=False)
            yield self._field("enabled", "Enabled", _switch())
            yield _heading("Batches")
            yield self._field("envelope", "Envelope", Choice(("data", "array")))
            yield self._field("timestamps", "Timestamps", Choice(("number", "string")))
            yield self._field("max_events", "Batch: events", _short(), f"at most · {EMULATED}")
            yield self._field("max_bytes", "Batch: bytes", _short("any"), f"at most · {EMULATED}")
            yield self._field("max_seconds", "Batch: seconds", _short(), f"at most · {EMULATED}")
            yield _heading("Sending")
            yield self._field("timeout", "Timeout", _short(), f"seconds · {EMULATED}")
            yield self._field("concurrency", "At once", _short())
            yield self._field("rate_limit", "Rate limit", _short("none"), f"a second · {EMULATED}")
            yield _heading("After a failure")
            yield self._field("schedule", "Retry schedule", Choice(SCHEDULE_OPTIONS), EMULATED)
            yield self._field("own", "", LineInput(compact=True, placeholder="1, 5, 30"))
            yield self._field("jitter", "Jitter", _short(), f"0 to 1 · 0.2 is ±20 % · {EMULATED}")
            yield self._field("isolate", "Refused batches", _switch(), EMULATED)
            pauses = f"failed in a row · 0: never · {EMULATED}"
            yield self._field("pause_after", "Pause after", _short(), pauses)
            yield self._field("probe", "Probe every", _short(), f"seconds while paused · {EMULATED}")
            yield _heading("Connection")
            yield self._field("verify_tls", "Verify TLS", _switch())
            yield self._field("verify_on_save", "Verify URL", _switch())
            yield self._field(
                "cert", "Client cert", LineInput(compact=True, placeholder="none · or a PEM file")
            )
            yield self._field("key", "", LineInput(compact=True, placeholder="its key, if in another file"))
            yield self._field("allow_link_local", "Link-local", _switch())
            own = VeiledArea(id="own-headers", placeholder="Name: value, one a line")
            yield self._field("headers", "Headers", own)

    def first(self) -> Widget:
        """The name."""
        return self._fields["name"].field

    def field(self, name: str) -> Widget:
        """The field of a name."""
        return self._fields[name].field

    def show(self, destination: Destination) -> None:
        """Show a destination, with what was edited of it."""
        self._is_insistent = False
        super().show(destination)

    def revert(self) -> None:
        """Give up the edits, and what was wrong with them."""
        self._is_insistent = False
        super().revert()

    def draw(self) -> None:
        """Put the texts into the fields, where they differ."""
        if self.shown is None or not self.is_ready:
            return
        texts = self.texts()
        self.query_one(VeiledInput).redact = self.query_one(VeiledArea).redact = self.redact
        with self.prevent(Input.Changed, TextArea.Changed):
            for name, field in self._fields.items():
                _put(field.field, texts[name])
        self._judge()

    def texts(self) -> Texts:
        """What the fields say."""
        return self._saved() | (self.draft() or {})

    def edited(self, saved: Destination) -> Destination:
        """The destination with the edits in it; raises Invalid, after it was said at the field."""
        edits = set(self.draft() or {})
        self._is_insistent, self._unusable = True, None
        wrong = self._judge()
        for name in self._fields:
            if name in wrong:
                self._fields[name].field.focus()
                break
        made = from_texts(self.texts(), edits, saved, self.taken, self.emulator)
        if made.client_cert is not None and edits & {"cert", "key"}:
            try:
                self.check_cert(made.client_cert)
            except Invalid as error:
                # Kept: what was typed just before is told only now, and judged without a look at files.
                self._unusable = made.client_cert, error
                self._judge()
                self._fields[error.field].field.focus()
                raise
        return made

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Tick.Toggled)
    @on(Choice.Changed)
    def _changed(self) -> None:
        if self.shown is None:
            return
        saved = self._saved()
        texts = {name: _text(field.field) for name, field in self._fields.items()}
        edits = {name: text for name, text in texts.items() if text != saved[name]}
        if edits != (self.draft() or {}):
            self.keep(edits or None)
        self._judge()

    def _saved(self) -> Texts:
        return to_texts(self.shown, self.real_url) if self.shown is not None else {}

    def _judge(self) -> dict[str, str]:
        """Say at each field what is wrong with it, and what follows from it."""
        if self.shown is None:
            return {}
        texts, edits = self.texts(), set(self.draft() or {})
        wrong = complaints(texts, self.taken, self.emulator, self.shown) | self._of_the_files(texts)
        for name, field in self._fields.items():
            # What nobody has touched yet is not complained about, until it is to be saved.
            field.complain(wrong.get(name, "") if self._is_insistent or name in edits else "")
        is_builtin = self.shown.name == RECEIVER
        follows = follows_receiver(self.shown) and "url" not in edits
        self._fields["url"].note("follows the receiver" if follows else "")
        by_proxy = self.query_one("#by-proxy", Static)
        by_proxy.display = self.proxy is not None and "url" not in edits
        by_proxy.update(content(f"by the environment's proxy {self.proxy}"))
        self._fields["name"].note("built in" if is_builtin and "name" not in edits else "")
        self._label("enabled", "on" if texts["enabled"] == ON else "off", "")
        is_isolating = texts["isolate"] == ON
        found = "halved after 400 or 422 to find the event"
        self._label("isolate", found if is_isolating else "fail as they are", "")
        if texts["verify_tls"] == ON:
            self._label("verify_tls", "on", "")
        else:
            self._label("verify_tls", "OFF: anybody in between can read and change it", theme.BAD)
        is_asked = texts["verify_on_save"] == ON
        asks = "sends url_verification when a URL is saved" if is_asked else "by hand: see Signing"
        self._label("verify_on_save", asks, "")
        if texts["allow_link_local"] == ON:
            leads = "ALLOWED: it may lead to a cloud's metadata and keys"
            self._label("allow_link_local", leads, theme.BAD)
        else:
            self._label("allow_link_local", "refused", "")
        is_one = texts["concurrency"].strip() == "1"
        order = "in order until one fails" if is_one else "in any order · 1 keeps it"
        self._fields["concurrency"].note(f"{order} · {EMULATED}")
        self._fields["key"].display = bool(texts["cert"].strip() or texts["key"].strip())
        is_own = texts["schedule"] == OWN
        self._fields["jitter"].display = is_own
        self._fields["own"].field.display = is_own
        self._fields["own"].set_class(not is_own, "-words")
        self._fields["own"].note(schedule_words(texts))
        return wrong

    def _of_the_files(self, texts: Texts) -> dict[str, str]:
        """What the last look at the client certificate's files found, while these are named."""
        if self._unusable is None:
            return {}
        chosen, error = self._unusable
        is_same = (texts["cert"].strip(), texts["key"].strip()) == (chosen.cert, chosen.key or "")
        return {error.field: error.message} if is_same else {}

    def _label(self, name: str, word: str, style: str) -> None:
        tick = self._fields[name].field
        if isinstance(tick, Tick):
            tick.label = content(word, style)

    def _field(self, name: str, label: str, widget: Widget, note: str = "") -> Field:
        field = self._fields[name] = Field(label, widget, note, name=name)
        return field.set_class(widget.has_class("-short"), "-narrow")


def _heading(title: str) -> Static:
    return Static(content(title), classes="-heading")


def _switch() -> Tick:
    return Tick(gutter=0, is_switch=True)


def _short(placeholder: str = "") -> Input:
    return LineInput(compact=True, classes="-short", placeholder=placeholder)


def _put(widget: Widget, text: str) -> None:
    if _text(widget) == text:
        return
    if isinstance(widget, Input):
        widget.value = text
    elif isinstance(widget, TextArea):
        widget.load_text(text)
    elif isinstance(widget, Choice):
        widget.value = text
    elif isinstance(widget, Tick):
        widget.value = text == ON


def _text(widget: Widget) -> str:
    if isinstance(widget, Input | Choice):
        return widget.value
    if isinstance(widget, TextArea):
        return widget.text
    return ON if isinstance(widget, Tick) and widget.value else OFF
