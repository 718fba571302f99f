"""What Live does to send captures again: ask, begin, and show in place what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual import on, work
from textual.content import Content

from statsig_tui.core.records import Replay
from statsig_tui.core.replaying import MOST, Part, Replayed
from statsig_tui.core.series import UNASKED, usual_rate
from statsig_tui.errors import StatsigTuiError, UsageError
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.finding import FindingScreen
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.replay_line import ReplayLine

if TYPE_CHECKING:
    from statsig_tui.engine.engine import Engine
    from statsig_tui.engine.replaying import Replaying
    from statsig_tui.tui.screens.replay import Place, Plan, Selection


class ReplayingScreen(FindingScreen):
    """A screen with the list of captures, any of which can be sent again; it shows the last replay."""

    def __init__(self) -> None:
        super().__init__()
        self._plan: Plan | None = None
        """What was chosen last; None: as received, to where it came from."""
        self._replay: Replaying | None = None
        self._replay_words = ""
        self._outcome = Replayed()
        self._is_final = False
        self._allowed: set[str] = set()
        """Typed URLs beyond this machine that were allowed."""

    # Actions

    def can_replay(self) -> bool:
        """Whether there is something that can be replayed."""
        return self._list.cursor is not None and self.bridge.engine is not None

    @work(group="replay")
    async def action_replay(self) -> None:
        """Do with what is under the cursor as was chosen last; first, as received to where it came from."""
        from statsig_tui.tui.screens.replay import Plan, offered

        at, engine = self._list.cursor, self.bridge.engine
        if at is None or engine is None:
            return
        try:
            origin = await self._origin(at[0])
            known = [item.name for item in self.host.config.destinations]
            plan = offered(self._plan or Plan(), lambda: origin, known)
            await self._begin(engine, plan, [at], named(at), origin)
        except StatsigTuiError as error:
            self.host.tell(error)

    @work(group="replay")
    async def action_replay_with(self) -> None:
        """Ask what, how, whereto and how often, then send."""
        from statsig_tui.tui.screens.replay import Asked, Plan, ReplayDialog, offered

        at, engine = self._list.cursor, self.bridge.engine
        # The key may be pressed again before the dialog is there.
        if at is None or engine is None or self.app.screen is not self:
            return
        try:
            origin = await self._origin(at[0])
            places = self._places(engine)
            plan = offered(self._plan or Plan(), lambda: origin, [place.name for place in places])
            dialog = ReplayDialog(
                self._selections(at),
                places,
                plan,
                secret=lambda plan: self._secret(plan, origin),
                emulator=engine.addresses.emulator,
            )
            asked = await self.app.push_screen_wait(dialog)
            if not isinstance(asked, Asked):
                return
            self._plan = asked.plan
            parts = asked.selection.parts
            words = named(parts[0]) if len(parts) == 1 else f"{len(parts):,} captures"
            await self._begin(engine, asked.plan, parts, words, origin)
        except StatsigTuiError as error:
            self.host.tell(error)

    def _selections(self, at: Part) -> list[Selection]:
        from statsig_tui.tui.screens.replay import Selection

        capture, child = at
        found = [Selection(f"#{capture}", [(capture, None)])]
        if child is not None:
            found.insert(0, Selection(f"event {child} of #{capture}", [at]))
        view = self._rows.view
        if view.marked:
            found.append(Selection(f"{view.marked:,} marked", _whole(view.marks)))
        if len(view) > 1 and len(view) <= MOST:
            found.append(Selection(f"{len(view):,} shown", _whole([view[n] for n in range(len(view))])))
        return found

    def _places(self, engine: Engine) -> list[Place]:
        from statsig_tui.engine.connecting import is_local
        from statsig_tui.tui.screens.replay import Place

        ailing = engine.ailing()
        return [
            Place(
                item.name,
                engine.redact(item.url),
                is_local(item.url),
                ailing.get(item.name, "") if item.enabled else "off",
            )
            for item in engine.destinations()
        ]

    async def _origin(self, capture: int) -> str | None:
        """The destination that a capture came from, else the receiver, else the first one."""
        known = [destination.name for destination in self.host.config.destinations]
        came_from = await self.bridge.ask(lambda archive: archive.origin(capture))
        usual = ("receiver", *known)
        return next((name for name in (*came_from, *usual) if name in known), None)

    def _secret(self, plan: Plan, origin: str | None) -> tuple[str, str] | None:
        """Whose secret signs what goes to a typed URL: that of what is chosen beside it, or came before."""
        names = (*plan.to, origin or "")
        found = (self.host.config.destination(name) for name in names)
        return next(
            (
                (item.name, item.secret.value)
                for item in found
                if item is not None and item.secret is not None and item.secret.value
            ),
            None,
        )

    # Under way

    async def _begin(
        self, engine: Engine, plan: Plan, parts: Sequence[Part], words: str, origin: str | None
    ) -> None:
        from statsig_tui.engine.replaying import Replaying
        from statsig_tui.tui.screens.replay import WAYS

        secret = self._secret(plan, origin)
        wish = plan.wish(secret[1] if secret else None)
        replaying = Replaying(wish, parts)
        replaying.check(engine.addresses.emulator)
        if not await self._may_replay(engine, replaying):
            self.host.say("Not sent.")
            return
        times = f" ×{wish.times:,}" if wish.times > 1 else ""
        places = ", ".join([*wish.destinations, *(engine.redact(url) for url in wish.urls)])
        if self._replay is not None and not self._replay.is_done:
            raise UsageError("A replay is under way.", f"{key('live.back')} in the list stops it.")
        self._replay = replaying
        self._replay_words = f"{words} {WAYS[wish.how][0]} to {places}{times}:"
        self._outcome, self._is_final = Replayed(), False
        await self._show_line()
        try:
            await self.bridge.do(lambda engine: engine.replay(replaying))
        finally:
            replaying.is_done = True
            await self.look_at_replay()

    async def _may_replay(self, engine: Engine, replaying: Replaying) -> bool:
        """Ask before many leave this machine, and before anything does for a typed URL."""
        from statsig_tui.engine.connecting import is_local
        from statsig_tui.tui.screens.replay import far_word
        from statsig_tui.tui.screens.series import HostDialog

        wish = replaying.wish
        chosen = [item.url for item in engine.destinations() if item.name in wish.destinations]
        far = [url for url in (*chosen, *wish.urls) if not is_local(url)]
        count = len(replaying.parts) * wish.times
        for url in far:
            host = urlsplit(url).hostname or ""
            if count > UNASKED:
                asked = HostDialog(engine.redact(url), host, far_word(url), count)
                allowed = await self.app.push_screen_wait(asked)
            elif url in wish.urls and url not in self._allowed:
                words = Content.assemble(
                    "This leaves the machine: ",
                    content(host, theme.STRONG),
                    ".\n",
                    content(engine.redact(url), theme.QUIET),
                    "\n\n",
                    (f"{far_word(url)}. ", f"bold {theme.BAD}"),
                    "What is sent there counts and cannot be taken back.",
                )
                asked_once = ConfirmDialog("Replay beyond this machine?", words, "Replay")
                allowed = await self.app.push_screen_wait(asked_once)
            else:
                allowed = True
            if not allowed:
                return False
            self._allowed.add(url)
        if far:
            replaying.slow_down(usual_rate(wish.rate, count, is_local=False))
        return True

    async def _show_line(self) -> None:
        if not self.query(ReplayLine):
            await self.query_one("#list").mount(ReplayLine(id="replayed"), after="#captures")
        self._draw_line()
        self.refresh_bindings()

    async def look_at_replay(self) -> None:
        """Bring the line up to date with the store."""
        replaying = self._replay
        if replaying is None or replaying.run is None or not self._is_there():
            return
        if self._is_final:
            return
        run, is_done = replaying.run, replaying.is_done
        outcome = await self.bridge.ask(lambda archive: archive.replayed(run))
        if replaying is self._replay and self._is_there():
            self._outcome = outcome
            # What is all on its way and settled does not change any more.
            self._is_final = is_done and outcome.is_settled
            self._draw_line()

    def _draw_line(self) -> None:
        replaying, line = self._replay, self.query_one_optional("#replayed", ReplayLine)
        if replaying is None or line is None:
            return
        line.display = True
        line.show(self._replay_words, self._outcome, is_done=self._is_final, note=self._held(replaying))

    def _held(self, replaying: Replaying) -> str:
        """Why what waits does."""
        engine = self.bridge.engine
        if engine is None or replaying.wish.how is Replay.AS_EVENTS:
            return ""
        notes = {place.name: place.note for place in self._places(engine)}
        held = [f"{name} is {notes[name]}" for name in replaying.wish.destinations if notes.get(name)]
        return ", ".join(held)

    @property
    def has_replay(self) -> bool:
        """Whether a replay is shown."""
        return self._replay is not None

    def is_replayed(self, capture: int) -> bool:
        """Whether the replay that is shown is one of this capture."""
        return self._replay is not None and any(number == capture for number, _ in self._replay.parts)

    @work(group="replay-end")
    async def end_replay(self) -> None:
        """Stop the replay that is shown, then put it away."""
        replaying, line = self._replay, self.query_one_optional("#replayed", ReplayLine)
        if replaying is None or line is None:
            return
        try:
            if not self._is_final:
                await self.bridge.do(lambda engine: engine.stop_replay(replaying))
                await self.look_at_replay()
                return
        except StatsigTuiError as error:
            self.host.tell(error)
            return
        self._replay = None
        line.display = False
        self.refresh_bindings()

    @on(ReplayLine.Opened)
    def _line_opened(self) -> None:
        if self._replay is not None:
            self._list.go_to(self._replay.parts[0][0])
            self.open_trace()

    def open_trace(self) -> None:
        """Show what became of the capture under the cursor."""
        raise NotImplementedError


def _whole(captures: Sequence[int]) -> list[Part]:
    return [(capture, None) for capture in captures]


def named(part: Part) -> str:
    """`#57`, or `#57 event 1`."""
    capture, child = part
    return f"#{capture}" if child is None else f"#{capture} event {child}"
