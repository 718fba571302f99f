"""f3: what the pager gets is what is looked at, as harmless as on the screen."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx

from statsig_tui.core.redact import Redactor
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.live import LiveScreen
from statsig_tui.tui.screens.mode import paged_text
from statsig_tui.tui.widgets.capture_detail import Detail
from statsig_tui.tui.widgets.row_list import RowList
from tests.ui.conftest import draft_of, started

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


async def test_in_live_it_is_the_event_the_body_or_the_answer(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    events: list[dict[str, object]] = [
        {"eventName": name, "userID": "u", "metadata": {}} for name in ("first", "second")
    ]
    body = json.dumps({"data": events}).encode()
    async with app.run_test(size=(150, 40), notifications=True) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None and isinstance(app.screen, LiveScreen))
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        assert screen.readable() is None
        await pilot.press("f3")
        await ui(pilot, lambda: "There is nothing to read here." in seen(app))
        assert app.bridge.engine is not None
        answer = httpx.post(f"{app.bridge.engine.addresses.receiver}/hook", content=body)
        await ui(pilot, lambda: screen.query_one("#captures", RowList).cursor is not None)
        await ui(pilot, lambda: screen.readable() == body)
        await pilot.press("right", "down", "down")
        await ui(pilot, lambda: json.loads(screen.readable() or b"{}") == events[1])
        detail = screen.query_one(Detail)
        detail.look_at("events")
        await ui(pilot, lambda: detail.event_at_cursor() == 1)
        await pilot.press("up")
        await ui(pilot, lambda: json.loads(screen.readable() or b"{}") == events[0])
        detail.look_at("answer")
        await ui(pilot, lambda: screen.readable() == answer.content)


async def test_in_compose_it_is_the_text_or_the_request(app: StatsigApp, ui: Until, seen: Text) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await started(app, pilot, ui, seen)
        text = draft_of(app).text.encode()
        await ui(pilot, lambda: app.mode_screens()[0].readable() == text)
        await pilot.press("ctrl+r")
        await ui(pilot, lambda: (app.mode_screens()[0].readable() or b"").startswith(b"POST /"))
        assert app.mode_screens()[0].readable() != text


def test_what_a_terminal_obeys_and_secrets_do_not_get_there() -> None:
    raw = b'{"a":"\x1b]52;c;eA==\x07","userID":"user-1","k":"signing-secret-value"}\r\nsecond \xff'
    redact = Redactor(["signing-secret-value"])
    shown = paged_text(raw, redact, hides=False)
    assert shown.endswith("\n")
    assert len(shown.splitlines()) == 2
    assert all(line.isprintable() for line in shown.splitlines())
    assert "signing-secret" not in shown
    assert "user-1" in shown
    assert "user-1" not in paged_text(raw, redact, hides=True)
