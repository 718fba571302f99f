"""Lint in Compose, driven by keys: what is said, where enter leads, and what f9 changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, TabbedContent

from statsig_tui.core import draft, lint
from statsig_tui.core.lint import Advice
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets import judged as judging
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.json_editor import JsonEditor
from statsig_tui.tui.widgets.lint_list import LintList
from statsig_tui.tui.widgets.member_table import MemberTable

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
SIZE = (160, 40)
BAD = """{
  "user": {"userID": "u", "privateAttributes": {"ssn": "1"}},
  "event": "a#b",
  "metadata": {"x": "1", "items": 3}
}"""


@pytest.fixture
def app(later_app: StatsigApp) -> StatsigApp:
    """The app with nothing in its history."""
    return later_app


async def drafting(app: StatsigApp, pilot: Pilot[int], ui: Until, text: str) -> DraftPane:
    """Once the app runs: put a text into the JSON editor, as a paste does."""
    await ui(pilot, lambda: app.bridge.engine is not None and bool(app.screen.query(LintList)))
    if not isinstance(app.focused, JsonEditor):
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
    app.screen.query_one(JsonEditor).select_all()
    app.post_message(events.Paste(text))
    pane = app.screen.query_one(DraftPane)
    await ui(pilot, lambda: pane.text == text)
    return pane


async def to_lint(app: StatsigApp, pilot: Pilot[int], ui: Until) -> LintList:
    """Go to the advice with the keyboard; the cursor is on the first."""
    while not isinstance(app.focused, LintList):
        await pilot.press("tab")
    panel = app.focused
    await ui(pilot, lambda: panel.chosen is not None)
    return panel


async def test_advice_is_told_with_its_place_and_goes_when_it_is_heeded(
    app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ui(pilot, lambda: "Lint 1 warning" in seen(app))
        assert "⚠ warning metadata.items: a number: Statsig" in seen(app)
        pane = await drafting(app, pilot, ui, BAD)
        await ui(pilot, lambda: "Lint 2 errors · 1 warning" in seen(app))
        # The panel grows with its next layout.
        await ui(pilot, lambda: "event: holds #: Statsig drops events" in seen(app))
        assert "✗ error   user.privateAttributes: for" in seen(app)
        assert "3:12" in seen(app)
        pane = await drafting(app, pilot, ui, '{"user":{"userID":"u"},"event":"e"}')
        await ui(pilot, lambda: "✓ Nothing to advise." in seen(app))
        assert pane.text == '{"user":{"userID":"u"},"event":"e"}'
        await drafting(app, pilot, ui, '{"event":"e"')
        await ui(pilot, lambda: "Lint 1 error" in seen(app) and "not JSON: expecting" in seen(app))


async def test_f9_applies_the_first_fix_as_one_edit(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=SIZE) as pilot:
        pane = await drafting(app, pilot, ui, BAD)
        await ui(pilot, lambda: "Lint 2 errors" in seen(app))
        without = BAD.replace(', "privateAttributes": {"ssn": "1"}', "")
        await pilot.press("f9")
        await ui(pilot, lambda: pane.text == without)
        await ui(pilot, lambda: "Lint 1 error · 1 warning" in seen(app))
        assert "f9 Fix" in seen(app)
        await pilot.press("f9")
        await ui(pilot, lambda: pane.text == without.replace("a#b", "a_b"))
        await pilot.press("ctrl+z")
        await ui(pilot, lambda: pane.text == without)
        await pilot.press("ctrl+z")
        await ui(pilot, lambda: pane.text == BAD)


async def test_f9_right_after_a_key_fixes_what_is_there_now(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=SIZE) as pilot:
        pane = await drafting(app, pilot, ui, BAD)
        await ui(pilot, lambda: "Lint 2 errors" in seen(app))
        # Without the pauses in between that press() makes.
        for key, character in (("space", " "), ("f9", None)):
            app.post_message(events.Key(key, character))
        await ui(pilot, lambda: pane.text == BAD.replace(', "privateAttributes": {"ssn": "1"}', "") + " ")


async def test_f9_is_offered_only_where_it_does_something(app: StatsigApp, ui: Until, seen: Text) -> None:
    text = '{"user":{"userID":"u","plan":"x"},"event":"e"}'
    async with app.run_test(size=SIZE) as pilot:
        await ui(pilot, lambda: "f9 Fix" in seen(app))
        pane = await drafting(app, pilot, ui, text)
        await ui(pilot, lambda: "Lint 1 hint" in seen(app))
        await ui(pilot, lambda: "f9 Fix" not in seen(app))
        await pilot.press("f9", "ctrl+p")
        await ui(pilot, lambda: "Find a command" in seen(app) or "Search for commands" in seen(app))
        await pilot.press(*"fix")
        await pilot.press("escape")
        assert pane.text == text


async def test_the_fix_of_the_chosen_advice_is_applied_and_u_takes_it_back(
    app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with app.run_test(size=SIZE) as pilot:
        pane = await drafting(app, pilot, ui, BAD)
        await ui(pilot, lambda: "Lint 2 errors" in seen(app))
        panel = await to_lint(app, pilot, ui)
        await pilot.press("down", "j")
        await ui(pilot, lambda: panel.chosen is not None and panel.chosen.path == "metadata.items")
        await pilot.press("f9")
        await ui(pilot, lambda: pane.text == BAD.replace('"items": 3', '"items": "3"'))
        await ui(pilot, lambda: len(panel.found) == 2)
        assert app.focused is panel
        await pilot.press("u")
        await ui(pilot, lambda: pane.text == BAD)


async def test_enter_leads_to_the_place_in_the_text(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await drafting(app, pilot, ui, BAD)
        await ui(pilot, lambda: "Lint 2 errors" in seen(app))
        await to_lint(app, pilot, ui)
        await pilot.press("down", "enter")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
        assert app.screen.query_one(JsonEditor).selected_text == '"a#b"'


async def test_enter_leads_to_the_place_in_the_form(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await drafting(app, pilot, ui, BAD)
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: "Lint 2 errors" in seen(app) and isinstance(app.focused, Input))
        panel = await to_lint(app, pilot, ui)
        await pilot.press("G", "enter")
        await ui(pilot, lambda: isinstance(app.focused, MemberTable))
        table = app.screen.query_one("#field-metadata", MemberTable)
        assert table.has_focus
        assert table.rows[table.cursor].name == "items"
        panel.focus()
        await ui(pilot, lambda: panel.chosen is not None)
        await pilot.press("g", "down", "enter")
        await ui(pilot, lambda: app.focused is not None and app.focused.id == "field-event")


async def test_what_no_field_shows_is_shown_in_the_text(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await drafting(
            app, pilot, ui, '{"user":{"userID":"u","custom":{"a":{"b":12345678901234567890}}},"event":"e"}'
        )
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: "Lint 2 warnings" in seen(app) and isinstance(app.focused, Input))
        await to_lint(app, pilot, ui)
        await pilot.press("down", "enter")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
        assert app.screen.query_one(TabbedContent).active == "json"
        assert app.screen.query_one(JsonEditor).selected_text == "12345678901234567890"


async def test_where_room_is_scarce_one_line_says_the_counts_and_the_worst(
    app: StatsigApp, ui: Until, seen: Text
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await drafting(app, pilot, ui, BAD)
        await ui(pilot, lambda: "✗ 2 errors · 1 warning  user.privateAttributes" in seen(app))
        assert "event: holds #" not in seen(app)
        panel = await to_lint(app, pilot, ui)
        assert panel.region.height > 1
        assert "event: holds #" in seen(app)
        await pilot.press("shift+tab")
        await ui(pilot, lambda: "event: holds #" not in seen(app))
        assert panel.region.height == 1


async def test_the_key_of_the_target_is_judged_too(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await drafting(app, pilot, ui, '{"user":{"userID":"u"},"event":"e"}')
        await ui(pilot, lambda: "✓ Nothing to advise." in seen(app))
        await pilot.press("ctrl+t")
        await ui(pilot, lambda: "STATSIG-API-KEY: missing" in seen(app))
        await to_lint(app, pilot, ui)
        await pilot.press("enter", "ctrl+t")
        await ui(pilot, lambda: "✓ Nothing to advise." in seen(app))


async def test_foreign_text_in_advice_does_nothing(app: StatsigApp, ui: Until, seen: Text) -> None:
    hostile = "[/x][@click=app.quit]q[/] \x1b[2J"
    text = json.dumps({"user": {"userID": "u"}, "event": "e", "metadata": {hostile: 1}})
    async with app.run_test(size=(200, 50)) as pilot:
        await drafting(app, pilot, ui, text)
        await ui(pilot, lambda: "[@click=app.quit]q[/] \\u001b[2J" in seen(app))
        assert "\x1b" not in seen(app)


async def test_a_large_text_is_judged_off_the_loop_and_one_at_a_time(
    app: StatsigApp, ui: Until, seen: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, threads, judged = threading.Event(), [], []
    real = lint.advise

    def slow(text: str, **options: Any) -> tuple[Advice, ...]:
        if len(text) > 100_000:
            threads.append(threading.current_thread())
            assert gate.wait(60)
        judged.append(text)
        return real(text, **options)

    monkeypatch.setattr(judging, "advise", slow)
    large = json.dumps({"user": {"userID": "u"}, "event": "a#", "metadata": {"k": "v" * 900_000}})
    async with app.run_test(size=SIZE) as pilot:
        pane = await drafting(app, pilot, ui, draft.SAMPLE + " ")
        await ui(pilot, lambda: draft.SAMPLE + " " in judged)
        await drafting(app, pilot, ui, large)
        await ui(pilot, lambda: len(threads) == 1)
        assert threads[0] is not threading.main_thread()
        await pilot.press("space")
        await ui(pilot, lambda: pane.text == large + " ")
        await pilot.press("space")
        await ui(pilot, lambda: pane.text == large + "  ")
        assert len(threads) == 1
        gate.set()
        await ui(pilot, lambda: "event: holds #" in seen(app) and large + "  " in judged)
        assert large + " " not in judged


async def test_advice_keeps_nothing_from_being_sent(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await drafting(app, pilot, ui, BAD)
        await ui(pilot, lambda: "Lint 2 errors" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "✓ 202 accepted" in seen(app))
