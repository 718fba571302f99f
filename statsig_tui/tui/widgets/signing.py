"""The signing secret of a destination: where it comes from, a new one, one's own, masked unless asked for."""

from __future__ import annotations

import os
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from statsig_tui.core.config import Destination, Secret
from statsig_tui.core.destination import SIGNING_PREFIXES, Invalid, doubt_secret, validate_secret
from statsig_tui.core.redact import mask_secret
from statsig_tui.core.rotation import GRACES, accepted, rotated
from statsig_tui.core.selftest import Progress
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER
from statsig_tui.core.verifiers import VERIFIERS
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import day_and_clock
from statsig_tui.tui.widgets.editor import Editor
from statsig_tui.tui.widgets.fields import Choice, Field, SecretInput
from statsig_tui.tui.widgets.hanging import Hanging
from statsig_tui.tui.widgets.trials import Trials

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 43
_ENV = "env:"
_SECRET = 26
REVEALED_SECONDS = 5.0
"""How long a secret stays in clear: a terminal does not say when a key is let go."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """The secret to be; None: nothing is signed."""

    secret: Secret | None
    how: str
    grace: str = next(iter(GRACES))
    """When the saved one ends."""


def new_secret() -> Secret:
    """A fresh secret of the shape of Statsig's: `webhook-` and 43 letters and digits."""
    return Secret.of("webhook-" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))


def typed_secret(text: str, environ: Mapping[str, str]) -> Secret:
    """The secret that was typed: its text, or `env:NAME`. Raises Invalid."""
    text = text.strip()
    if text.startswith(_ENV):
        name = text.removeprefix(_ENV).strip()
        secret = Secret(env=name, value=environ.get(name, "").strip() or None)
    else:
        secret = Secret.of(text)
    validate_secret(secret)
    return secret


