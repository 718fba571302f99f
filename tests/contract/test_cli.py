"""The commands as processes: JSON lines and exit codes are a contract (product.md §5)."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.conftest import StartEndpoint
    from tests.contract.conftest import Spawn

Settings = Callable[[str], tuple[str, str]]
PATIENCE = 30.0
ENDPOINT = "/v1/webhooks/event_webhook"
KEY = "secret-" + "k" * 43
PORTS = ("--emulator-port", "0", "--receiver-port", "0")
EVENT = b'{"user":{"userID":"u1"},"event":"checkout","value":1.50}'


async def post(url: str, body: bytes, path: str = ENDPOINT, key: str = KEY) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        headers = {"Content-Type": "application/json", "STATSIG-API-KEY": key}
        return await client.post(url + path, content=body, headers=headers)


async def test_serve_tells_the_whole_way_of_an_event(spawn: Spawn) -> None:
    it = await spawn("serve", *PORTS, "--json")
    ready = await it.line("ready")
    assert ready["pid"] == it.process.pid
    answer = await post(ready["emulator"], EVENT)
    assert answer.status_code == 202
    event = await it.line("event")
    assert event["trace"] == answer.headers["x-statsig-tui-trace"]
    assert (event["event_name"], event["event_class"], event["user_id"]) == ("checkout", "custom", "u1")
    verdict = await it.line("verdict")
    assert (verdict["event"], verdict["destination"]) == (event["id"], "receiver")
    assert (verdict["forwarded"], verdict["clause"]) == (True, "new event included")
    waiting = await it.line("delivery", state="waiting")
    assert (waiting["attempt"], waiting["events"], waiting["status"]) == (0, 1, None)
    sending = await it.line("delivery", state="sending")
    assert (sending["id"], sending["attempt"]) == (waiting["id"], 1)
    capture = await it.line("capture")
    assert (capture["path"], capture["envelope"], capture["signature"]) == ("/", "data", "valid")
    assert (capture["status"], capture["fault"]) == (200, None)
    (inside,) = capture["events"]
    assert inside == {
        "event_name": "checkout",
        "event_class": "custom",
        "user_id": "u1",
        "time_uuid": event["time_uuid"],
    }
    delivered = await it.line("delivery", state="delivered")
    assert (delivered["status"], delivered["error"], delivered["next_at"]) == (200, None, None)
    ids = [event["id"], delivered["batch"], delivered["id"], capture["id"]]
    assert [identifier[0] for identifier in ids] == ["e", "b", "d", "c"]
    await post(ready["emulator"], EVENT, key="client-" + "c" * 43)
    request = await it.line("request")
    assert (request["listener"], request["method"], request["path"]) == ("emulator", "POST", ENDPOINT)
    assert (request["status"], "secret-…" in request["fault"]) == (401, True)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("command", [("serve", *PORTS), ("listen", "--port", "0")])
async def test_a_signal_ends_it_cleanly(
    spawn: Spawn, command: tuple[str, ...], number: int, code: int
) -> None:
    it = await spawn(*command, "--json")
    await it.line("ready")
    assert await it.end(number) == (code, "", "")
    again = await spawn(*command, "--json")
    await again.line("ready")


async def test_what_was_open_at_the_signal_is_delivered_before_the_end(
    spawn: Spawn, settings: Settings
) -> None:
    text = '[[destinations]]\nname = "receiver"\nurl = "http://127.0.0.1:7829/"\n'
    text += "[destinations.batch]\nmax_events = 100\nmax_seconds = 3600\n"
    it = await spawn("serve", *PORTS, "--json", "--bodies", *settings(text))
    ready = await it.line("ready")
    for _ in range(3):
        await post(ready["emulator"], EVENT)
    code, out, err = await it.end(signal.SIGTERM)
    lines = [json.loads(line) for line in out.splitlines()]
    (capture,) = [line for line in lines if line["type"] == "capture"]
    assert [event["event_name"] for event in capture["events"]] == ["checkout"] * 3
    assert [event["value"] for event in json.loads(capture["body"])["data"]] == ["1.50"] * 3
    assert lines[-1]["state"] == "delivered"
    assert (code, err) == (143, "")


async def test_a_second_signal_does_not_wait(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    stuck = await endpoint(hang)
    text = f'[[destinations]]\nname = "stuck"\nurl = "{stuck.url}"\ntimeout_seconds = 300\n'
    it = await spawn("serve", *PORTS, "--json", *settings(text))
    ready = await it.line("ready")
    await post(ready["emulator"], EVENT)
    await stuck.got(1)
    it.process.send_signal(signal.SIGTERM)
    assert (await it.end(signal.SIGINT))[0] in (130, 143)
    again = await spawn("serve", *PORTS, "--json", *settings(text))
    await again.line("ready")
    await stuck.got(2)
    assert stuck.requests[0].body == stuck.requests[1].body


async def test_peers_that_stall_do_not_keep_it_from_a_clean_stop(spawn: Spawn) -> None:
    it = await spawn("serve", *PORTS, "--json")
    ready = await it.line("ready")
    writers = []
    for name in ("emulator", "receiver"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(ready[name].rpartition(":")[2]))
        writer.write(f"POST {ENDPOINT} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n".encode())
        writer.write(b"Content-Length: 1000\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 100")
        writer.write(b"half of it")
        writers.append(writer)
    assert (await it.end(signal.SIGTERM))[0] == 143
    assert not (it.data / "statsig-tui.db-wal").exists()
    for writer in writers:
        writer.close()


async def test_the_ready_file_holds_the_ready_line(spawn: Spawn, tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    it = await spawn("serve", *PORTS, "--json", "--ready-file", str(file))
    ready = await it.line("ready")
    await post(ready["emulator"], EVENT)
    await it.line("event")
    assert json.loads(file.read_text()) == ready


async def test_text_is_for_reading_and_cannot_drive_the_terminal(spawn: Spawn) -> None:
    it = await spawn("serve", *PORTS)
    assert it.process.stdout is not None
    ready = json.loads(await it.process.stdout.readline())
    name = "e\x1b[2J\x9b31m\u202e☕"
    await post(
        ready["emulator"], json.dumps({"user": {"userID": "secret-" + "q" * 43}, "event": name}).encode()
    )
    code, out, err = await it.end(signal.SIGTERM)
    assert (code, err) == (143, "")
    assert [line.split()[1] for line in out.splitlines()][:2] == ["event", "verdict"]
    assert "☕" in out
    assert "secret-…qqqq" in out
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
async def test_json_lines_are_json_in_any_locale_and_harmless(spawn: Spawn, encoding: str) -> None:
    it = await spawn("serve", *PORTS, "--json", PYTHONIOENCODING=encoding)
    ready = await it.line("ready")
    name = "é☕😀\x1b]0;x\x07\x9b2J\x7f\u202e"
    await post(ready["emulator"], json.dumps({"user": {}, "event": name}).encode())
    assert it.process.stdout is not None
    raw = (await it.process.stdout.readline()).decode(encoding)
    assert json.loads(raw)["event_name"] == name
    assert not {"\x1b", "\x07", "\x9b", "\x7f", "\u202e"} & set(raw)


async def test_bodies_are_added_as_text_or_base64(spawn: Spawn) -> None:
    it = await spawn("listen", "--port", "0", "--json", "--bodies", "--wait", "2")
    ready = await it.line("ready")
    assert (ready["emulator"], ready["receiver"].startswith("http://127.0.0.1:")) == (None, True)
    await post(ready["receiver"], b'{"data":[]}', "/any/path")
    capture = await it.line("capture")
    assert (capture["path"], capture["body"]) == ("/any/path", '{"data":[]}')
    await post(ready["receiver"], b"\xff\x00", "/")
    # The command ends with this capture: its body is there all the same.
    capture = await it.line("capture")
    assert base64.b64decode(capture["body_base64"]) == b"\xff\x00"
    assert (await it.end())[0] == 0


async def test_listen_waits_for_captures(spawn: Spawn) -> None:
    it = await spawn("listen", "--port", "0", "--json", "--wait", "1", "--timeout", "600", data=None)
    ready = await it.line("ready")
    await post(ready["receiver"], b'[{"eventName":"one"}]', "/")
    capture = await it.line("capture")
    assert (capture["envelope"], capture["events"][0]["event_name"]) == ("array", "one")
    assert await it.end() == (0, "", "")
    late = await spawn("listen", "--port", "0", "--json", "--wait", "2", "--timeout", "0.2", data=None)
    code, lines, err = await late.lines()
    assert (code, [line["type"] for line in lines], err) == (4, ["ready", "error"], "")
    assert "2 captures were waited for, 0 came within 0.2 s" in lines[1]["message"]
    assert lines[1]["hint"]


async def test_listen_without_data_leaves_nothing_and_needs_no_lock(spawn: Spawn, own_home: Path) -> None:
    first = await spawn("listen", "--port", "0", "--json", data=None)
    second = await spawn("listen", "--port", "0", "--json", data=None)
    for it in (first, second):
        await it.line("ready")
    for it in (first, second):
        assert (await it.end(signal.SIGTERM))[0] == 143
    assert [file for file in own_home.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_taken_port_ends_with_3(spawn: Spawn, as_json: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for command in (
            ("serve", "--emulator-port", port, "--receiver-port", "0"),
            ("listen", "--port", port),
        ):
            it = await spawn(*command, *(["--json"] if as_json else []))
            code, lines, err = await it.lines()
            assert code == 3
            message = lines[0]["message"] if as_json else err
            assert port in message
            assert "Traceback" not in message
            if as_json:
                assert ([line["type"] for line in lines], err) == (["error"], "")
            else:
                assert lines == []


async def test_a_data_directory_has_one_owner(spawn: Spawn) -> None:
    first = await spawn("serve", *PORTS, "--json")
    ready = await first.line("ready")
    for command in (("serve", *PORTS), ("listen", "--port", "0")):
        code, (line,), _ = await (await spawn(*command, "--json")).lines()
        assert (code, line["type"]) == (3, "error")
        for what in (str(first.data), str(first.process.pid), ready["emulator"], ready["receiver"]):
            assert what in line["message"]
    await first.end(signal.SIGKILL)
    await (await spawn("serve", *PORTS, "--json")).line("ready")


async def test_a_reader_of_stdout_that_goes_away_ends_it(spawn: Spawn) -> None:
    reading, writing = os.pipe()
    it = await spawn("serve", *PORTS, "--json", stdout=writing)
    os.close(writing)
    with open(reading, "rb", buffering=0) as pipe:
        ready = json.loads(await asyncio.to_thread(pipe.readline))
    answer = await post(ready["emulator"], EVENT)
    assert answer.status_code == 202
    code, _, err = await it.end()
    assert (code, err) == (128 + signal.SIGPIPE, "")


async def test_nobody_reading_from_the_start_ends_it_too(spawn: Spawn) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    it = await spawn("serve", *PORTS, "--json", stdout=writing)
    os.close(writing)
    code, _, err = await it.end()
    assert (code, err) == (128 + signal.SIGPIPE, "")
