"""Live's list filtered, searched, marked and cleared by keys, while captures go on arriving."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from statsig_tui.core.event import EventClass
from statsig_tui.core.records import Captured, EventSummary
from statsig_tui.core.signing import SignatureState, SignatureVerdict
from statsig_tui.engine import captures as captures_of
from statsig_tui.engine.search import Search, Stored
from statsig_tui.engine.store import Store, Tx
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.row_list import RowList

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


def post(app: StatsigApp, *names: str, path: str = "/hook") -> None:
    """One batch, unsigned; without names one that is refused."""
    assert app.bridge.engine is not None
    body = {"data": [{"eventName": name, "userID": "u"} for name in names]} if names else {"no": "batch"}
    httpx.post(f"{app.bridge.engine.addresses.receiver}{path}", json=body)


def captures(app: StatsigApp) -> RowList:
    return app.screen.query_one("#captures", RowList)


async def enter(pilot: Pilot[int], key: str, text: str) -> None:
    """Open a line, write what it takes, and enter it."""
    await pilot.press(key)
    pilot.app.screen.query_one("#query Input", Input).value = text
    await pilot.press("enter")


async def test_a_filter_shows_what_fits_and_what_arrives_and_goes_off_and_on(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        for number in range(6):
            post(app, "checkout" if number % 2 else "page_view")
        post(app)
        await ui(pilot, lambda: "Live  7" in seen(app))
        await enter(pilot, "f", "event:check*")
        await ui(pilot, lambda: "3 of 7 · event:check*" in seen(app))
        assert "page_view" not in seen(app)
        assert captures(app).cursor == (6, None)

        post(app, "page_view")
        post(app, "page_view", "checkout", path="/late")
        await ui(pilot, lambda: "4 of 9" in seen(app))
        assert captures(app).cursor == (9, None), "it follows what fits"
        await pilot.press("k", "k")
        post(app, "page_view")
        post(app, "checkout")
        await ui(pilot, lambda: "5 of 11" in seen(app) and "HELD +1" in seen(app))
        assert captures(app).cursor == (4, None)

        await pilot.press("F")
        await ui(pilot, lambda: "11 · off: event:check*" in seen(app))
        assert captures(app).cursor == (4, None), "the cursor stays on its capture"
        await pilot.press("F")
        await ui(pilot, lambda: "5 of 11 · event:check*" in seen(app))
        assert captures(app).cursor == (4, None)

        # An error asks nothing, escape leaves what is, an empty line is no filter.
        await enter(pilot, "f", "sig:nonsense")
        await ui(pilot, lambda: "▲" in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: captures(app).has_focus and "5 of 11 · event:check*" in seen(app))
        await enter(pilot, "f", "status:4xx")
        await ui(pilot, lambda: "1 of 11 · status:4xx" in seen(app))
        assert captures(app).cursor == (7, None), "the nearest there is"
        await enter(pilot, "f", "event:nothing")
        await ui(pilot, lambda: "None of 11 fits." in seen(app))
        await enter(pilot, "f", "")
        await ui(pilot, lambda: "Live  11 ─" in seen(app) and "page_view" in seen(app))


async def test_a_search_goes_from_hit_to_hit_and_hides_nothing(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        for name in ("needle", "hay", "needle", "hay", "hay"):
            post(app, name)
        await ui(pilot, lambda: "Live  5" in seen(app))
        await enter(pilot, "slash", "NEEDLE")
        await ui(pilot, lambda: captures(app).cursor == (3, None))
        assert "2 hits" in seen(app)
        assert "Live  5 ─" in seen(app)
        await pilot.press("n")
        await ui(pilot, lambda: captures(app).cursor == (1, None))
        await pilot.press("n")
        await ui(pilot, lambda: "No older hit" in seen(app))
        assert captures(app).cursor == (1, None)
        post(app, "late needle")
        await ui(pilot, lambda: "3 hits" in seen(app))
        await pilot.press("N", "N")
        await ui(pilot, lambda: captures(app).cursor == (6, None))
        await pilot.press("N")
        await ui(pilot, lambda: "No newer hit" in seen(app))

        # Only hits that are shown are gone to.
        await enter(pilot, "f", "id:c1,c5,c6")
        await ui(pilot, lambda: "3 of 6" in seen(app))
        await pilot.press("n")
        await ui(pilot, lambda: captures(app).cursor == (1, None))
        await enter(pilot, "slash", "nowhere")
        await ui(pilot, lambda: "Nothing fits nowhere." in seen(app))
        await enter(pilot, "slash", "")
        await ui(pilot, lambda: "hits" not in seen(app))


async def test_marked_rows_stay_when_the_list_is_cleared_and_nothing_is_deleted(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        for name in ("first", "second", "third"):
            post(app, name)
        await ui(pilot, lambda: "Live  3" in seen(app))
        await pilot.press("k", "m")
        await ui(pilot, lambda: "◆" in seen(app))
        await pilot.press("M")
        await ui(pilot, lambda: "1 of 3 · marked" in seen(app))
        await pilot.press("M", "z")
        await ui(pilot, lambda: "1 of 3 · cleared" in seen(app) and "third" not in seen(app))
        post(app, "fourth")
        await ui(pilot, lambda: "2 of 4 · cleared" in seen(app) and "fourth" in seen(app))
        await pilot.press("m", "z")
        await ui(pilot, lambda: "Cleared. u brings 4 back." in seen(app))
        assert app.bridge.engine is not None
        assert app.bridge.engine.archive.counters().captures == 4
        await pilot.press("u")
        await ui(pilot, lambda: "Live  4 ─" in seen(app) and "first" in seen(app))


MANY = 5000
"""Captures that a search takes several steps for."""


async def fill(directory: Path) -> None:
    """Captures 1 to MANY, of events named even and odd."""

    def insert(tx: Tx) -> int:
        for number in range(1, MANY + 1):
            name = "odd" if number % 2 else "even"
            summary = EventSummary(name, EventClass.CUSTOM, None, None, None)
            captures_of.insert(
                tx,
                [Captured(
                    at=1_700_000_000_000 + number, method="POST", path="/", http_version="1.1",
                    peer="127.0.0.1:1", headers=(), body=b"{}", envelope="data", events=(summary,),
                    signature=None, timestamp=None,
                    verdict=SignatureVerdict(SignatureState.MISSING, "", ""), status=200, fault=None,
                    answer_headers=(), answer_body=b"", ms=1.0,
                )],
            )  # fmt: skip
        return MANY

    store = await Store.open(directory / "statsig-tui.db")
    await store.write(insert)
    await store.close()


async def test_a_long_search_moves_the_cursor_once_blocks_no_key_and_is_left_at_any_moment(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = later_app
    await fill(tmp_path)
    been: list[int | None] = []

    def note(message: Message) -> None:
        if isinstance(message, RowList.Highlighted) and message.row_list.id == "captures":
            been.append(message.key)

    async with app.run_test(size=(120, 36), message_hook=note) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "Live  5,000" in seen(app))
        captures(app).go_to(101)
        await ui(pilot, lambda: "even" in seen(app) and been[-1:] == [101])
        been.clear()
        await enter(pilot, "f", "event:even")
        await ui(pilot, lambda: "2,500 of 5,000 · event:even" in seen(app))
        await ui(pilot, lambda: captures(app).cursor in ((100, None), (102, None)))
        assert set(been) <= {100, 101, 102}, "nowhere else meanwhile"
        assert "odd" not in seen(app)

        # The second step of the next search stays away.
        go_on = threading.Event()
        step, steps = Search.step, itertools.count()

        def slow(search: Search, db: sqlite3.Connection) -> list[Stored]:
            if next(steps) == 1:
                go_on.wait()
            return step(search, db)

        monkeypatch.setattr(Search, "step", slow)
        try:
            await pilot.press("G")
            await enter(pilot, "f", "event:odd")
            await ui(pilot, lambda: "searching…" in seen(app) and "250 of 5,000 · event:odd" in seen(app))
            await pilot.press("k")
            await ui(pilot, lambda: captures(app).cursor == (4997, None))
            await pilot.press("F")
            await ui(pilot, lambda: "5,000 · off: event:odd" in seen(app) and "searching" not in seen(app))
        finally:
            go_on.set()
        await pilot.press("F")
        await ui(pilot, lambda: "2,500 of 5,000 · event:odd" in seen(app))
        assert captures(app).cursor == (4997, None)
