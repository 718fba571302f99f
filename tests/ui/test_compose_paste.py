"""Pasting into the editor, and loading a file: what it is said to be, and what the draft is afterwards."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from statsig_tui.core.draft import SAMPLE, encode
from statsig_tui.core.request import Shape
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.screens.paste import PasteDialog
from statsig_tui.tui.widgets.json_editor import JsonEditor
from tests.ui.conftest import draft_of, started

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
SIZE = (120, 36)


async def paste_over_all(app: StatsigApp, pilot: Pilot[int], ui: Until, text: str) -> None:
    """Replace everything in the JSON editor, as a terminal pastes."""
    await pilot.press("ctrl+g")
    await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
    app.screen.query_one(JsonEditor).select_all()
    app.post_message(events.Paste(text.replace("\n", "\r")))


async def test_a_pasted_batch_offers_its_events(
    later_app: StatsigApp, ui: Until, seen: Text, data: Callable[[str], bytes]
) -> None:
    app = later_app
    text = data("batch-data-envelope.json").decode()
    names = [event["eventName"] for event in json.loads(text)["data"]]
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        await paste_over_all(app, pilot, ui, text)
        await ui(
            pilot, lambda: isinstance(app.screen, PasteDialog) and "eventName is called event" in seen(app)
        )
        assert f"This is an outgoing event, with {len(names)} events" in seen(app)
        await pilot.press("down", "enter")
        await ui(pilot, lambda: json.loads(draft_of(app).text).get("event") == names[1])
        await pilot.press("ctrl+z")
        await ui(pilot, lambda: draft_of(app).text == text)


async def test_a_long_paste_is_undone(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
        app.post_message(events.Paste("a line\r" * 1_000))
        await ui(pilot, lambda: "7,355 bytes" in seen(app))
        await pilot.press("ctrl+z")
        await ui(pilot, lambda: draft_of(app).text == SAMPLE and "valid JSON" in seen(app))


async def test_escape_leaves_the_paste_as_it_is(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    text = '{"eventName":"x [/oops]","user":{},"timestamp":1}'
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        await paste_over_all(app, pilot, ui, text)
        await ui(pilot, lambda: isinstance(app.screen, PasteDialog) and "x [/oops]" in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert draft_of(app).text == text


async def test_a_pasted_curl_becomes_body_and_headers(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = later_app
    monkeypatch.chdir(tmp_path)
    (tmp_path / "event.json").write_text('{"event": "of a file"}')
    curl = """\
curl -X PUT https://api.statsig.com/v1/x -H 'STATSIG-API-KEY: secret-abc' \\
  -H 'X-A: b' --json '{"a":1}'"""
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        # In the middle of another text, too.
        await pilot.press("ctrl+g", "down")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor))
        app.post_message(events.Paste(curl))
        await ui(pilot, lambda: "This is a curl command" in seen(app))
        await ui(pilot, lambda: "the key is the target's" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: draft_of(app).text == '{"a":1}')
        assert draft_of(app).shape == Shape("PUT", "/v1/x", "X-A: b\nAccept: application/json")

        # A file that it names is read from here, once that was said; what cannot be read changes nothing.
        for name, says in (
            ("none", "none.json is no file."),
            ("event", '{"event": "of a file"}'),
        ):
            command = f"curl https://api.statsig.com/v1/x --json @{name}.json"
            app.screen.query_one(JsonEditor).focus()
            app.screen.query_one(JsonEditor).select_all()
            app.post_message(events.Paste(command))
            await ui(pilot, lambda: "enter reads the file and converts" in seen(app))
            assert f"the file {name}.json was not read" in seen(app)
            await pilot.press("enter")
            await ui(pilot, lambda says=says: says in seen(app).replace("\n", ""))
        assert draft_of(app).text == '{"event": "of a file"}'
        app.screen.query_one(JsonEditor).select_all()
        app.post_message(events.Paste("curl https://api.statsig.com/v1/x -F event=@event.json"))
        await ui(pilot, lambda: "-F makes a multipart form" in seen(app))
        assert isinstance(app.screen, ComposeScreen)


async def test_a_curl_of_an_sdk_becomes_its_event(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    body = '{"events":[{"eventName":"signup","user":{"userID":"u"}}]}'
    curl = f"curl https://api.statsig.com/v1/log_event -d '{body}'"
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        await paste_over_all(app, pilot, ui, curl)
        await ui(pilot, lambda: "This is a curl command" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: "This is what an SDK sends" in seen(app))
        assert (draft_of(app).text, draft_of(app).shape.path) == (body, "/v1/log_event")
        await pilot.press("enter")
        await ui(pilot, lambda: json.loads(draft_of(app).text).get("event") == "signup")
        assert draft_of(app).shape == Shape()


@pytest.mark.parametrize("text", [SAMPLE.replace("EUR", "USD"), "not an event", '{"any": "json"}'])
async def test_nothing_is_offered_where_nothing_is_to_be_converted(
    later_app: StatsigApp, ui: Until, seen: Text, text: str
) -> None:
    app = later_app
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        await paste_over_all(app, pilot, ui, text)
        await ui(pilot, lambda: draft_of(app).text == text)
        await app.run_action("screen.paste_as")
        app.screen.post_message(JsonEditor.Pasted(text, text))  # what is said of the paste comes late
        await ui(pilot, lambda: "nothing to convert" in seen(app) or "This is no curl command" in seen(app))
        assert isinstance(app.screen, ComposeScreen)
        assert draft_of(app).text == text


async def test_the_bytes_of_a_file_become_the_body(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path
) -> None:
    app = later_app
    raw = b'\xff\x00{"event":\r\n'
    file = tmp_path / "body [oops].bin"
    file.write_bytes(raw)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        for name, said in ((f"{tmp_path}/none", "is no file"), (str(file), "13 bytes are the body now")):
            await app.run_action("screen.load_body")
            await ui(pilot, lambda: "Body from a file" in seen(app))
            app.post_message(events.Paste(name))
            await pilot.press("enter")
            await ui(pilot, lambda said=said: said in seen(app))
        assert encode(draft_of(app).text) == raw
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "✗ 400" in seen(app))
        assert app.bridge.engine is not None
        detail = app.bridge.engine.archive.sent_detail(1)
        assert detail is not None
        assert detail.body == raw
