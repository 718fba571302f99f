"""Compose, driven by keys against a real engine on real sockets; nothing leaves this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from textual import events
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input, TabbedContent

from statsig_tui.core import draft
from statsig_tui.core.config import Config
from statsig_tui.core.draft import Field
from statsig_tui.core.records import SentDetail
from statsig_tui.engine.engine import Engine, running
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.widgets.cell_input import CellInput
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.event_form import EventForm
from statsig_tui.tui.widgets.find_line import FindLine
from statsig_tui.tui.widgets.form_lines import Adder, Fold
from statsig_tui.tui.widgets.json_editor import JsonEditor

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
HOSTILE = "x [/oops] [@click=app.quit]q[/]"


def pane(app: StatsigApp) -> DraftPane:
    return next(screen for screen in app.mode_screens() if isinstance(screen, ComposeScreen)).query_one(
        DraftPane
    )


def sent(app: StatsigApp) -> list[SentDetail]:
    """What was sent so far, newest first."""
    assert app.bridge.engine is not None
    archive = app.bridge.engine.archive
    found = (archive.sent_detail(record.id) for record in archive.sent(100))
    return [detail for detail in found if detail is not None]


def history(shown: str) -> int:
    """How many sent events the library says it has."""
    found = re.search(r"History +(\d+)", shown)
    return int(found[1]) if found else 0


async def started(app: StatsigApp, pilot: Pilot[int], ui: Until, seen: Text) -> None:
    await ui(pilot, lambda: app.bridge.engine is not None and "webhooks/event_webhook" in seen(app))


async def to_field(app: StatsigApp, pilot: Pilot[int], field: Field) -> None:
    """Go to a field of the form with the keyboard."""
    for _ in range(20):
        if app.focused is not None and app.focused.id == f"field-{field}":
            return
        await pilot.press("tab")
    raise AssertionError(f"{field} is not reached")


async def write(pilot: Pilot[int], text: str) -> None:
    """Paste a text where the cursor is, as a terminal does."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause(0)


async def write_json(app: StatsigApp, pilot: Pilot[int], ui: Until, text: str) -> None:
    """Replace the whole draft in the JSON tab."""
    await pilot.press("ctrl+g")
    await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
    app.screen.query_one(JsonEditor).select_all()
    await write(pilot, text)
    await ui(pilot, lambda: pane(app).text == text)


