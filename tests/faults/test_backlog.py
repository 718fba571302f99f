"""10,000 deliveries wait for a destination that hangs: nobody else waits, and nothing of them is dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statsig_tui.core.config import BatchPolicy
from statsig_tui.core.envelope import encode
from statsig_tui.core.records import DeliveryState
from statsig_tui.engine import outbox
from statsig_tui.engine.store import Store, Tx

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, StartEndpoint, StartEngine

Make = Callable[..., Any]
WAITING = 10_000
LOOKED_AT = 300
"""Of those that wait, how many are seen to arrive."""


async def keep_waiting(database: Path) -> None:
    """Leave deliveries as a former run does that was killed."""
    store = await Store.open(database)

    def keep(tx: Tx) -> None:
        for number in range(WAITING):
            body = encode([json.dumps({"eventName": f"w{number}"}).encode()], "data", "number")
            outbox.open_delivery(tx, 1 + number, "stuck", body, (), "full", count=1)

    await store.write(keep)
    await store.close()


async def test_ten_thousand_that_wait_hold_up_nobody_and_leave_in_order(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint,
    say: Callable[..., Answer], tmp_path: Path,
) -> None:  # fmt: skip
    async def hang(got: Got, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    await keep_waiting(tmp_path / "store.db")
    stuck, mended, fine = await endpoint(hang), await endpoint(say(200)), await endpoint(say(200))
    at_once = {"batch": BatchPolicy(1, 0), "timeout_seconds": 300}
    others = destination("fine", fine.url, **at_once)
    async with engine(config(destination("stuck", stuck.url, **at_once), others)) as site:
        await stuck.got(1)
        for number in range(20):
            await site.event(f"e{number}")
        await site.delivery(DeliveryState.DELIVERED, "fine", count=20)
        await site.delivery(DeliveryState.WAITING, "stuck", count=20)
        assert site.engine.archive.counters().destinations["stuck"].queued == WAITING + 20
        assert [names(got) for got in fine.requests] == [[f"e{number}"] for number in range(20)]
        assert len(stuck.requests) == 1
    # What was under way for the first time goes before what came after it.
    async with engine(config(destination("stuck", mended.url, **at_once), others)):
        await mended.got(LOOKED_AT)
    assert names(stuck.requests[0]) == ["w0"]
    assert [names(got) for got in mended.requests[:LOOKED_AT]] == [
        [f"w{number}"] for number in range(LOOKED_AT)
    ]


def names(got: Got) -> list[str]:
    """The names of the events in a request."""
    return [event["eventName"] for event in json.loads(got.body)["data"]]
