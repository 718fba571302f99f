"""The app: modes, commands, themes. It holds the bridge and the settings in force, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from rich.console import RenderableType
from rich.text import Text
from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from statsig_tui import __version__
from statsig_tui.core.config import Config, Destination
from statsig_tui.core.health import Health
from statsig_tui.core.jumps import Jump
from statsig_tui.core.library import Template
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, RefusedRecord, RequestRecord
from statsig_tui.core.redact import Redactor
from statsig_tui.core.timing import Rhythm
from statsig_tui.errors import StatsigTuiError, StoreBroken, Unavailable, UsageError
from statsig_tui.tui import clipboard, theme
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.commands import COMMANDS, bindings
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.screens.mode import DOCKED_FROM, ModeScreen
from statsig_tui.tui.shelf import Shelf
from statsig_tui.tui.terminal import LONGEST, PasteRefused, TerminalDriver
from statsig_tui.tui.text import TerminalNet, lines, printable
from statsig_tui.tui.times import clock, moved
from statsig_tui.tui.widgets.status_line import Rates, StatusLine

if TYPE_CHECKING:
    from statsig_tui.engine.engine import Engine
    from statsig_tui.tui.screens.requests import Found
    from statsig_tui.tui.widgets.live_dock import DockedRows

FRAME_SECONDS = 0.05
"""Screens draw at most this often, however fast the engine is."""
FLOOD_FRAME_SECONDS = 0.1
"""The same while more comes in a frame than an eye can take in: the engine needs the processor then."""
HEALTH_SECONDS = 1.0
"""How often, at the most, it is looked how the endpoints do."""
_FLOOD = 20
"""Captures in a frame."""
_QUIT_SECONDS = 3.0
_DOCK, _SHOWN, _HIDDEN = "dock", "shown", "hidden"
"""What the data directory remembers of the docked list."""
_NOTICE_SECONDS = 8
"""How long a notice stays."""
_JUMP_SECONDS = 600.0
"""How long the header names a jump of the clock."""
_TICKING_MS = 60_000
"""An age below this is shown in seconds and so needs a look every second."""
Save = Callable[[Config], None]
"""Writes edited settings; raises SettingsError."""


class EngineChanged(Message):
    """Something was committed or refused; says no more, so that one is as good as a thousand."""


class StatsigApp(App[int]):
    """See and drive both halves of Statsig's Event Webhook."""

    TITLE = "statsig-tui"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        Path(__file__).parent / "styles" / f"{name}.tcss"
        for name in ("app", "compose", "destinations", "live")
    ]
    DEFAULT_MODE = "compose"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    _is_shown = False
    _is_ending = False

    def __init__(
        self,
        bridge: Bridge,
        config: Config,
        save: Save,
        notices: Iterable[str] = (),
        on_exit: Callable[[int], None] = lambda code: None,
        on_started: Callable[[], None] = lambda: None,
        end_now: Callable[[int], None] = os._exit,
        shelf: Shelf | None = None,
    ) -> None:
        """`on_exit` hears the exit code when the end begins, so that an end that hangs can be cut short.

        `on_started` is called once, when the engine listens and everything is loaded. `end_now` ends the
        process with a code at once, for whoever does not want to wait for the end. Without a `shelf` no
        template can be saved.
        """
        super().__init__(driver_class=TerminalDriver)
        self._on_exit = on_exit
        self._on_started = on_started
        self._end_now = end_now
        self.bridge = bridge
        self.config = config
        self.shelf = shelf
        self.rates = Rates()
        self.is_docked = False
        """Whether Live's list is wanted beside the other screens."""
        self.rhythm = Rhythm()
        self.ended_by: int | None = None
        """The signal that ended the app."""
        # One for all frames: Textual keeps what a filter made of a line under the filter itself.
        self._net = TerminalNet()
        self._save = save
        self._notices = list(notices)
        self.health: dict[str, Health] = {}
        """How the destinations' endpoints did when it was looked last."""
        self._health_at = float("-inf")
        self._health_later: Timer | None = None
        self._rev: int | None = None
        """Up to here arrivals are counted; None before the first look."""
        self._last_capture_at: int | None = None
        self._told_request = 0
        self._told_refusal: StoreBroken | None = None
        self._told_refused: RefusedRecord | None = None
        self._told_jump: Jump | None = None
        self._jump_ends = 0.0
        self._pulling = False
        self._pull_again = False
        self._last_pull = 0.0
        self._frame = FRAME_SECONDS
        self._ticker: Timer | None = None
        self._quit_armed_until = 0.0
        # Before anything is mounted: a theme that is chosen later has every style sheet read anew.
        for chosen in theme.THEMES:
            self.register_theme(chosen)
        self._use_theme(config.interface.theme)
        self.stylesheet.set_variables(self.get_css_variables())
        self._install_modes()

    # Start and stop

    def on_load(self) -> None:
        """Before the terminal is taken: from here on a signal gives it back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)

    def on_mount(self) -> None:
        """Start the network's parts after the first paint."""
        self._is_shown = True
        self.set_keymap(dict(self.config.interface.keys))
        self.call_after_refresh(self._start)

    @work(exit_on_error=False)
    async def _start(self) -> None:
        for screen in self.mode_screens():
            screen.painted()
        try:
            await self.bridge.start(self._wake)
        except StatsigTuiError as error:
            words = Text(printable(self._words(error)))
            self.exit(error.exit_code, return_code=error.exit_code, message=words)
            return
        first_run, self.is_docked = await self.bridge.ask(
            lambda archive: (
                archive.fact("demo") is None and not archive.rev,
                archive.fact(_DOCK) == _SHOWN,
            )
        )
        for notice in self._notices:
            self.notify(printable(notice), markup=False, severity="warning", timeout=_NOTICE_SECONDS)
        engine = self.bridge.engine
        if engine is not None and engine.recovered:
            jobs = "delivery" if engine.recovered == 1 else "deliveries"
            self.say(f"Recovered {engine.recovered:,} interrupted {jobs}: sent again from now on.")
        self.show_troubles()
        self.show_status()
        for screen in self.mode_screens():
            screen.config_changed()
            screen.place_dock()
        if first_run:
            await self.bridge.do(lambda engine: engine.send_demo())
        self._on_started()
        self.pull_soon()

    def exit(
        self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Leave; within a few seconds, whatever still hangs."""
        self._on_exit(return_code)
        for screen in self.mode_screens():
            screen.leave()
        super().exit(result, return_code, message)

    async def _shutdown(self) -> None:
        # Before the widgets go: whoever is still reading the store would draw on what is gone.
        self.workers.cancel_all()
        self._is_ending = True
        await super()._shutdown()

    def _wake(self) -> None:
        self.post_message(EngineChanged())

    async def on_unmount(self) -> None:
        """Stop the engine before the process ends."""
        await self.bridge.stop()

    def _install_modes(self) -> None:
        def compose() -> ModeScreen:
            from statsig_tui.tui.screens.compose import ComposeScreen

            return ComposeScreen()

        def destinations() -> ModeScreen:
            from statsig_tui.tui.screens.destinations import DestinationsScreen

            return DestinationsScreen()

        def live() -> ModeScreen:
            from statsig_tui.tui.screens.live import LiveScreen

            return LiveScreen()

        # Imported when they are shown: two of three are not needed for the first paint.
        self.add_mode("compose", compose)
        self.add_mode("destinations", destinations)
        self.add_mode("live", live)

    def hang_up(self) -> None:
        """End because the terminal is gone, unless the end has begun; from any thread."""

        def end() -> None:
            if self.ended_by is None:
                self._on_signal(signal.SIGHUP)

        # A loop that has ended needs no telling.
        with contextlib.suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(end)

    def _on_signal(self, number: int) -> None:
        if self.ended_by is not None:
            self._end_now(128 + number)
        self.ended_by = number
        self.exit(128 + number, return_code=128 + number)

    # From the engine to the screens

    def on_engine_changed(self) -> None:
        """Draw soon."""
        self.pull_soon()

    def pull_soon(self) -> None:
        """Bring the shown screen up to date, at most once a frame."""
        if self._pulling:
            self._pull_again = True
            return
        if self.bridge.engine is None:
            return
        self._pulling = True
        wait = max(0.0, self._last_pull + self._frame - time.monotonic())
        self.set_timer(wait or 0.001, self._pull)

    @work(group="pull")
    async def _pull(self) -> None:
        self._last_pull = time.monotonic()
        self.bridge.release()
        try:
            self._tell_store()
            self._tell_refused()
            arrived = await self._count_arrivals() or self._ails_anew()
            engine = self.bridge.engine
            arrived = arrived or (engine is not None and engine.clock_jump() is not self._told_jump)
            arrived = await self._look_at_health() or arrived
            stack = self.screen_stack  # empty while the app ends
            is_held = any(isinstance(top, Dialog) and top.HOLDS for top in stack[-1:])
            for screen in () if is_held else stack:
                if isinstance(screen, ModeScreen) and screen.is_mounted:
                    await screen.pull_all()
                elif isinstance(screen, Dialog) and screen.is_mounted:
                    await screen.pull()
            if arrived:
                # After the screen, so that both are in one frame.
                self.show_status()
        except StatsigTuiError as error:
            self.tell(error)
        finally:
            self._pulling = False
        if self._pull_again:
            self._pull_again = False
            self.pull_soon()

    async def _count_arrivals(self) -> bool:
        """Whether the header says something else now."""
        rev = self._rev
        if rev is None:
            counters = await self.bridge.ask(lambda archive: archive.counters())
            self._rev, self._last_capture_at = counters.rev, counters.last_capture_at
            known = await self.bridge.ask(lambda archive: archive.requests(1))
            self._told_request = known[0].id if known else 0
            return True
        newest, found = await self.bridge.ask(
            lambda archive: (archive.requests(1), archive.arrivals(rev, 500))
        )
        self._tell_refusals(newest)
        self._frame = FLOOD_FRAME_SECONDS if len(found) > _FLOOD else FRAME_SECONDS
        for arrival in found:
            self._rev = arrival.rev
            self._last_capture_at = arrival.at
            self.rates.add(arrival.at // 1000, arrival.events)
            self.rhythm.add(arrival.at)
        self._pull_again = self._pull_again or len(found) == 500
        return bool(found)

    async def _look_at_health(self) -> bool:
        """Whether the header says something else now; what is too early to look at is looked at later."""
        wait = self._health_at + HEALTH_SECONDS - time.monotonic()
        if wait > 0:
            if self._health_later is None:
                self._health_later = self.set_timer(wait, self._look_later)
            return False
        self._health_at = time.monotonic()
        before = self._failing()
        names = [item.name for item in self.config.destinations]
        self.health = await self.bridge.ask(lambda archive: archive.health(names))
        return before != self._failing()

    def _look_later(self) -> None:
        self._health_later = None
        self.pull_soon()

    def _failing(self) -> tuple[str, ...]:
        on = [item.name for item in self.config.destinations if item.enabled]
        return tuple(name for name in on if self.health.get(name, Health()).state == "failing")

    def _tell_refusals(self, newest: Sequence[RequestRecord]) -> None:
        """Say what the emulator refused: an SDK's mistake shows nowhere else."""
        if not newest or newest[0].id == self._told_request:
            return
        self._told_request = newest[0].id
        request = newest[0]
        if request.fault is not None and request.status >= 400:
            text = f"emulator answered {request.status} to {request.method} {request.path}: {request.fault}"
            self.notify(printable(text), markup=False, severity="warning", timeout=_NOTICE_SECONDS)

    def _tell_refused(self) -> None:
        """Say what a listener did not keep, the same reason not again while it can still be read."""
        refusals = self.bridge.engine.refusals if self.bridge.engine is not None else ()
        if not refusals or refusals[-1].code == "not_stored":
            return
        newest, told = refusals[-1], self._told_refused
        soon = told is not None and 0 <= newest.at - told.at < _NOTICE_SECONDS * 1000
        if told is newest or (told is not None and told.code == newest.code and soon):
            return
        self._told_refused = newest
        text = f"{newest.listener}: {newest.message} From {newest.peer}; see Requests and refusals."
        self.notify(printable(text), markup=False, severity="warning", timeout=_NOTICE_SECONDS)

    def _tell_store(self) -> None:
        """Say that nothing can be stored, and when it can be again: meanwhile every sender gets a 503."""
        refusal = self.bridge.engine.refusal if self.bridge.engine is not None else None
        before, self._told_refusal = self._told_refusal, refusal
        if str(before or "") == str(refusal or ""):
            return
        if refusal is not None:
            self.tell(refusal)
        else:
            self.say("The store takes events again.")
        self.show_status()

    def _ails_anew(self) -> bool:
        """Whether other destinations are sent nothing than the header says."""
        engine, line = self.bridge.engine, self.screen.query_one_optional(StatusLine)
        return engine is not None and line is not None and line.ailing != tuple(engine.ailing().items())

    def show_status(self) -> None:
        """Bring the header up to date; look again when an age in it will have changed."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        if not self.screen_stack:
            return  # the app is ending
        now = time.time_ns() // 1_000_000
        age = None if self._last_capture_at is None else max(0, now - self._last_capture_at)
        engine = self.bridge.engine
        line = self.screen.query_one_optional(StatusLine)
        if line is not None:
            line.last_batch = age
            line.quiet = self.rhythm.quiet(now)
            line.rates = self.rates.until(now // 1000)
            line.starting = engine is None
            if engine is not None:
                addresses = engine.addresses
                line.listeners = (("emulator", addresses.emulator), ("receiver", addresses.receiver))
                line.trouble = bool(engine.troubles)
                line.storing = engine.refusal is None
                line.speed = engine.speed
                line.ailing = tuple(engine.ailing().items())
                line.failing = self._failing()
                line.tunnel = urlsplit(self.config.receiver.public_url or "").netloc
                line.jumped = self._look_at_clock(engine)
        if isinstance(self.screen, ModeScreen) and self.screen.is_mounted:
            self.screen.ticked()
        if age is not None:
            self._ticker = self.set_timer(1.0 if age < _TICKING_MS else 60.0, self.show_status)

    def _look_at_clock(self, engine: Engine) -> Jump | None:
        """The clock's last jump, while it is worth the header's room; a new one is said."""
        jump, passed = engine.clock_jump(), time.monotonic()
        if jump is not self._told_jump and jump is not None:
            self._told_jump, self._jump_ends = jump, passed + _JUMP_SECONDS
            when = f"{moved(jump.by)} at {clock(jump.at)[:5]}"
            text = f"The clock moved {when}: the machine slept, or its time was set."
            self.notify(printable(text), markup=False, severity="warning", timeout=_NOTICE_SECONDS)
        return jump if passed < self._jump_ends else None

    def show_troubles(self) -> None:
        """Say which listener does not listen where it was expected, and what to do."""
        engine = self.bridge.engine
        for listener, trouble in dict(engine.troubles if engine is not None else {}).items():
            deaf = engine is not None and getattr(engine.addresses, listener) is None
            hint = " Or take any free port: ctrl+p, Use a free port." if deaf else ""
            self.notify(printable(trouble + hint), markup=False, severity="warning", timeout=15)

    # Settings

    async def change(self, config: Config, *, renamed: tuple[str, str] | None = None) -> bool:
        """Save edited settings and use them at once; False, and said, where that failed."""
        try:
            self._save(config)
            await self.bridge.do(lambda engine: engine.apply(config, renamed=renamed))
        except StatsigTuiError as error:
            self.tell(error)
            return False
        self.config = config
        for screen in self.mode_screens():
            screen.config_changed()
        self.show_status()
        self.pull_soon()
        return True

    def mode_screens(self) -> list[ModeScreen]:
        """The screens of all modes that were shown so far."""
        stacks = [self._screen_stacks.get(name, []) for name in ("compose", "destinations", "live")]
        return [screen for stack in stacks for screen in stack if isinstance(screen, ModeScreen)]

    def open_in_compose(self, template: Template) -> None:
        """Show Compose with this as its draft, unless what is there is to stay."""
        from statsig_tui.tui.screens.compose import ComposeScreen

        self.action_mode("compose")
        for screen in self.mode_screens():
            if isinstance(screen, ComposeScreen):
                screen.open_entry(template)

    def open_in_live(self, capture: int, child: int | None) -> None:
        """Show a capture, or an event of it, in Live; esc comes back from there."""
        from statsig_tui.tui.screens.live import LiveScreen

        origin = self.current_mode
        self.action_mode("live")
        for screen in self.mode_screens():
            if isinstance(screen, LiveScreen):
                screen.open_capture(capture, child, origin)

    @cached_property
    def docked_rows(self) -> DockedRows:
        """What every docked list is drawn from."""
        from statsig_tui.tui.widgets.live_dock import DockedRows

        return DockedRows(self.bridge)

    # What is said

    def tell(self, error: StatsigTuiError) -> None:
        """Show an expected failure with its hint."""
        self.notify(printable(self._words(error)), markup=False, severity="error", timeout=10)

    @on(PasteRefused)
    def _say_refused(self, event: PasteRefused) -> None:
        words = f"Too long to paste: {event.length:,} characters were not inserted."
        self.tell(UsageError(words, f"At most {LONGEST:,}. A file is taken whole: ctrl+p, Body from a file."))

    def say(self, text: str) -> None:
        """Show a short notice."""
        self.notify(printable(text), markup=False, timeout=4)

    @work(group="copy")
    async def copy(self, text: str, what: str) -> None:
        """Copy by a tool of the desktop, else through the terminal, else into a file. It is said which."""
        raw = text.encode("utf-8", "surrogateescape")
        is_text = clipboard.is_text(raw)
        tool = clipboard.tool(os.environ, sys.platform) if is_text else None
        size = f"{len(raw):,} bytes"
        try:
            if tool is not None and await asyncio.to_thread(clipboard.fill, tool, raw):
                self.say(f"Copied {what} by {tool[0]}, {size}.")
            elif is_text and len(raw) <= clipboard.LONGEST:
                self.copy_to_clipboard(text)
                self.say(f"Copied {what} by the terminal (OSC 52), {size}.")
            else:
                why = "More than the terminal copies" if is_text else "Bytes that are no text"
                self.say(f"{why}: {what}, {size}, is in {await asyncio.to_thread(clipboard.keep, raw)}.")
        except OSError as error:
            self.tell(Unavailable(f"{what} could not be copied: {error.strerror}."))

    def _words(self, error: StatsigTuiError) -> str:
        return self._redact(f"{error.message} {error.hint}".strip())

    def _redact(self, text: str) -> str:
        engine = self.bridge.engine
        redact = engine.redact if engine is not None else Redactor(self.config.secret_values())
        return redact(text)

    def get_line_filters(self) -> list[LineFilter]:
        """The net below every widget: nothing drawn can control the terminal."""
        return [*super().get_line_filters(), self._net]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every command that can be used here."""
        scopes = {"app", screen.MODE if isinstance(screen, ModeScreen) else ""}
        for command in COMMANDS:
            if command.scope not in scopes or command.id == "app.palette":
                continue
            action, _, argument = command.action.partition("(")
            parameters = (argument.strip("')"),) if argument else ()
            node = self if command.scope == "app" else screen
            if node.check_action(action, parameters):
                run = self._runner(f"{'app' if node is self else 'screen'}.{command.action}")
                yield SystemCommand(command.title, command.help, run)

    def _runner(self, action: str) -> Callable[[], None]:
        def run() -> None:
            self.call_later(self.run_action, action)

        return run

    def _handle_exception(self, error: Exception) -> None:
        # Widgets go one after the other, and Textual's own still look for parts of theirs that went before.
        if not (self._is_ending and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual's own report prints local variables, and with them keys and signing secrets.
        self._exception_report = "\n".join(lines(self._redact(traceback.format_exc())))
        self._close_messages_no_wait()

    def print_crash(self) -> None:
        """Write what ended the app to stderr, without values and without secrets."""
        report = getattr(self, "_exception_report", None)
        if report:
            sys.stderr.write(f"statsig-tui {__version__} ended by an error of its own:\n{report}")

    # Actions

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        from statsig_tui.tui.screens.modal import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_mode(self, mode: str) -> None:
        """Show one of the three screens."""
        if isinstance(self.screen, ModeScreen):
            self.switch_mode(mode)

    @work(group="jump", exclusive=True)
    async def action_jump(self) -> None:
        """Ask where to go, and go there."""
        from statsig_tui.tui.screens.jump import JumpDialog

        if not isinstance(self.screen, ModeScreen):
            return
        saved = [item for screen in self.mode_screens() for item in screen.templates()]
        goal = await self.push_screen_wait(JumpDialog(self.bridge, self.config.destinations, saved))
        if goal is None:
            return
        mode = goal if isinstance(goal, str) else _mode_of(goal)
        if not isinstance(self.screen, ModeScreen):
            return
        await self.switch_mode(mode)
        for screen in self.mode_screens():
            if mode == screen.MODE:
                await screen.reveal(goal)

    def action_help(self) -> None:
        """Show the keys that act here, and the words."""
        from statsig_tui.tui.screens.help import HelpScreen

        if isinstance(self.screen, ModeScreen):
            self.push_screen(HelpScreen(self.screen.MODE))

    async def action_dock(self) -> None:
        """Dock Live's list beside the screen, or put it away."""
        screen = self.screen
        if not isinstance(screen, ModeScreen) or self.bridge.engine is None:
            return
        if not screen.DOCKS:
            self.say("This is Live itself: beside Compose and Destinations its list can be docked.")
            return
        if self.size.width < DOCKED_FROM:
            self.say(f"The docked list needs {DOCKED_FROM} columns, not {self.size.width}; 3 shows Live.")
            return
        self.is_docked = not self.is_docked
        screen.place_dock()
        kept = _SHOWN if self.is_docked else _HIDDEN
        await self.bridge.do(lambda engine: engine.remember(_DOCK, kept))

    def action_dock_enter(self) -> None:
        """Give the keys to the docked list, and back."""
        screen = self.screen
        dock = screen.dock if isinstance(screen, ModeScreen) else None
        if dock is not None and dock.has_focus_within:
            dock.action_leave()
        elif dock is not None:
            dock.enter(screen.focused)

    async def action_requests(self) -> None:
        """Show what was not plainly accepted, and what was not kept at all."""
        from statsig_tui.tui.screens.requests import RequestsScreen

        if self.bridge.engine is not None:
            await self.push_screen(RequestsScreen(await self._requests(), self._requests))

    async def _requests(self) -> Found:
        engine = self.bridge.engine
        requests = await self.bridge.ask(lambda archive: archive.requests(200))
        return requests, engine.refusals if engine is not None else ()

    def action_next_theme(self) -> None:
        """Use the next theme, for this run."""
        names = list(theme.NAMES)
        shown = "ansi" if self.theme == theme.ANSI else self.theme
        self._use_theme(names[(names.index(shown) + 1) % len(names)] if shown in names else names[0])

    def refresh_css(self, animate: bool = True) -> None:
        """Style everything anew; what is mounted at the start is styled by that."""
        if self._is_shown:
            super().refresh_css(animate)

    def update_styles(self, node: DOMNode, animate: bool = True) -> None:
        """Style a node anew; one that is not in its place yet is styled when it gets there."""
        if node is self or node.is_attached:
            super().update_styles(node, animate)

    async def action_free_port(self) -> None:
        """Let every listener that has no port listen on a free one."""
        engine = self.bridge.engine
        if engine is None:
            return
        for name, base in (("emulator", engine.addresses.emulator), ("receiver", engine.addresses.receiver)):
            if base is None:
                listener = "emulator" if name == "emulator" else "receiver"
                got = await self.bridge.do(lambda engine, which=listener: engine.listen(which, anywhere=True))  # type: ignore[misc]  # a default argument binds the loop's name
                self.say(f"The {name} listens on {got}.")
        self.show_status()

    def action_copy_or_quit(self) -> None:
        """Copy what is selected; with nothing selected, quit when pressed twice."""
        focused = self.focused
        selected = getattr(focused, "selected_text", "") or self.screen.get_selected_text()
        if isinstance(selected, str) and selected:
            self.copy(selected, "the selection")
            return
        if time.monotonic() < self._quit_armed_until:
            self.exit(0)
            return
        self._quit_armed_until = time.monotonic() + _QUIT_SECONDS
        self.say("ctrl+c again to quit.")

    async def action_quit(self) -> None:
        """Stop everything and leave."""
        self.exit(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a free port only while a listener has none, and a docked list where there is one."""
        if action == "dock_enter":
            return isinstance(self.screen, ModeScreen) and self.screen.dock is not None
        if action == "free_port":
            engine = self.bridge.engine
            return engine is not None and None in (engine.addresses.emulator, engine.addresses.receiver)
        return True

    def _use_theme(self, name: str) -> None:
        self.theme = theme.ANSI if name == "ansi" else name


def _mode_of(goal: object) -> str:
    """The screen that shows something."""
    if isinstance(goal, CaptureRecord):
        return "live"
    return "destinations" if isinstance(goal, Destination | DeliveryRecord) else "compose"
