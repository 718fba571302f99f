"""What Live does with its list: filter it, search it, mark and clear rows of it.

The store is looked through in short steps off the loop, the newest first; the list shows what is found so
far, and what fits of that which arrives. It knows no detail.
"""

from __future__ import annotations

import json
import time
from array import array
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget

from statsig_tui.core.query import Query, parse
from statsig_tui.core.records import CaptureRecord
from statsig_tui.core.repeats import Beside
from statsig_tui.engine.search import SPAN, Search
from statsig_tui.errors import StatsigTuiError, StoreBroken
from statsig_tui.tui import theme
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.widgets.capture_rows import CaptureRows, following
from statsig_tui.tui.widgets.id_view import in_both
from statsig_tui.tui.widgets.query_line import QueryInput, QueryLine
from statsig_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive
    from statsig_tui.engine.engine import Engine

_QUERIES = "queries"
"""The fact that holds what was entered in the line."""
_OFFERED = 500
"""Newest captures whose values are offered."""
_SHOWN_SECONDS = 0.25
"""How often the list shows what was found meanwhile."""
_LONGEST = 36
"""Cells of a query in the list's border."""
_FILTER, _SEARCH = "f", "/"
_EXAMPLES = {
    _FILTER: "sig:bad   event:checkout_*   status:5xx   -class:gate   metadata.plan=pro",
    _SEARCH: "text in names, ids and bodies",
}


class Finding:
    """A query, and the captures that were found to fit it."""

    def __init__(self, text: str, query: Query) -> None:
        self.text = text
        self.search = Search("captures", query, _now(), limit=SPAN)
        self.ids = array("q")
        self.is_begun = False
        self.is_shown = False
        """Whether the list has its ids now, and takes what is found from here on."""

    def has_passed(self, number: int) -> bool:
        """Whether all from this id on was looked at."""
        reached = self.search.reached
        return self.search.is_done or (reached is not None and reached <= number)

    def older(self, archive: Archive) -> list[int]:
        """What the next step finds, oldest first."""
        return [record.id for record in archive.search(self.search)][::-1]

    def arrived(self, archive: Archive) -> list[int]:
        """What came meanwhile and fits, oldest first."""
        return [record.id for record in archive.arrived(self.search)]


class FindingScreen(ModeScreen):
    """A screen with the list of captures, and the line below it."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = CaptureRows(self.bridge.summaries, self._look_beside)
        self._filter_text = ""
        self._wanted: int | None = None
        """The capture that was jumped to and is not in the list yet."""
        self._filter: Finding | None = None
        self._filter_query: Query | None = None
        """What the filter's text says, whether it is on or off."""
        self._hits: Finding | None = None
        self._awaited: int | None = None
        """The next hit from here on, towards the older ones, is gone to when it is found."""

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
            parts.append(fit(self._filter_text, _LONGEST))
        elif self._filter_text:
            parts.append(f"off: {fit(self._filter_text, _LONGEST)}")
        if view.only_marked:
            parts.append("marked")
        if view.is_cleared:
            parts.append("cleared")
        program = self.host.config.receiver.respond
        if program is not None:
            parts.append(f"answers {fit(program, _LONGEST)}")
        captures.border_title = content(" · ".join(parts), theme.WARN if program is not None else "")
        state = following(captures)
        hits = self._hits
        if hits is not None:
            found = f"{len(hits.ids):,} hit{'s' * (len(hits.ids) != 1)}"
            state = Content.assemble((f"/{fit(hits.text, _LONGEST)}  {found}  ", theme.QUIET), state)
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
            why = f"None of {view.total:,} fits. F shows all, f changes the filter."
            why = why if is_done else "Searching…"
        elif view.only_marked:
            why = "Nothing is marked. M shows all."
        else:
            why = f"Cleared. u brings {view.total:,} back."
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
            self._hits.ids = self._hits.ids[bisect_left(self._hits.ids, oldest) :]
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
                finding.is_begun = True
                if finding.is_shown:
                    view.fit(found)
                else:
                    finding.ids = array("q", found) + finding.ids
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
    async def _look(self, finding: Finding) -> None:
        try:
            while not finding.search.is_done:
                found = await self.bridge.ask(finding.older)
                if not self._is_there() or finding is not self._hits:
                    return
                finding.is_begun = True
                finding.ids = array("q", found) + finding.ids
                self._go_to_awaited()
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
            self._awaited = at[0] if at is not None else None
            self._hits = Finding(text, query)
            self._look(self._hits)
        self.show_title()
        self.refresh_bindings()

    def action_hit(self, way: str) -> None:
        """Go to the next hit, older or newer."""
        at = self._list.cursor
        if self._hits is None or at is None:
            return
        if way == "older":
            self._awaited = at[0] - 1
            self._go_to_awaited()
            return
        self._awaited = None
        number = self._hit(at[0] + 1, newer=True)
        if number is not None:
            self._list.go_to(number)
        else:
            self.host.say(f"No newer hit of {fit(self._hits.text, _LONGEST)}.")

    def _go_to_awaited(self) -> None:
        hits, at = self._hits, self._awaited
        if hits is None or at is None:
            return
        number = self._hit(at, newer=False)
        if number is None and not hits.search.is_done:
            return
        self._awaited = None
        if number is not None:
            self._list.go_to(number)
        elif self._hit(at, newer=True) is not None:
            self.host.say(f"No older hit of {fit(hits.text, _LONGEST)}; N goes to newer ones.")
        else:
            self.host.say(f"Nothing fits {fit(hits.text, _LONGEST)}.")

    def _hit(self, at: int, *, newer: bool) -> int | None:
        ids = self._hits.ids if self._hits is not None else array("q")
        return in_both(ids, self._rows.view, at, newer=newer)

    # Jumps

    async def reveal(self, goal: object) -> None:
        """Go to a capture once it is in the list, and hold there."""
        if isinstance(goal, CaptureRecord):
            self._wanted = goal.id
            self._list.focus()
            self.go_to_wanted()

    def go_to_wanted(self) -> None:
        """Go to the capture that was jumped to; what hides it is taken off, and that is said."""
        wanted, view = self._wanted, self._rows.view
        if wanted is None or self._is_at(wanted):
            return
        if view.is_forgotten(wanted):
            # It will not come any more: what hides others stays as it is, now and later.
            self._wanted = None
            self.host.say(f"#{wanted} was forgotten: see [retention] in the settings.")
            return
        if self._filter is not None or view.only_marked or view.is_cleared:
            view.only_marked = False
            view.restore()
            self._apply(None)
            if self._is_at(wanted):
                self.host.say(f"Everything is shown again: #{wanted} was hidden.")

    def _is_at(self, wanted: int) -> bool:
        self._list.go_to(wanted)
        at = self._list.cursor
        if at is None or at[0] != wanted:
            return False
        self._wanted = None
        return True

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


def _now() -> int:
    return time.time_ns() // 1_000_000
