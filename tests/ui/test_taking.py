"""Copying and exporting from Live, by keys."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from statsig_tui.core.config import Config
from statsig_tui.core.exporting import Format
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER
from statsig_tui.engine.exporting import Export
from statsig_tui.engine.search import Stored
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.exporting import ExportDialog, ProgressDialog
from statsig_tui.tui.screens.live import LiveScreen
from statsig_tui.tui.screens.taking import CopyMenu
from statsig_tui.tui.widgets.json_view import JsonView

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


def post(app: StatsigApp, *names: str, **more: object) -> None:
    assert app.bridge.engine is not None
    events = [{"eventName": name, "user": {"userID": "u"}, **more} for name in names]
    headers = {SIGNATURE_HEADER: "v0=00", TIMESTAMP_HEADER: "1767225600000"}
    httpx.post(f"{app.bridge.engine.addresses.receiver}/hook", json={"data": events}, headers=headers)


async def live(app: StatsigApp, pilot: Pilot[int], ui: Until) -> None:
    await pilot.press("f8")
    await ui(pilot, lambda: app.bridge.engine is not None and isinstance(app.screen, LiveScreen))


async def test_each_form_of_a_capture_is_copied_masked_and_it_is_said_which_way(
    later_app: StatsigApp, config: Config, ui: Until, seen: Text
) -> None:
    app = later_app
    (secret,) = config.signing_secrets()
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await live(app, pilot, ui)
        post(app, "one", "two", value=secret)
        await ui(pilot, lambda: "y Copy" in seen(app) and "one, two" in seen(app))
        for key, expected in (
            ("b", '{"data":[{"eventName":"one"'),
            ("h", f"{TIMESTAMP_HEADER.lower()}: 1767225600000"),
            ("r", "POST /hook HTTP/1.1\r\n"),
            ("c", "curl -X POST http://127.0.0.1"),
            ("s", 'v0:1767225600000:{"data":[{"eventName":"one"'),
            ("a", '"stored":2'),
            ("i", "c1"),
        ):
            await pilot.press("y")
            await ui(pilot, lambda: isinstance(app.screen, CopyMenu))
            assert "the event" not in seen(app), "none is under the cursor"
            app._clipboard = ""
            await pilot.press(key)
            await ui(pilot, lambda text=expected: text in app.clipboard)
            assert secret not in app.clipboard
            await ui(pilot, lambda: "by the terminal (OSC 52)" in seen(app))

        # One event, and in its tree a value and its path.
        await pilot.press("right", "right", "down", "enter")
        await ui(pilot, lambda: "event 1" in seen(app) and app.screen.query_one(JsonView).has_focus)
        for key, expected in (("e", '{"eventName":"two"'), ("v", "two"), ("p", "eventName")):
            await pilot.press("y")
            await ui(pilot, lambda: isinstance(app.screen, CopyMenu))
            await pilot.press(key)
            await ui(pilot, lambda text=expected: app.clipboard.startswith(text))


async def test_what_the_terminal_would_drop_goes_into_a_file_whose_name_is_told(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = later_app
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with app.run_test(size=(200, 40), notifications=True) as pilot:
        await live(app, pilot, ui)
        post(app, "large", value="x" * 70_000)
        await ui(pilot, lambda: "large" in seen(app))
        await pilot.press("y")
        await ui(pilot, lambda: isinstance(app.screen, CopyMenu))
        await pilot.press("b")
        await ui(pilot, lambda: "More than the terminal copies" in seen(app))
        (file,) = tmp_path.glob("statsig-tui-*.txt")
        assert json.loads(file.read_bytes())["data"][0]["value"] == "x" * 70_000


async def test_a_tool_of_the_desktop_is_preferred_and_named(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = later_app
    tool = tmp_path / "wl-copy"
    tool.write_text(f'#!/bin/sh\n/bin/cat > "{tmp_path}/got"\n')
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
        monkeypatch.delenv(name, raising=False)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await live(app, pilot, ui)
        post(app, "one")
        await ui(pilot, lambda: "y Copy" in seen(app))
        await pilot.press("y")
        await ui(pilot, lambda: isinstance(app.screen, CopyMenu))
        await pilot.press("i")
        await ui(pilot, lambda: "by wl-copy" in seen(app))
        assert (tmp_path / "got").read_text() == "c1"


async def export(app: StatsigApp, pilot: Pilot[int], ui: Until, path: Path, *keys: str) -> None:
    """Press keys in the dialog, from its first question on; write to a path."""
    await pilot.press("x")
    await ui(pilot, lambda: isinstance(app.screen, ExportDialog))
    await pilot.press(*keys)
    app.screen.query_one(Input).value = str(path)
    await pilot.press("ctrl+s")


async def test_this_one_the_marked_the_shown_and_all_are_exported(
    later_app: StatsigApp, config: Config, ui: Until, seen: Text, tmp_path: Path
) -> None:
    app = later_app
    (secret,) = config.signing_secrets()
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await live(app, pilot, ui)
        post(app, "first")
        post(app, "=cmd()", value=secret)
        post(app, "third", "=cmd()")
        await ui(pilot, lambda: "Live  3" in seen(app) and "x Export" in seen(app))
        await pilot.press("k", "m")
        await export(app, pilot, ui, tmp_path / "one.ndjson")
        await ui(pilot, lambda: "1 capture exported" in seen(app))
        assert [line["id"] for line in _lines(tmp_path / "one.ndjson")] == ["c2"]
        assert secret not in (tmp_path / "one.ndjson").read_text()
        assert (tmp_path / "one.ndjson").stat().st_mode & 0o777 == 0o600
        await export(app, pilot, ui, tmp_path / "marked", "tab", "right", "tab", "space")
        await ui(pilot, lambda: (tmp_path / "marked").exists() and "secrets and all" in seen(app))
        assert secret in (tmp_path / "marked").read_text()

        await pilot.press("f")
        app.screen.query_one("#query Input", Input).value = 'event:"=cmd()"'
        await pilot.press("enter")
        await ui(pilot, lambda: "2 of 3" in seen(app))
        await export(app, pilot, ui, tmp_path / "shown.csv", "left", "tab", "right", "right")
        await ui(pilot, lambda: "2 captures exported" in seen(app))
        rows = list(csv.DictReader((tmp_path / "shown.csv").read_text().splitlines()))
        assert [row["event_name"] for row in rows] == ["'=cmd()", "'=cmd()"], "the events that fit, as text"
        await export(app, pilot, ui, tmp_path / "all.har", "right", "tab", "left")
        await ui(pilot, lambda: "3 captures exported" in seen(app))
        assert len(json.loads((tmp_path / "all.har").read_bytes())["log"]["entries"]) == 3


async def test_a_file_that_is_there_is_replaced_only_when_that_is_answered_with_yes(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path
) -> None:
    app, path = later_app, tmp_path / "there.ndjson"
    path.write_text("mine")
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await live(app, pilot, ui)
        post(app, "first")
        await ui(pilot, lambda: "x Export" in seen(app))
        await export(app, pilot, ui, path)
        await ui(pilot, lambda: "Replace the file?" in seen(app))
        await pilot.press("n")
        await ui(pilot, lambda: "Nothing was written." in seen(app))
        assert path.read_text() == "mine"
        await export(app, pilot, ui, path)
        await ui(pilot, lambda: "Replace the file?" in seen(app))
        await pilot.press("y")
        await ui(pilot, lambda: "1 capture exported" in seen(app))
        assert [line["id"] for line in _lines(path)] == ["c1"]
        await export(app, pilot, ui, tmp_path / "nowhere" / "x")
        await ui(pilot, lambda: "cannot be written" in seen(app))
        await export(app, pilot, ui, tmp_path)
        await ui(pilot, lambda: "That is a directory" in seen(app))
    assert sorted(file.name for file in tmp_path.glob("*there*")) == ["there.ndjson"]


async def test_a_long_export_shows_how_far_it_is_and_leaves_nothing_when_it_is_stopped(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = later_app
    go_on = threading.Event()
    pieces = Export.pieces

    def slowly(export: Export, form: Format, found: Iterable[Stored]) -> Iterator[bytes]:
        for piece in pieces(export, form, found):
            yield piece
            go_on.wait(0.1)

    monkeypatch.setattr(Export, "pieces", slowly)
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await live(app, pilot, ui)
        for _ in range(40):
            post(app, "one")
        await ui(pilot, lambda: "Live  40" in seen(app))
        await export(app, pilot, ui, tmp_path / "out", "tab", "left")
        await ui(pilot, lambda: isinstance(app.screen, ProgressDialog) and "of 40 captures" in seen(app))
        assert (tmp_path / "out").exists()
        await pilot.press("escape")
        go_on.set()
        await ui(pilot, lambda: "Stopped: nothing was kept." in seen(app))
        await ui(pilot, lambda: isinstance(app.screen, LiveScreen))
    assert not (tmp_path / "out").exists()


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