async def test_the_first_run_shows_the_way_of_the_demo(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        await ui(pilot, lambda: "captured" in seen(app))
        assert "DEMO_checkout_completed" in seen(app)
        assert "✓ forwarded" in seen(app)


@pytest.mark.parametrize("key", ["ctrl+j", "f5", "enter"])
async def test_one_key_sends_and_the_way_is_shown(
    later_app: StatsigApp, ui: Until, seen: Text, key: str
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press(key)
        await ui(pilot, lambda: "captured" in seen(app))
        shown = seen(app)
        assert "✓ 202 accepted" in shown
        assert "✓ forwarded" in shown
        assert "✓ valid" in shown
        assert history(shown) == 1
        assert "checkout_" in shown
        [detail] = sent(app)
        body = json.loads(detail.body)
        assert body == json.loads(draft.SAMPLE) | {"timestamp": body["timestamp"]}
        assert abs(body["timestamp"] - detail.record.at) < 60_000
        assert '"value": 49.90,' in detail.body.decode()


async def test_a_key_pressed_before_the_engine_runs_sends_once_it_does(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    gate = threading.Event()

    @contextlib.asynccontextmanager
    async def late() -> AsyncIterator[Engine]:
        await asyncio.to_thread(gate.wait)
        async with running(config, tmp_path / "statsig-tui.db") as engine:
            yield engine

    app = StatsigApp(Bridge(late), config, lambda changed: None)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("ctrl+j", "ctrl+j")
        assert "Starting… it is sent" in seen(app)
        gate.set()
        await ui(pilot, lambda: app.bridge.engine is not None)
        await ui(pilot, lambda: any(item.record.event_name == "checkout_completed" for item in sent(app)))
        await ui(pilot, lambda: "✓ 202 accepted" in seen(app))
        assert [item.record.event_name for item in sent(app)].count("checkout_completed") == 1


async def test_a_form_field_changes_its_member_alone(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    told: list[Message] = []
    async with app.run_test(size=(160, 40), message_hook=told.append) as pilot:
        await started(app, pilot, ui, seen)
        await to_field(app, pilot, Field.USER_ID)
        await pilot.press("end", "x", "y")
        assert any(isinstance(message, EventForm.Edited) for message in told)
        await ui(pilot, lambda: pane(app).text == draft.SAMPLE.replace("user-1042", "user-1042xy"))
        await to_field(app, pilot, Field.VALUE)
        await pilot.press("home", *("delete",) * 5)
        await ui(pilot, lambda: '"value"' not in pane(app).text)
        await write(pilot, "two words")
        await ui(pilot, lambda: '"value": "two words"' in pane(app).text)
        await to_field(app, pilot, Field.METADATA)
        await pilot.press("a", "a", "tab", "1", "enter")
        await ui(pilot, lambda: '"items": 3, "a": 1 }' in pane(app).text)
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "✓ 202 accepted" in seen(app))
        body = json.loads(sent(app)[0].body)
        assert body["metadata"] == {"currency": "EUR", "items": 3, "a": 1}
        assert (body["user"]["userID"], body["value"]) == ("user-1042xy", "two words")


async def test_what_is_typed_just_before_sending_is_sent(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await to_field(app, pilot, Field.EVENT)
        field = app.screen.query_one(f"#field-{Field.EVENT}", Input)
        # Without the pauses in between that press() makes.
        for key in "zz":
            app.post_message(events.Key(key, key))
        app.post_message(events.Key("ctrl+j", None))
        await ui(pilot, lambda: len(sent(app)) == 1)
        assert field.value.count("z") == 2
        assert json.loads(sent(app)[0].body)["event"] == field.value


async def test_a_field_that_cannot_be_meant_says_so_and_changes_nothing(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await to_field(app, pilot, Field.TIMESTAMP)
        await pilot.press("end", "!")
        await ui(pilot, lambda: "write now, epoch milliseconds" in seen(app))
        assert "not taken" in seen(app)
        assert pane(app).text == draft.SAMPLE
        await pilot.press("ctrl+u", *"-5m")
        await ui(pilot, lambda: "{{now_ms -5m}}" in pane(app).text and "write now" not in seen(app))


async def test_broken_json_is_kept_shown_and_sent_as_it_is(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    broken = '{\n  "event": "e",,\n  "user": {}\n}\n'
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await write_json(app, pilot, ui, broken)
        await ui(pilot, lambda: "34 bytes · not JSON: line 2, column 16" in seen(app))
        await pilot.press("ctrl+g")
        await ui(
            pilot,
            lambda: "Not JSON at line 2, column 16" in seen(app) and "The text stays as it is" in seen(app),
        )
        assert pane(app).text == broken
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "✗ 400 bad request" in seen(app))
        assert sent(app)[0].body == broken.encode()
        assert "(no name)" in seen(app)
        await pilot.press("ctrl+g", "ctrl+z")
        await ui(pilot, lambda: pane(app).text == draft.SAMPLE)


@pytest.mark.parametrize(
    "text", ['{"event":"a\u2028b\x85c","user":{}}', "\ufeff{ }", "a\tb\x0b\x0c\n\nc", ""]
)
async def test_the_editor_keeps_every_character(
    later_app: StatsigApp, ui: Until, seen: Text, text: str
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await write_json(app, pilot, ui, text)
        await pilot.press("ctrl+g", "ctrl+g", "ctrl+j")
        await ui(pilot, lambda: len(sent(app)) == 1)
        assert sent(app)[0].body == text.encode()


async def test_foreign_text_is_shown_as_it_is_spelled(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    event = {"user": {"userID": "\x1b]0;t\x07"}, "event": HOSTILE, "metadata": {"[/x]": "\x1b[2J"}}
    async with app.run_test(size=(200, 50)) as pilot:
        await started(app, pilot, ui, seen)
        await write_json(app, pilot, ui, json.dumps(event))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: f"accepted {HOSTILE}" in seen(app).replace("accepted  ", "accepted "))
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: '"\\u001b]0;t\\u0007"' in seen(app))
        assert re.search(r'\[/x\] +"\\u001b\[2J" +string', seen(app))
        await pilot.press("ctrl+n")
        await ui(pilot, lambda: pane(app).text == draft.SAMPLE)
        await to_field(app, pilot, Field.EVENT)
        await pilot.press("end", "ctrl+u")
        await write(pilot, "a\x1bb")
        await ui(pilot, lambda: '"event": "a\\u001bb"' in pane(app).text)
        await ui(pilot, lambda: '"a\\u001bb"' in seen(app))
        assert "\x1b" not in seen(app)


async def test_raw_controls_are_seen_in_the_editor(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await write_json(app, pilot, ui, "a\x1b]52;c;eA==\x07b\u202ec")
        await ui(pilot, lambda: "a␛]52;c;eA==␇b�c" in seen(app))


async def test_enter_on_a_sent_event_opens_it_again(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: history(seen(app)) == 1)
        first = sent(app)[0].body.decode()
        await write_json(app, pilot, ui, '{"event":"second","user":{"userID":"u"}}')
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: history(seen(app)) == 2 and "second" in seen(app))
        app.screen.query_one("#library-list").focus()
        await pilot.press("G", "enter")
        await ui(pilot, lambda: pane(app).text == first)
        assert first != draft.SAMPLE


async def test_changes_that_were_not_sent_are_not_lost_unasked(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await to_field(app, pilot, Field.EVENT)
        await pilot.press("end", "x", "ctrl+n")
        await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert "completedx" in pane(app).text
        await pilot.press("ctrl+n")
        await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("right", "enter")
        await ui(pilot, lambda: pane(app).text == draft.SAMPLE)
        await pilot.press("ctrl+g", "ctrl+z")
        await ui(pilot, lambda: "completedx" in pane(app).text)


async def test_nothing_leaves_the_machine_unconfirmed(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+t")
        await ui(pilot, lambda: "PRODUCTION" in seen(app))
        assert "key not set: env STATSIG_SERVER_SECRET" in seen(app)
        for answer in ("enter", "escape", "n"):
            await pilot.press("ctrl+j")
            await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog))
            assert "api.statsig.com" in seen(app)
            await pilot.press(answer)
            await ui(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert not sent(app)
        await pilot.press("ctrl+t")
        await ui(pilot, lambda: "local" in seen(app) and "PRODUCTION" not in seen(app))


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (200, 50)])
async def test_every_part_is_reached_at_every_size(
    later_app: StatsigApp, ui: Until, seen: Text, size: tuple[int, int]
) -> None:
    app = later_app
    async with app.run_test(size=size) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None and "local" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "202 accepted" in seen(app))
        reached = set()
        for _ in range(30):
            await pilot.press("tab")
            focused = app.focused
            assert focused is not None
            reached.add(focused.id)
            if isinstance(focused, Fold):
                await pilot.press("right")
                await ui(pilot, lambda: bool(app.screen.query(f"#field-{Field.OTHER}")))
                await ui(pilot, lambda: bool(app.screen.query(f"#field-{Field.ENVIRONMENT}")))
                await pilot.press("up")
                assert app.focused is not None
                reached.add(app.focused.id)
                await pilot.press("tab")
            if isinstance(focused, Adder):
                await pilot.press("enter")
                await ui(pilot, lambda: isinstance(app.focused, CellInput))
                await pilot.press("escape")
                focused = app.focused
                assert focused is not None
                reached.add(focused.id)
            region = focused.region
            assert region.height, f"{focused.id} is not seen"
            assert app.screen.region.contains_region(region)
        assert {f"field-{field}" for field in Field} | {"lint", "answer", "next", "send"} <= reached
        assert ("library-list" in reached) == (size[0] >= 100)
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: app.screen.query_one(TabbedContent).active == "json")
        assert app.focused is not None
        assert app.focused.id == "text"


async def test_the_keys_of_the_screens_act_in_every_field(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
        await pilot.press("f7")
        await ui(pilot, lambda: app.current_mode == "destinations")
        await pilot.press("f6", "ctrl+g")
        await to_field(app, pilot, Field.METADATA)
        await pilot.press("f8")
        await ui(pilot, lambda: app.current_mode == "live")
        assert pane(app).text == draft.SAMPLE


async def test_a_huge_text_stays_swift(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    text = json.dumps({"user": {}, "event": "e", "metadata": {"k": "v" * 400_000}})
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await write_json(app, pilot, ui, text)
        assert not app.screen.query_one(JsonEditor).soft_wrap
        await ui(pilot, lambda: f"{len(text):,} bytes · valid JSON" in seen(app))
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: re.search(r"☑ k +v+… str", seen(app)) is not None)
        await to_field(app, pilot, Field.METADATA)
        await pilot.press("right", "enter")
        await ui(pilot, lambda: "400,002 characters: edit it as JSON" in seen(app))
        await to_field(app, pilot, Field.EVENT)
        await pilot.press("end", "x")
        await ui(pilot, lambda: pane(app).text == text.replace('"e"', '"ex"'))
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
        app.screen.query_one(JsonEditor).select_all()
        await write(pilot, "{}")
        await ui(pilot, lambda: app.screen.query_one(JsonEditor).soft_wrap)


async def test_a_text_is_found_in_the_json_view(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+f")
        await ui(pilot, lambda: bool(app.screen.query(FindLine)))
        await ui(pilot, lambda: app.screen.query_one("#find").has_focus)
        await pilot.press(*"USER")
        editor = app.screen.query_one(JsonEditor)
        await ui(pilot, lambda: "1 of " in seen(app) and editor.selected_text == "user")
        first = editor.selection
        await pilot.press("enter")
        await ui(pilot, lambda: "2 of " in seen(app) and editor.selection != first)
        await pilot.press("up")
        await ui(pilot, lambda: "1 of " in seen(app) and editor.selection == first)
        await pilot.press("up")
        await ui(pilot, lambda: "1 of " not in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: editor.selection == first)
        await pilot.press(*"xyz")
        await ui(pilot, lambda: "not there" in seen(app))
        text = editor.text
        await pilot.press("escape")
        await ui(pilot, lambda: editor.has_focus and not app.screen.query(FindLine))
        assert editor.text == text
