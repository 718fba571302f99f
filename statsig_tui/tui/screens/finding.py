"""What Live does with its list: filter it, search it, mark and clear rows of it.

The store is looked through in short steps off the loop, the newest first; the list shows what is found so
far, and what fits of that which arrives. It knows no detail.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from statsig_tui.core.query import Query, parse
from statsig_tui.core.records import CaptureRecord
from statsig_tui.core.repeats import Beside
from statsig_tui.errors import StatsigTuiError, StoreBroken
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.findings import LONGEST, Finding, Hits
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.widgets.capture_rows import CaptureRows, following
from statsig_tui.tui.widgets.query_line import QueryInput, QueryLine
from statsig_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from statsig_tui.engine.engine import Engine

_QUERIES = "queries"
"""The fact that holds what was entered in the line."""
_OFFERED = 500
"""Newest captures whose values are offered."""
_SHOWN_SECONDS = 0.25
"""How often the list shows what was found meanwhile."""
_FILTER, _SEARCH = "f", "/"
_EXAMPLES = {
    _FILTER: "sig:bad   event:checkout_*   status:5xx   -class:gate   metadata.plan=pro",
    _SEARCH: "text in names, ids and bodies",
}


class FindingScreen(ModeScreen):
    """A screen with the list of captures, and the line below it."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = CaptureRows(self.bridge.summaries, self._look_beside)
        self._filter_text = ""
        self._wanted: tuple[int, int | None] | None = None
        """The capture, or event of one, that is gone to once it is in the list."""
        self._filter: Finding | None = None
        self._filter_query: Query | None = None
        """What the filter's text says, whether it is on or off."""
        self._hits: Hits | None = None

    @property
    def _list(self) -> RowList:
        return self.query_one("#captures", RowList)

    @property
    def _line(self) -> QueryLine:
        return self.query_one("#query", QueryLine)

    def list_side(self) -> Iterable[Widget]:
        """The list over its line."""
        with Vertical(id="list"):
            yield RowList(
                self._rows, header=self._rows.header, empty=Content(), id="captures", classes="pane"
            )
            yield QueryLine(id="query")

    def _look_beside(self, capture: int, first: int, last: int) -> Beside:
        engine = self.bridge.engine
        try:
            return engine.archive.beside(capture, first, last) if engine is not None else Beside()
        except StoreBroken:
            return Beside()

    async def recall(self) -> None:
        """Take up marks, notes and former queries of earlier runs."""
        marked, annotated, queries = await self.bridge.ask(
            lambda archive: (archive.marked(), archive.annotated(), archive.fact(_QUERIES))
        )
        self._rows.view.mark_all(marked)
        self._rows.annotated |= set(annotated)
        if queries is not None and self._is_there():
            self._line.history = json.loads(queries)

    @work(group="remember")
    async def _remember(self, verb: Callable[[Engine], Awaitable[None]]) -> None:
        try:
            await self.bridge.do(verb)
        except StatsigTuiError as error:
            self.host.tell(error)

    def _is_there(self) -> bool:
        """Whether the screen still has its widgets."""
        raise NotImplementedError

    # What the border says

    def pace(self) -> Content:
        """How fast captures come, before the list's state."""
        return Content()

    def show_title(self) -> None:
        """Bring the list's border up to date."""
        captures, view = self._list, self._rows.view
        shown, total = len(view), view.total
        count = f"{shown:,}" if shown == total and not view.is_filtered else f"{shown:,} of {total:,}"
        parts = [f"Live  {count}"]
        if self._filter is not None:
            parts.append(fit(self._filter_text, LONGEST))
        elif self._filter_text:
            parts.append(f"off: {fit(self._filter_text, LONGEST)}")
        if view.only_marked:
            parts.append("marked")
        if view.is_cleared:
            parts.append("cleared")
        program = self.host.config.receiver.respond
        if program is not None:
            parts.append(f"answers {fit(program, LONGEST)}")
        captures.border_title = content(" · ".join(parts), theme.WARN if program is not None else "")
        state = following(captures)
        hits = self._hits
        if hits is not None:
            state = Content.assemble((f"/{hits.told()}  ", theme.QUIET), state)
        if any(each is not None and not each.search.is_done for each in (self._filter, self._hits)):
            state = Content.assemble(("searching…  ", theme.ACCENT), state)
        captures.border_subtitle = Content.assemble(self.pace(), state) if total else Content()

    def _hidden(self) -> Content | None:
        """Why nothing is shown although there is something; None where that is not so."""
        view = self._rows.view
        if len(view) or not view.total:
            return None
        if self._filter is not None:
            is_done = self._filter.search.is_done
            ways = f"{key('live.filter_off')} shows all, {key('live.filter')} changes the filter."
            why = f"None of {view.total:,} fits. {ways}"
            why = why if is_done else "Searching…"
        elif view.only_marked:
            why = f"Nothing is marked. {key('live.marked')} shows all."
        else:
            why = f"Cleared. {key('live.undo')} brings {view.total:,} back."
        return Content.styled(why, theme.QUIET)

    def empty(self) -> Content:
        """What to say where nothing is shown."""
        raise NotImplementedError

    def _show_anew(self) -> None:
        self._list.empty = self.empty()
        self._list.refresh_rows()
        self.show_title()

    def _view_changed(self) -> None:
        self._show_anew()
        self.refresh_bindings()

    # What is found

    def _findings(self) -> list[Finding]:
        found = (self._filter, self._hits)
        return [finding for finding in found if finding is not None and finding.is_begun]

    def take_arrived(self, arrived: Mapping[Finding, list[int]]) -> None:
        """Show what fits of that which came."""
        for finding, ids in arrived.items():
            if finding.is_shown:
                self._rows.view.fit(ids)
            else:
                finding.ids.extend(ids)
            if not finding.search.is_current:
                self.host.pull_soon()

    def forget_before(self, oldest: int) -> bool:
        """Drop what the store no longer holds; whether there was any."""
        if self._hits is not None:
            self._hits.forget_before(oldest)
        return self._rows.view.forget_before(oldest)

    @work(group="filter", exclusive=True)
    async def _narrow(self, finding: Finding) -> None:
        view = self._rows.view
        shown_at = 0.0
        try:
            while not finding.search.is_done:
                found = await self.bridge.ask(finding.older)
                if not self._is_there() or finding is not self._filter:
                    return
                if finding.is_shown:
                    view.fit(found)
                else:
                    finding.take_older(found)
                    at = self._list.cursor
                    # Until then the list is as it was: the cursor goes once to what is nearest, and stays.
                    if at is not None and not finding.has_passed(at[0]):
                        continue
                    view.restrict(finding.ids)
                    finding.is_shown = True
                    self.refresh_bindings()
                if time.monotonic() > shown_at + _SHOWN_SECONDS:
                    self._show_anew()
                    shown_at = time.monotonic()
            self._show_anew()
            self.host.pull_soon()
        except StatsigTuiError as error:
            self.host.tell(error)

    @work(group="hits", exclusive=True)
    async def _look(self, hits: Hits) -> None:
        try:
            while not hits.search.is_done:
                found = await self.bridge.ask(hits.older)
                if not self._is_there() or hits is not self._hits:
                    return
                hits.take_older(found)
                self.show_title()
        except StatsigTuiError as error:
            self.host.tell(error)

    @work(group="offers", exclusive=True)
    async def _offer(self) -> None:
        try:
            seen = await self.bridge.ask(lambda archive: archive.asked_for(_OFFERED))
        except StatsigTuiError as error:
            self.host.tell(error)
            return
        if self._is_there():
            names = [destination.name for destination in self.host.config.destinations]
            self._line.seen = {**seen, "dest": names}

    # Actions

    def can(self, action: str) -> bool | None:
        """Whether one of this part's actions can do something; None: it is another part's."""
        view = self._rows.view
        match action:
            case "filter" | "search" | "clear":
                # Slash is a key of its own to Textual, which would name it beside a field that takes it.
                return view.total > 0 and not isinstance(self.focused, QueryInput)
            case "toggle_filter":
                return bool(self._filter_text)
            case "hit":
                return self._hits is not None
            case "mark":
                return len(view) > 0
            case "only_marked":
                return view.marked > 0 or view.only_marked
            case "undo":
                return view.is_cleared
        return None

    def action_filter(self) -> None:
        """Open the filter line."""
        self._line.open(_FILTER, self._filter_text, _EXAMPLES[_FILTER])
        self._offer()

    def action_search(self) -> None:
        """Open the search line."""
        self._line.open(_SEARCH, "", _EXAMPLES[_SEARCH])
        self._offer()

    @on(QueryLine.Left)
    def _left(self) -> None:
        self._list.focus()

    @on(QueryLine.Asked)
    def _asked(self, event: QueryLine.Asked) -> None:
        self._list.focus()
        queries = json.dumps(dict(self._line.history))
        self._remember(lambda engine: engine.remember(_QUERIES, queries))
        if event.purpose == _FILTER:
            self._filter_text, self._filter_query = event.text, event.query
            self._apply(event.query)
        else:
            self._search_for(event.text, event.query)

    def filter_by(self, text: str) -> None:
        """Show only what fits this query, as if it had been entered; empty: everything."""
        self._filter_text, self._filter_query = text, parse(text) if text else None
        self._apply(self._filter_query)

    @property
    def filtered_by(self) -> str:
        """The text of the filter that is on."""
        return self._filter_text if self._filter is not None else ""

    def action_toggle_filter(self) -> None:
        """Show all, or again only what fits."""
        self._apply(self._filter_query if self._filter is None else None)

    def _apply(self, query: Query | None) -> None:
        if query is not None:
            self._filter = Finding(self._filter_text, query)
            self._narrow(self._filter)
            self.show_title()
        else:
            self.workers.cancel_group(self, "filter")
            self._filter = None
            self._rows.view.restrict(None)
            self._view_changed()

    def _search_for(self, text: str, query: Query | None) -> None:
        if query is None:
            self.workers.cancel_group(self, "hits")
            self._hits = None
        else:
            at = self._list.cursor
            self._hits = Hits(text, query, self._rows.view, self._list.go_to, self.host.say)
            if at is not None:
                self._hits.go_older(at[0])
            self._look(self._hits)
        self.show_title()
        self.refresh_bindings()

    def action_hit(self, way: str) -> None:
        """Go to the next hit, older or newer."""
        at = self._list.cursor
        if self._hits is None or at is None:
            return
        if way == "older":
            self._hits.go_older(at[0] - 1)
        else:
            self._hits.go_newer(at[0] + 1)

    # Being sent to a capture

    async def reveal(self, goal: object) -> None:
        """Go to a capture that was jumped to."""
        if isinstance(goal, CaptureRecord):
            self.go_to(goal.id)

    def go_to(self, capture: int, child: int | None = None) -> None:
        """Go to a capture, or an event of it, once it is in the list, and hold there."""
        self._wanted = (capture, child)
        if self._is_there():
            self._list.focus()
        self.host.pull_soon()

    def go_to_wanted(self) -> bool:
        """Go to what is wanted, whether it is there now; what hides it is taken off, and that is said."""
        if self._wanted is None:
            return False
        (number, child), captures, view = self._wanted, self._list, self._rows.view
        if view.is_forgotten(number):
            # It will not come any more: what hides others stays as it is, now and later.
            self._wanted = None
            self.host.say(f"#{number} was forgotten: see [retention] in the settings.")
            return False
        is_found = captures.go_to(number, child)
        if not is_found and (self._filter is not None or view.only_marked or view.is_cleared):
            view.only_marked = False
            view.restore()
            self._apply(None)
            is_found = captures.go_to(number, child)
            if is_found:
                self.host.say(f"Everything is shown again: #{number} was hidden.")
        if is_found:
            self._wanted = None
        return is_found

    def action_mark(self) -> None:
        """Mark what is under the cursor, or mark it no longer."""
        at = self._list.cursor
        if at is None:
            return
        count = len(self._rows.view)
        number, is_marked = at[0], self._rows.view.mark(at[0])
        self._remember(lambda engine: engine.mark(number, is_marked))
        if len(self._rows.view) != count:
            self._view_changed()
        else:
            self._list.rows_changed()
            self.refresh_bindings()

    def action_only_marked(self) -> None:
        """Show only what is marked, or all again."""
        self._rows.view.only_marked = not self._rows.view.only_marked
        self._view_changed()

    def action_clear(self) -> None:
        """Hide what is there; what is marked stays."""
        self._rows.view.clear()
        self._view_changed()

    def action_undo(self) -> None:
        """Show again what was cleared."""
        self._rows.view.restore()
        self._view_changed()