class SigningPane(Editor[Drafted]):
    """Secret, and what can be done with it."""

    DEFAULT_CSS = """
    SigningPane {
        padding: 0 2;
        overflow-y: auto;
        #secret-shown {
            height: auto;
            margin: 0 0 1 0;
        }
        #secret-keys {
            height: auto;
            margin: 0 0 1 0;
        }
        Button {
            min-width: 8;
            margin: 0 2 0 0;
        }
        Input {
            width: 1fr;
            background: $surface;
        }
        #signing-how {
            margin: 1 0 0 0;
            color: $text-muted;
        }
        #endpoint-keys, #verifiers {
            height: auto;
            margin: 1 0 0 0;
        }
        #verifiers .label {
            width: 18;
            color: $text-muted;
        }
        #trials {
            height: auto;
        }
    }
    """

    class Copied(Message):
        """Something is to be copied."""

        def __init__(self, value: str, what: str = "the signing secret") -> None:
            super().__init__()
            self.value = value
            self.what = what

    class Tested(Message):
        """The endpoint is to be tested, or only the verification of its URL."""

        def __init__(self, verification_only: bool) -> None:
            super().__init__()
            self.verification_only = verification_only

    class Progressed(Message):
        """A test has come further."""

        def __init__(self, run: object, destination: str, progress: Progress) -> None:
            super().__init__()
            self.run = run
            self.destination = destination
            self.progress = progress

    def __init__(self) -> None:
        super().__init__()
        self._run: object = None
        """The test that is followed."""
        self._concealing: Timer | None = None
        """Runs while the secret is in clear."""
        self._trials = Trials(id="trials")
        self._grace = Choice(tuple(GRACES), id="grace")
        self._old = Field("Old secret ends", self._grace, name="grace")

    def compose(self) -> ComposeResult:
        """What is, what can be done, how it is signed."""
        yield Hanging(_SECRET, id="secret-shown")
        with Horizontal(id="secret-keys"):
            yield Button("Copy", id="copy-secret", compact=True)
            yield Button("Generate New Key", id="generate-secret", compact=True)
            yield Button("Remove", id="remove-secret", compact=True)
            yield Button(Content(f"Reveal for {REVEALED_SECONDS:.0f} s"), id="reveal-secret", compact=True)
        yield Field("Own secret", SecretInput("webhook-…  or  env:NAME", id="own-secret"), name="secret")
        yield self._old
        yield Static(_how(), id="signing-how", markup=False)
        with Horizontal(id="endpoint-keys"):
            yield Button("Send url_verification", id="verify-url", compact=True)
            yield Button("Self-test of the endpoint", id="self-test", compact=True)
        yield self._trials
        with Horizontal(id="verifiers"):
            yield Static("Copy a verifier", classes="label")
            for language in VERIFIERS:
                own = f"verifier-{language}"
                yield Button(Content(language), id=own, name=language, classes="verifier", compact=True)

    def first(self) -> Widget:
        """The first key that can be pressed."""
        copy = self.query_one("#copy-secret", Button)
        return self.query_one("#generate-secret") if copy.disabled else copy

    def press(self, button: str) -> None:
        """Press a button by its id, where it can be pressed."""
        self.query_one(f"#{button}", Button).press()

    def revert(self) -> None:
        """Give up the edits, and what was typed."""
        self._empty()
        super().revert()

    def show(self, destination: Destination) -> None:
        """Show a destination's secret; what was typed for another is not kept."""
        if self.is_ready and (self.shown is None or self.shown.name != destination.name):
            self._empty()
            self._stop_revealing()
            self._trials.clear()
        super().show(destination)

    def draw(self) -> None:
        """Bring the words and the buttons up to date."""
        if self.shown is None or not self.is_ready:
            return
        draft = self.draft()
        secret = draft.secret if draft is not None else self.shown.secret
        self.query_one("#secret-shown", Hanging).show(
            _shown(secret, draft, self.shown, in_clear=self._concealing is not None)
        )
        self._old.display = draft is not None and draft.secret is not None and self.shown.secret is not None
        self._grace.value = draft.grace if draft is not None else self._grace.options[0]
        self.query_one("#copy-secret", Button).disabled = secret is None or secret.value is None
        self.query_one("#reveal-secret", Button).disabled = secret is None or secret.value is None
        self.query_one("#remove-secret", Button).disabled = secret is None

    def edited(self, saved: Destination) -> Destination:
        """The destination with the drafted secret; raises Invalid."""
        if self._typed():
            typed_secret(self._typed(), os.environ)
        draft = self.draft()
        return rotated(saved, draft.secret, GRACES[draft.grace], _now()) if draft is not None else saved

    def forget(self, name: str) -> None:
        """Drop the draft, and what was typed."""
        super().forget(name)
        if self.is_ready:
            self._empty()

    @on(Button.Pressed, "#copy-secret")
    def _copy(self) -> None:
        draft = self.draft()
        secret = draft.secret if draft is not None else self.shown.secret if self.shown is not None else None
        if secret is not None and secret.value is not None:
            self.post_message(self.Copied(secret.value))

    @on(Button.Pressed, "#reveal-secret")
    def _reveal(self) -> None:
        self._stop_revealing()
        self._concealing = self.set_timer(REVEALED_SECONDS, self.conceal)
        self.draw()

    def on_hide(self) -> None:
        """Nothing is in clear when the pane comes back."""
        self.conceal()

    def conceal(self) -> None:
        """Mask the secret again."""
        self._stop_revealing()
        self.draw()

    def _stop_revealing(self) -> None:
        if self._concealing is not None:
            self._concealing.stop()
            self._concealing = None

    def follow(self, destination: str) -> Callable[[Progress], None]:
        """Follow a test of a destination, no other one; what is returned can be told from any thread."""
        run = self._run = object()

        def tell(progress: Progress) -> None:
            self.post_message(self.Progressed(run, destination, progress))

        return tell

    def give_up(self) -> None:
        """Say that the test is cancelled; what comes of it from now on is not shown."""
        self._run = None
        self._trials.give_up()

    @on(Progressed)
    def _progressed(self, event: Progressed) -> None:
        is_shown = self.shown is not None and self.shown.name == event.destination
        if event.run is self._run and is_shown:
            self._trials.take(event.progress)

    @on(Button.Pressed, "#verify-url")
    @on(Button.Pressed, "#self-test")
    def _test(self, event: Button.Pressed) -> None:
        self._trials.begin()
        self.post_message(self.Tested(event.button.id == "verify-url"))

    @on(Button.Pressed, ".verifier")
    def _copy_verifier(self, event: Button.Pressed) -> None:
        language = event.button.name or ""
        self.post_message(self.Copied(VERIFIERS[language], f"a verifier for {language}"))

    @on(Button.Pressed, "#generate-secret")
    def _generate(self) -> None:
        self._empty()
        self._keep(Drafted(new_secret(), "new"))

    @on(Button.Pressed, "#remove-secret")
    def _remove(self) -> None:
        self._empty()
        self._keep(Drafted(None, "removed"))

    @on(Input.Changed, "#own-secret")
    def _own(self, event: Input.Changed) -> None:
        if not event.value.strip():
            self.query_one(Field).complain("")
            self._keep(None)
            return
        try:
            secret = typed_secret(event.value, os.environ)
        except Invalid as error:
            self.query_one(Field).complain(f"{error.message}: {error.hint}")
            self._keep(None)
            return
        self.query_one(Field).complain("")
        self._keep(Drafted(secret, "own"))

    @on(Choice.Changed, "#grace")
    def _end_old(self, event: Choice.Changed) -> None:
        draft = self.draft()
        if draft is not None:
            self._keep(replace(draft, grace=event.value))

    def _keep(self, draft: Drafted | None) -> None:
        is_same = draft is not None and self.shown is not None and draft.secret == self.shown.secret
        self.keep(None if is_same else draft)
        self.draw()

    def _typed(self) -> str:
        return self.query_one(SecretInput).value.strip()

    def _empty(self) -> None:
        with self.prevent(Input.Changed):
            self.query_one(SecretInput).value = ""
        self.query_one(Field).complain("")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _shown(
    secret: Secret | None, draft: Drafted | None, saved: Destination, *, in_clear: bool = False
) -> list[Content]:
    if secret is None:
        words = Content.styled("none: requests are not signed", theme.WARN)
    elif secret.value is None:
        words = Content.styled(printable(f"{secret.source} is not set: requests are not signed"), theme.WARN)
    else:
        words = Content.assemble(
            (printable(secret.value if in_clear else mask_secret(secret.value)), theme.STRONG),
            (f"   {printable(secret.source)}", theme.QUIET),
        )
    lines = [Content.assemble((f"{'Webhook Signing Secret':<{_SECRET}}", theme.QUIET), words)]
    for text, style in (*_notes(secret, draft, saved), *_old(saved)):
        lines.append(Content.assemble(" " * _SECRET, (printable(text), style)))
    return lines


