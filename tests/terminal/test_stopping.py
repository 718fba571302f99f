"""Promise 17: a stop under load gives the terminal back and loses nothing; the next start goes on with it."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

Start = Callable[..., Any]
SENDERS = 3
ENOUGH = 30
"""Events that are acknowledged before the end is asked for."""


class Hanging(BaseHTTPRequestHandler):
    """A destination that gives no answer until it is healed, and remembers what it then took."""

    protocol_version = "HTTP/1.1"
    healed: ClassVar[threading.Event]
    asked: ClassVar[threading.Event]
    over: ClassVar[threading.Event]
    taken: ClassVar[set[str]]
    took: ClassVar[threading.Condition]

    def do_POST(self) -> None:
        """Take a batch, or leave it without an answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.set()
        if not self.healed.is_set():
            self.over.wait()
            self.close_connection = True
            return
        with self.took:
            self.taken.update(event["eventName"] for event in body["data"])
            self.took.notify()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hanging() -> Iterator[tuple[type[Hanging], int]]:
    """Such a destination and its port."""

    class Own(Hanging):
        healed, asked, over = threading.Event(), threading.Event(), threading.Event()
        taken: ClassVar[set[str]] = set()
        took = threading.Condition()

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Own, server.server_address[1]
        Own.over.set()
        server.shutdown()


class Load:
    """Senders that post events until the emulator is gone, and which of them it acknowledged."""

    def __init__(self, emulator: str) -> None:
        self.acknowledged: set[str] = set()
        self.enough = threading.Event()
        self._url = emulator + "/v1/webhooks/event_webhook"
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until every sender has found nobody there."""
        for thread in self._threads:
            thread.join()

    def _send(self, sender: int) -> None:
        number = 0
        with httpx.Client(trust_env=False, timeout=30, headers={"STATSIG-API-KEY": "secret-x"}) as client:
            while True:
                name = f"e{sender}-{number}"
                number += 1
                try:
                    status = client.post(self._url, json={"user": {}, "event": name}).status_code
                except httpx.HTTPError:
                    return
                if status == 202:
                    self.acknowledged.add(name)
                if len(self.acknowledged) >= ENOUGH:
                    self.enough.set()


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGTERM, 143), ("q", 0)])
def test_an_end_under_load_loses_nothing_and_the_next_start_goes_on(
    start: Start,
    program: list[str],
    tmp_path: Path,
    hanging: tuple[type[Hanging], int],
    ending: signal.Signals | str,
    code: int,
) -> None:
    mine, port = hanging
    (tmp_path / "config.toml").write_text(f"""
[[destinations]]
name = "receiver"
url = "http://127.0.0.1:7829/"
[[destinations]]
name = "mine"
url = "http://127.0.0.1:{port}/"
timeout_seconds = 300
[destinations.batch]
max_events = 5
max_seconds = 0.05
""")
    terminal = start(program)
    terminal.wait_for("emulator :")
    terminal.press("\x1b[19~")
    terminal.wait_for("FOLLOW")
    load = Load(json.loads((tmp_path / "data" / "lock").read_text())["emulator"])
    assert load.enough.wait(30)
    assert mine.asked.wait(30)
    if isinstance(ending, str):
        terminal.press(ending)
    else:
        terminal.kill(ending)
    assert terminal.ends() == code
    load.wait()
    assert b"\x1b[?1049l" in terminal.raw
    assert terminal.is_cooked()
    database = tmp_path / "data" / "statsig-tui.db"
    assert not database.with_name(database.name + "-wal").exists(), "the log was not cut: no clean end"
    with contextlib.closing(sqlite3.connect(database)) as db:
        kept = {row[0] for row in db.execute("SELECT name FROM events WHERE name LIKE 'e%'")}
    assert load.acknowledged <= kept
    assert mine.taken == set()
    mine.healed.set()
    again = start(program)
    again.wait_for("emulator :", "Recovered 1 interrupted delivery")
    with mine.took:
        assert mine.took.wait_for(lambda: mine.taken == kept, 30)
    again.kill(signal.SIGTERM)
    assert again.ends() == 143
