"""Secrets of every kind and from every source go through everything, and come out nowhere."""

from __future__ import annotations

import html
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.terminal.canary import SECRETS, TYPED, Echo, echo, leaks, stored

__all__ = ["echo"]

Start = Callable[..., Any]
REFERENCES = ("target key, env", "target key, file")
APP = str(Path(__file__).with_name("app_with_signals.py"))
F1, F4, F7, F8, DOWN, ESCAPE = "\x1bOP", "\x1bOS", "\x1b[18~", "\x1b[19~", "\x1b[B", "\x1b[27u"
CTRL_P, CTRL_R, CTRL_S, CTRL_T = "\x10", "\x12", "\x13", "\x14"


@pytest.fixture
def settings(tmp_path: Path, echo: tuple[type[Echo], int]) -> Path:
    """Settings with every kind of secret; the file itself may hold those that are inline."""
    (tmp_path / "key").write_text(SECRETS["target key, file"] + "\n")
    (tmp_path / "key").chmod(0o600)
    quoted = {name: json.dumps(value) for name, value in SECRETS.items()}
    file = tmp_path / "config.toml"
    file.write_text(f"""
[emulator]
keys = [{{ inline = {quoted["emulator key"]} }}]
[receiver]
secrets = [{{ inline = {quoted["receiver's secret"]} }}]
[[targets]]
name = "inline"
url = "http://127.0.0.1:9"
key = {{ inline = {quoted["target key, inline"]} }}
[[targets]]
name = "environment"
url = "http://127.0.0.1:9"
key = {{ env = "STATSIG_SERVER_SECRET" }}
[[targets]]
name = "file"
url = "http://127.0.0.1:9"
key = {{ file = {json.dumps(str(tmp_path / "key"))} }}
[[targets]]
name = "echo"
url = "http://127.0.0.1:{echo[1]}"
key = {{ inline = {quoted["target key, inline"]} }}
[[destinations]]
name = "receiver"
url = "http://127.0.0.1:7829/"
secret = {{ inline = {quoted["signing secret"]} }}
[destinations.batch]
max_events = 1
[[destinations]]
name = "down"
url = "http://127.0.0.1:9/{SECRETS["signing secret"]}?k={SECRETS["a key nobody knows"]}"
secret = {{ inline = {quoted["signing secret of no known shape"]} }}
headers = {{ Authorization = "Bearer {SECRETS["a header of one's own"]}" }}
[destinations.batch]
max_events = 1
[[destinations]]
name = "echo"
url = "http://127.0.0.1:{echo[1]}/"
secret = {{ inline = {quoted["signing secret"]} }}
[destinations.batch]
max_events = 1
[destinations.retry]
schedule = "none"
""")
    file.chmod(0o600)
    return file


def post_everything(emulator: str, receiver: str) -> None:
    """Good and bad requests, with secrets wherever a mistake puts them."""
    path = "/v1/webhooks/event_webhook"
    event = {"user": {"userID": "u"}, "event": "canary"}
    with httpx.Client(trust_env=False) as client:
        good = client.post(emulator + path, json=event, headers={"STATSIG-API-KEY": SECRETS["emulator key"]})
        assert good.status_code == 202 or emulator == receiver
        for value in SECRETS.values():
            client.post(emulator + path, json=event, headers={"STATSIG-API-KEY": value + "x"})
            client.post(f"{emulator}{path}?k={quote(value)}", json=event)
            client.post(f"{emulator}/v1/{quote(value, safe='')}", json=event)
            client.get(f"{emulator}/v1/download_config_specs/{quote(value, safe='')}.json")
            client.post(
                f"{receiver}/{quote(value, safe='')}?key={quote(value)}",
                json={"data": [{"eventName": "e"}]},
                headers={"Authorization": f"Bearer {value}", "STATSIG-API-KEY": value},
            )


