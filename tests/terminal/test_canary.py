"""Secrets of every kind and from every source go through everything, and come out nowhere."""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

Start = Callable[..., Any]
SECRETS = {
    "emulator key": "secret-CanaryEmulator0123456789abcdefghijklmn1",
    "target key, inline": "secret-CanaryTarget0123456789abcdefghijklmnop2",
    "target key, env": "secret-CanaryEnvironment0123456789abcdefghijk3",
    "target key, file": "secret-CanaryFile0123456789abcdefghijklmnopqr4",
    "signing secret": "webhook-CanarySigning0123456789abcdefghijklmn5",
    "signing secret of no known shape": "canary+signs/with=anything:0123456789 %6",
    "receiver's secret": "webhook-CanaryReceiver0123456789abcdefghijkl7",
    "a header of one's own": "CanaryHeader0123456789abcdefghijklmnop",
    "a key nobody knows": "secret-CanaryStranger0123456789abcdefghijklm8",
}
BODIES = {"raw", "body", "response_body", "answer_body", "summary"}
"""Columns that hold what was received, as it was: a body may hold a key, and is never changed."""


def forms(value: str) -> set[bytes]:
    """A secret as it may be spelled."""
    raw = value.encode()
    tail = raw.partition(b"-")[2] or raw
    encoded = {
        base64.b64encode(raw),
        base64.urlsafe_b64encode(raw),
        raw.hex().encode(),
        quote(value).encode(),
    }
    return {raw, tail, *encoded, json.dumps(value)[1:-1].encode()}


def leaks(where: str, data: bytes) -> Iterator[str]:
    """Which secrets are in there."""
    for name, value in SECRETS.items():
        if any(form in data for form in forms(value)):
            yield f"{name} in {where}"


def stored(database: Path) -> bytes:
    """Every value of the store that is no body."""
    db = sqlite3.connect(database)
    try:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        parts = []
        for table in tables:
            cursor = db.execute(f"SELECT * FROM {table}")
            kept = [n for n, column in enumerate(cursor.description) if column[0] not in BODIES]
            parts += [str(row[n]) for row in cursor for n in kept]
        return "\n".join(parts).encode("utf-8", "surrogatepass")
    finally:
        db.close()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
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


def served(program: list[str], command: list[str]) -> bytes:
    """What a command prints that listens, while everything is posted to it."""
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
        running.send_signal(signal.SIGTERM)
        rest, _ = running.communicate()
        assert running.returncode == 143
        return printed + line + rest
    finally:
        running.kill()


def test_no_secret_comes_out_anywhere(
    start: Start, program: list[str], settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATSIG_SERVER_SECRET", SECRETS["target key, env"])
    found: list[str] = []
    terminal = start(program, 200, 50)
    terminal.wait_for("last batch")
    addresses = json.loads((tmp_path / "data" / "lock").read_text())
    post_everything(addresses["emulator"], addresses["receiver"])
    found += leaks("argv", Path(f"/proc/{terminal.pid}/cmdline").read_bytes())
    for _ in range(3):  # each target, refused by a port where nobody listens
        terminal.press("\x14\n")
        terminal.wait_for("not sent")
    terminal.press("\x1b[18~")
    terminal.wait_for("Destinations", "down")
    # Not by Delivery: its fields hold what was typed there, URL and headers, to be edited.
    for key in ("\x1b[B", "\x1b[C", "\x1b[D", "\x1b[D", "\x1b[D", "\x1b[C", "\r", "\r", "\r"):
        terminal.press(key)
        terminal.wait_for("down")
    terminal.press("\x1b[19~")
    terminal.wait_for("FOLLOW")
    for key in ("k", "\r", "\x1b[D", "\x1b[C", "\x1b[C"):
        terminal.press(key)
        terminal.wait_for("Live")
    terminal.kill(signal.SIGTERM)
    assert terminal.ends() == 143
    found += leaks("terminal", terminal.raw)

    def ran(*arguments: str, stdin: str = "") -> bytes:
        done = subprocess.run(
            [*program[:3], *arguments, *program[3:7]], input=stdin.encode(), capture_output=True
        )
        return done.stdout + done.stderr

    event = '{"user":{"userID":"u"},"event":"e"}'
    for target in ("emulator", "inline", "environment", "file", SECRETS["a key nobody knows"]):
        for options in ([], ["--json"], ["--dry-run"]):
            found += leaks(f"send {options}", ran("send", "-", "--target", target, *options, stdin=event))
    found += leaks("config show", ran("config", "show"))
    for command in (["serve", "--json"], ["serve"], ["listen", "--json"], ["listen"]):
        found += leaks(" ".join(command), served(program, command))
    found += leaks("config check", ran("config", "check"))
    for file in (tmp_path / "data").iterdir():
        if not file.name.startswith("statsig-tui.db"):
            found += leaks(file.name, file.read_bytes())
    found += leaks("the store", stored(tmp_path / "data" / "statsig-tui.db"))
    assert found == []
