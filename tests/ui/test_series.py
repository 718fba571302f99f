"""Sending many from Compose: what is asked before, what is seen meanwhile and after, and what is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual import events

from statsig_tui.core.config import Config, Target
from statsig_tui.core.records import SentDetail
from statsig_tui.core.request import Shape
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.questions import PromptDialog
from statsig_tui.tui.screens.series import HostDialog, SeriesDialog, SeriesScreen
from tests.ui.conftest import app_over, draft_of, started

if TYPE_CHECKING:
    from tests.conftest import Got, StartEndpoint

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
VARIED = '{"user": {"userID": "u{{seq}}"}, "event": "{{prompt Event}}", "metadata": {"id": "{{uuid}}"}}'


def typed(app: StatsigApp, *keys: str) -> None:
    """Press keys in one breath, as a terminal gives what was pasted or typed ahead."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


def kept(app: StatsigApp) -> list[SentDetail]:
    """What history holds, newest first."""
    assert app.bridge.engine is not None
    archive = app.bridge.engine.archive
    return [one for each in archive.sent(100) if (one := archive.sent_detail(each.id)) is not None]


def arrived(app: StatsigApp) -> list[dict[str, Any]]:
    """Every event that the receiver got."""
    assert app.bridge.engine is not None
    archive = app.bridge.engine.archive
    details = [archive.capture(number) for number in archive.capture_ids()]
    return [event for one in details if one is not None for event in json.loads(one.body)["data"]]


async def test_a_series_is_asked_for_watched_and_read(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        draft_of(app).open('{"event": "{{nope}}"}')
        await pilot.press("f10")
        await ui(pilot, lambda: "100 requests to emulator" in seen(app))
        typed(app, "x")
        await ui(pilot, lambda: "How many: write a number up to" in seen(app))
        await pilot.press("ctrl+u")
        # What is typed ahead goes where it was meant.
        typed(app, "4", "0", "tab", "tab", "4", "enter")
        await ui(pilot, lambda: "Not sent: line 1, column 12: {{nope}} has no value" in seen(app))
        assert kept(app) == []

        draft_of(app).open(VARIED)
        await pilot.press("f10")
        await ui(pilot, lambda: "40 requests to emulator" in seen(app) and "4 at a time" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, PromptDialog))
        await pilot.press(*"many", "enter")
        await ui(pilot, lambda: "done · esc closes" in seen(app))
        shown = seen(app)
        for words in ("40 of 40", "100 %", "✓ 202 accepted                  40", "p50", "p99", "█"):
            assert words in shown
        [example] = kept(app)
        assert example.record.event_name == "many"
        await ui(pilot, lambda: len(arrived(app)) == 40)
        assert {event["userID"] for event in arrived(app)} == {f"u{number}" for number in range(1, 41)}
        assert len({event["metadata"]["id"] for event in arrived(app)}) == 40
        await pilot.press("escape")
        await ui(pilot, lambda: not isinstance(app.screen, SeriesScreen))


async def test_a_series_to_a_far_host_is_confirmed_by_name_goes_on_behind_and_is_stopped(
    tmp_path: Path,
    config: Config,
    ui: Until,
    seen: Text,
    endpoint: StartEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        number = len(mine.requests)
        if number == 3:
            writer.write(b"nonsense \x1b]0;title\x07\r\n\r\n")
        elif number < 9:
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % (503 if number == 2 else 202))

    mine = await endpoint(answer)
    # What the test's own network allows, taken for another machine.
    monkeypatch.setattr("statsig_tui.engine.connecting.is_local", lambda url: False)
    target = Target("far [/]", mine.url.removesuffix("/hook"))
    app = app_over(tmp_path, replace(config, targets=(target,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None and "local" in seen(app))
        draft_of(app).open("{}", Shape(path="/own", headers="X-Own: 1"))
        await pilot.press("ctrl+t", "f10")
        await ui(pilot, lambda: isinstance(app.screen, SeriesDialog) and "10 a second" in seen(app))
        assert "REMOTE" in seen(app)
        await pilot.press("ctrl+u", "tab", *"500/s", "enter")
        await ui(pilot, lambda: isinstance(app.screen, HostDialog) and "without end" in seen(app))
        await pilot.press(*"localhost", "enter", "ctrl+u", *"127.0.0.1")
        assert mine.requests == []
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, SeriesScreen))
        await pilot.press("b", "f8")
        await ui(pilot, lambda: "Live" in seen(app) and "FOLLOW" in seen(app))
        await mine.got(24)
        await pilot.press("f6", "f10")
        await ui(pilot, lambda: "16 under way" in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: "stopped · esc closes" in seen(app))
        shown = seen(app)
        for words in (
            "24 sent, until it is stopped",
            "✓ 202 accepted                   6",
            "✗ 503",
            "? unknown",
        ):
            assert words in shown
        assert "protocol error" in shown
        assert len(mine.requests) == 24
        assert {got.path for got in mine.requests} == {"/own"}
        assert {one.record.status for one in kept(app)} == {202, 503, None}
        await pilot.press("escape", "f10")
        await ui(pilot, lambda: isinstance(app.screen, SeriesDialog))
