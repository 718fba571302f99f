"""The program as a process: first run, signals, a lost terminal, a second instance, a taken port."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]


def test_the_first_run_shows_a_batch_that_went_the_whole_way(start: Start, program: list[str]) -> None:
    terminal = start(program)
    terminal.wait_for("emulator", "receiver", "last batch")
    terminal.press("\x1b[19~")  # f8
    terminal.wait_for("DEMO_checkout_completed", "✓ 200", "FOLLOW")
    terminal.press("q")
    assert terminal.ends() == 0
    assert terminal.is_cooked()


def test_a_later_run_has_the_history_and_no_second_demo(start: Start, program: list[str]) -> None:
    for _ in range(2):
        terminal = start(program)
        terminal.wait_for("last batch")
        terminal.press("\x1b[19~")
        terminal.wait_for("DEMO_checkout_completed", "Live  1")
        terminal.press("q")
        assert terminal.ends() == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_it_cleanly_and_gives_the_terminal_back(
    start: Start, program: list[str], number: int, code: int
) -> None:
    terminal = start(program)
    terminal.wait_for("last batch")
    assert not terminal.is_cooked()
    terminal.kill(number)
    assert terminal.ends() == code
    assert b"\x1b[?1049l" in terminal.raw
    assert terminal.is_cooked()


def test_a_terminal_that_goes_away_ends_it(start: Start, program: list[str]) -> None:
    terminal = start(program)
    terminal.wait_for("last batch")
    assert terminal.hang_up() == 129


def test_ctrl_c_quits_when_pressed_twice(start: Start, program: list[str]) -> None:
    terminal = start(program)
    terminal.wait_for("last batch")
    terminal.press("\x1b[19~\x03")
    terminal.wait_for("ctrl+c again to quit")
    terminal.press("\x03")
    assert terminal.ends() == 0


def test_a_second_instance_says_who_holds_the_data(start: Start, program: list[str]) -> None:
    first = start(program)
    first.wait_for("last batch")
    second = start(program)
    assert second.ends() == 3
    said = "".join(second.text.split())  # the terminal breaks the line wherever it is full
    assert f"pid{first.pid}" in said
    assert "--data" in said


def test_the_lock_of_a_killed_instance_is_free(start: Start, program: list[str]) -> None:
    first = start(program)
    first.wait_for("last batch")
    first.kill(signal.SIGKILL)
    first.ends()
    second = start(program)
    second.wait_for("last batch")
    second.press("\x1b[19~q")
    assert second.ends() == 0


def test_a_port_asked_for_by_name_that_is_taken_leaves_the_rest_working(
    start: Start, program: list[str]
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        terminal = start([*program[:-1], str(port)])
        terminal.wait_for("receiver not listening", "in use by another")
    terminal.press("\x10")
    terminal.wait_for("Search")
    terminal.press("free port")
    terminal.wait_for("Use a free port")
    terminal.press("\r")
    terminal.wait_for("The receiver listens on")
    terminal.kill(signal.SIGTERM)
    assert terminal.ends() == 143


@pytest.mark.parametrize(("columns", "rows"), [(20, 5), (1, 1)])
def test_a_tiny_terminal_is_told_what_is_needed(
    start: Start, program: list[str], columns: int, rows: int
) -> None:
    terminal = start(program, columns, rows)
    terminal.wait_for_bytes(b"\x1b[?1049h")
    terminal.wait_for("Too small"[: min(columns - 1, 9)])
    terminal.kill(signal.SIGTERM)
    assert terminal.ends() == 143


def test_without_a_terminal_it_says_what_to_use(program: list[str]) -> None:
    done = subprocess.run(program, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "statsig-tui serve" in done.stderr


def test_a_broken_settings_file_is_named_with_its_line(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text('[receiver]\nport = "x"\n')
    terminal = start(program)
    assert terminal.ends() == 2
    assert "config.toml line 2" in " ".join(terminal.text.split())
    assert (tmp_path / "config.toml").read_text() == '[receiver]\nport = "x"\n'


def test_serve_and_the_app_share_one_history(start: Start, program: list[str], tmp_path: Path) -> None:
    serve = subprocess.Popen([*program[:3], "serve", *program[3:]], stdout=subprocess.PIPE, text=True)
    assert serve.stdout is not None
    with serve, serve.stdout as lines:
        ready = json.loads(lines.readline())
        sent = [*program[:3], "send", "-", *program[3:7]]
        body = '{"user":{"userID":"u"},"event":"from serve"}'
        subprocess.run(sent, input=body, text=True, check=True, capture_output=True)
        for line in lines:
            if "delivered" in line:
                break
        assert ready["pid"] == serve.pid
        serve.terminate()
        assert serve.wait() == 143
    terminal = start(program)
    terminal.wait_for("last batch")
    terminal.press("\x1b[19~")
    terminal.wait_for("from serve")
    terminal.kill(signal.SIGTERM)
    terminal.ends()
