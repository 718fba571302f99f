"""The app: modes, commands, themes. It holds the bridge and the settings in force, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import on, work
from textual.actions import ActionParseResult
from textual.app import App, ScreenStackError, SystemCommand
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.dom import DOMNode, NoScreen
from textual.filter import LineFilter, NoColor
from textual.message import Message
from textual.screen import Screen
from textual.worker import WorkerFailed

from statsig_tui import __version__
from statsig_tui.core.config import Config
from statsig_tui.core.redact import Redactor
from statsig_tui.errors import StatsigTuiError, StoreBroken, Unavailable, UsageError
from statsig_tui.tui import clipboard, theme
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.commands import COMMANDS, bindings, clashes, key, palette, use_keys
from statsig_tui.tui.docking import Docking, give_keys
from statsig_tui.tui.frames import Frames
from statsig_tui.tui.news import NOTICE_SECONDS, News
from statsig_tui.tui.privacy import Veil
from statsig_tui.tui.refusals import ToldRefusals
from statsig_tui.tui.screens.going import jump
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.shelf import Shelf
from statsig_tui.tui.terminal import LONGEST, PasteRefused, TerminalDriver
from statsig_tui.tui.text import TerminalNet, capital, lines, printable, sentences

if TYPE_CHECKING:
    from statsig_tui.tui.screens.requests import Found

_QUIT_SECONDS = 3.0
Save = Callable[[Config], None]
"""Writes edited settings; raises SettingsError."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What the settings file says now."""

    config: Config
    warnings: Sequence[str]
    accept: Callable[[], None]
    """To be called when it is in force: the next save is over that file."""


class EngineChanged(Message):
    """Something was committed or refused; says no more, so that one is as good as a thousand."""


