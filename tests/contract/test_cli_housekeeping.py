"""`doctor` and `purge` as processes: what is wrong is said with its mend, and only what was meant is gone."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.conftest import Spawn

Settings = Callable[[str], tuple[str, str]]


async def test_doctor_sends_a_probe_through_listeners_of_its_own(
    spawn: Spawn, settings: Settings, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for tracked, ends in (("true", 0), ("false", 1)):
        chosen = settings(
            "[emulator]\nport = 0\n[receiver]\nport = 0\n"
            '[[destinations]]\nname = "receiver"\nurl = "http://127.0.0.1:7829/"\n'
            f"batch = {{ max_seconds = 0 }}\nfilter = {{ include_new_events = {tracked} }}\n"
        )
        code, out, _ = await (
            await spawn("doctor", "--probe", *chosen, "--data", str(data), "--json", TERM="xterm")
        ).end()
        found = {line["name"]: line for line in map(json.loads, out.splitlines())}
        assert code == ends
        assert found["→ emulator"]["ok"]
        assert found["→ capture"]["ok"] is (ends == 0)
        if ends:
            assert "include new events by default" in found["→ filter"]["hint"]
    assert not data.exists(), "its store is gone, and was elsewhere"


async def test_doctor_names_what_is_wrong_and_purge_deletes_what_is_stored(
    spawn: Spawn, settings: Settings, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        chosen = settings(f"[emulator]\nport = {port}\n[receiver]\nport = 0\n")
        code, out, _ = await (
            await spawn("doctor", *chosen, "--data", str(data), "--json", TERM="xterm")
        ).end()
    found = {line["name"]: line for line in map(json.loads, out.splitlines())}
    assert code == 1
    assert [name for name, line in found.items() if not line["ok"]] == ["emulator"]
    assert "--emulator-port" in found["emulator"]["hint"]
    assert "nothing is stored yet" in found["store"]["said"]
    assert not data.exists(), "looking makes nothing"

    free = settings("[emulator]\nport = 0\n[receiver]\nport = 0\n")
    serving = await spawn("serve", *free, "--data", str(data), "--json")
    ready = await serving.line("ready")
    code, out, err = await (await spawn("doctor", *free, "--data", str(data), TERM="xterm")).end()
    assert (code, err) == (0, "")
    assert f"process {ready['pid']}: {ready['emulator']}, {ready['receiver']}" in out
    code, _, err = await (await spawn("purge", *free, "--data", str(data), "--yes")).end()
    assert code == 3, "not while somebody uses it"
    assert (data / "statsig-tui.db").exists()
    await serving.end(15)

    code, _, err = await (await spawn("purge", *free, "--data", str(data))).end(stdin=b"y\npurge\n")
    assert code == 2
    assert "no terminal to ask in" in err
    assert (data / "statsig-tui.db").exists()
    code, _, _ = await (await spawn("purge", *free, "--data", str(data), "--yes")).end()
    assert code == 0
    assert not list(data.glob("statsig-tui.db*"))
    code, out, _ = await (await spawn("purge", *free, "--data", str(data), "--yes")).end()
    assert (code, out.startswith("Nothing is stored")) == (0, True)
    broken = settings("[emulator\n")
    code, out, _ = await (await spawn("doctor", *broken, "--data", str(data), TERM="xterm")).end()
    assert code == 1
    assert "✗ settings" in out
