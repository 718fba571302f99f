"""No descriptors left: the process floods no log, loses nothing, and serves again."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint
    from tests.contract.conftest import Spawn

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
ENDPOINT = "/v1/webhooks/event_webhook"
KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
EVENT = {"user": {"userID": "u1"}, "event": "starved"}
SETTINGS = """
[[destinations]]
name = "mine"
url = "{}"
[destinations.batch]
max_events = 1
[destinations.retry]
schedule = [{}]
"""
Settings = Callable[[str], tuple[str, str]]


async def test_without_descriptors_it_floods_no_log_and_serves_again(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Callable[..., Answer]
) -> None:
    mine = await endpoint(say(200))
    chosen = settings(SETTINGS.format(mine.url, ", ".join(["0.05"] * 2000)))
    it = await spawn("serve", *PORTS, "--json", *chosen)
    ready = await it.line("ready")
    host, _, port = ready["emulator"].removeprefix("http://").rpartition(":")
    async with httpx.AsyncClient(trust_env=False, timeout=30, headers=KEY) as early:
        assert (await early.get(ready["emulator"])).status_code == 200
        resource.prlimit(it.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        peers = [await asyncio.open_connection(host, int(port)) for _ in range(120)]
        for _, writer in peers:
            writer.write(b"POST / HTTP/1.1\r\nHost: x")
        # Over the connection that it has; nothing can be opened for the delivery.
        assert (await early.post(ready["emulator"] + ENDPOINT, json=EVENT)).status_code == 202
        retried = await it.line("delivery", state="retrying")
        assert "descriptors" in retried["error"] or "open files" in retried["error"]
        for _, writer in peers:
            writer.transport.abort()
    await mine.got(1)
    async with httpx.AsyncClient(trust_env=False, timeout=30, headers=KEY) as late:
        assert (await late.post(ready["emulator"] + ENDPOINT, json=EVENT)).status_code == 202
    await mine.got(2)
    code, _, err = await it.end(signal.SIGTERM)
    assert (code, err) == (143, "")
    log = (it.data / "statsig-tui.log").read_text().splitlines()
    assert any("Cannot accept connections for now" in line for line in log)
    assert len(log) < 20, "\n".join(log[:20])
