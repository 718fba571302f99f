"""What comes from outside reaches the terminal as text alone; what is secret does not reach it at all."""

from __future__ import annotations

import json
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import httpx
import pytest

from tests.corpus.cases_t import LEAK, TEXTS

Start = Callable[..., Any]
SECRET = "webhook-" + "CANARYcanary" * 3 + "CANARYc"
MARK = "PWNED"
PAYLOADS = [f"{text}{MARK}" for text in TEXTS if len(text) < 1000]
OWN = "\x07\x08\t\n\r\x1b"
"""What the app itself drives a terminal with."""
LONE = "\ud800\udfff"
"""Halves of a character, which no terminal can be sent."""
FORBIDDEN = (
    *(character.encode() for character in set(LEAK.findall("".join(TEXTS))) - {*OWN, *LONE}),
    *(text.encode(errors="replace") for text in PAYLOADS if LEAK.search(text)),
    *(b"\x1b]0;", b"\x1b]52;", b"\x1b]8;", b"\x1b]9;", b"\x1b]1337;", b"\x1bP", b"\x1b_G"),
    *(b"\x1b[6n", b"\x1b[>q", b"\x1bc", b"evil.example\x1b\\"),
)
"""What must not be in the bytes of a terminal."""
LONGEST = max(map(len, FORBIDDEN))
F6, F7, F8 = "\x1b[17~", "\x1b[18~", "\x1b[19~"
ESC = "\x1b[27u"
"""As newer terminals send it, so that what follows is no part of it."""