class StatsigApp(ToldRefusals, App[int]):
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
        reread: Callable[[], Reread] | None = None,
    ) -> None:
        """`on_exit` hears the exit code when the end begins, so that an end that hangs can be cut short.

        `on_started` is called once, when the engine listens and everything is loaded. `end_now` ends the
        process with a code at once, for whoever does not want to wait for the end. Without a `shelf` no
        template can be saved. `reread` reads the settings file anew and raises SettingsError; without it
        nothing can be reloaded.
        """
        super().__init__(driver_class=TerminalDriver)
        use_keys(config.interface.keys)
        # Textual takes an empty value for one, too.
        self.no_color = bool(os.environ.get("NO_COLOR"))
        if config.interface.motion == "reduced":
            self.animation_level = "none"
        self._on_exit = on_exit
        self._on_started = on_started
        self._end_now = end_now
        self.bridge = bridge
        self.config = config
        self.shelf = shelf
        self.docking = Docking(bridge, self.say)
        self.ended_by: int | None = None
        """The signal that ended the app."""
        # One for all frames: Textual keeps what a filter made of a line under the filter itself.
        self._net, self._veil, self._no_colour = TerminalNet(), Veil(), NoColor()
        self.is_private = False
        """Whether what says who somebody is, and keys, are masked on the screen."""
        self._save = save
        self._reread = reread
        self._notices = list(notices)
        self.news = News(
            bridge,
            lambda: self.config,
            say=self.say,
            warn=self.warn,
            tell=self.tell,
            look_in=self.set_timer,
            look_soon=self.pull_soon,
        )
        self._frames = Frames(
            bridge,
            self.news,
            stack=lambda: self.screen_stack,
            call_in=self.set_timer,
            work=self._work_on_pull,
            tell=self.tell,
        )
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
        self._notices += clashes(self.config.interface.keys)
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
        first_run = await self.bridge.ask(lambda archive: archive.fact("demo") is None and not archive.rev)
        await self.docking.recall()
        for notice in self._notices:
            self.warn(notice)
        engine = self.bridge.engine
        if engine is not None and engine.recovered:
            jobs = "delivery" if engine.recovered == 1 else "deliveries"
            self.say(f"Recovered {engine.recovered:,} interrupted {jobs}: sent again from now on.")
        self.news.tell_troubles()
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
        self._frames.pull_soon()

    @work(group="pull")
    async def _work_on_pull(self, pull: Callable[[], Awaitable[None]]) -> None:
        await pull()

    def show_status(self) -> None:
        """Bring the header up to date; look again when an age in it will have changed."""
        self._frames.show_status()

    # Settings

    async def change(self, config: Config, *, renamed: tuple[str, str] | None = None) -> bool:
        """Save edited settings and use them at once; False, and said, where that failed."""
        try:
            self._save(config)
            await self.bridge.do(lambda engine: engine.apply(config, renamed=renamed))
        except StatsigTuiError as error:
            self.tell(error)
            if isinstance(error, StoreBroken):
                # The engine goes on with the former ones: so does the next start.
                with contextlib.suppress(StatsigTuiError):
                    self._save(self.config)
            return False
        self._use(config)
        return True

    @work(group="reload", exclusive=True)
    async def action_reload(self) -> None:
        """Use what the settings file says now; a broken one is refused, and nothing changes."""
        if self._reread is None:
            return
        found = await asyncio.to_thread(self._reread)
        try:
            await self.bridge.do(lambda engine: engine.apply(found.config))
        except StoreBroken:
            raise
        except Unavailable as error:
            # Everything else of it is in force; the header shows which listener has no port.
            self.tell(error)
        found.accept()
        before, interface = self.config.interface, found.config.interface
        self._use(found.config)
        if interface.theme != before.theme:
            self._use_theme(interface.theme)
        if interface.keys != before.keys:
            self.warn("Keys change at the next start.")
        for warning in found.warnings:
            self.warn(warning)
        self.say("Settings reloaded.")

    def _use(self, config: Config) -> None:
        self.config = config
        for screen in self.mode_screens():
            screen.config_changed()
        self.show_status()
        self.pull_soon()

    def mode_screens(self) -> list[ModeScreen]:
        """The screens of all modes that were shown so far."""
        stacks = [self._screen_stacks.get(name, []) for name in ("compose", "destinations", "live")]
        return [screen for stack in stacks for screen in stack if isinstance(screen, ModeScreen)]

    # What is said

    def tell(self, error: StatsigTuiError) -> None:
        """Show an expected failure with its hint."""
        self.notify(printable(self._words(error)), markup=False, severity="error", timeout=10)

    @on(PasteRefused)
    def _say_refused(self, event: PasteRefused) -> None:
        words = f"Too long to paste: {event.length:,} characters were not inserted."
        self.tell(
            UsageError(words, f"At most {LONGEST:,}. A file is taken whole: {palette('compose.load')}.")
        )

    def say(self, text: str) -> None:
        """Show a short notice."""
        self.notify(printable(text), markup=False, timeout=4)

    def warn(self, text: str, seconds: float = NOTICE_SECONDS) -> None:
        """Show what is not as it should be."""
        self.notify(printable(text), markup=False, severity="warning", timeout=seconds)

    @work(group="copy")
    async def copy(self, text: str, what: str) -> None:
        """Copy by a tool of the desktop, else through the terminal, else into a file. It is said which."""
        try:
            self.say(await clipboard.copy(text, what, self.copy_to_clipboard))
        except OSError as error:
            self.tell(Unavailable(f"{what} could not be copied: {error.strerror}."))

    def _words(self, error: StatsigTuiError) -> str:
        return self._redact(sentences(capital(error.message), error.hint))

    def _redact(self, text: str) -> str:
        engine = self.bridge.engine
        redact = engine.redact if engine is not None else Redactor(self.config.secret_values())
        return redact(text)

    def get_line_filters(self) -> list[LineFilter]:
        """The net below every widget: nothing drawn can control the terminal."""
        return [*self._colouring(), self._net, *([self._veil] if self.is_private else [])]

    def _colouring(self) -> Sequence[LineFilter]:
        if not self.no_color:
            return super().get_line_filters()
        # Textual's own would draw greys, which are colours to a terminal.
        return [self._no_colour]

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

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key asks for; an expected failure is told, and ends nothing."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except StatsigTuiError as error:
            self.tell(error)
            return True

    def _handle_exception(self, error: Exception) -> None:
        # Widgets go one after the other, and Textual's own still look for parts of theirs that went before;
        # so does what a timer begins meanwhile.
        cause = error.error if isinstance(error, WorkerFailed) else error
        # Of a worker, or of what was called after a refresh; a message's handler tells by itself.
        if isinstance(cause, StatsigTuiError):
            self.tell(cause)
            return
        if not (self._is_ending and isinstance(cause, NoMatches | NoScreen | ScreenStackError)):
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
        await jump(self)

    def action_help(self) -> None:
        """Show the keys that act here, and the words."""
        from statsig_tui.tui.screens.help import HelpScreen

        if isinstance(self.screen, ModeScreen):
            self.push_screen(HelpScreen(self.screen.MODE))

    async def action_dock(self) -> None:
        """Dock Live's list beside the screen, or put it away."""
        if isinstance(self.screen, ModeScreen) and self.bridge.engine is not None:
            await self.docking.toggle(self.screen)

    def action_dock_enter(self) -> None:
        """Give the keys to the docked list, and back."""
        if isinstance(self.screen, ModeScreen):
            give_keys(self.screen)

    async def action_requests(self) -> None:
        """Show what was not plainly accepted, and what was not kept at all."""
        from statsig_tui.tui.screens.requests import RequestsScreen

        if self.bridge.engine is not None:
            await self.push_screen(RequestsScreen(await self._requests(), self._requests))

    async def _requests(self) -> Found:
        engine = self.bridge.engine
        requests = await self.bridge.ask(lambda archive: archive.requests(200))
        return requests, engine.refusals if engine is not None else ()

    def action_privacy(self) -> None:
        """Mask ids, e-mail addresses and keys on the screen, or show them again."""
        self.is_private = self.news.is_private = not self.is_private
        for screen in {*self.mode_screens(), *self.screen_stack}:
            for widget in screen.walk_children():
                # Lines that were drawn are remembered by some.
                widget.notify_style_update()
                widget.refresh()
        self.show_status()
        now = "are masked" if self.is_private else "are shown again"
        self.say(f"Ids, e-mails and keys {now} on the screen.")

    def action_next_theme(self) -> None:
        """Use the next theme, for this run."""
        names = theme.NAMES
        self._use_theme(
            names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        )

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
        self.say(f"{key('app.copy_or_quit')} again to quit.")

    async def action_quit(self) -> None:
        """Stop everything and leave."""
        self.exit(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a free port only while a listener has none, and a docked list where there is one."""
        if action == "dock_enter":
            # While the app ends there is no screen any more.
            tops = self.screen_stack[-1:]
            return any(isinstance(top, ModeScreen) and top.dock is not None for top in tops)
        if action == "reload":
            return self._reread is not None
        if action == "free_port":
            engine = self.bridge.engine
            return engine is not None and None in (engine.addresses.emulator, engine.addresses.receiver)
        return True

    def _use_theme(self, name: str) -> None:
        self.theme = theme.ANSI if self.no_color else name