def served(program: list[str], command: list[str]) -> tuple[bytes, bytes]:
    """What a command prints that listens while everything is posted to it; and its arguments."""
    ports = ["--port", "0"] if command[0] == "listen" else program[7:]
    arguments = [*program[:3], *command, *program[3:7], *ports]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert running.stdout is not None
        printed = b""
        while not (line := running.stdout.readline()).startswith(b"{"):
            assert line, printed
            printed += line
        told = json.loads(line)
        post_everything(told["emulator"] or told["receiver"], told["receiver"])
        argv = Path(f"/proc/{running.pid}/cmdline").read_bytes()
        running.send_signal(signal.SIGTERM)
        rest, _ = running.communicate()
        assert running.returncode == 143
        return printed + line + rest, argv
    finally:
        running.kill()


class Walk:
    """The app in a terminal, gone through key by key; what leaks on the way is in `found`."""

    def __init__(self, terminal: Any, pictures: Path) -> None:
        self.found: list[str] = []
        self.focus = ""
        """The id of the widget that has the keys."""
        self._terminal = terminal
        self._pictures = pictures
        self._taken = 0

    def press(self, *keys: str, sees: str) -> None:
        """Press keys, look at the screen after each, and take a picture of what they led to."""
        for key in keys:
            self._terminal.press(key)
            self._terminal.wait_for(sees)
            self.found += leaks("the screen", self._terminal.text.encode())
        self.look()

    def look(self) -> None:
        """Take a picture, once every key has had its effect."""
        self._taken += 1
        self._terminal.kill(signal.SIGUSR1)
        told = b"picture %d at " % self._taken
        self._terminal.wait_for_bytes(told)
        self.focus = self._terminal.raw.rpartition(told)[2].partition(b"\x07")[0].decode()
        svg = html.unescape((self._pictures / f"{self._taken}.svg").read_text()).replace("\xa0", " ")
        self.found += leaks(f"picture {self._taken}", svg.encode())

    def reach(self, widget: str, key: str) -> None:
        """Press a key until a widget has the keys; each time wait for what the last one did."""
        for _ in range(12):
            before = self.focus
            self._terminal.press(key)
            for _ in range(10):
                self.look()
                if self.focus == widget:
                    return
                if self.focus != before:
                    break

    def wait_until_gone(self, words: str) -> None:
        """Until these words are not on the screen any more."""
        self._terminal.wait_until_gone(words)


