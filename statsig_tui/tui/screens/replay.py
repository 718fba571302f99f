"""The question before a replay: what, how, whereto, how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from statsig_tui.core.config import is_statsig
from statsig_tui.core.records import Replay
from statsig_tui.core.replaying import Part, Wish
from statsig_tui.core.series import FASTEST
from statsig_tui.engine.connecting import is_local
from statsig_tui.engine.replaying import Replaying
from statsig_tui.errors import UsageError
from statsig_tui.tui import theme
from statsig_tui.tui.screens.questions import Question, behind_keys
from statsig_tui.tui.screens.series import is_number
from statsig_tui.tui.text import content, fit, sentences
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.fields import Choice, Tick

WAYS = {
    Replay.AS_RECEIVED: ("as received", "The same bytes, and the same signature."),
    Replay.RESIGNED: ("re-signed", "The same bytes, signed now with each destination's own secret."),
    Replay.AS_EVENTS: ("as events", "Each event once more through the filters that are ticked, and batched."),
}
_MOST_TIMES = 10_000
_WIDTH = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A destination, and where it really leads."""

    name: str
    url: str
    """Without secrets."""
    is_local: bool
    note: str = ""
    """Why nothing is sent there at present."""

    @property
    def word(self) -> str:
        """`REMOTE` or `PRODUCTION`; empty: it is this machine."""
        return "" if self.is_local else far_word(self.url)


