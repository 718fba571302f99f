"""The console's Event Filtering dialog: its words and its order, one destination's filter as a draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from statsig_tui.core.config import Destination, Filter
from statsig_tui.core.event import Event, EventClass, classify
from statsig_tui.core.filters import needs_content
from statsig_tui.core.judgements import DryRun
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.widgets.editor import Editor, Looked
from statsig_tui.tui.widgets.fields import SearchInput, Tick
from statsig_tui.tui.widgets.filter_parts import CheckAll, ClassBox, DetailsLine, EventTable
from statsig_tui.tui.widgets.filter_text import explained, trial_words
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.tracked_rows import TrackedRows, is_tracked, track

Trial = tuple[Filter, Filter]
"""The saved filter and the draft."""
_EXPOSURES = "gate, experiment, dynamic config, layer"
_CHANGES = "statsig::config_change"


class FilterEditor(Editor[Filter]):
    """Exposures, Configuration Changes and Custom Events of one destination."""

    DEFAULT_CSS = """
    FilterEditor {
        #custom {
            height: 1;
        }
        #custom-title {
            width: auto;
            padding: 0 2 0 3;
            text-style: bold;
        }
        #include {
            width: 1fr;
        }
        #search-mark {
            width: auto;
            padding: 0 1 0 0;
            color: $text-muted;
        }
        #search {
            width: 26;
            background: $surface;
        }
        #check-all {
            color: $text-muted;
        }
        #filter-why, #filter-trial {
            height: 1;
            padding: 0 1 0 3;
            color: $text-muted;
        }
        #filter-why.-long {
            height: 3;
        }
        #filter-foot {
            height: 1;
        }
        #filter-summary {
            width: 1fr;
            padding: 0 1 0 3;
            color: $text-muted;
        }
        #filter-foot Button {
            min-width: 10;
            margin: 0 1 0 0;
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id)
        self._rows = TrackedRows()
        self._volumes: dict[str, int] = {}
        self._curl = ""
        self._loaded: str | None = None
        self._tried: DryRun | None = None
        self._tried_for: Trial | None = None
        self._tried_at = 0
        """Accepted events at the time of the dry run."""
        self._newest: dict[str, Event | None] = {}

    def compose(self) -> ComposeResult:
        """In the console's order."""
        yield ClassBox("Exposures", _EXPOSURES, self._rows, id="exposures")
        yield ClassBox("Configuration Changes", _CHANGES, self._rows, id="changes")
        yield DetailsLine(id="details")
        with Horizontal(id="custom"):
            yield Static("Custom Events", id="custom-title", markup=False)
            yield Tick(Content("Include new events by default"), is_switch=True, gutter=0, id="include")
            yield Static(content(key("destinations.search")), id="search-mark")
            yield SearchInput(placeholder="search events", compact=True, id="search")
        yield CheckAll(self._rows, id="check-all")
        yield EventTable(self._rows, empty=_nothing_seen(""), id="events")
        yield Static("", id="filter-why", markup=False)
        yield Static("", id="filter-trial", markup=False)
        with Horizontal(id="filter-foot"):
            yield Static("", id="filter-summary", markup=False)
            yield Button("Cancel", id="filter-cancel", compact=True)
            yield Button("Save", id="filter-save", variant="primary", compact=True)

    def first(self) -> Widget:
        """The first box."""
        return self.query_one("#exposures")

    def search(self) -> None:
        """Go to the search box."""
        self.query_one("#search").focus()

    def order(self) -> None:
        """Sort the events anew, the next time they are drawn."""
        self._loaded = None

    def take(self, volumes: dict[str, int], curl: str) -> None:
        """Take what was seen since: names and how often, the most frequent first."""
        if not self._volumes and not self.is_changed:
            # Until now there was nothing to sort by.
            self.order()
        self._volumes, self._curl = volumes, curl
        if self.shown is not None:
            self.draw()

    def trial(self) -> Callable[[int], Trial | None]:
        """The saved filter and the draft, where a dry run is due with so many events accepted."""
        pair, before, at = (self._saved(), self._draft()), self._tried_for, self._tried_at

        def due(events: int) -> Trial | None:
            # A run over many events takes a while: not for each that comes.
            return pair if pair != before or events - at > at // 100 or events < at else None

        return due

    def take_trial(self, tried: DryRun, of: Trial, events: int) -> None:
        """Take what a dry run found."""
        self._tried, self._tried_for, self._tried_at = tried, of, events
        self._newest.clear()
        self._rows.tell(tried.names)
        classes = {name: classify(name) for name in tried.names}
        exposures = [name for name, kind in classes.items() if kind.is_exposure]
        changes = [name for name, kind in classes.items() if kind is EventClass.CONFIG_CHANGE]
        self.query_one("#exposures", ClassBox).tell(tried, exposures)
        self.query_one("#changes", ClassBox).tell(tried, changes)
        self.query_one(CheckAll).refresh()
        self.draw()

    def wondered(self) -> str | None:
        """The event under the cursor, where its newest one is not known yet."""
        name = self._under_cursor() if self.is_ready else None
        return name if name is not None and name not in self._newest else None

    def _under_cursor(self) -> str | None:
        """The name in the table, or on the box of a class the one most seen of it."""
        for box in self.query(ClassBox):
            if box.has_focus:
                return box.names[0] if box.names else None
        cursor = self.query_one(EventTable).cursor
        return self._rows.name(cursor[0]) if cursor is not None and len(self._rows) else None

    def take_newest(self, name: str, event: Event | None) -> None:
        """Take the newest event of a name."""
        self._newest[name] = event
        self._explain()

    def use(self, draft: Filter) -> None:
        """Make a filter the draft."""
        self._keep(draft)

    def chosen(self) -> Filter:
        """The draft, or the saved filter where nothing was edited."""
        return self._draft()

    def _explain(self) -> None:
        """Why the event under the cursor passes or not, question by question."""
        name, draft = self._under_cursor(), self._draft()
        event = self._newest.get(name) if name is not None else None
        line = self.query_one("#filter-why", Static)
        # As high as what is asked of any event: what is above must not move with the cursor.
        line.set_class(needs_content(draft) or bool(draft.patterns), "-long")
        if name is None or event is None:
            line.update(Content())
            return
        title = "newest one" if classify(name) is EventClass.CUSTOM else f"newest {fit(name, 30)}"
        line.update(explained(draft, event, title, line.content_size))

    def on_resize(self) -> None:
        """There is room for other words."""
        if self.is_ready and self.shown is not None:
            self.call_after_refresh(self.draw)

    @on(events.DescendantFocus)
    @on(RowList.Highlighted)
    def _looked(self) -> None:
        if not self.is_ready:
            return
        self._explain()
        if self.wondered() is not None:
            self.post_message(Looked())

    def draw(self) -> None:
        """Bring boxes and table up to date."""
        if self.shown is None or not self.is_ready:
            return
        draft = self._draft()
        table = self.query_one(EventTable)
        if self._loaded == self.shown.name:
            before = len(self._rows)
            self._rows.draft = draft
            self._rows.count(self._volumes)
            (table.rows_changed if len(self._rows) >= before else table.refresh_rows)()
        else:
            self._loaded = self.shown.name
            self._rows.load(draft, self._volumes)
            table.refresh_rows(keep_cursor=False)
        self.query_one(DetailsLine).say(draft)
        self._explain()
        self.query_one("#exposures", Tick).value = draft.exposures
        self.query_one("#changes", Tick).value = draft.config_changes
        self.query_one("#include", Tick).value = draft.include_new_events
        self.query_one(CheckAll).value = self._rows.tracked()
        self.query_one("#filter-cancel").disabled = not self.is_changed
        self.query_one("#filter-save").disabled = not self.is_changed
        self._summarise(draft)

    def edited(self, saved: Destination) -> Destination:
        """The destination with the draft as its filter."""
        return replace(saved, filter=self._draft())

    @on(Tick.Toggled)
    def _toggled(self, event: Tick.Toggled) -> None:
        draft, on = self._draft(), event.value
        if event.tick.id == "exposures":
            draft = replace(draft, exposures=on)
        elif event.tick.id == "changes":
            draft = replace(draft, config_changes=on)
        elif event.tick.id == "include":
            draft = replace(draft, include_new_events=on)
        else:
            draft = track(draft, self._saved(), self._rows.shown, on)
        self._keep(draft)

    @on(EventTable.Checked)
    def _checked(self, event: EventTable.Checked) -> None:
        name, draft = self._rows.name(event.key), self._draft()
        self._keep(track(draft, self._saved(), [name], not is_tracked(draft, name)))

    @on(Input.Changed, "#search")
    def _searched(self, event: Input.Changed) -> None:
        self._rows.search(event.value)
        self.query_one(EventTable).refresh_rows(keep_cursor=False)
        self.query_one(CheckAll).value = self._rows.tracked()
        self._summarise(self._draft())

    @on(Input.Submitted, "#search")
    @on(SearchInput.Left)
    def _to_table(self) -> None:
        self.query_one(EventTable).focus()

    @on(Button.Pressed, "#filter-cancel")
    def _cancel(self) -> None:
        self.revert()

    @on(Button.Pressed, "#filter-save")
    async def _save(self) -> None:
        await self.run_action("screen.save")

    def _saved(self) -> Filter:
        return self.shown.filter if self.shown is not None else Filter()

    def _draft(self) -> Filter:
        draft = self.draft()
        return self._saved() if draft is None else draft

    def _keep(self, draft: Filter) -> None:
        self.keep(None if draft == self._saved() else draft)
        self.draw()
        self.post_message(Looked())

    def _summarise(self, draft: Filter) -> None:
        total, shown = self._rows.total, len(self._rows)
        if not shown:
            table, searched = self.query_one(EventTable), self.query_one("#search", Input).value
            table.empty = _nothing_fits(searched) if total else _nothing_seen(self._curl)
            table.refresh()
        tracked = sum(is_tracked(draft, name) for name in self._rows.shown)
        words = f"{shown:,} of {total:,} events" if shown < total else f"{total:,} event{'s' * (total != 1)}"
        self.query_one("#filter-summary", Static).update(Content(f"{words} · {tracked:,} tracked"))
        self.query_one("#filter-trial", Static).update(self._trial_words(draft))

    def _trial_words(self, draft: Filter) -> Content:
        if self._tried is None or self._tried_for != (self._saved(), draft) or not self._tried.names:
            return Content()
        return trial_words(self._tried.total, self.query_one("#filter-trial").content_size.width)


def _nothing_fits(search: str) -> Content:
    return Content.styled(
        f"No event's name holds “{fit(search, 40)}”; esc in the search box empties it.", theme.QUIET
    )


def _nothing_seen(curl: str) -> Content:
    text = "No custom event was seen yet; each appears here when the emulator accepts it."
    return Content.styled(f"{text}\n\n{curl}", theme.QUIET)
