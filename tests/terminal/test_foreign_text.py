"""What comes from outside reaches the terminal as text alone; what is secret does not reach it at all."""

from __future__ import annotations

import json
import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Start = Callable[..., Any]
SECRET = "webhook-" + "CANARYcanary" * 3 + "CANARYc"
PAYLOADS = {
    "title": "\x1b]0;PWNED\x07",
    "clear": "\x1b[2J\x1b[HPWNED",
    "clipboard": "\x1b]52;c;UFdORUQ=\x07",
    "alternate-screen": "\x1b[?1049lPWNED",
    "query": "\x1b[6nPWNED\x1b[>q",
    "device-control": "\x1bP+q544e\x1b\\PWNED",
    "kitty": "\x1b_Gf=24;PWNED\x1b\\",
    "c1-csi": "\u009b2JPWNED",
    "c1-osc": "\u009d0;PWNED\u009c",
    "shift-out": "\x0ePWNED\x0f",
    "nul-del": "PW\x00NED\x7f",
    "carriage-return": "AAAA\rPWNED",
    "bidi": "\u202ePWNED\u2066",
    "markup": "[@click=app.quit]PWNED[/] [red]x[/oops]",
    "link": "[link=https://evil.example]PWNED[/link]",
}
FORBIDDEN = (
    *(b"\x1b]0;PWNED", b"\x1b]52;", b"\x1b[HPWNED", b"\x1b[?1049lPWNED", b"\x1b[6nPWNED", b"\x1b[>q"),
    *(b"\x1bP+q", b"\x1b_G", b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x9c", b"\x0e", b"\x0f", b"\x00", b"\x7f"),
    *(b"\rPWNED", b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\x1b]8;", b"evil.example\x1b\\"),
)


def start_and_find(start: Start, program: list[str], tmp_path: Path, columns: int, rows: int) -> Any:
    terminal = start(program, columns, rows)
    terminal.wait_for("receiver :", "captured")
    terminal.addresses = json.loads((tmp_path / "data" / "lock").read_text())
    return terminal


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_no_payload_reaches_the_terminal_as_control(
    start: Start, program: list[str], tmp_path: Path, columns: int, rows: int
) -> None:
    terminal = start_and_find(start, program, tmp_path, columns, rows)
    begins = len(terminal.raw)
    for name, payload in PAYLOADS.items():
        event = {
            "eventName": f"{name} {payload}",
            "userID": payload,
            "user": {"userID": payload, payload: payload},
            "value": payload,
            "metadata": {payload: payload, "list": [payload]},
            "timeUUID": payload,
        }
        path = "/" + "".join(f"%{byte:02x}" for byte in payload.encode())
        answer = httpx.post(f"{terminal.addresses['receiver']}{path}", json={"data": [event]})
        assert answer.status_code == 200
        incoming = {"event": f"{name} {payload}", "user": {"userID": payload}, "metadata": {"m": payload}}
        key = {"STATSIG-API-KEY": "secret-x"}
        httpx.post(f"{terminal.addresses['emulator']}/v1/webhooks/event_webhook", json=incoming, headers=key)
        httpx.post(f"{terminal.addresses['emulator']}{path}", json=incoming, headers=key)
    terminal.press("\x1b[19~")
    terminal.wait_for("markup", "FOLLOW")
    for pressed in ("k", "k", "\x1b[C", "j", "\r", "t", "w", "h", "t", "\x1b"):
        terminal.press(pressed)
        terminal.wait_for("Live")
    terminal.press("\x1b[18~")
    terminal.wait_for("Destinations", "receiver")
    terminal.press("\x1b[17~")
    terminal.wait_for("Compose")
    terminal.press("\x1b[19~")
    terminal.wait_for("Live  ")
    drawn = terminal.raw[begins:]
    assert [bad for bad in FORBIDDEN if bad in drawn] == []
    terminal.kill(signal.SIGTERM)
    assert terminal.ends() == 143


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
            app.bind("f12", "crash")
            app.run()
            app.print_crash()
            sys.exit(app.return_code or 0)
            """)
    )
    terminal = start([sys.executable, str(script)])
    terminal.wait_for("receiver :")
    terminal.press("\x1b[24~")
    assert terminal.ends() == 1
    assert b"RuntimeError" in terminal.raw
    assert SECRET.encode() not in terminal.raw
    assert terminal.is_cooked()
