"""What a screen with a draft does to send it many times: ask, begin, and show how it goes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from textual import work

from statsig_tui.core.config import Target
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.screens.library import LibraryScreen
from statsig_tui.tui.screens.series import HostDialog, Plan, Run, SeriesDialog, SeriesScreen, begun
from statsig_tui.tui.widgets.target_bar import Goal
from statsig_tui.tui.widgets.targets import describe


class RepeatingScreen(LibraryScreen):
    """A screen that can send its draft in a series; one at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._plan = Plan()
        self._series: Run | None = None
        """The one under way, or one whose end was not seen yet."""

    async def is_allowed(self, target: Target) -> bool:
        """Whether anything may be sent there. Raises StatsigTuiError."""
        raise NotImplementedError

    async def bodies(self, text: str) -> Iterator[bytes] | None:
        """A draft's bodies without end; None where there are none, which was said."""
        raise NotImplementedError

    def action_series(self) -> None:
        """Ask how many and send them; look at the series that is under way, if there is one."""
        if self._series is not None:
            self._show(self._series)
        else:
            # Behind the keys that were pressed before this one and are not typed yet.
            (self.focused or self).call_later(self._send_many)

    @work(group="series")
    async def _send_many(self) -> None:
        target, engine = self._target(), self.bridge.engine
        # The key may be pressed again before the dialog is there.
        if target is None or engine is None or self.app.screen is not self:
            return
        goal = describe(target, engine)
        plan = await self.app.push_screen_wait(SeriesDialog(goal, self._plan))
        if plan is None:
            return
        self._plan = plan
        try:
            if not await self._may_send(target, goal, plan):
                return
        except StatsigTuiError as error:
            self.host.tell(error)
            return
        text, shape = self._draft.take(), self._draft.shape
        found = await self.bodies(text)
        if found is None:
            return
        self._series = run = begun(self.bridge, target, plan, goal, found, shape)
        self._show(run)
        await run.run()
        self._draft.mark_sent(text, shape)
        if not isinstance(self.app.screen, SeriesScreen):
            self.host.say("The series has ended: the same key shows what it came to.")

    async def _may_send(self, target: Target, goal: Goal, plan: Plan) -> bool:
        if goal.is_safe or not plan.is_long:
            return await self.is_allowed(target)
        host = urlsplit(target.url).hostname or ""
        if not await self.app.push_screen_wait(HostDialog(goal.url, host, goal.place, plan.total)):
            self.host.say("Not sent.")
            return False
        return True

    def _show(self, run: Run) -> None:
        engine = self.bridge.engine
        assert engine is not None

        def closed(result: None) -> None:
            if run.is_done:
                self._series = None

        self.app.push_screen(SeriesScreen(run, engine.redact), closed)
