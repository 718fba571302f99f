"""Event Filtering, driven by keys: the console's dialog, and what its answers do to the next event."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from statsig_tui.core.config import (
    DEFAULT_RECEIVER_URL,
    RECEIVER,
    BatchPolicy,
    Config,
    Destination,
    EmulatorConfig,
    Filter,
    ReceiverConfig,
)
from statsig_tui.engine.engine import running
from statsig_tui.engine.store import Store
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.destinations import DestinationsScreen
from statsig_tui.tui.screens.filter_details import FilterDetails
from statsig_tui.tui.widgets.destination_list import DestinationList
from statsig_tui.tui.widgets.fields import Tick
from statsig_tui.tui.widgets.filter_parts import CheckAll, EventTable
from statsig_tui.tui.widgets.tracked_rows import TrackedRows, is_tracked, track

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
HOSTILE = "evil \x1b]0;title\x07 [/x] [@click=app.quit]q[/]"
MANY = 10_000


@dataclass
class Desk:
    """The app in Event Filtering of the built-in destination."""

    app: StatsigApp
    pilot: Pilot[int]
    until: Until

    @property
    def filter(self) -> Filter:
        found = self.app.config.destination(RECEIVER)
        assert found is not None
        return found.filter

    @property
    def table(self) -> EventTable:
        return self.app.screen.query_one(EventTable)

    @property
    def can_save(self) -> bool:
        assert isinstance(self.app.screen, DestinationsScreen)
        return bool(self.app.screen.check_action("save", ()))

    @property
    def check_all(self) -> bool | None:
        return self.app.screen.query_one(CheckAll).value

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def post(self, *names: str) -> list[str]:
        """Post incoming events to the emulator; their traces."""
        engine = self.app.bridge.engine
        assert engine is not None
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = [
                await client.post(
                    f"{engine.addresses.emulator}/v1/webhooks/event_webhook",
                    headers={"STATSIG-API-KEY": "secret-x"},
                    json={"user": {"userID": "u1"}, "event": name},
                )
                for name in names
            ]
        assert [answer.status_code for answer in answers] == [202] * len(names)
        return [answer.headers["X-Statsig-Tui-Trace"] for answer in answers]

    async def clause(self, name: str) -> str:
        """Why an event posted now is forwarded or not."""
        trace = (await self.post(name))[0]
        engine = self.app.bridge.engine
        assert engine is not None
        found = engine.archive.trace(trace)
        assert found is not None
        return found.verdicts[0].clause

    async def to_table(self) -> None:
        """Go down from the first box to the first event."""
        while not self.table.has_focus:
            await self.press("tab")

    def rows(self) -> int:
        return len(self.table.rows)


Open = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def desk(tmp_path: Path, ui: Until) -> Open:
    """Open the app in Event Filtering: `async with desk(filter) as at`; no demo is sent."""

    @asynccontextmanager
    async def opened(
        chosen: Filter | None = None,
        *,
        size: tuple[int, int] = (120, 36),
        seen: list[tuple[str, int]] | None = None,
    ) -> AsyncIterator[Desk]:
        def prepare(db: sqlite3.Connection) -> int:
            db.execute("INSERT INTO facts VALUES ('demo', 'sent')")
            rows = [(name, "custom", volume, 1) for name, volume in seen or ()]
            db.executemany("INSERT INTO seen (name, class, volume, at) VALUES (?,?,?,?)", rows)
            return len(rows)

        store = await Store.open(tmp_path / "statsig-tui.db")
        await store.write(lambda tx: prepare(tx.db))
        await store.close()
        destination = Destination(
            RECEIVER, DEFAULT_RECEIVER_URL, batch=BatchPolicy(100, 0.01), filter=chosen or Filter()
        )
        config = Config(
            emulator=EmulatorConfig(port=0), receiver=ReceiverConfig(port=0), destinations=(destination,)
        )
        app = StatsigApp(
            Bridge(lambda: running(config, tmp_path / "statsig-tui.db", fall_back=True)),
            config,
            lambda changed: None,
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            await ui(pilot, lambda: app.bridge.engine is not None)
            await pilot.press("f7")
            await ui(pilot, lambda: isinstance(app.screen, DestinationsScreen))
            await ui(pilot, lambda: app.screen.query_one(DestinationList).has_focus)
            await pilot.press("f")
            await ui(pilot, lambda: app.screen.query_one("#exposures").has_focus)
            at = Desk(app, pilot, ui)
            await ui(pilot, lambda: at.rows() == len(seen or ()) + len(destination.filter.events))
            yield at

    return opened


async def test_the_dialog_has_the_consoles_words_in_its_order(desk: Open, seen: Text) -> None:
    async with desk(seen=[("checkout", 12)]) as at:
        text = seen(at.app)
        words = (
            "☑  Exposures", "☑  Configuration Changes", "Custom Events", "━●  Include new events by default",
            "☑  Tracking    Event", "Volume", "checkout", "12", "Cancel", "Save",
        )  # fmt: skip
        places = [text.index(word, text.index("☑  Exposures")) for word in words]
        assert places == sorted(places)
        assert "☑  by default  checkout" in text


async def test_save_is_off_until_something_changed(desk: Open, seen: Text) -> None:
    async with desk() as at:
        assert not at.can_save
        assert at.app.screen.query_one("#filter-save", Button).disabled
        await at.press("ctrl+s", "space")
        await at.until(at.pilot, lambda: at.can_save)
        await at.until(at.pilot, lambda: "unsaved · ctrl+s save · esc cancel" in seen(at.app))
        assert not at.app.screen.query_one("#filter-save", Button).disabled
        await at.press("space")
        await at.until(at.pilot, lambda: not at.can_save)
        await at.until(at.pilot, lambda: "unsaved" not in seen(at.app))
        assert at.filter == Filter()


async def test_what_is_no_longer_tracked_is_filtered_with_its_clause(desk: Open, seen: Text) -> None:
    async with desk(seen=[("checkout", 3), ("heartbeat", 2)]) as at:
        await at.to_table()
        await at.press("down", "space")
        await at.until(at.pilot, lambda: "☐  chosen      heartbeat" in seen(at.app))
        assert await at.clause("heartbeat") == "new event included"
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.filter.events == {"heartbeat": False})
        assert await at.clause("heartbeat") == "custom event not tracked"
        assert await at.clause("checkout") == "new event included"
        assert not at.can_save


async def test_the_first_events_that_come_are_sorted_as_those_seen_before(desk: Open, seen: Text) -> None:
    async with desk(Filter(events={"chosen-one": True})) as at:
        await at.post("frequent")
        await at.until(at.pilot, lambda: "frequent" in seen(at.app))
        text = seen(at.app)
        assert text.index("by default  frequent") < text.index("chosen      chosen-one")


async def test_each_box_decides_its_class(desk: Open) -> None:
    async with desk() as at:
        await at.press("space", "down", "space", "down", "space", "ctrl+s")
        await at.until(at.pilot, lambda: at.filter == Filter(False, False, False))
        assert await at.clause("statsig::gate_exposure") == "exposures off"
        assert await at.clause("statsig::config_change") == "config changes off"
        assert await at.clause("anything") == "new event not included"


async def test_check_all_shows_all_some_or_none(desk: Open, seen: Text) -> None:
    async with desk(seen=[("a", 3), ("b", 2)]) as at:
        assert at.check_all is True
        await at.to_table()
        await at.press("space")
        await at.until(at.pilot, lambda: at.check_all is None and "▣" in seen(at.app))
        await at.press("up", "space")
        await at.until(at.pilot, lambda: at.check_all is True)
        await at.press("space")
        await at.until(at.pilot, lambda: at.check_all is False)
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.filter.events == {"a": False, "b": False})


async def test_check_all_touches_only_what_the_search_shows(desk: Open, seen: Text) -> None:
    async with desk(seen=[("page_view", 3), ("page_leave", 2), ("checkout", 1)]) as at:
        await at.press("slash", *"page")
        await at.until(at.pilot, lambda: at.rows() == 2 and "2 of 3 events" in seen(at.app))
        await at.press("shift+tab", "tab", "tab", "space", "ctrl+s")
        await at.until(at.pilot, lambda: at.filter.events == {"page_view": False, "page_leave": False})
        await at.press("slash", "escape")
        await at.until(at.pilot, lambda: at.rows() == 3)
        assert at.app.screen.query_one("#search", Input).has_focus
        await at.press("escape")
        await at.until(at.pilot, lambda: at.table.has_focus)


async def test_escape_cancels_the_edits_then_leaves(desk: Open, seen: Text) -> None:
    async with desk() as at:
        await at.press("space")
        await at.until(at.pilot, lambda: at.can_save)
        await at.press("escape")
        await at.until(at.pilot, lambda: not at.can_save)
        assert at.app.screen.query_one("#exposures", Tick).value is True
        assert at.filter == Filter()
        await at.press("escape")
        await at.until(at.pilot, lambda: at.app.screen.query_one(DestinationList).has_focus)


async def test_hostile_names_are_shown_as_they_are_spelled(desk: Open, seen: Text) -> None:
    async with desk(Filter(events={"[/named]": False})) as at:
        await at.post(HOSTILE)
        await at.until(at.pilot, lambda: "evil ␛]0;title␇ [/x] [@click=app" in seen(at.app))
        assert "☐  chosen      [/named]" in seen(at.app)
        assert "not seen yet" in seen(at.app)


async def test_a_new_event_moves_nothing(desk: Open, seen: Text) -> None:
    async with desk(seen=[("b", 3), ("c", 2)]) as at:
        await at.to_table()
        await at.press("down")
        cursor = at.table.cursor
        await at.post("a", "a", "a", "a")
        await at.until(at.pilot, lambda: at.rows() == 3)
        assert at.table.cursor == cursor
        assert at.table.has_focus
        await at.press("space")
        await at.until(at.pilot, lambda: "☐  chosen      c" in seen(at.app))
        # Ordered anew the next time it is opened.
        await at.press("escape", "escape", "left", "right")
        await at.until(
            at.pilot, lambda: seen(at.app).find("by default  a") < seen(at.app).find("by default  b")
        )


async def test_ten_thousand_names_scroll_and_are_searched_at_once(desk: Open, seen: Text) -> None:
    async with desk(seen=[(f"event_{number:05d}", MANY - number) for number in range(MANY)]) as at:
        drawn: list[int] = []
        rows = at.table.rows
        line = rows.line

        def counted(index: int, width: int) -> object:
            drawn.append(index)
            return line(index, width)

        rows.line = counted  # type: ignore[method-assign,assignment]  # to see what is drawn
        await at.to_table()
        await at.press("end")
        await at.until(at.pilot, lambda: "event_09999" in seen(at.app))
        await at.press("space")
        await at.until(at.pilot, lambda: "9,999 tracked" in seen(at.app))
        assert len(set(drawn)) < 200
        await at.press("slash", *"0423")
        await at.until(at.pilot, lambda: at.rows() == 11 and "event_00423" in seen(at.app))


def test_only_explicit_choices_are_written() -> None:
    saved = Filter(events={"kept": True})
    draft = track(saved, saved, ["new"], False)
    assert draft.events == {"kept": True, "new": False}
    assert track(draft, saved, ["new"], True) == saved
    assert track(saved, saved, ["kept"], False).events == {"kept": False}
    assert track(saved, saved, ["other"], True) == saved
    assert is_tracked(saved, "other")
    assert not is_tracked(draft, "new")


def test_rows_are_ordered_by_volume_and_those_only_named_come_last() -> None:
    rows = TrackedRows()
    rows.load(Filter(events={"zz": True, "aa": False, "b": True}), {"c": 9, "b": 1})
    assert rows.shown == ["c", "b", "aa", "zz"]
    rows.count({"d": 99, "c": 9, "b": 1})
    assert rows.shown == ["c", "b", "aa", "zz", "d"]
    assert rows.tracked() is None
    rows.search("A")
    assert rows.shown == ["aa"]
    assert rows.tracked() is False


async def test_details_are_chosen_tried_on_what_was_seen_explained_and_saved(desk: Open, seen: Text) -> None:
    async with desk() as at:
        for name, count in (("checkout", 3), ("debug_a", 2), ("debug_b", 1)):
            await at.post(*[name] * count)
        await at.until(at.pilot, lambda: "Dry run over 6 events: 6 pass, 0 filtered" in seen(at.app))
        await at.press("o")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, FilterDetails))
        await at.press("down", "down", "down", "space")
        at.app.screen.query_one("#sample", Input).focus()
        await at.press("home", "ctrl+k", *"150", "ctrl+s")
        await at.until(at.pilot, lambda: "is not from 0 to 100" in seen(at.app))
        await at.press("home", "ctrl+k", *"100")
        at.app.screen.query_one("#patterns").focus()
        await at.press(*"-debug_*", "ctrl+s")
        # Nothing is saved yet: it is tried, and said what it would do.
        await at.until(at.pilot, lambda: "3 pass, 3 filtered · against saved: −3" in seen(at.app))
        assert at.filter == Filter()
        assert "1 kind off" in seen(at.app)
        assert "by pattern" in seen(at.app)
        await at.to_table()
        await at.press("down")
        await at.until(at.pilot, lambda: "✗ the pattern debug_*  → name pattern excluded" in seen(at.app))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.filter.patterns == {"debug_*": False})
        assert at.filter.exposure_kinds == {"layer": False}
        assert await at.clause("debug_c") == "name pattern excluded"


async def test_a_draft_tells_of_whole_classes_and_cuts_nothing_without_a_sign(desk: Open, seen: Text) -> None:
    async with desk(size=(80, 24)) as at:
        await at.post("statsig::gate_exposure", *["checkout"] * 12, "page_view")
        await at.until(at.pilot, lambda: "Dry run over 14 events: 14 pass, 0 filtered" in seen(at.app))
        # On the box itself the newest event of its class is explained.
        await at.press("space")
        await at.until(at.pilot, lambda: "no (−1)" in seen(at.app))
        await at.until(at.pilot, lambda: "✗ the box Exposures  → exposures off" in seen(at.app))
        await at.to_table()
        await at.press("space")
        await at.until(at.pilot, lambda: "no (−12)" in seen(at.app))
        assert "against saved: −13" in seen(at.app)


async def test_a_search_without_a_hit_says_so_and_its_keys_are_text(desk: Open, seen: Text) -> None:
    async with desk(seen=[("checkout", 3)]) as at:
        await at.press("slash", *"zz/o")
        await at.until(at.pilot, lambda: "No event's name holds “zz/o”" in seen(at.app))
        for action in ("search", "filter_details"):
            assert not at.app.screen.check_action(action, ())
        await at.press("escape")
        await at.until(at.pilot, lambda: at.rows() == 1)


async def test_the_details_keep_their_buttons_and_complaints_in_sight(desk: Open, seen: Text) -> None:
    async with desk(size=(80, 24)) as at:
        await at.press("o")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, FilterDetails))
        for words in ("Everything", "Config changes only", "Exposures only", "Cancel", "Use"):
            assert words in seen(at.app)
        at.app.screen.query_one("#sample", Input).focus()
        # What is typed in the same breath as the tab goes where the tab leads.
        await at.press("shift+tab", *"user:u1 (", "ctrl+s")
        await at.until(at.pilot, lambda: "this bracket is" in seen(at.app))
