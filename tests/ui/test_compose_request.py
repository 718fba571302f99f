"""Compose's Headers and Preview: what is shown is what goes out, and what other programs would send."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual import events

from statsig_tui.core.config import EMULATOR_KEY
from statsig_tui.core.draft import SAMPLE
from statsig_tui.core.request import Shape
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.json_view import JsonView
from tests.ui.conftest import draft_of, started

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
SIZE = (160, 40)


def paste(app: StatsigApp, text: str) -> None:
    app.post_message(events.Paste(text))


async def test_the_preview_is_the_request_that_is_sent(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+r")
        await ui(pilot, lambda: "POST /v1/webhooks/event_webhook HTTP/1.1" in seen(app))
        shown = seen(app)
        for part in (
            "Content-Type     application/json",
            "secret-…a1b2",
            "Content-Length   363",
            '"now" as of now',
        ):
            assert part in shown
        assert EMULATOR_KEY not in shown
        body = json.loads(app.screen.query_one("#preview-body", JsonView).raw)
        assert body == json.loads(SAMPLE) | {"timestamp": body["timestamp"]}
        assert isinstance(body["timestamp"], int)
        await pilot.press("h")
        await ui(pilot, lambda: "7b 0a 20 20" in seen(app))
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: app.focused is not None and app.focused.id == "field-event")
        await pilot.press("end", "x", "ctrl+r")
        await ui(pilot, lambda: b"completedx" in app.screen.query_one("#preview-body", JsonView).raw)


async def test_headers_method_and_path_are_asked_for_and_sent(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=SIZE) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+r", "ctrl+r")
        await ui(pilot, lambda: app.focused is not None and app.focused.id == "shape-headers")
        paste(app, "Content-Type: text/plain\nSTATSIG-API-KEY:\nX-Own: caf\xe9 [/x]\nnonsense")
        await ui(pilot, lambda: "line 4  not sent: write name: value" in seen(app))
        await ui(pilot, lambda: "Headers •" in seen(app))
        assert "line 2  STATSIG-API-KEY: left out" in seen(app)
        await pilot.press("shift+tab", *"/x", "shift+tab", *"put", "ctrl+r")
        await ui(pilot, lambda: "PUT /x HTTP/1.1" in seen(app))
        shown = seen(app)
        assert "caf\xe9 [/x]" in shown
        assert "text/plain" in shown
        assert "STATSIG-API-KEY" not in shown
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "✗ 404" in seen(app))
        assert app.bridge.engine is not None
        detail = app.bridge.engine.archive.sent_detail(1)
        assert detail is not None
        assert (detail.method, detail.record.url.rpartition("/")[2]) == ("PUT", "x")
        assert ("X-Own", "caf\xe9 [/x]") in detail.request_headers
        assert "STATSIG-API-KEY" not in dict(detail.request_headers)
        # Another draft asks for nothing.
        await pilot.press("ctrl+n")
        await ui(pilot, lambda: "POST /v1/webhooks/event_webhook HTTP/1.1" in seen(app))
        assert "Headers •" not in seen(app)
        # From the headers it leads to the event, of which they say nothing.
        await pilot.press("ctrl+r")
        await ui(pilot, lambda: app.focused is not None and app.focused.id == "shape-headers")
        await pilot.press("ctrl+n")
        await ui(pilot, lambda: app.focused is not None and app.focused.id == "field-event")


async def test_y_copies_a_curl_that_sends_the_same(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+r")
        await ui(pilot, lambda: "POST /v1" in seen(app))
        await pilot.press("shift+tab", "right")
        await ui(pilot, lambda: "curl -X POST" in seen(app))
        await pilot.press("y")
        await ui(pilot, lambda: "Copied curl" in seen(app) and "OSC 52" in seen(app))
        process = await asyncio.to_thread(
            subprocess.run, ["bash", "-c", app.clipboard], capture_output=True, timeout=60, check=True
        )
        assert json.loads(process.stdout) == {"success": True}
        await pilot.press("right", "right")
        await ui(pilot, lambda: "import httpx" in seen(app))
        # What a program would send differently is not written for it.
        draft_of(app).become(SAMPLE, Shape(path="/{x}"))
        await pilot.press("left")
        await ui(pilot, lambda: "HTTPie writes this path in another way: take curl." in seen(app))


async def test_y_puts_what_is_too_long_for_the_terminal_into_a_file(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    app = later_app
    text = json.dumps({"user": {}, "event": "e", "metadata": {"k": "v" * 1_000_000}})
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        draft_of(app).open(text)
        await pilot.press("ctrl+r")
        await ui(pilot, lambda: app.screen.query_one("#preview-body", JsonView).raw == text.encode())
        await pilot.press("shift+tab", "right")
        await ui(pilot, lambda: "printf %s" in seen(app))
        await pilot.press("y")
        await ui(pilot, lambda: "More than the terminal copies" in seen(app))
        [file] = tmp_path.glob("statsig-tui-*.txt")
        assert text in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (200, 50)])
async def test_preview_and_headers_fit_at_every_size(
    later_app: StatsigApp, ui: Until, seen: Text, size: tuple[int, int]
) -> None:
    app = later_app
    async with app.run_test(size=size) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None and "local" in seen(app))
        await pilot.press("ctrl+r")
        body = app.screen.query_one("#preview-body")
        await ui(pilot, lambda: body.has_focus and "POST /v1" in seen(app))
        assert body.region.height >= 1
        await pilot.press("ctrl+r")
        lines = app.screen.query_one("#shape-headers")
        await ui(pilot, lambda: lines.has_focus)
        assert app.screen.region.contains_region(lines.region)
