"""`send` in a terminal: it asks before a series leaves the machine, and a payload never drives the screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
FAR = '[[targets]]\nname = "far"\nurl = "http://0.0.0.0:9"\n'
"""An address that is this machine's and does not look like it; nobody listens there."""


@pytest.fixture
def send(tmp_path: Path) -> list[str]:
    """The command, with settings of its own."""
    (tmp_path / "config.toml").write_text(FAR)
    return [sys.executable, "-m", "statsig_tui", "send", "--config", str(tmp_path / "config.toml")]


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ("0.0.0.0", 1, "11 in"),
        ("127.0.0.1", 2, "Nothing was sent: the host's name is 0.0.0.0"),
        ("", 2, "Nothing was sent"),
    ],
)
def test_a_series_that_leaves_the_machine_asks_for_the_hosts_name(
    start: Start, send: list[str], typed: str, code: int, says: str
) -> None:
    terminal = start([*send, "minimal", "--target", "far", "--repeat", "11", "--rate", "1000"])
    terminal.wait_for("11 requests are about to leave this machine", "The host's name, to go on")
    terminal.press(f"{typed}\r")
    assert terminal.ends() == code
    assert says in terminal.text
    if code == 1:
        assert "not sent ×11" in terminal.text


def test_ctrl_c_at_the_question_sends_nothing(start: Start, send: list[str]) -> None:
    terminal = start([*send, "minimal", "--target", "far", "--repeat", "11"])
    terminal.wait_for("The host's name, to go on")
    assert terminal.ends_on("\x03") == 130
    assert "11 in" not in terminal.text


def test_a_dry_run_shows_what_would_drive_the_terminal(start: Start, send: list[str], tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(b'{"event":"\x1b[2J\x1b]0;title\x07 \xff"}\n')
    terminal = start([*send, str(file), "--dry-run"])
    assert terminal.ends() == 0
    assert "would post" in terminal.text
    assert "␛[2J␛]0;title␇ \\xff" in terminal.text
    assert b"\x1b" not in terminal.raw
