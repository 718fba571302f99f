"""A draft that was not sent is there again after a quit, and after kill -9."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.terminal.conftest import PATIENCE

Start = Callable[..., Any]
CTRL_C, CTRL_G, CTRL_N = "\x03", "\x07", "\x0e"


def kept(data: Path) -> str:
    """What the store holds of the draft: text."""
    with contextlib.closing(sqlite3.connect(data / "statsig-tui.db")) as db:
        row = db.execute("SELECT value FROM facts WHERE name = 'draft'").fetchone()
    return str(json.loads(row[0])[0]) if row and row[0] else ""


def type_x(terminal: Any) -> None:
    """Type into the first line of the JSON editor."""
    terminal.wait_for("last batch", "Send")
    terminal.press(CTRL_G)
    terminal.wait_for('"userID"')
    terminal.press("XYZ ")
    terminal.wait_for("XYZ {")


def shrink(terminal: Any) -> None:
    """Take the window through sizes that nothing fits into and back, and leave it at the smallest."""
    for columns, rows in ((1, 1), (0, 0), (5, 2), (1, 40), (200, 1)):
        terminal.resize(columns, rows)
    terminal.resize(40, 10)
    terminal.wait_for("Too small: statsig-tui needs 60×16")
    terminal.resize(120, 36)
    terminal.wait_for("XYZ {", "not JSON")
    terminal.press("a")
    terminal.wait_for("XYZ a{")
    terminal.resize(1, 1)


@pytest.mark.parametrize("end", ["quit", "kill"])
def test_an_unsent_draft_survives(start: Start, program: list[str], tmp_path: Path, end: str) -> None:
    terminal = start(program)
    type_x(terminal)
    shrink(terminal)
    if end == "quit":
        terminal.press(CTRL_C + CTRL_C)
        assert terminal.ends() == 0
    else:
        deadline = time.monotonic() + PATIENCE
        while not kept(tmp_path / "data").startswith("XYZ a{"):
            assert time.monotonic() < deadline, "it was never kept"
            time.sleep(0.05)
        terminal.kill(signal.SIGKILL)
        terminal.ends()
    assert b"Traceback" not in terminal.raw
    assert b"ended by an error" not in terminal.raw
    again = start(program)
    again.wait_for("Your draft is restored", "Not JSON at line 1")
    again.press(CTRL_G)
    again.wait_for("XYZ a{")
    # Begun anew, it does not come back.
    again.press(CTRL_N)
    again.wait_for("Leave this event?")
    again.press("y")
    again.wait_for("363 bytes")
    again.press(CTRL_C + CTRL_C)
    assert again.ends() == 0
    assert kept(tmp_path / "data") == ""
