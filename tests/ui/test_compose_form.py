"""The form's own fields, driven by keys in a few long walks: tables, tier, fold, times, what was seen."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from statsig_tui.core import draft
from statsig_tui.core.config import Config
from statsig_tui.core.draft import Field
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.cell_input import CellInput
from statsig_tui.tui.widgets.form_lines import Adder, Fold
from statsig_tui.tui.widgets.json_editor import JsonEditor
from statsig_tui.tui.widgets.member_table import MemberTable
from tests.ui.conftest import app_over, draft_of, started

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
HOSTILE = "[/x][@click=app.quit]q[/] \x1b[2J"
CUSTOM = '{ "plan": "pro", "seats": 3, "beta": true }'


def metadata(app: StatsigApp) -> str:
    """The metadata as it is spelled in the draft."""
    text = draft_of(app).text
    found = draft.member(text, Field.METADATA)
    return found.raw(text) if found is not None else ""


def custom(app: StatsigApp) -> str:
    """The user's custom as it is spelled in the draft."""
    text = draft_of(app).text
    found = draft.member(text, Field.CUSTOM)
    return found.raw(text) if found is not None else ""


async def at(app: StatsigApp, pilot: Pilot[int], field: Field, row: int = 0) -> MemberTable:
    """The cursor on a row of a table."""
    table = app.screen.query_one(f"#field-{field}", MemberTable)
    table.focus()
    await pilot.pause(0)
    # One by one: a text that was just changed may take rows away meanwhile.
    while table.cursor != row:
        await pilot.press("down" if row > table.cursor else "up")
        assert app.focused is table
    assert (app.focused, table.cursor) == (table, row)
    return table


async def paste(app: StatsigApp, pilot: Pilot[int], text: str) -> None:
    app.post_message(events.Paste(text))
    await pilot.pause(0)


async def write_json(app: StatsigApp, pilot: Pilot[int], ui: Until, text: str) -> None:
    """Replace the whole draft in the JSON view, by keys; and back to the form."""
    await pilot.press("ctrl+g")
    await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
    await pilot.press("ctrl+a")
    await paste(app, pilot, text)
    await ui(pilot, lambda: draft_of(app).text == text)
    await pilot.press("ctrl+g")
    await ui(pilot, lambda: not isinstance(app.focused, JsonEditor))


