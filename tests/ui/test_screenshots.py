"""The pictures of the README, made by what they show: the app over a real engine, driven by keys.

Clocks, ports and ids differ from run to run, so a picture is checked by what it must show and rewritten
only where STATSIG_TUI_SCREENSHOTS says so.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import httpx

from statsig_tui.core.config import (
    DEFAULT_RECEIVER_URL,
    RECEIVER,
    BatchPolicy,
    Config,
    Destination,
    EmulatorConfig,
    Filter,
    ReceiverConfig,
    Secret,
)
from statsig_tui.core.records import SentRecord
from statsig_tui.engine.engine import Engine, running
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.widgets.filter_parts import EventTable
from tests.ui.conftest import draft_of

PICTURES = Path(__file__).parents[2] / "screenshots"
DATA = Path(__file__).parents[1] / "data"
SIZE = (120, 36)
CELL = 12.2
"""Width of a character in the picture's own units."""
NO_BREAK = "\u00a0"
TEXT = re.compile(r'(<text [^>]*x=")([0-9.]+)("[^>]*textLength=")([0-9.]+)("[^>]*>)([^<]*)</text>')
WRITES = os.environ.get("STATSIG_TUI_SCREENSHOTS") == "write"
SECRET = "webhook-" + "k" * 39 + "a1b2"
CONFIG = Config(
    emulator=EmulatorConfig(port=0, known_experiments=("checkout_copy",)),
    receiver=ReceiverConfig(port=0),
    destinations=(
        Destination(
            RECEIVER,
            DEFAULT_RECEIVER_URL,
            secret=Secret.of(SECRET),
            batch=BatchPolicy(max_seconds=0.2),
            filter=Filter(events={"heartbeat": False, "checkout_completed": True}),
        ),
        Destination("my-api", "http://127.0.0.1:9/webhook", secret=Secret.of(SECRET + "x")),
        Destination("staging", "http://127.0.0.1:9/hook", enabled=False),
    ),
)
TRAFFIC = (
    (("page_view", 3), ("checkout_completed", 2)),
    (("heartbeat", 5), ("statsig::gate_exposure", 1)),
    (("page_view", 4), ("search", 1)),
    (("checkout_completed", 1), ("statsig::gate_exposure", 1), ("search", 2), ("add_to_cart", 2)),
    (("statsig::config_change", 1), ("page_view", 2)),
)
"""What becomes a batch each."""
MISTAKEN = """\
{
  "user": {
    "userID": "user-1042",
    "custom": { "plan": "pro", "password": "hunter2" },
    "privateAttributes": { "income": 50000 }
  },
  "eventName": "checkout_completed",
  "event": "statsig::checkout completed",
  "value": 49.90,
  "metadata": { "currency": "EUR", "items": 3 },
  "timestamp": 1767225600
}"""
"""Several things that Statsig would not take, or not take as they are meant."""


def app_with_traffic(tmp_path: Path) -> StatsigApp:
    """The app over an engine on free ports."""

    def open_engine() -> object:
        return running(CONFIG, tmp_path / "statsig-tui.db", fall_back=True)

    return StatsigApp(Bridge(open_engine), CONFIG, lambda changed: None)  # type: ignore[arg-type]  # as the app's tests do


async def send_traffic(engine: Engine, kinds: Sequence[tuple[str, int]]) -> None:
    """Events of several kinds, through the emulator."""
    for name, count in kinds:
        for index in range(count):
            await send(engine, name, index)


async def send(engine: Engine, name: str, index: int) -> SentRecord:
    """One event."""
    event = {
        "user": {"userID": f"user-{1042 + index}", "country": "KR", "custom": {"plan": "pro", "seats": 3}},
        "event": name,
        "value": f"{index * 7.5 + 4.9:.2f}",
        "metadata": {"currency": "EUR", "items": str(index + 1), "page": "checkout"},
    }
    return await engine.send(engine.targets()[0], json.dumps(event).encode(), event_name=name)


def picture(app: StatsigApp, name: str, text: str) -> None:
    """Write the SVG and its text twin, where that was asked for."""
    if WRITES:
        svg = re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(title="statsig-tui"), flags=re.DOTALL)
        svg = TEXT.sub(_without_outer_spaces, svg.replace("Fira Code", "DejaVu Sans Mono"))
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / f"{name}.svg").write_text(svg)
        (PICTURES / f"{name}.txt").write_text("\n".join(line.rstrip() for line in text.split("\n")) + "\n")


def _without_outer_spaces(found: re.Match[str]) -> str:
    # Some renderers drop the spaces around a text and then stretch what is left over their width.
    before, x, middle, length, after, text = found.groups()
    content = html.unescape(text)
    bare = content.strip(f" {NO_BREAK}")
    lead = len(content) - len(content.lstrip(f" {NO_BREAK}"))
    start, width = float(x) + lead * CELL, float(length) - (len(content) - len(bare)) * CELL
    kept = html.escape(bare.replace(" ", NO_BREAK))
    return f"{before}{start:.1f}{middle}{max(0.0, width):.1f}{after}{kept}</text>" if bare else ""


