"""Sending many: the questions before it, and how it goes; whatever it comes to stays readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from statsig_tui.core.config import Target
from statsig_tui.core.request import Shape
from statsig_tui.core.series import (
    FASTEST,
    MOST_AT_ONCE,
    UNASKED,
    Summary,
    usual_at_once,
    usual_rate,
)
from statsig_tui.tui import theme
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.questions import Question, behind_keys
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.series_text import series_text
from statsig_tui.tui.widgets.target_bar import Goal

if TYPE_CHECKING:
    from statsig_tui.engine.series import Series

FRAME_SECONDS = 0.1
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What was typed: how many, how fast, how many at once."""

    count: str = "100"
    """Empty: until stopped."""
    rate: str = ""
    at_once: str = ""

    @property
    def total(self) -> int | None:
        """Requests; None: until stopped."""
        return int(self.count) if self.count else None

    def asked_rate(self, *, is_local: bool) -> float | None:
        """Requests a second; None: as fast as they are answered."""
        typed = float(self.rate.removesuffix("/s")) if self.rate else None
        return usual_rate(typed, self.total, is_local=is_local)

    @property
    def concurrency(self) -> int:
        """Requests under way at a time."""
        typed = int(self.at_once) if self.at_once else None
        return usual_at_once(typed, float(self.rate.removesuffix("/s")) if self.rate else None, self.total)

    @property
    def is_long(self) -> bool:
        """Whether it is more than goes to a far host without its name."""
        return self.total is None or self.total > UNASKED

    def fault(self) -> str:
        """What cannot be meant; empty: all of it can."""
        for what, typed, most, kind in (
            ("How many", self.count, _MOST, int),
            ("Requests a second", self.rate.removesuffix("/s"), FASTEST, float),
            ("At once", self.at_once, MOST_AT_ONCE, int),
        ):
            if typed and not is_number(typed, most, kind):
                return f"{what}: write a number up to {most:,}."
        return ""


def is_number(typed: str, most: int, kind: Callable[[str], float]) -> bool:
    """Whether a number above 0 and up to `most` was typed."""
    try:
        return typed.isascii() and 0 < kind(typed) <= most
    except ValueError:
        return False


