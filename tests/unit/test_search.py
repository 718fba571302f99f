"""Searching the store: every kind, while it is written, and left at any moment."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core.ids import tag
from statsig_tui.core.query import parse
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, DeliveryState, EventRecord, SentRecord
from statsig_tui.engine.search import Kind, Search, Stored

if TYPE_CHECKING:
    from tests.conftest import Site

BATCH = {"data": [{"eventName": "checkout", "userID": "u1", "metadata": {"plan": "pro"}, "timeUUID": "x-1"}]}


def ids(records: Sequence[Stored]) -> list[str]:
    kinds = {CaptureRecord: "c", DeliveryRecord: "d", EventRecord: "e", SentRecord: "s"}
    return [tag(kinds[type(record)], record.id) for record in records]  # type: ignore[arg-type]  # the kinds above


async def found(site: Site, kind: Kind, text: str) -> list[str]:
    return ids([record async for page in site.engine.search(kind, parse(text)) for record in page])


async def test_every_kind_is_searched_newest_first(site: Site) -> None:
    target = site.engine.targets()[0]
    body = b'{"user":{"userID":"u1"},"event":"checkout","metadata":{"plan":"pro"}}'
    await site.engine.send(target, body, event_name="checkout")
    await site.event("page_view")
    (first, *_) = await site.delivery(DeliveryState.DELIVERED)
    last = (await site.delivery(DeliveryState.DELIVERED, count=1))[-1]
    assert first.id <= last.id
    assert await found(site, "events", "") == ["e2", "e1"]
    assert await found(site, "events", "event:checkout user:u1 metadata.plan=pro dest:receiver") == ["e1"]
    assert await found(site, "events", "status:none or -status:2xx -user:*") == []
    assert await found(site, "history", "event:checkout user:u1 target:emulator status:2xx") == ["s1"]
    assert await found(site, "history", "sig:good or state:open") == []
    assert "d1" in await found(site, "deliveries", "dest:receiver state:delivered status:200 event:checkout")
    assert await found(site, "deliveries", "fault:* or attempts:>1") == []


@pytest.mark.parametrize("kind", ["captures", "deliveries", "events", "history"])
async def test_nothing_stored_is_nothing_found(site: Site, kind: Kind) -> None:
    assert await found(site, kind, "") == []


async def test_captures_are_asked_where_they_came_from_and_what_they_hold(site: Site) -> None:
    await site.webhook(BATCH)
    await site.webhook(gzip.compress(json.dumps(BATCH).encode()), headers={"Content-Encoding": "gzip"})
    await site.webhook(b"no json", path="/other?q=1", secret=None)
    await site.event("through")
    through = await site.capture(lambda capture: "through" in [event.event_name for event in capture.events])
    assert await found(site, "captures", "dest:receiver") == [tag("c", through.id)]
    assert await found(site, "captures", "pro metadata.plan=pro -dest:receiver") == ["c2", "c1"]
    assert await found(site, "captures", "dup:yes") == ["c2"]
    assert await found(site, "captures", "path:/other sig:bad status:4xx") == ["c3"]


async def test_a_search_sees_what_it_began_with_while_the_writer_goes_on(site: Site) -> None:
    for number in range(3):
        await site.webhook(BATCH, path=f"/{number}")
    search = Search("captures", parse("checkout"), 0, limit=1)
    assert ids(site.engine.archive.search(search)) == ["c3"]
    await site.webhook(BATCH, path="/new")
    rest: list[str] = []
    while not search.is_done:
        rest += ids(site.engine.archive.search(search))
    assert rest == ["c2", "c1"]


async def test_a_search_is_left_at_any_moment(site: Site) -> None:
    await site.webhook(BATCH)
    searching = site.engine.search("captures", parse(""))
    assert ids(await anext(searching)) == ["c1"]
    await searching.aclose()
    assert (await site.webhook(BATCH)).status_code == 200
