"""What Compose says of every answer, and of none; the targets are endpoints of this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.pilot import Pilot

from statsig_tui.core.config import DEFAULT_RECEIVER_URL, RECEIVER, Config, Destination, RetryPolicy, Target
from statsig_tui.engine.engine import running
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.widgets.outcome_pane import OutcomePane

if TYPE_CHECKING:
    from tests.conftest import StartEndpoint

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
Make = Callable[[Config], StatsigApp]


async def started(app: StatsigApp, pilot: Pilot[int], ui: Until, seen: Text) -> None:
    await ui(pilot, lambda: app.bridge.engine is not None and "webhooks/event_webhook" in seen(app))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The app over other settings."""

    def build(config: Config) -> StatsigApp:
        database = tmp_path / "statsig-tui.db"
        return StatsigApp(Bridge(lambda: running(config, database)), config, lambda changed: None)

    return build


async def with_target(config: Config, make: Make, url: str, **changes: object) -> StatsigApp:
    """An app with one more target, that of a test's own endpoint."""
    return make(replace(config, targets=(Target("mine", url),), **changes))  # type: ignore[arg-type]  # fields of Config


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            b"HTTP/1.1 401 X\r\nContent-Length: 14\r\n\r\nno [/key] here",
            "✗ 401 unauthorized|no [/key] here|accept the key",
        ),
        (b'HTTP/1.1 202 X\r\nContent-Length: 17\r\n\r\n{"success":false}', "✗ 202 accepted|success is false"),
        (b"HTTP/1.1 204 X\r\n\r\n", "✓ 204 no content|no body"),
        (b"HTTP/1.1 302 X\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "✗ 302 found|never followed"),
        (b"HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\n\x1b[J", "✗ 500 internal server error|␛[J"),
        (b"", "? unknown|may have arrived: sending again may count twice"),
    ],
)
async def test_every_answer_is_told_in_words(
    config: Config, make: Make, endpoint: StartEndpoint, ui: Until, seen: Text, answer: bytes, says: str
) -> None:
    async def say(got: object, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if not answer:
            writer.close()

    site = await endpoint(say)
    app = await with_target(config, make, site.url.removesuffix("/hook"))
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+t", "ctrl+j")
        await ui(pilot, lambda: all(words in seen(app) for words in says.split("|")))
        assert len(site.requests) == 1
        assert site.requests[0].path == "/v1/webhooks/event_webhook"


async def test_a_long_answer_is_shown_to_its_end(
    config: Config, make: Make, endpoint: StartEndpoint, ui: Until, seen: Text
) -> None:
    secret = "secret-" + "z" * 43
    body = json.dumps({"k": secret, "rows": [f"row {number}" for number in range(900)]}).encode()

    async def say(got: object, writer: asyncio.StreamWriter) -> None:
        body_now = body if len(site.requests) == 1 else b"short"
        writer.write(b"HTTP/1.1 400 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body_now), body_now))

    site = await endpoint(say)
    app = await with_target(config, make, site.url.removesuffix("/hook"))
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+t", "ctrl+j")
        await ui(pilot, lambda: "secret-…zzzz" in seen(app) and f"{len(body):,} bytes" in seen(app))
        assert "row 899" not in seen(app)
        app.screen.query_one("#answer-body").focus()
        await pilot.press("G")
        await ui(pilot, lambda: "row 899" in seen(app))
        assert secret not in seen(app)
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "short" in seen(app) and "5 bytes" in seen(app))
        assert "row" not in seen(app)


async def test_what_never_left_is_not_sent(config: Config, make: Make, ui: Until, seen: Text) -> None:
    app = await with_target(config, make, "http://127.0.0.1:1")
    async with app.run_test(size=(200, 50)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+t", "ctrl+j")
        await ui(pilot, lambda: "✗ not sent" in seen(app))
        assert "sending again is safe" in seen(app)


async def test_the_headers_of_an_answer_unfold(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "▸ 4 headers" in seen(app) and "connect " in seen(app))
        app.screen.query_one("#answer").focus()
        await pilot.press("h")
        await ui(pilot, lambda: "x-statsig-tui-trace" in seen(app).lower())


async def test_one_send_at_a_time(
    config: Config, make: Make, endpoint: StartEndpoint, ui: Until, seen: Text
) -> None:
    go = asyncio.Event()

    async def wait(got: object, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(b"HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n")

    site = await endpoint(wait)
    app = await with_target(config, make, site.url.removesuffix("/hook"))
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+t", *("ctrl+j",) * 10)
        await ui(pilot, lambda: "Still sending" in seen(app))
        await ui(pilot, lambda: len(site.requests) == 1)
        go.set()
        await ui(pilot, lambda: "✓ 202 accepted" in seen(app))
        await ui(pilot, lambda: "What the target makes of it cannot be seen" in seen(app))
        assert len(site.requests) == 1


async def test_a_retry_is_counted_down(config: Config, make: Make, ui: Until, seen: Text) -> None:
    down = Destination(
        "down", "http://127.0.0.1:1/", retry=RetryPolicy((300.0,)), batch=config.destinations[0].batch
    )
    app = await with_target(
        config, make, "http://127.0.0.1:1", destinations=(Destination(RECEIVER, DEFAULT_RECEIVER_URL), down)
    )
    async with app.run_test(size=(200, 50)) as pilot:
        await started(app, pilot, ui, seen)
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "next attempt in" in seen(app))
        # Hidden, it looks at no clock.
        await pilot.press("f8")
        compose = next(screen for screen in app.mode_screens() if isinstance(screen, ComposeScreen))
        await ui(pilot, lambda: compose.query_one(OutcomePane)._due is None)