class Hostile(StreamRequestHandler):
    """A webhook endpoint whose every answer is an attack."""

    def handle(self) -> None:
        """Answer one request."""
        length = 0
        while (line := self.rfile.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.rfile.read(length)
        body = "\n".join(PAYLOADS).encode(errors="replace")
        odd = "\x9b2J\x9d0;x\x9c\x1b]0;x\x07\x1b[2J[red]"
        head = f"HTTP/1.1 500 a{odd}b\r\nX-Evil: {odd}PWNED\r\n"
        self.wfile.write(head.encode("latin-1") + b"Content-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def hostile() -> Iterator[int]:
    """The port of such an endpoint."""
    with ThreadingTCPServer(("127.0.0.1", 0), Hostile) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def leaked(drawn: bytes) -> list[bytes]:
    """What drives a terminal in what was written to one."""
    return [bad for bad in FORBIDDEN if bad in drawn]


def post_everything(emulator: str, receiver: str) -> None:
    """Every payload in every place of a request; the newest capture and event hold all of them."""
    events = [
        {
            "eventName": text,
            "userID": text,
            "user": {"userID": text, text: text},
            "value": text,
            "metadata": {text: text, "list": [text]},
            "timeUUID": text,
        }
        for text in PAYLOADS
    ]
    headers = {"STATSIG-API-KEY": "secret-x", "Content-Type": "application/json"}
    with httpx.Client(trust_env=False, headers=headers) as client:
        for event, text in zip(events, PAYLOADS, strict=True):
            path = "/" + "".join(f"%{byte:02x}" for byte in text.encode(errors="ignore"))
            client.post(f"{receiver}{path}", content=json.dumps({"data": [event]}))
            client.post(f"{receiver}{path}", content=text.encode(errors="replace"))
            incoming = {"event": text, "user": {"userID": text}, "metadata": {text: text}}
            client.post(f"{emulator}/v1/webhooks/event_webhook", content=json.dumps(incoming))
            client.post(f"{emulator}{path}", content=json.dumps(incoming))
        assert client.post(receiver, content=json.dumps({"data": events})).status_code == 200


@pytest.mark.parametrize(("columns", "rows"), [(200, 50), (80, 24)])
def test_no_payload_reaches_the_terminal_as_control(
    start: Start, program: list[str], tmp_path: Path, hostile: int, columns: int, rows: int
) -> None:
    (tmp_path / "config.toml").write_text(f"""
[[destinations]]
name = "receiver"
url = "http://127.0.0.1:7829/"
[[destinations]]
name = "hostile"
url = "http://127.0.0.1:{hostile}/"
[destinations.retry]
schedule = "none"
""")
    terminal = start(program, columns, rows)
    terminal.wait_for("emulator :", "✓ 202 accepted")
    addresses = json.loads((tmp_path / "data" / "lock").read_text())
    begins = len(terminal.raw)
    post_everything(addresses["emulator"], addresses["receiver"])

    def walk(*keys: str, sees: str) -> None:
        for key in keys:
            before = len(terminal.raw) - LONGEST
            terminal.press(key)
            try:
                terminal.wait_for(sees)
            finally:
                # Looked at first: what drives the terminal would wipe away the words, too.
                assert leaked(terminal.raw[max(before, begins) :]) == []

    walk(F8, sees="Live  1")
    walk("G", sees="─ #1")
    walk("R", sees="─ Replay ─")
    walk(ESC, sees="Live")
    terminal.wait_until_gone("─ Replay ─")
    walk("\r", sees="HELD")
    # The body as tree, text and hex, and the other tabs; not the note, which would take what is typed.
    walk("t", "\x1b[6~", "w", "h", "\x1b[6~", "t", sees="Live")
    for turn in "]" * 4 + "[" * 5:
        walk(turn, "\x1b[6~", sees="Live")
    walk(ESC, "\x1b[5~", "\x1b[5~", "k", "\x1b[C", "\r", ESC, sees="Live")
    for key, words in (("\x10", "Search for commands"), ("\x1bOP", "─ Help")):
        walk(key, sees=words)
        walk(ESC, sees="Live")
        terminal.wait_until_gone(words)
    walk("\x10", sees="Search for commands")
    walk("requests and", sees="Requests and refusals")
    walk("\r", sees="─ Requests and refusals")
    walk("\x1b[6~", "\x1b[F", ESC, sees="Live")
    terminal.wait_until_gone("─ Requests and refusals")
    walk(F7, sees="Event Filtering")
    for _ in range(2):
        walk("\x1b[B", sees="Destinations")
        for _ in range(6):
            walk("]", "\r", "\x1b[6~", ESC, sees="Destinations")
    walk(ESC, ESC, sees="Destinations")
    walk(F6, sees="^j Send")
    walk("\x07", sees='"userID"')
    walk("\x1b[200~" + json.dumps({"event": PAYLOADS[0], "x": PAYLOADS}) + "\x1b[201~", sees="not JSON")
    walk("\x1b[200~" + "\n".join(PAYLOADS).encode(errors="ignore").decode() + "\x1b[201~", sees="Compose")
    walk("\n", sees="400 bad request")
    walk("\x07", sees="Compose")
    walk(F8, sees="Live  1")
    assert b"PWNED" in terminal.raw[begins:]
    terminal.kill(signal.SIGTERM)
    assert terminal.ends() == 143


def test_what_the_app_says_at_a_failed_start_drives_no_terminal(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "d\x1b]0;PWNED\x07\u009b2J\u202e"
    data.mkdir()
    (data / "statsig-tui.db").write_bytes(b"no database" * 1000)
    ports = ["--emulator-port", "0", "--receiver-port", "0"]
    terminal = start([sys.executable, "-m", "statsig_tui", "--data", str(data), *ports])
    assert terminal.ends() == 3
    assert "d␛]0;PWNED␇\\u{9b}2J\\u{202e}" in "".join(terminal.text.split("\n"))
    assert leaked(terminal.raw) == []


def test_a_crash_prints_no_secret_and_no_value(start: Start, tmp_path: Path) -> None:
    script = tmp_path / "crash.py"
    script.write_text(
        textwrap.dedent(f"""
            import sys
            from pathlib import Path
            from statsig_tui.core.config import Config, Destination, EmulatorConfig, ReceiverConfig, Secret
            from statsig_tui.engine.engine import running
            from statsig_tui.tui.app import StatsigApp
            from statsig_tui.tui.bridge import Bridge

            destination = Destination("d", "http://127.0.0.1:9/", secret=Secret.of({SECRET!r}))
            config = Config(EmulatorConfig(port=0), ReceiverConfig(port=0), destinations=(destination,))

            class Crashing(StatsigApp):
                def action_crash(self) -> None:
                    local = {SECRET!r}
                    raise RuntimeError(f"broken by {{local}}")

            app = Crashing(Bridge(lambda: running(config, Path({str(tmp_path)!r}) / "x.db")), config, print)
            app.bind("f11", "crash")
            app.run()
            app.print_crash()
            sys.exit(app.return_code or 0)
            """)
    )
    terminal = start([sys.executable, str(script)])
    terminal.wait_for("receiver :")
    terminal.press("\x1b[23~")
    assert terminal.ends() == 1
    assert b"RuntimeError" in terminal.raw
    assert SECRET.encode() not in terminal.raw
    assert terminal.is_cooked()