def _notes(secret: Secret | None, draft: Drafted | None, saved: Destination) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    if secret is not None and secret.value is not None:
        doubt = doubt_secret(secret.value, SIGNING_PREFIXES)
        if doubt is not None:
            notes.append((f"▲ {doubt}", theme.WARN))
    if secret is not None and secret.inline is not None:
        notes.append(("kept in the settings file; env:NAME is safer", theme.QUIET))
    if draft is not None:
        has_old = draft.secret is not None and saved.secret is not None
        uses = f" uses it; the old one ends {draft.grace}" if has_old else ""
        notes.append((f"not saved yet: {key('destinations.save')}{uses}", theme.ACCENT))
    return notes


def _old(saved: Destination) -> list[tuple[str, str]]:
    return [
        (f"the receiver accepts {_name(old.secret)} as well until {day_and_clock(old.until)}", theme.QUIET)
        for old in accepted(saved, _now())
    ]


def _name(secret: Secret) -> str:
    return mask_secret(secret.value) if secret.value is not None else secret.source


def _how() -> Content:
    return Content.assemble(
        (f"{TIMESTAMP_HEADER}  ", theme.STRONG),
        "epoch ms\n",
        (f"{SIGNATURE_HEADER}          ", theme.STRONG),
        "v0=HMAC-SHA256 of v0:timestamp:body",
    )
