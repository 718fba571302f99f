"""Comparing by keys: an entry of the library with the draft, and two captures in Live."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from statsig_tui.core.config import Config, RetryPolicy
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.compare import CompareScreen
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.library import LibraryList
from tests.ui.conftest import app_over, draft_of, started

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
EVENT = {
    "event": "bought [/x] \x9b2J",
    "value": 1,
    "metadata": {"plan": "a" * 300 + "one", "note": "\u202e"},
    "time": 5,
}
USER = {"user": {"userID": "u1"}}
SENT = json.dumps(EVENT | USER, ensure_ascii=False)
PLAN = "a" * 300 + "two"
EDITED = json.dumps(USER | {"time": 6, "value": 1.0, "metadata": {"plan": PLAN}, "event": "refund"})


async def test_what_was_sent_is_compared_with_the_draft(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(140, 36)) as pilot:
        await started(app, pilot, ui, seen)
        draft_of(app).open(SENT)
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "202 accepted" in seen(app))
        draft_of(app).open(EDITED)
        await pilot.press("f12")
        await ui(pilot, lambda: isinstance(app.focused, LibraryList))
        await pilot.press("G", "equals_sign")
        await ui(pilot, lambda: "Compare  4 changes" in seen(app))
        lines = seen(app).split("\n")

        def line(*words: str) -> bool:
            return any(all(word in line for word in words) for line in lines)

        # Both sides beside each other, and of what is long the part that differs.
        assert line("event", '"bought [/x] \\u{9b}2J"', "│", '"refund"')
        assert line("≈ value", "1", "│", "1.0")
        assert line("~ metadata.plan", 'one"', "│", 'two"')
        assert line("− metadata.note", "–")
        assert "i shows 1 more" in seen(app)
        await pilot.press("i")
        await ui(pilot, lambda: "Compare  5 changes" in seen(app) and "~ time" in seen(app))
        await pilot.resize_terminal(90, 30)
        await ui(pilot, lambda: "≈ value  spelled differently" in seen(app))
        lines = seen(app).split("\n")
        at = next(at for at, text in enumerate(lines) if "≈ value" in text)
        assert "− 1 " in lines[at + 1]
        assert "+ 1.0" in lines[at + 2]
        await pilot.press("enter")
        left = app.screen.query_one("#left-value", JsonView)
        await ui(pilot, lambda: left.raw.startswith(b'"bought'))
        await pilot.press("escape")
        await ui(pilot, lambda: not left.display or not left.region)
        await pilot.press("escape")
        await ui(pilot, lambda: not isinstance(app.screen, CompareScreen))
        # The draft with itself: it was sent as it is spelled, but for order and white space.
        draft_of(app).open(json.dumps(USER | EVENT, indent=4, ensure_ascii=False))
        await pilot.press("equals_sign")
        await ui(pilot, lambda: "The same values: only white space or the order" in seen(app))


async def test_two_captures_are_compared(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(140, 36), notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        for number, name in enumerate(("first", "second"), 1):
            draft_of(app).open(json.dumps(USER | {"event": name}))
            await pilot.press("ctrl+j")
            engine = app.bridge.engine
            assert engine is not None
            await ui(pilot, lambda count=number, of=engine: of.archive.counters().captures == count)
        await pilot.press("f8")
        await ui(pilot, lambda: "#2" in seen(app))
        await pilot.press("equals_sign")
        await ui(pilot, lambda: "#2 is kept for comparing" in seen(app))
        await pilot.press("k")
        await ui(pilot, lambda: "#1" in seen(app))
        await pilot.press("equals_sign")
        await ui(pilot, lambda: "Compare  1 change " in seen(app))
        assert '"second"' in seen(app)
        assert "data[0].eventName" in seen(app)
        assert "i shows 2 more" in seen(app)


async def test_two_attempts_are_compared_request_and_answer(
    tmp_path: Path, config: Config, ui: Until, seen: Text, endpoint: StartEndpoint, say: Callable[..., Answer]
) -> None:
    head = b"HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    answer = head + b'{"code":1,"why":"x"}'
    away = await endpoint(say(answer, answer.replace(b'"code":1', b'"code":2').replace(b"503", b"500")))
    mine = replace(config.destinations[0], url=away.url, retry=RetryPolicy((0.01,)))
    app = app_over(tmp_path, replace(config, destinations=(mine,)))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ui(pilot, lambda: len(away.requests) == 2)
        await pilot.press("f7")
        await ui(pilot, lambda: "receiver" in seen(app))
        await pilot.press("left_square_bracket", "enter")
        await ui(pilot, lambda: "Rate Limited" in seen(app) and "500" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: "attempt 2" in seen(app) and "given up" in seen(app))
        await pilot.press("down", "equals_sign")
        await ui(pilot, lambda: "d1 attempt 1 is kept for comparing" in seen(app))
        await pilot.press("down", "equals_sign")
        await ui(pilot, lambda: isinstance(app.screen, CompareScreen) and "response.body.code" in seen(app))
        assert "response.status" in seen(app)
        # What both sent and answered alike is not told.
        assert "eventName" not in seen(app)
        assert "response.body.why" not in seen(app)
