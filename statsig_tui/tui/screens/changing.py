"""The form of a config change: what Statsig's console would have done, sent through the emulator."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from statsig_tui.core.config_change import ACTIONS, NAME, TYPES, ConfigChange, body_of
from statsig_tui.core.records import VerdictRecord
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.screens.questions import Question
from statsig_tui.tui.text import fit
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.fields import Choice

_BREAK = "\\n"
"""How a line of the description ends in a field of one line."""
_TOLD = 3
"""Destinations that are named in a message."""


class ConfigChangeDialog(Question[ConfigChange]):
    """Dismissed with the change, or with None."""

    AUTO_FOCUS = "#change-name"
    BINDINGS = [  # noqa: RUF012 - Textual declares it as a class's
        Binding("enter", "accept", "Send", show=False, priority=True),
        Binding("down", "app.focus_next", "On", show=False),
        Binding("up", "app.focus_previous", "Back", show=False),
    ]
    DEFAULT_CSS = """
    ConfigChangeDialog .change-line {
        height: 1;
        Static {
            width: 14;
        }
        Input {
            width: 1fr;
            background: $foreground 6%;
        }
    }
    """

    def __init__(self, change: ConfigChange) -> None:
        super().__init__()
        self._change = change

    def compose(self) -> ComposeResult:
        """A line for each thing, buttons."""
        change = self._change
        with Vertical(classes="dialog confirm") as box:
            box.border_title = "Config change"
            box.border_subtitle = "tab on · ← → choose · enter sends · esc cancels"
            said = "As if done in Statsig's console; every filter is asked."
            yield Static(Content.styled(said, theme.QUIET), classes="-gap")
            yield from self._choice("Type", TYPES, change.type, "change-type")
            yield from self._field("Name", change.name, "change-name")
            yield from self._choice("Action", ACTIONS, change.action, "change-action")
            lines = change.description.replace("\n", _BREAK)
            yield from self._field("Description", lines, "change-description", r"none · \n ends a line")
            yield from self._field("Environments", change.environments, "change-environments")
            yield from self._field("Actor", change.actor, "change-actor")
            yield from self._field("E-mail", change.email, "change-email")
            yield Static(id="said")
            yield self._buttons("Send")

    def _field(self, title: str, value: str, name: str, hint: str = "") -> ComposeResult:
        with Horizontal(classes="change-line"):
            yield Static(Content.styled(title, theme.QUIET))
            yield LineInput(value, placeholder=hint, id=name, compact=True)

    def _choice(self, title: str, options: tuple[str, ...], value: str, name: str) -> ComposeResult:
        with Horizontal(classes="change-line"):
            yield Static(Content.styled(title, theme.QUIET))
            choice = Choice(options, id=name)
            choice.set_reactive(Choice.value, value)
            yield choice

    def chosen(self) -> ConfigChange:
        """What is typed and chosen at this moment."""

        def typed(name: str) -> str:
            return self.query_one(f"#change-{name}", Input).value

        return ConfigChange(
            self.query_one("#change-type", Choice).value,
            typed("name"),
            self.query_one("#change-action", Choice).value,
            typed("description").replace(_BREAK, "\n"),
            typed("environments"),
            typed("actor"),
            typed("email"),
        )

    @on(Input.Changed, "#change-name")
    def _judge(self) -> None:
        fault = "" if self.chosen().name.strip() else "What was changed has a name: enter one."
        self.query_one("#said", Static).update(Content.styled(fault, theme.BAD))
        self.query_one("#yes").disabled = bool(fault)

    def action_accept(self) -> None:
        """Send it, if it has a name; on Cancel, send nothing."""
        focused = self.focused
        if focused is not None and focused.id == "no":
            self.action_cancel()
        elif self.chosen().name.strip():
            self.dismiss(self.chosen())


async def send_change(screen: ModeScreen, offered: ConfigChange) -> ConfigChange:
    """Ask for a config change and post it to the emulator; what is to be offered the next time."""
    chosen = await screen.app.push_screen_wait(ConfigChangeDialog(offered))
    if chosen is None:
        return offered
    body = body_of(chosen, time.time_ns() // 1_000_000)
    try:
        sent = await screen.bridge.do(lambda engine: engine.send(engine.emulator(), body, event_name=NAME))
    except StatsigTuiError as error:
        # What was typed is offered again all the same.
        screen.host.tell(error)
        return chosen
    became = f"answered {sent.status}" if sent.status is not None else f"not answered: {sent.error}"
    trace = sent.trace
    found = await screen.bridge.ask(lambda archive: archive.trace(trace)) if trace is not None else None
    went = verdict_words(found.verdicts) if found is not None else ""
    screen.host.say(f"Config change {fit(chosen.name, 40)} {chosen.action}: {became}. {went}")
    return chosen


def verdict_words(verdicts: Sequence[VerdictRecord]) -> str:
    """`Forwarded to my-api. Filtered: other (config changes off).`"""
    forwarded = [each.destination for each in verdicts if each.forwarded]
    filtered = [f"{each.destination} ({each.clause})" for each in verdicts if not each.forwarded]
    parts = [f"Forwarded to {_first(forwarded)}."] if forwarded else ["Forwarded to no destination."]
    return " ".join([*parts, f"Filtered: {_first(filtered)}."] if filtered else parts)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more
