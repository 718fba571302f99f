"""The program as a process: first run, signals, a lost terminal, a second instance, a taken port."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.request
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


IGNORING_HANG_UPS = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.executable, sys.argv[1:])
"""
"""As nohup runs a program."""
WITHOUT_HANG_UPS = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_IGN)
fcntl.ioctl(0, termios.TIOCNOTTY)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.execv(sys.executable, sys.argv[1:])
"""
"""As a program runs whose terminal is not its own, and which is sent no signal when that goes away."""


@pytest.mark.parametrize("before", [None, IGNORING_HANG_UPS, WITHOUT_HANG_UPS])
def test_a_terminal_that_goes_away_ends_it(start: Start, program: list[str], before: str | None) -> None:
    terminal = start(program if before is None else [program[0], "-c", before, *program])
    terminal.wait_for("last batch")
    assert terminal.hang_up() == 129


def test_a_second_signal_waits_for_nothing_and_gives_the_terminal_back(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stuck:  # which accepts and never answers
        place = f"http://127.0.0.1:{stuck.getsockname()[1]}/"
        (tmp_path / "config.toml").write_text(
            f'[[destinations]]\nname = "stuck"\nurl = "{place}"\ntimeout_seconds = 300\n'
        )
        terminal = start(program)
        terminal.wait_for("emulator :")
        emulator = json.loads((tmp_path / "data" / "lock").read_text())["emulator"]
        event = urllib.request.Request(f"{emulator}/v1/webhooks/event_webhook", b'{"user":{},"event":"e"}')
        event.add_header("STATSIG-API-KEY", "secret-x")
        with urllib.request.urlopen(event) as answer:
            assert answer.status == 202
        delivering, _ = stuck.accept()
        with delivering:
            terminal.kill(signal.SIGTERM)
            terminal.kill(signal.SIGINT)
            assert terminal.ends() == 130
    assert terminal.is_cooked()
    assert b"\x1b[?1049l" in terminal.raw
    assert (tmp_path / "data" / "statsig-tui.db-wal").exists(), "it stopped cleanly: nothing was stuck"


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
    assert second.says(f"pid {first.pid}")
    assert second.says("--data")


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
    # Its field takes keys once its commands are there.
    terminal.wait_for("Search", "Craft an incoming event")
    terminal.press("free port")
    # The notice names the command, too: what it does is told in the palette alone.
    terminal.wait_for("Let a listener whose port is taken")
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
