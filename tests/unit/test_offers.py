"""What is offered for completion: what captures had, as far as it can be typed as it is seen."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

from statsig_tui.core.query import complete

if TYPE_CHECKING:
    from tests.conftest import Site

EVENT = {
    "eventName": "checkout",
    "userID": "u1",
    "metadata": {"plan": "pro", "deep": {"er": 7}},
    "value": True,
}


async def test_names_users_paths_and_fields_of_captures_are_offered_by_frequency(site: Site) -> None:
    body = json.dumps({"data": [EVENT, EVENT, {"eventName": "page_view"}]}).encode()
    await site.webhook(body, path="/hook?x=1")
    await site.webhook(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    await site.webhook(b"no json")
    seen = site.engine.archive.asked_for(10)
    assert seen["event"] == ("checkout", "page_view")
    assert seen["user"] == ("u1",)
    assert "/hook?x=1" in seen["path"]
    assert seen["metadata.plan"] == ("pro",)
    assert seen["metadata.deep.er"] == ("7",)
    assert seen["value"] == ("true",)
    assert [each.text for each in complete("metadata.p", 10, seen).candidates] == ["metadata.plan="]


async def test_what_cannot_be_seen_or_is_too_long_is_not_offered(site: Site) -> None:
    await site.webhook(
        {"data": [{"eventName": "a\x1b]0;x\x07"}, {"eventName": "b" * 500}, {"eventName": "ok"}]}
    )
    assert site.engine.archive.asked_for(10)["event"] == ("ok",)


async def test_a_condition_is_offered_what_accepted_events_have(site: Site) -> None:
    await site.event("checkout", metadata={"plan": "pro"})
    await site.webhook({"data": [{"eventName": "from_elsewhere"}]}, path="/hook")
    seen = site.engine.archive.judged(10)
    assert (seen["event"], seen["metadata.plan"]) == (("checkout",), ("pro",))
    assert not seen["path"]
