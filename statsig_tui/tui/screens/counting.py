"""What Live says beside the rows of its list: counts by name, how fast captures come, how old they are."""

from __future__ import annotations

import time

from textual import events, on
from textual.content import Content

from statsig_tui.tui import theme
from statsig_tui.tui.screens.finding import FindingScreen
from statsig_tui.tui.spark import spark
from statsig_tui.tui.widgets.names_panel import MOST, NamesPanel

_NARROW = 60
"""Cells of the list below which its border has no room for bars."""


class CountingScreen(FindingScreen):
    """A screen with the list of captures, and the counts by name beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._noted = -1
        self._counted = -1
        """Up to which capture the counts that are shown go."""
        self._pace = Content()

    @property
    def _names(self) -> NamesPanel:
        return self.query_one("#names", NamesPanel)

    async def look_beside(self) -> None:
        """Bring what is known beside the rows up to date; cheap where nothing new is known."""
        self._noted = noted = await self.bridge.ask(lambda archive: archive.noted())
        if not self._is_there():
            return
        if self._rows.noted(noted):
            self._list.redraw()
        if self._names.display and self._counted != noted:
            found = await self.bridge.ask(lambda archive: archive.names(MOST))
            if self._is_there():
                self._counted = noted
                self._names.load(found)

    def ticked(self) -> None:
        """Bring pace and ages up to date."""
        if not self.is_mounted or not self._is_there():
            return
        now = _now()
        before, self._pace = self._pace, self._paced(now)
        if str(before) != str(self._pace):
            self.show_title()
        if self._rows.ages_at is not None:
            self._rows.ages_at = now
            self._list.redraw()

    def show_title(self) -> None:
        """Bring the list's border up to date, and which of the counts it is filtered by."""
        super().show_title()
        self._names.choose(self.filtered_by)

    def pace(self) -> Content:
        """Events and batches of the last second."""
        return self._pace

    def on_resize(self, event: events.Resize) -> None:
        """There may be room for the counts now."""
        super().on_resize(event)
        self.host.pull_soon()

    @on(NamesPanel.Chosen)
    def _chosen(self, event: NamesPanel.Chosen) -> None:
        self.filter_by("" if event.text == self.filtered_by else event.text)

    def action_counts(self) -> None:
        """Show the counts and take the keys there, or hide them."""
        names = self._names
        if names.display and (names.has_focus or not names.has_class("-auto")):
            names.set_classes("pane -off")
            self._list.focus()
        else:
            names.set_classes("pane -on")
            names.focus()
        self.host.pull_soon()

    def action_ages(self) -> None:
        """Show ages, or times of day."""
        self._rows.ages_at = _now() if self._rows.ages_at is None else None
        self._list.redraw()

    def _paced(self, now: int) -> Content:
        second = now // 1000
        recent = self.host.news.rates.until(second)
        if not any(recent):
            return Content()
        words = f"{recent[-1]:,} ev/s · {self.host.news.rates.batches(second):,} batches/s"
        bars = spark(recent) if self._list.size.width >= _NARROW else ""
        return Content.assemble((f"{words} ", theme.QUIET), (bars, theme.ACCENT), "  ")


def _now() -> int:
    return time.time_ns() // 1_000_000
