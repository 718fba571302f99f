"""Marks, notes and former queries: they are there again on the next run."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import httpx
from textual.pilot import Pilot
from textual.widgets import Input

from statsig_tui.core.config import Config, Retention
from statsig_tui.engine import remarks, retention
from statsig_tui.engine.engine import Engine
from statsig_tui.engine.store import Store
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.live import LiveScreen
from statsig_tui.tui.widgets.notes import Note
from statsig_tui.tui.widgets.row_list import RowList
from tests.ui.conftest import app_over

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


def post(app: StatsigApp, name: str) -> None:
    assert app.bridge.engine is not None
    body = {"data": [{"eventName": name}]}
    assert httpx.post(f"{app.bridge.engine.addresses.receiver}/hook", json=body).is_success


async def live(app: StatsigApp, pilot: Pilot[int], ui: Until) -> None:
    await pilot.press("f8")
    await ui(pilot, lambda: app.bridge.engine is not None and isinstance(app.screen, LiveScreen))


async def ask(pilot: Pilot[int], key: str, text: str) -> None:
    await pilot.press(key)
    pilot.app.screen.query_one("#query Input", Input).value = text
    await pilot.press("enter")


async def test_marks_notes_and_former_queries_survive_a_restart(
    later_app: StatsigApp, config: Config, tmp_path: Path, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 36)) as pilot:
        await live(app, pilot, ui)
        for name in ("first", "second", "third"):
            post(app, name)
        await ui(pilot, lambda: "Live  3" in seen(app))
        await pilot.press("k", "m")
        await ui(pilot, lambda: "◆" in seen(app))

        # Every key is a letter of the note, and the next capture takes nothing away.
        await pilot.press("k", "[", "[")
        await ui(pilot, lambda: "note:word" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: app.screen.query_one(Note).has_focus)
        await pilot.press(*"my fixq", "enter", *"Tuesday")
        post(app, "fourth")
        await ui(pilot, lambda: "Live  4" in seen(app) and "✎" in seen(app))
        assert app.screen.query_one(Note).text == "my fixq\nTuesday"
        row = next(line for line in seen(app).split("\n") if "✎" in line)
        assert re.search(r"\.\d{3} ✎  ✓ 200 ", row), row
        await pilot.press("escape")
        await ui(pilot, lambda: app.screen.query_one("#captures", RowList).has_focus)
        await ask(pilot, "f", "note:tuesday")
        await ui(pilot, lambda: "1 of 4 · note:tuesday" in seen(app) and "first" in seen(app))

    again = app_over(tmp_path, config)
    async with again.run_test(size=(160, 36)) as pilot:
        await live(again, pilot, ui)
        await ui(pilot, lambda: "Live  4" in seen(again) and "◆" in seen(again) and "✎" in seen(again))
        await pilot.press("M")
        await ui(pilot, lambda: "1 of 4 · marked" in seen(again) and "second" in seen(again))
        await pilot.press("M", "f", "up")
        assert again.screen.query_one("#query Input", Input).value == "note:tuesday"
        await pilot.press("enter")
        await ui(pilot, lambda: "1 of 4 · note:tuesday" in seen(again))
        await pilot.press("[", "[", "enter")
        note = again.screen.query_one(Note)
        await ui(pilot, lambda: note.has_focus and note.text == "my fixq\nTuesday")

        # An empty note is none.
        await pilot.press("down", "end", *["backspace"] * 20)
        await ui(pilot, lambda: "✎" not in seen(again))
        await pilot.press("escape")
        await ask(pilot, "f", "note:*")
        await ui(pilot, lambda: "None of 4 fits." in seen(again))


async def test_a_note_is_kept_where_typing_rests_and_when_the_app_is_left_in_the_middle(
    later_app: StatsigApp, config: Config, tmp_path: Path, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 36)) as pilot:
        await live(app, pilot, ui)
        post(app, "first")
        await ui(pilot, lambda: "Live  1" in seen(app))
        await pilot.press("[", "[", "enter")
        note = app.screen.query_one(Note)
        await ui(pilot, lambda: note.has_focus)
        await pilot.press(*"rest")
        engine = app.bridge.engine
        assert engine is not None
        await ui(pilot, lambda: engine.archive.note(1) == "rest")
        note.insert("ed")
        app.exit()

    store = await Store.open(tmp_path / "statsig-tui.db")
    try:
        assert await store.read(lambda db: remarks.note(db, 1)) == "rested"
    finally:
        await store.close()


async def test_what_was_said_of_a_capture_goes_with_it(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await live(app, pilot, ui)
        for name in ("first", "second"):
            post(app, name)
        await ui(pilot, lambda: "Live  2" in seen(app))
        for number in (1, 2):
            await app.bridge.do(partial(Engine.mark, capture=number, is_marked=True))
            await app.bridge.do(partial(Engine.note, capture=number, text="x"))
    store = await Store.open(tmp_path / "statsig-tui.db")
    try:
        await store.write(lambda tx: retention.prune(tx, Retention(captures=1)))
        assert await store.read(remarks.marked) == await store.read(remarks.annotated) == [2]
    finally:
        await store.close()