def test_no_secret_comes_out_anywhere(
    start: Start,
    program: list[str],
    settings: Path,
    echo: tuple[type[Echo], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STATSIG_SERVER_SECRET", SECRETS["target key, env"])
    pictures, editor = tmp_path / "pictures", tmp_path / "editor"
    pictures.mkdir()
    editor.write_text(f'#!/bin/sh\ncat /proc/$$/cmdline > "{tmp_path}/argv"\n')
    editor.chmod(0o700)
    terminal = start([sys.executable, APP, str(pictures), *program[3:]], 200, 50, VISUAL=str(editor))
    terminal.wait_for("last batch")
    addresses = json.loads((tmp_path / "data" / "lock").read_text())
    post_everything(addresses["emulator"], addresses["receiver"])
    walk = Walk(terminal, pictures)
    for number, target in enumerate(("inline", "environment", "file", "echo"), 2):
        walk.press(CTRL_T, sees=f"▸ {target} ")
        walk.press("\n", sees=f"▾ History{number:>22}")
    terminal.wait_for("✗ 307")
    for _ in range(4):
        walk.press(CTRL_R, sees="Compose")
    walk.press(F4, sees="Nothing was changed")
    walk.press(F7, sees="╭─ receiver")
    walk.press(DOWN, sees="╭─ down")
    # By Delivery, where the URL and a header of this one hold secrets.
    for title in ("Exposures", "Webhook URL"):
        walk.press("]", sees=title)
    walk.press(DOWN, sees="╭─ echo")
    walk.press("]", sees="Signing Secret")
    type_secret(walk, settings)
    walk.reach("destination-list", ESCAPE)
    walk.press("]", sees="Rate Limited")
    for _ in range(4):  # from the minute to the request
        walk.press("\r", sees="╭─ echo")
    terminal.wait_for("307")
    posted(echo[0], addresses["emulator"])
    walk.press(F8, sees="FOLLOW")
    walk.press("k", "]", "]", "]", "]", sees="Live")
    walk.press("R", sees="─ Replay ─")
    walk.press(ESCAPE, sees="Live")
    terminal.wait_until_gone("─ Replay ─")
    walk.press("r", sees="Live")
    walk.press(CTRL_P, sees="Search for commands")
    walk.press("requests and", sees="Requests and refusals")
    walk.press("\r", sees="─ Requests and refusals")
    walk.press(ESCAPE, F1, sees="Live")
    found = walk.found + leaks("argv", Path(f"/proc/{terminal.pid}/cmdline").read_bytes())
    found += leaks("the editor's argv", (tmp_path / "argv").read_bytes())
    terminal.kill(signal.SIGUSR2)
    assert terminal.ends() == 1
    assert b"RuntimeError: broken by" in terminal.raw
    found += leaks("terminal", terminal.raw)

    def ran(*arguments: str, stdin: str = "") -> bytes:
        done = subprocess.run(
            [*program[:3], *arguments, *program[3:7]], input=stdin.encode(), capture_output=True
        )
        return done.stdout + done.stderr

    event = '{"user":{"userID":"u"},"event":"e"}'
    for target in ("emulator", "inline", "environment", "file", "echo", SECRETS["a key nobody knows"]):
        for options in ([], ["--json"], ["--dry-run"]):
            found += leaks(f"send {options}", ran("send", "-", "--target", target, *options, stdin=event))
    for options in ([], ["--json"]):
        for delivery in (1, 2, 3):
            found += leaks(f"trace {options}", ran("trace", f"d{delivery}", *options))
    found += leaks("config show", ran("config", "show"))
    for command in (["serve", "--json"], ["serve"], ["listen", "--json"], ["listen"]):
        printed, argv = served(program, command)
        found += leaks(" ".join(command), printed)
        found += leaks("argv", argv)
    found += leaks("config check", ran("config", "check"))
    assert "logged: " in (tmp_path / "data" / "statsig-tui.log").read_text()
    for file in (tmp_path / "data").iterdir():
        if not file.name.startswith("statsig-tui.db"):
            found += leaks(file.name, file.read_bytes())
    found += leaks("the store", stored(tmp_path / "data" / "statsig-tui.db"))
    assert found == []
    assert set(echo[0].paths) == {"/", "/v1/webhooks/event_webhook"}


def type_secret(walk: Walk, settings: Path) -> None:
    """Give the destination another secret by hand, and have the app write its settings."""
    walk.reach("copy-secret", "\r")
    walk.reach("own-secret", "\t")
    walk.press(f"\x1b[200~{TYPED}\x1b[201~", sees="not saved yet")
    walk.press(CTRL_S, sees="…6789")
    walk.wait_until_gone("not saved yet")
    written = settings.read_text()
    assert json.dumps(TYPED) in written
    assert 'env = "STATSIG_SERVER_SECRET"' in written
    assert not [leak for name in REFERENCES for leak in leaks("settings", written.encode()) if name in leak]


def posted(echo: type[Echo], emulator: str) -> None:
    """Have everything delivered once more, to who now knows the new secret too."""
    with echo.was_asked:
        echo.says.append(TYPED)
        before = len(echo.paths)
        event = {"user": {"userID": "u"}, "event": "canary"}
        key = {"STATSIG-API-KEY": SECRETS["emulator key"]}
        assert httpx.post(f"{emulator}/v1/webhooks/event_webhook", json=event, headers=key).status_code == 202
        assert echo.was_asked.wait_for(lambda: len(echo.paths) > before, 30)
