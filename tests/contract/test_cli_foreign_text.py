"""What the commands print for reading drives no terminal, whatever came in."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.contract.conftest import Spawn
from tests.corpus.cases_t import LEAK, TEXTS

EVERYTHING = " ".join(text for text in TEXTS if len(text) < 1000)
TYPED = EVERYTHING.replace("\x00", "").encode(errors="ignore").decode()
"""What of it can be an argument, or the text of a file."""
MARK = "␛]0;X␇"
"""How one of them is shown."""


def check(*printed: str, mark: str = MARK) -> None:
    """Lines of harmless text, in which what came is shown."""
    for text in printed:
        assert not LEAK.search(text.replace("\n", "")), repr(text)
    assert mark in "".join(printed)


async def test_serve_and_what_reads_its_store_print_harmless_lines(spawn: Spawn, tmp_path: Path) -> None:
    serving = await spawn("serve", "--emulator-port", "0", "--receiver-port", "0")
    ready = await serving.line("ready")
    path = "/" + "".join(f"%{byte:02x}" for byte in TYPED.encode())[:6000]
    event = {"event": EVERYTHING, "user": {"userID": EVERYTHING}, "metadata": {EVERYTHING: EVERYTHING}}
    async with httpx.AsyncClient(trust_env=False) as client:
        key = {"STATSIG-API-KEY": "secret-x"}
        good = f"{ready['emulator']}/v1/webhooks/event_webhook"
        assert (await client.post(good, content=json.dumps(event), headers=key)).status_code < 300
        assert (await client.post(ready["emulator"] + path, json={}, headers=key)).status_code == 404
        await client.post(ready["receiver"], content=TYPED.encode())
        batch = {"data": [{"eventName": EVERYTHING, "userID": EVERYTHING, "timeUUID": EVERYTHING}]}
        await client.post(ready["receiver"] + path, content=json.dumps(batch))
    _, out, err = await serving.end(signal.SIGTERM)
    check(out, err)
    said = {line.split()[1]: line for line in out.splitlines()}
    assert MARK in said["event"]
    assert MARK in said["capture"]
    assert "%1b" in said["request"], "a path stays as it was spelled"
    for command in (
        *(("trace", "e1"), ("verify", "--capture", "c1"), ("list",), ("list", "events"), ("show", "c2")),
        *(("show", "e1"), ("list", 'sig:"\x1b]0;X\x07"')),
    ):
        _, out, err = await (await spawn(*command)).end()
        check(out, err)
    (tmp_path / "body").write_text(TYPED)
    given = ("--signature", TYPED, "--timestamp", TYPED)
    _, out, err = await (await spawn("verify", str(tmp_path / "body"), *given)).end()
    check(out, err)


async def test_listen_prints_harmless_lines(spawn: Spawn) -> None:
    listening = await spawn("listen", "--port", "0", "--wait", "1", data=None)
    ready = await listening.line("ready")
    async with httpx.AsyncClient(trust_env=False) as client:
        batch = {"data": [{"eventName": EVERYTHING, "userID": EVERYTHING}]}
        await client.post(ready["receiver"], content=json.dumps(batch))
    code, out, err = await listening.end()
    assert code == 0
    check(out, err)


async def test_send_prints_harmless_lines(
    spawn: Spawn, settings: Callable[[str], tuple[str, str]], endpoint: Any, say: Any
) -> None:
    body = EVERYTHING.encode(errors="replace")
    head = b"HTTP/1.1 200 OK\r\nX-Statsig-Tui-Trace: \x9b\xe9\r\nContent-Length: %d\r\n\r\n%s"
    reason = b"HTTP/1.1 500 a\x9b2J\x85b\r\nContent-Length: 0\r\n\r\n"
    site = await endpoint(say(head % (len(body), body), reason, b"\x1b]0;X\x07\x9b2J\r\n\r\n"))
    file = settings(f'[[targets]]\nname = "t"\nurl = "{site.url.removesuffix("/hook")}"\n')
    wanted = ("\\u{9b}", "500", "error: ")
    for mark in wanted:
        _, out, err = await (await spawn("send", "-", *file, "--target", "t")).end(stdin=b"{}")
        check(out, err, mark=mark)
    assert len(site.requests) == len(wanted)
    code, out, err = await (await spawn("send", "-", *file, "--target", TYPED)).end(stdin=b"{}")
    assert code == 2
    check(out, err)
