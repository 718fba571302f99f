"""The header says the worst first and cuts nothing in half, however many troubles there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from statsig_tui.core.config import Config
from statsig_tui.core.jumps import Jump
from statsig_tui.engine.clock import SystemClock
from statsig_tui.engine.engine import running
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.widgets.status_line import StatusLine
from tests.ui.conftest import drawn

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
TABS = " 1 Compose  2 Destinations  3 Live "
ALL = [
    "statsig-tui",
    "✗ NOT STORING: 503",
    "✗ receiver not listening",
    "» TIME ×3,600",
    "✗ my-long-named-endpo… paused +1",
    "✗ 2 destinations failing",
    "▲ clock +2 h at",
    "emulator :7828 ▲",
    "last batch 12s",
    "120 ev/s  █",
]


class Header(App[int]):
    """Nothing but the header."""

    def compose(self) -> ComposeResult:
        yield StatusLine()


def parts_of(line: str) -> list[str]:
    """What stands behind the names of the screens."""
    head, _, rest = line.partition(TABS)
    return [part.strip() for part in (head, *rest.split("   ")) if part.strip()]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (60, ["✗ NOT STORING: 503", "+5"]),
        (80, ["✗ NOT STORING: 503", "+5"]),
        (100, [*ALL[:3], "+4"]),
        (260, ALL),
    ],
)
async def test_all_troubles_at_once(columns: int, shown: list[str]) -> None:
    app = Header()
    async with app.run_test(size=(columns, 4)) as pilot:
        line = app.query_one(StatusLine)
        line.starting, line.storing, line.troubled, line.speed = False, False, frozenset({"emulator"}), 3600
        line.listeners = (("emulator", "http://127.0.0.1:7828"), ("receiver", None))
        line.ailing = (("my-long-named-endpoint", "paused"), ("other", "disabled"))
        line.failing = ("a", "b")
        line.jumped = Jump(1_767_225_600_000, 7_200_000)
        line.last_batch, line.rates = 12_000, (0, 120)
        await pilot.pause()
        found = parts_of(drawn(app).split("\n")[0])
        assert [part.rpartition(" ")[0] if "clock" in part else part for part in found] == shown


async def test_that_time_runs_fast_is_seen_beside_endpoints_that_ail_where_there_is_little_room() -> None:
    app = Header()
    async with app.run_test(size=(80, 4)) as pilot:
        line = app.query_one(StatusLine)
        line.starting, line.speed = False, 60
        line.listeners = (("emulator", "http://127.0.0.1:7828"), ("receiver", "http://127.0.0.1:7829"))
        line.ailing, line.failing = (("gone", "disabled"),), ("a", "b")
        await pilot.pause()
        assert parts_of(drawn(app).split("\n")[0]) == ["» TIME ×60", "✗ gone disabled", "+1"]


@pytest.mark.parametrize("columns", [60, 80, 81, 90, 100, 120])
async def test_every_trouble_alone_is_said_whole(columns: int) -> None:
    app = Header()
    async with app.run_test(size=(columns, 4)) as pilot:
        line = app.query_one(StatusLine)
        line.starting = False
        both = (("emulator", "http://127.0.0.1:7828"), ("receiver", "http://127.0.0.1:7829"))
        line.listeners = both
        for name, value, word in (
            ("storing", False, "NOT STORING"),
            ("listeners", (both[0], ("receiver", None)), "receiver not listening"),
            ("ailing", (("my-long-named-endpoint", "disabled"), ("b", "paused")), "disabled +1"),
            ("failing", ("a", "b"), "2 destinations failing"),
            ("speed", 3600.0, "TIME ×3,600"),
            ("jumped", Jump(1_767_225_600_000, -93_600_000), "clock −1 d 2 h"),
        ):
            usual = getattr(line, name)
            setattr(line, name, value)
            await pilot.pause()
            shown = drawn(app).split("\n")[0]
            assert word in shown
            assert len(shown) == columns
            header = line.render()
            assert isinstance(header, Content)
            assert header.cell_length <= columns, "what reaches beyond the edge is cut"
            setattr(line, name, usual)


@dataclass
class SetClock(SystemClock):
    """A clock that somebody sets."""

    ahead: int = 0

    def now(self) -> int:
        return super().now() + self.ahead


async def test_a_jump_of_the_clock_is_said_when_something_arrives(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    clock = SetClock()
    bridge = Bridge(lambda: running(config, tmp_path / "statsig-tui.db", clock=clock))
    app = StatsigApp(bridge, config, lambda changed: None)
    async with app.run_test(size=(140, 36), notifications=True) as pilot:
        await ui(pilot, lambda: "last batch" in seen(app))
        clock.ahead = 7_200_000
        await pilot.press("f5")
        await ui(pilot, lambda: "▲ clock +2 h at" in seen(app))
        assert "The clock moved +2 h at" in seen(app)


async def test_only_the_listener_that_is_elsewhere_is_marked() -> None:
    app = Header()
    async with app.run_test(size=(120, 4)) as pilot:
        line = app.query_one(StatusLine)
        line.starting, line.troubled = False, frozenset({"receiver"})
        line.listeners = (("emulator", "http://127.0.0.1:7828"), ("receiver", "http://127.0.0.1:43805"))
        await pilot.pause()
        found = parts_of(drawn(app).split("\n")[0])
        assert {"emulator :7828 ●", "receiver :43805 ▲"} < set(found)
