"""The pictures of Live at work: under load, the signature doctor, compare, trace, docked beside Compose."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from statsig_tui.tui.app import StatsigApp
from tests.ui.test_screenshots import SECRET, app_with_traffic, picture, settled

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
_COUNT = 2000
JSON = {"Content-Type": "application/json"}
_AT_ONCE = 8
_NAMES = (
    "page_view", "page_view", "search", "add_to_cart", "checkout_completed", "statsig::gate_exposure",
    "statsig::experiment_exposure", "statsig::config_change", "sign_up", "heartbeat",
)  # fmt: skip


async def test_live_under_load(tmp_path: Path, ui: Until, seen: Text) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(160, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        await load(app, _COUNT)
        await ui(pilot, lambda: f"Live  {_COUNT + 1:,}" in seen(app))
        await pilot.press("f", *"class:custom -sig:bad", "enter")
        await ui(pilot, lambda: f" of {_COUNT + 1:,} · class" in seen(app))
        await pilot.press("k", "k", "k", "m", "k", "k")
        await ui(pilot, lambda: "◆" in seen(app) and "HELD" in seen(app))
        assert app.bridge.engine is not None
        app.screen.query_one("#detail-tabs").active = "notes"  # type: ignore[attr-defined]
        await pilot.press("enter", *"Asked the team: sent twice by the old worker.", "escape")
        await ui(pilot, lambda: "✎" in seen(app))
        await pilot.press("left_square_bracket", *["left_square_bracket"] * 4)
        text = seen(app)
        for words in ("✓ 200", "◆", "✎"):
            assert words in text
        picture(app, "live-load", text)


async def test_the_signature_doctor(tmp_path: Path, ui: Until, seen: Text) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(140, 36)) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f8")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        at = str(time.time_ns() // 1_000_000)
        sent = batch("checkout_completed")
        spelled = json.dumps(sent, indent=2).encode()
        compact = json.dumps(sent, separators=(",", ":")).encode()
        await post(app, spelled, {TIMESTAMP_HEADER: at, SIGNATURE_HEADER: sign(SECRET, at, compact)})
        await pilot.press("right_square_bracket", "right_square_bracket")
        await ui(pilot, lambda: "Signature" in seen(app) and "serialised again" in seen(app))
        assert SECRET not in seen(app)
        picture(app, "doctor", seen(app))


async def test_two_captures_compared(tmp_path: Path, ui: Until, seen: Text) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(140, 36)) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f8")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        first, second = batch("checkout_completed"), batch("checkout_completed")
        second["data"][0]["metadata"] = {"currency": "KRW", "coupon": "SPRING"}
        second["data"][0]["value"] = "12.40"
        for each in (first, second):
            await post(app, json.dumps(each).encode(), {})
        assert app.bridge.engine is not None
        stored = app.bridge.engine.archive.counters().captures
        await ui(pilot, lambda: f"#{stored} " in seen(app))
        await pilot.press("k", "equals_sign", "j", "equals_sign")
        await ui(pilot, lambda: "Compare  " in seen(app) and "SPRING" in seen(app))
        picture(app, "compare", seen(app))


async def test_the_trace_of_a_capture_that_was_replayed(tmp_path: Path, ui: Until, seen: Text) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(140, 36)) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f8")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        await pilot.press("r")
        await ui(pilot, lambda: "1 delivered" in seen(app))
        await pilot.press("k", "enter")
        await ui(pilot, lambda: ", replayed" in seen(app) and "signature ✓ valid" in seen(app))
        picture(app, "trace", seen(app))


async def test_docked_beside_compose(tmp_path: Path, ui: Until, seen: Text) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(160, 45)) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f6", "ctrl+l")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "captured c" in seen(app))
        picture(app, "dock", seen(app))


def batch(*names: str, index: int = 0) -> dict[str, Any]:
    """A webhook's body as Statsig spells it."""
    now = time.time_ns() // 1_000_000
    return {
        "data": [
            {
                "eventName": name,
                "user": {"userID": f"user-{1042 + index}", "country": "KR"},
                "userID": f"user-{1042 + index}",
                "timestamp": now - 900,
                "value": "49.90",
                "metadata": {"currency": "EUR", "page": "checkout"} if "::" not in name else {},
            }
            for name in names
        ]
    }


async def post(app: StatsigApp, body: bytes, headers: dict[str, str]) -> None:
    """Post a body to the receiver."""
    assert app.bridge.engine is not None
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(
            f"{app.bridge.engine.addresses.receiver}/hook", content=body, headers=JSON | headers
        )


async def load(app: StatsigApp, count: int) -> None:
    """Batches of all sorts, some of them broken and some wrongly signed."""
    assert app.bridge.engine is not None
    chance = random.Random(4)
    url = f"{app.bridge.engine.addresses.receiver}/hook"
    left = iter(range(count))

    async def send(client: httpx.AsyncClient) -> None:
        for index in left:
            names = chance.choices(_NAMES, k=chance.choice((1, 1, 2, 3, 7)))
            body = json.dumps(batch(*names, index=index)).encode()
            at = str(time.time_ns() // 1_000_000)
            signature = sign(SECRET if index % 9 else SECRET[::-1], at, body)
            headers = {TIMESTAMP_HEADER: at, SIGNATURE_HEADER: signature} if index % 13 else {}
            await client.post(url, content=body[: -7 * (index % 17 == 0) or None], headers=JSON | headers)

    async with httpx.AsyncClient(trust_env=False) as client:
        await asyncio.gather(*(send(client) for _ in range(_AT_ONCE)))
