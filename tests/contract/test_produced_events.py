"""Events that no SDK sent: test events to one destination, config changes, and filters beyond the console."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import Filter
from statsig_tui.core.records import VerdictRecord
from statsig_tui.errors import NotFound

if TYPE_CHECKING:
    from tests.conftest import Answer, Endpoint, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]


def events(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [event for got in endpoint.requests for event in json.loads(got.body)["data"]]


async def test_a_test_event_goes_to_one_destination_past_its_filter_or_through_it(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine, other = await endpoint(say(200)), await endpoint(say(200))
    closed = Filter(exposures=False, config_changes=False, include_new_events=False)
    settings = config(destination("mine", mine.url, filter=closed), destination("other", other.url))
    async with engine(settings) as site:
        await site.event("seen", value=1.5)
        (first,) = await other.got(1)
        seen = site.engine.archive.newest_event("seen")
        assert seen is not None
        past = await site.engine.send_test("mine", seen.raw, filtered=False)
        await mine.got(1)
        through = await site.engine.send_test("mine", seen.raw, filtered=True)
        verdicts = await site.journal.wait(VerdictRecord, lambda v: v.destination == "mine", count=3)
        assert [(v.forwarded, v.clause) for v in verdicts] == [
            (False, "new event not included"),
            (True, "test event"),
            (False, "new event not included"),
        ]
        assert past != through
        (sent,), (original,) = events(mine), events(other)
        assert sent["timeUUID"] != original["timeUUID"], "it is an event of its own"
        assert sent["timestamp"] >= original["timestamp"]
        same = {"timeUUID", "timestamp"}
        assert {k: v for k, v in sent.items() if k not in same} == {
            k: v for k, v in original.items() if k not in same
        }
        with pytest.raises(NotFound, match="no destination gone"):
            await site.engine.send_test("gone", seen.raw, filtered=False)
    assert other.requests == [first], "nobody else got one"


async def test_a_config_change_posted_in_arrives_as_the_console_sends_it(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    chosen = Filter(change_actions={"deleted": False}, tiers={"development": False})
    async with engine(config(destination("mine", mine.url, filter=chosen))) as site:
        for action, environments in (
            ("deleted", "production"),
            ("updated", "development"),
            ("updated", "production"),
        ):
            metadata = {"type": "Gate", "name": "g", "action": action, "environments": environments}
            change = {"user": {"name": "n"}, "event": "statsig::config_change", "metadata": metadata}
            assert (await site.post(change)).status_code == 202
        await mine.got(1)
        verdicts = await site.journal.wait(VerdictRecord, count=3)
        assert [v.clause for v in verdicts] == [
            "action of config change off",
            "environment tier off",
            "config changes on",
        ]
    (arrived,) = events(mine)
    assert set(arrived) == {"user", "timestamp", "eventName", "metadata"}
    assert arrived["metadata"]["environments"] == "production"
