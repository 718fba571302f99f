"""Delivering: what is left of a bare httpx client's rate when batches are signed and kept in the store."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import httpx

from benchmarks.bodies import EVENTS, SECRET, batch
from benchmarks.measure import Aim, Plan, Row, Rows, alternate, ratios, say
from benchmarks.processes import bare, place, running
from statsig_tui.engine import outbox
from statsig_tui.engine.store import Store, Tx

_SETTINGS = """
[[destinations]]
name = "sink"
url = "http://127.0.0.1:{port}/"
secret = {{ inline = "{secret}" }}
"""
_LOOK_SECONDS = 0.05


def forwarded(plan: Plan) -> Rows:
    """Deliveries that wait in the store, against a loop that posts the same bodies."""
    count = int(plan.scaled(2000, 500))
    with bare() as port:

        def loop() -> float:
            subprocess.run([sys.executable, "-m", "benchmarks.forwarding", str(port), str(count)], check=True)
            return _rate(port, count, "httpx")

        found, client = alternate(plan, lambda: _forwarder(port, count), loop)
    yield Row(
        "forwarder throughput, signed and with durable state",
        "a bare `httpx.AsyncClient` loop",
        ratios(found, client),
        Aim(">=", 1.5),
        f"{median(found):,.0f}/s against {median(client):,.0f}/s",
    )


def _forwarder(port: int, count: int) -> float:
    with place() as at:
        at.write_settings(_SETTINGS.format(port=port, secret=SECRET))
        at.database.parent.mkdir(mode=0o700)
        asyncio.run(_fill(at.database, count))
        with running(at.program("serve", "--quiet")):
            return _rate(port, count, "forwarder")


async def _fill(database: Path, count: int) -> None:
    store = await Store.open(database)
    at = time.time_ns() // 1_000_000

    def fill(tx: Tx) -> None:
        for number in range(count):
            outbox.open_delivery(tx, at, "sink", batch(number), (), "full", count=EVENTS)

    await store.write(fill)
    await store.close()


def _rate(port: int, count: int, name: str) -> float:
    """What arrived at the sink, a second, from the first to the last."""
    seen = 0
    while seen < count:
        time.sleep(_LOOK_SECONDS)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/")
        found = json.loads(connection.getresponse().read())
        connection.close()
        seen = found["posts"]
    rate = (count - 1) / (found["last"] - found["first"])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("DELETE", "/")
    connection.getresponse().read()
    connection.close()
    say(f"  {name}: {rate:,.0f} a second")
    return float(rate)


async def _post_all(port: int, count: int) -> None:
    bodies = [batch(number) for number in range(count)]
    async with httpx.AsyncClient() as client:
        for body in bodies:
            answer = await client.post(
                f"http://127.0.0.1:{port}/", content=body, headers={"Content-Type": "application/json"}
            )
            answer.raise_for_status()


if __name__ == "__main__":
    asyncio.run(_post_all(int(sys.argv[1]), int(sys.argv[2])))