@dataclass(frozen=True, slots=True)
class Selection:
    """What can be replayed."""

    words: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Plan:
    """What was chosen but for what is replayed: `r` does it again."""

    how: Replay = Replay.AS_RECEIVED
    to: tuple[str, ...] = ()
    """Destinations; empty, and no URL: where the capture came from."""
    url: str = ""
    times: str = "1"
    rate: str = ""

    def wish(self, secret: str | None) -> Wish:
        """As the engine wants it. Raises UsageError for what cannot be meant."""
        times = self.times.replace(",", "") or "1"
        rate = self.rate.removesuffix("/s")
        for what, typed, most, kind in (
            ("How often", times, _MOST_TIMES, int),
            ("A second", rate, FASTEST, float),
        ):
            if typed and not is_number(typed, most, kind):
                raise UsageError(f"{what}: write a number up to {most:,}.", "")
        urls = (self.url,) if self.url else ()
        return Wish(self.how, self.to, urls, int(times), float(rate) if rate else None, secret)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was answered."""

    plan: Plan
    selection: Selection


class ReplayDialog(Question[Asked]):
    """A small form; dismissed with what was chosen, or with None."""

    AUTO_FOCUS = "#replay-how"
    BINDINGS = [  # noqa: RUF012 - Textual declares it as a class's
        # At once, as tab is: what is typed ahead goes to the field that it was meant for.
        Binding("enter", "enter", "Replay", show=False, priority=True),
        Binding("left", "turn(-1)", "Previous", show=False, priority=True),
        Binding("right", "turn(1)", "Next", show=False, priority=True),
        Binding("space", "check", "Check", show=False, priority=True),
        Binding("down", "app.focus_next", "On", show=False),
        Binding("up", "app.focus_previous", "Back", show=False),
    ]
    DEFAULT_CSS = """
    ReplayDialog {
        #replay-to {
            height: auto;
            max-height: 5;
            scrollbar-size-vertical: 1;
        }
        #replay-places {
            height: auto;
            Static {
                width: 11;
            }
        }
        #replay-meaning {
            margin: 0 0 1 11;
            color: $text-muted;
        }
        #said {
            min-height: 2;
        }
        #replay-often Static {
            width: 11;
        }
        #replay-often .replay-rate {
            padding-left: 2;
        }
    }
    """

    def __init__(
        self,
        selections: Sequence[Selection],
        places: Sequence[Place],
        plan: Plan,
        *,
        secret: Callable[[Plan], tuple[str, str] | None] = lambda plan: None,
        emulator: str | None = None,
    ) -> None:
        """`plan` is what is offered; `secret` signs for a plan's URL: whose it is, and the secret itself."""
        super().__init__()
        self._selections = {selection.words: selection for selection in selections}
        self._places = places
        self._plan = plan
        self._secret = secret
        self._emulator = emulator

    def compose(self) -> ComposeResult:
        """A line for each question, what they come to, buttons."""
        with Vertical(classes="dialog confirm", id="replay") as box:
            box.border_title = "Replay"
            box.border_subtitle = "enter replays · space, ← → choose · esc cancels"
            with _line("What"):
                yield Choice(tuple(self._selections), id="replay-what")
            with _line("As"):
                yield Choice(tuple(words.removeprefix("as ") for words, _ in WAYS.values()), id="replay-how")
            yield Static(id="replay-meaning")
            with Horizontal(id="replay-places"):
                yield Static(Content.styled("To", theme.QUIET))
                with VerticalScroll(id="replay-to", can_focus=False):
                    for place in self._places:
                        yield Tick(_place_line(place), gutter=0)
            with _line("Or a URL"):
                yield LineInput(
                    self._plan.url, placeholder="http://localhost:3000/webhook", id="replay-url", compact=True
                )
            with Horizontal(classes="asked", id="replay-often"):
                yield Static(Content.styled("Times", theme.QUIET))
                yield LineInput(self._plan.times, placeholder="1", id="replay-times", compact=True)
                yield Static(Content.styled("A second", theme.QUIET), classes="replay-rate")
                yield LineInput(
                    self._plan.rate, placeholder="as fast as it goes", id="replay-rate", compact=True
                )
            yield Static(id="said")
            yield self._buttons("Replay")

    def on_mount(self) -> None:
        """Begin with what is offered."""
        self.query_one("#replay-how", Choice).value = WAYS[self._plan.how][0].removeprefix("as ")
        for tick, place in zip(self.query(Tick), self._places, strict=True):
            tick.value = place.name in self._plan.to
        self._judge()

    def chosen(self) -> Asked:
        """What is chosen at this moment."""
        how = self.query_one("#replay-how", Choice).value
        url, times, rate = (each.value.strip() for each in self.query(Input))
        names = (place.name for tick, place in zip(self.query(Tick), self._places, strict=True) if tick.value)
        plan = Plan(
            next(way for way, (words, _) in WAYS.items() if words.removeprefix("as ") == how),
            tuple(names), url, times, rate,
        )  # fmt: skip
        return Asked(plan, self._selections[self.query_one("#replay-what", Choice).value])

    @on(Choice.Changed)
    @on(Tick.Toggled)
    @on(Input.Changed)
    def _judge(self) -> None:
        asked = self.chosen()
        fault, words = self._words(asked)
        self.query_one("#replay-meaning", Static).update(Content(WAYS[asked.plan.how][1]))
        said: Content = content(fault, theme.BAD) if fault else words
        self.query_one("#said", Static).update(said)
        self.query_one("#yes", Button).disabled = bool(fault)

    def _words(self, asked: Asked) -> tuple[str, Content]:
        """Why it cannot be, else what it comes to."""
        plan = asked.plan
        secret = self._secret(plan)
        try:
            replaying = Replaying(plan.wish(secret[1] if secret else None), asked.selection.parts)
            replaying.check(self._emulator)
        except UsageError as error:
            return sentences(error.message, error.hint), Content()
        many = replaying.total
        what = "capture" if plan.how is Replay.AS_EVENTS else "request"
        pace = f", {replaying.wish.rate:,g} a second" if replaying.wish.rate is not None else ""
        parts: list[Content | str | tuple[str, str]] = [
            f"{many:,} {what}{'s' * (many != 1)}{pace}.",
        ]
        far = [place.word for place in self._places if place.name in plan.to and place.word]
        far += [far_word(plan.url)] if plan.url and not is_local(plan.url) else []
        if far:
            parts.append((f" {max(far, key=len)}.", f"bold {theme.BAD}"))
        if plan.url and plan.how is Replay.RESIGNED and secret is not None:
            parts += [" To the URL signed with the secret of ", content(secret[0], theme.STRONG), "."]
        to = [place for place in self._places if place.name in plan.to]
        if held := [f"{place.name} is {place.note}" for place in to if place.note]:
            parts.append(content(f" It waits: {', '.join(held)}.", theme.WARN))
        return "", Content.assemble(*parts)

    def action_turn(self, by: int) -> None:
        """Another choice; what is typed in has these keys to itself."""
        if not isinstance(self.focused, Choice):
            raise SkipAction
        self.focused.action_step(by)

    def action_check(self) -> None:
        """A tick more or less, or another choice."""
        if isinstance(self.focused, Tick):
            self.focused.action_check()
        else:
            self.action_turn(1)

    def action_enter(self) -> None:
        """Press the button under the cursor; anywhere else, replay."""
        if isinstance(self.focused, Button):
            self.focused.press()
        else:
            self.action_accept()

    def action_accept(self) -> None:
        """Replay, if it can be meant."""
        behind_keys(tuple(self.query(Input)), self._accept)

    def _accept(self) -> None:
        asked = self.chosen()
        if not self._words(asked)[0]:
            self.dismiss(asked)


def far_word(url: str) -> str:
    """How a host that is not this machine is called."""
    return "PRODUCTION" if is_statsig(url) else "REMOTE"


def offered(plan: Plan, origin: Callable[[], str | None], known: Sequence[str]) -> Plan:
    """A plan without what is gone by now; to where the capture came from where nothing is left of it."""
    to = tuple(name for name in plan.to if name in known)
    if not to and not plan.url and (name := origin()) is not None:
        to = (name,)
    return replace(plan, to=to)


def _line(title: str) -> Horizontal:
    return Horizontal(Static(Content.styled(title, theme.QUIET)), classes="asked")


def _place_line(place: Place) -> Content:
    word = (f"  {place.word}", f"bold {theme.BAD}") if place.word else ("", "")
    note = content(f"  {place.note}" if place.note else "", theme.WARN)
    name = fit(place.name, 24)
    room = max(0, _WIDTH - len(name) - len(place.note) - len(place.word) - 4)
    return Content.assemble(
        content(name, theme.STRONG), "  ", content(fit(place.url, room), theme.QUIET), word, note
    )