async def test_a_table_is_edited_by_keys(
    later_app: StatsigApp, tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await started(app, pilot, ui, seen)
        said = partial(ui, pilot)

        # A new row takes its type from what is typed, and another one can be added at once.
        await at(app, pilot, Field.CUSTOM, 3)
        await pilot.press("enter", *"role", "enter", *"admin", "enter", "enter", *"n", "tab", *"1.0")
        await said(lambda: custom(app) == CUSTOM[:-2] + ', "role": "admin", "n": 1.0 }')
        await said(lambda: "n         1.0" in seen(app))
        await pilot.press("escape")
        await said(lambda: custom(app) == CUSTOM[:-2] + ', "role": "admin" }')

        # Keys that come all at once, as from a paste or a script, land in the cells they were meant for.
        await at(app, pilot, Field.CUSTOM, 4)
        for key in ("a", *"unit", "tab", *"eu", "enter", "enter", *"t", "tab", *"a,b", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await said(lambda: custom(app).endswith('"role": "admin", "unit": "eu", "t": "a,b" }'))
        await pilot.press("u", "u")
        await said(lambda: custom(app) == CUSTOM[:-2] + ', "role": "admin" }')

        # Space takes a row out of the text, and puts it back where it was.
        await at(app, pilot, Field.CUSTOM, 1)
        await pilot.press("space")
        await said(lambda: '"plan": "pro", "beta": true' in custom(app) and "☐ seats" in seen(app))
        await pilot.press("space")
        await said(lambda: custom(app) == CUSTOM[:-2] + ', "role": "admin" }' and "☐" not in seen(app))

        # The type is stepped through, and once round the value is spelled as it was.
        for becomes in ("true", "[3]", "null", "{}", '"3"', "3"):
            await pilot.press("t")
            await said(lambda becomes=becomes: f'"seats": {becomes}, "beta"' in custom(app))

        # A cell keeps its type: what it cannot hold is refused, and nothing is lost.
        await pilot.press("right", "enter", *"x")
        await said(lambda: "a number is expected" in seen(app))
        assert custom(app) == CUSTOM[:-2] + ', "role": "admin" }'
        await pilot.press("enter")
        assert isinstance(app.focused, CellInput)
        await pilot.press("backspace", *".50", "enter")
        await said(lambda: '"seats": 3.50' in custom(app) and "is expected" not in seen(app))

        # Rows change places; names are typed over; a truth value flips; each of it is taken back by u.
        await pilot.press("alt+up")
        await said(lambda: custom(app).startswith('{ "seats": 3.50, "plan": "pro", "beta"'))
        await pilot.press("left", "enter", *"_left", "enter", "escape")
        await said(lambda: custom(app).startswith('{ "seats_left": 3.50, "plan"'))
        await at(app, pilot, Field.CUSTOM, 2)
        await pilot.press("right", "enter")
        await said(lambda: '"beta": false' in custom(app))
        await pilot.press("delete")
        await said(lambda: custom(app) == '{ "seats_left": 3.50, "plan": "pro", "role": "admin" }')
        for becomes in ('"beta": false', '"beta": true', '{ "seats": 3.50, "plan"', CUSTOM[:24]):
            await pilot.press("u")
            await said(lambda becomes=becomes: becomes in custom(app))

        # Lines are pasted as rows; two of a name are told apart; what is typed last is sent.
        await at(app, pilot, Field.METADATA)
        await paste(app, pilot, 'items = "4"\rnote = two words')
        await said(lambda: metadata(app) == '{ "currency": "EUR", "items": "4", "note": "two words" }')
        await at(app, pilot, Field.METADATA, 2)
        await pilot.press("enter", "end", "ctrl+u", *"items")
        await said(lambda: "unus" in seen(app))
        for key in ("tab", "z"):
            app.post_message(events.Key(key, key if key == "z" else None))
        app.post_message(events.Key("ctrl+j", None))
        await said(lambda: "✓ 202 accepted" in seen(app))
        assert app.bridge.engine is not None
        archive = app.bridge.engine.archive
        detail = archive.sent_detail(archive.sent(1)[0].id)
        assert detail is not None
        assert b'"items": "4", "items": "two wordsz"' in detail.body

        # What is off stays with the draft through the other view, an undo there, and the next run.
        await pilot.press("escape")
        await at(app, pilot, Field.METADATA)
        await pilot.press("space")
        await said(lambda: "☐ currency" in seen(app))
        await pilot.press("ctrl+g")
        await said(lambda: isinstance(app.focused, JsonEditor))
        await pilot.press("ctrl+z")
        await said(lambda: '"currency": "EUR"' in metadata(app))
        await pilot.press("ctrl+g")
        await said(lambda: "☑ currency" in seen(app) and "☐" not in seen(app))
        await at(app, pilot, Field.METADATA)
        await pilot.press("space")
        await said(lambda: '"currency"' not in metadata(app))

    app = app_over(tmp_path, config)
    async with app.run_test(size=(120, 36)) as pilot:
        await ui(pilot, lambda: "☐ currency" in seen(app))
        await at(app, pilot, Field.METADATA)
        await pilot.press("space")
        await ui(pilot, lambda: metadata(app).startswith('{ "currency": "EUR", "items": "4"'))


async def test_every_field_knows_its_values(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        said = partial(ui, pilot)
        pane = draft_of(app)

        # The tier is picked, or typed; none leaves nothing behind.
        app.screen.query_one(f"#field-{Field.TIER}").focus()
        await pilot.press("left")
        await said(lambda: '"tier": "staging"' in pane.text)
        await pilot.press("right", "right", "right")
        await said(lambda: "statsigEnvironment" not in pane.text)
        await pilot.press("tab", *"qa")
        await said(lambda: '"statsigEnvironment": {"tier": "qa"}' in pane.text)

        # The less used fields are behind a fold that says what is in them.
        app.screen.query_one(Fold).focus()
        await pilot.press("right")
        await said(lambda: bool(app.screen.query(f"#field-{Field.COUNTRY}")))
        app.screen.query_one(f"#field-{Field.COUNTRY}").focus()
        await pilot.press(*"KR")
        await said(lambda: '"country": "KR"' in pane.text)
        await at(app, pilot, Field.OTHER)
        await pilot.press("enter", *"userID")
        await said(lambda: "userID has a field" in seen(app))
        await pilot.press("2", "tab", "7", "enter")
        await said(lambda: '"userID2": 7' in pane.text)
        app.screen.query_one(Fold).focus()
        await pilot.press("left")
        await said(lambda: "▸ 7 more  country, other" in seen(app))

        # A time in every form, with what it comes to.
        app.screen.query_one(f"#field-{Field.TIMESTAMP}").focus()
        await pilot.press("end", "ctrl+u", *"-5m")
        await said(lambda: '"timestamp": {{now_ms -5m}}' in pane.text and "5m ago" in seen(app))
        await pilot.press("ctrl+y")
        await said(lambda: "seconds: Statsig takes milliseconds" in seen(app))
        await pilot.press("ctrl+y")
        await said(lambda: "text: a number is expected" in seen(app) and "ISO text" in seen(app))
        await pilot.press("ctrl+y")
        await said(lambda: '"timestamp": "now"' in pane.text and "when sent" in seen(app))
        await pilot.press("end", "ctrl+u", *"2026-01-01T00:00:00Z")
        await said(lambda: '"timestamp": 1767225600000' in pane.text)

        # The value is text or a number.
        app.screen.query_one(f"#field-{Field.VALUE}").focus()
        await pilot.press("ctrl+y")
        await said(lambda: '"value": "49.90"' in pane.text)
        await pilot.press("ctrl+y")
        await said(lambda: '"value": 49.90' in pane.text)

        # An object that is none is shown whole, mended in its place, and deleted once it is empty.
        await write_json(app, pilot, ui, '{"user":{"userID":"u"},"event":"e","metadata":[1, 2]}')
        await said(lambda: "an array: an object is expected" in seen(app))
        await at(app, pilot, Field.METADATA)
        await pilot.press("enter", "ctrl+u", *"{}", "enter")
        await said(lambda: metadata(app) == "{}" and "{}  + add" in seen(app))
        await pilot.press("delete")
        await said(lambda: '"metadata"' not in pane.text)
        await pilot.press("u")
        await said(lambda: metadata(app) == "{}")


async def test_what_no_field_shows_is_in_tables_of_its_own(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await started(app, pilot, ui, seen)
        said = partial(ui, pilot)
        pane = draft_of(app)
        tier = '"statsigEnvironment": { "tier": "development" }'

        # An event without any has one line for them, which begins one; given up, it leaves nothing behind.
        assert "environment" not in seen(app)
        adder = app.screen.query_one(Adder)
        adder.focus()
        await pilot.press("enter")
        await said(lambda: isinstance(app.focused, CellInput))
        await pilot.press(*"so", "escape")
        await said(lambda: pane.text == draft.SAMPLE)
        app.screen.query_one(f"#field-{Field.TIMESTAMP}").focus()
        await said(lambda: "now" in seen(app))
        await pilot.press("end", *" ", "backspace")
        await said(lambda: pane.text == draft.SAMPLE and "+ other field" in seen(app))
        adder.focus()
        await pilot.press("enter")
        await said(lambda: isinstance(app.focused, CellInput))
        await pilot.press(*"event", "enter")
        await said(lambda: "event has a field of its own" in seen(app))
        await pilot.press(*"Id", "enter", *"1.50", "enter")
        await said(lambda: pane.text == draft.SAMPLE.removesuffix("\n}") + ',\n  "eventId": 1.50\n}')
        await said(lambda: "☑ eventId" in seen(app) and "+ other field" not in seen(app))
        await pilot.press("up", "t")
        await said(lambda: '"eventId": true' in pane.text)

        # What stands beside the tier is reached by the fold, and stays in sight once there is some.
        app.screen.query_one(Fold).focus()
        await pilot.press("right")
        await said(lambda: "environment" in seen(app))
        await at(app, pilot, Field.ENVIRONMENT)
        await pilot.press("enter", *"region", "enter", *"eu", "enter")
        await said(lambda: tier.replace(" }", ', "region": "eu" }') in pane.text)
        app.screen.query_one(Fold).focus()
        await pilot.press("left")
        await said(lambda: "☑ region" in seen(app) and "▸" in seen(app))
        app.screen.query_one(f"#field-{Field.TIER}").focus()
        await pilot.press("right")
        await said(lambda: '{ "region": "eu" }' in pane.text)
        await at(app, pilot, Field.ENVIRONMENT)
        await pilot.press("space")
        await said(lambda: '"statsigEnvironment": {}' in pane.text and "☐ region" in seen(app))
        await pilot.press("space")

        # Whatever it is, in whatever order and spelling, nothing is lost by looking at it and editing beside.
        text = (
            '{"sdk" : {"v":1.50}, "user":{"userID":"u","statsigEnvironment":{"a":1e2,"tier":"qa","a":2.0},'
            '"stray":[ ]},"event":"e","sdk":null , "n": 12345678901234567890}'
        )
        await write_json(app, pilot, ui, text)
        await said(lambda: "1e2" in seen(app) and "unus" in seen(app) and "▸ 7 more  other" in seen(app))
        await at(app, pilot, Field.REST, 2)
        assert pane.text == text
        await pilot.press("enter", *"r", "enter", "escape")
        await said(lambda: pane.text == text.replace('"n"', '"nr"'))

        # An event that has none of it again shows none of it.
        await write_json(app, pilot, ui, draft.SAMPLE)
        await said(lambda: "+ other field" in seen(app) and "environment" not in seen(app))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_what_was_seen_is_offered_and_harms_nothing(
    later_app: StatsigApp, ui: Until, seen: Text, size: tuple[int, int]
) -> None:
    app = later_app
    event = {
        "user": {"userID": "user-77", "custom": {HOSTILE: 1, "seat_kind": 1}},
        "event": "checkout_started",
        "metadata": {HOSTILE: "\x1b]0;t\x07", "cart_id": "c1"},
    }
    async with app.run_test(size=size) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None and "local" in seen(app))
        body = json.dumps(event).encode()
        await app.bridge.do(
            lambda engine: engine.send(engine.targets()[0], body, event_name="checkout_started")
        )
        name = app.screen.query_one(f"#field-{Field.EVENT}", Input)
        name.focus()
        await ui(pilot, lambda: name.suggester is not None)
        await pilot.press("end", "ctrl+u", *"checkout_s")
        await ui(pilot, lambda: "checkout_started" in seen(app).split("History")[0])
        await pilot.press("right")
        await ui(pilot, lambda: draft.event_name(draft_of(app).text) == "checkout_started")

        table = await at(app, pilot, Field.METADATA, 2)
        await pilot.press("a", *"ca")
        await ui(pilot, lambda: "cart_id" in seen(app))
        # So is what the name had for a value, before its type is known.
        await pilot.press("right", "tab", *"c")
        await ui(pilot, lambda: "c1" in seen(app))
        await pilot.press("right", "enter")
        await ui(pilot, lambda: '"cart_id": "c1"' in draft_of(app).text)
        # The line to add another one is seen at every size, and names that are there are not offered again.
        await ui(pilot, lambda: table.cursor == 3 and "+ add" in seen(app))
        await pilot.press("a", *"ca")
        await ui(pilot, lambda: '"ca": ""' in draft_of(app).text)
        assert seen(app).count("cart_id") == 1
        await pilot.press("escape")

        # Foreign names and values are drawn as they are spelled.
        await write_json(app, pilot, ui, json.dumps(event))
        await at(app, pilot, Field.METADATA)
        await ui(pilot, lambda: "[/x][@cli" in seen(app) and "\\u001b]0" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.focused, CellInput))
        assert "\x1b" not in seen(app)
        await pilot.press("escape")
        assert json.loads(draft_of(app).text) == event


@pytest.mark.parametrize("view", ["json", "field", "search"])
async def test_keys_of_a_burst_act_in_their_order(
    later_app: StatsigApp, ui: Until, seen: Text, view: str
) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await started(app, pilot, ui, seen)
        app.screen.query_one(f"#field-{Field.EVENT}").focus()
        if view == "json":
            await pilot.press("ctrl+g")
            await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
        if view == "search":
            app.screen.query_one("#library-search").focus()
        await pilot.press("home")
        for key in ("q", "backspace", "a", "left_square_bracket", "2", "backspace", "b"):
            app.post_message(events.Key(key, {"left_square_bracket": "[", "backspace": "\x7f"}.get(key, key)))
        await pilot.press("c")
        if view == "search":
            await ui(pilot, lambda: "a[bc" in seen(app))
            return
        written = "a[bc" + ("{" if view == "json" else "checkout_completed")
        await ui(pilot, lambda: written in draft_of(app).text)
