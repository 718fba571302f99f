"""`trace`: the way of an event by any of its ids, while its owner runs and after (product.md §5)."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.conftest import Spawn

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
EVENT = b'{"user":{"userID":"u1"},"event":"checkout"}'
FAST = '[[destinations]]\nname = "receiver"\nurl = "http://127.0.0.1:7829/"\nbatch = { max_seconds = 0.01 }\n'
Settings = Callable[[str], tuple[str, str]]


async def test_any_id_of_an_event_tells_its_whole_way(spawn: Spawn, settings: Settings) -> None:
    serve = await spawn("serve", *settings(FAST), *PORTS, "--json")
    await serve.line("ready")
    await (await spawn("send", "-")).end(stdin=EVENT)
    event = await serve.line("event")
    delivery = await serve.line("delivery", state="delivered")
    for of in (event["trace"], event["id"], event["time_uuid"], delivery["id"], delivery["batch"], "c1"):
        code, out, err = await (await spawn("trace", of, "--json")).end()
        assert (code, err) == (0, ""), of
        way = [json.loads(line) for line in out.splitlines()]
        assert {line["type"] for line in way} == {"event", "verdict", "delivery", "attempt", "capture"}, of
        assert [line["at"] for line in way] == sorted(line["at"] for line in way)
    attempt = next(line for line in way if line["type"] == "attempt")
    assert (attempt["delivery"], attempt["number"], attempt["status"]) == (delivery["id"], 1, 200)
    assert (await serve.end(signal.SIGTERM))[0] == 143
    code, out, _ = await (await spawn("trace", "c1")).end()
    assert code == 0
    assert "receiver: forwarded" in out
    assert "attempt   d1  1: 200" in out


async def test_what_is_not_known_is_said(spawn: Spawn, tmp_path: Path) -> None:
    code, out, err = await (await spawn("trace", "c1")).end()
    assert (code, out) == (2, "")
    assert "holds no history yet" in err
    data = tmp_path / "data"
    assert not (data / "statsig-tui.db").exists()
    serve = await spawn("serve", *PORTS)
    assert serve.process.stdout is not None
    await serve.process.stdout.readline()
    code, _, err = await (await spawn("trace", "c99")).end()
    assert code == 2
    assert "Nothing is known of c99" in err


async def test_a_database_of_somebody_else_is_refused(spawn: Spawn, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with sqlite3.connect(data / "statsig-tui.db") as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = (data / "statsig-tui.db").read_bytes()
    code, _, err = await (await spawn("trace", "c1")).end()
    assert code == 3
    assert "database of another program" in err
    assert (data / "statsig-tui.db").read_bytes() == before