async def settled(app: StatsigApp, ui: Callable[..., Awaitable[None]], pilot: object) -> None:
    """Until every event that was sent has been judged, batched and captured."""
    await ui(
        pilot, lambda: app.bridge.engine is not None and app.bridge.engine.archive.counters().captures > 0
    )
    assert app.bridge.engine is not None
    engine = app.bridge.engine
    total = 1

    def all_done() -> bool:
        counters = engine.archive.counters().destinations[RECEIVER]
        return counters.forwarded + counters.filtered == total and counters.queued == 0

    for kinds in TRAFFIC:
        await app.bridge.do(partial(send_traffic, kinds=kinds))
        total += sum(count for _, count in kinds)
        await ui(pilot, all_done)


async def test_live(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f8")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        await pilot.press("k", "right")
        await ui(pilot, lambda: "HELD" in seen(app) and "eventName" in seen(app))
        text = seen(app)
        assert "✓ 200" in text
        assert "DEMO_checkout_completed" in text
        assert SECRET not in text
        picture(app, "live", text)


async def test_live_with_marks(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(160, 36)) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f8")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        assert app.bridge.engine is not None
        odd = DATA / "batch-string-timestamp-unknown-keys.json"
        for _ in range(2):
            async with httpx.AsyncClient(trust_env=False) as client:
                url = f"{app.bridge.engine.addresses.receiver}/hook"
                await client.post(url, json=json.loads(odd.read_text()))
        await ui(pilot, lambda: "Live  8" in seen(app))
        await pilot.press("right", "right")
        wanted = ("dup of #7", "late", "new here", "⚠ dup, new here", "Events  23")
        await ui(pilot, lambda: all(words in seen(app) for words in wanted))
        picture(app, "live-marks", seen(app))


async def test_compose(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f6", "ctrl+j")
        await ui(pilot, lambda: "202" in seen(app) and "captured" in seen(app) and "retrying" in seen(app))
        text = seen(app)
        assert "✓ forwarded" in text
        assert "checkout_completed" in text
        picture(app, "compose", text)


async def test_destinations(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f7")
        await ui(pilot, lambda: "my-api" in seen(app))
        await pilot.press("f")
        await ui(pilot, lambda: "Include new events by default" in seen(app) and "page_view" in seen(app))
        text = seen(app)
        for words in ("Exposures", "Configuration Changes", "Custom Events", "Tracking", "Event", "Volume"):
            assert words in text
        while not app.screen.query_one(EventTable).has_focus:
            await pilot.press("tab")
        await pilot.press("space")
        await ui(pilot, lambda: "against saved: −9" in seen(app) and "(−9)" in seen(app))
        picture(app, "destinations", seen(app))


async def test_attempts(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f7")
        await ui(pilot, lambda: "my-api" in seen(app))
        await pilot.press("down", "left", "enter")
        await ui(pilot, lambda: "Rate Limited" in seen(app) and "refused" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: "next attempt" in seen(app) and "attempt 2" in seen(app))
        picture(app, "attempts", seen(app))


async def test_matrix(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f7")
        await ui(pilot, lambda: "my-api" in seen(app))
        await pilot.press("v")
        await ui(pilot, lambda: "heartbeat" in seen(app) and "staging" in seen(app))
        picture(app, "matrix", seen(app))


async def test_json_with_lint(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f6")
        draft_of(app).open(MISTAKEN)
        await pilot.press("ctrl+g")
        # The advice comes a moment after the text.
        wanted = ('"eventName"', "seconds", "error", "fix", "valid JSON")
        await ui(pilot, lambda: all(words in seen(app) for words in wanted))
        picture(app, "json", seen(app))


async def test_series(
    tmp_path: Path, ui: Callable[..., Awaitable[None]], seen: Callable[[StatsigApp], str]
) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f6", "f10")
        await ui(pilot, lambda: "100 requests to emulator" in seen(app))
        await pilot.press(*"150", "tab", *"50", "enter")
        await ui(pilot, lambda: "of 50/s asked for" in seen(app) and "done" in seen(app))
        text = seen(app)
        for words in ("150 of 150", "✓ 202 accepted", "p99", "≤"):
            assert words in text
        picture(app, "series", text)


def test_the_pictures_in_the_readme_are_of_this_app() -> None:
    for name, words in (
        ("live", "FOLLOW|HELD"),
        ("compose", "What happened next"),
        ("destinations", "Include new events"),
        ("attempts", "next attempt"),
        ("matrix", "heartbeat"),
        ("json", "Lint"),
        ("series", "p50"),
    ):
        assert re.search(words, (PICTURES / f"{name}.txt").read_text())
        assert (PICTURES / f"{name}.svg").stat().st_size > 10_000