class SeriesDialog(Question[Plan]):
    """Asks how many, how fast, how many at once; dismissed with that, or with None."""

    def __init__(self, goal: Goal, plan: Plan) -> None:
        super().__init__()
        self._goal = goal
        self._plan = plan

    def compose(self) -> ComposeResult:
        """Three numbers, what they come to, buttons."""
        with Vertical(classes="dialog confirm", id="series-ask") as box:
            box.border_title = "Send many"
            box.border_subtitle = "enter starts · esc cancels"
            for title, name, typed, hint in (
                ("How many", "series-count", self._plan.count, "until stopped"),
                ("A second", "series-rate", self._plan.rate, "as fast as they are answered"),
                ("At once", "series-at-once", self._plan.at_once, "1, with a rate 16"),
            ):
                with Horizontal(classes="asked"):
                    yield Static(Content.styled(title, theme.QUIET))
                    yield LineInput(typed, placeholder=hint, id=name, compact=True)
            yield Static(id="said")
            yield self._buttons("Start")

    def on_mount(self) -> None:
        """Say what is offered."""
        self._judge()

    def _typed(self) -> Plan:
        count, rate, at_once = (each.value.strip().replace(",", "") for each in self.query(Input))
        return Plan(count, rate, at_once)

    @on(Input.Changed)
    def _judge(self) -> None:
        plan = self._typed()
        fault = plan.fault()
        self.query_one("#yes", Button).disabled = bool(fault)
        self.query_one("#said", Static).update(
            Content.styled(fault, theme.BAD) if fault else self._words(plan)
        )

    def _words(self, plan: Plan) -> Content:
        goal = self._goal
        rate = plan.asked_rate(is_local=goal.is_safe)
        many = "Requests until stopped" if plan.total is None else f"{plan.total:,} requests"
        pace = f", {rate:,g} a second" if rate is not None else ""
        far = ("", "") if goal.is_safe else (f" {goal.place}.", f"bold {theme.BAD}")
        return Content.assemble(
            f"{many} to ",
            content(f"{goal.name}, {goal.host}", theme.STRONG),
            f"{pace}, {plan.concurrency} at a time.",
            far,
            (
                "\nEach is sent once, with variables of its own. History keeps one of each answer.",
                theme.QUIET,
            ),
        )

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Start, if it can be meant."""
        behind_keys(tuple(self.query(Input)), self._accept)

    def _accept(self) -> None:
        plan = self._typed()
        if not plan.fault() and self.app.screen is self:
            self.dismiss(plan)


class HostDialog(Question[bool]):
    """Asks for the host's name before many requests leave the machine; dismissed with True or None."""

    def __init__(self, url: str, host: str, place: str, total: int | None) -> None:
        """`place` is the word for where it is; `total` None: without end."""
        super().__init__()
        self._url = url
        self._host = host
        self._place = place
        self._total = total

    def compose(self) -> ComposeResult:
        """What is about to happen, and a line for the name."""
        many = "Requests without end" if self._total is None else f"{self._total:,} requests"
        with Vertical(classes="dialog confirm") as box:
            box.border_title = "Send many beyond this machine?"
            box.border_subtitle = "enter · esc cancels"
            yield Static(
                Content.assemble(
                    f"{many} are about to leave this machine.\n",
                    content(self._url, theme.QUIET),
                    "\n\n",
                    (f"{self._place}. ", f"bold {theme.BAD}"),
                    "What is sent there counts and cannot be taken back.\nType ",
                    content(self._host, theme.STRONG),
                    " to go on.",
                )
            )
            yield LineInput(placeholder="the host's name", id="host", compact=True)
            yield self._buttons("Send")

    def on_mount(self) -> None:
        """Nothing is typed yet."""
        self.query_one("#yes", Button).disabled = True

    def _is_right(self) -> bool:
        return self.query_one(Input).value.strip().lower() == self._host

    @on(Input.Changed)
    def _judge(self) -> None:
        self.query_one("#yes", Button).disabled = not self._is_right()

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Go on, if the name is right."""
        if self._is_right():
            self.dismiss(True)


class Run:
    """A series under way, or what it came to; it outlives the screen that shows it."""

    def __init__(
        self, bridge: Bridge, series: Series, total: int | None, rate: float | None, name: str
    ) -> None:
        self.total, self.rate, self.name = total, rate, name
        self.is_done = False
        self.is_stopped = False
        self._bridge = bridge
        self._series = series

    async def run(self) -> None:
        """Until it is done or stopped."""
        try:
            await self._bridge.do(lambda engine: engine.send_series(self._series))
        finally:
            self.is_done = True

    async def stop(self) -> None:
        """End it at once."""
        self.is_stopped = True
        await self._bridge.do(lambda engine: self._series.stop())

    async def summary(self) -> Summary:
        """What it came to so far."""
        return await self._bridge.do(lambda engine: self._series.summary())


def begun(
    bridge: Bridge, target: Target, plan: Plan, goal: Goal, bodies: Iterator[bytes], shape: Shape
) -> Run:
    """A series as it was planned, ready to run."""
    # Imported here: the network's parts come after the first paint.
    from statsig_tui.engine.series import Series

    rate = plan.asked_rate(is_local=goal.is_safe)
    requests = ((body, shape) for body in islice(bodies, plan.total))
    series = Series(target, requests, rate=rate, concurrency=plan.concurrency)
    return Run(bridge, series, plan.total, rate, goal.name)


class SeriesScreen(Dialog[None]):
    """How a series goes, ten times a second, and what it came to."""

    HOLDS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", "Stop, then close", priority=True),
        Binding("b", "behind", "Behind"),
    ]

    def __init__(self, run: Run, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._shown = run
        self._redact = redact
        self._height = -1

    def compose(self) -> ComposeResult:
        """One text."""
        with VerticalScroll(classes="dialog", id="series") as box:
            box.border_title = content(f"Series to {self._shown.name}")
            box.border_subtitle = "esc stops · b goes on behind"
            yield Static(id="series-text")

    def on_mount(self) -> None:
        """Look at once, then as often as anybody can read."""
        self._ticker = self.set_interval(FRAME_SECONDS, self._look)
        self._look()

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        run = self._shown
        is_done = run.is_done
        found = await run.summary()
        if not self.query("#series"):
            return
        box = self.query_one("#series")
        text = series_text(found, run.total, run.rate, box.content_size.width, self._redact)
        height = text.plain.count("\n")
        # Laying out the dialog draws the screen below it anew: only where it grows.
        self.query_one("#series-text", Static).update(text, layout=height != self._height)
        self._height = height
        if is_done:
            box.border_subtitle = _state(run)
            self._ticker.stop()

    async def action_leave(self) -> None:
        """Stop it; once it has ended, close."""
        if self._shown.is_done:
            self.dismiss()
        else:
            await self._shown.stop()

    def action_behind(self) -> None:
        """Let it go on without this screen."""
        self.dismiss()


def _state(run: Run) -> Content:
    if run.is_stopped:
        return Content.assemble(("stopped", theme.WARN), " · esc closes")
    return Content.assemble(("done", theme.GOOD), " · esc closes")
