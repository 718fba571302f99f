"""What the receiver keeps of a request, and its settings; odd and hostile requests are in the corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from statsig_tui.core.config import Secret
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import CaptureDetail, CaptureRecord
from statsig_tui.core.rotation import rotated
from statsig_tui.core.signing import SignatureState, sign
from statsig_tui.engine.clock import SystemClock

if TYPE_CHECKING:
    from tests.conftest import Site, StartEngine

SECRET = "webhook-" + "s" * 43
EVENT = {"eventName": "checkout", "userID": "u1", "timeUUID": "f4c414a0-8ab5-11ec-a8a3-0242ac120001"}
BATCH = {"data": [EVENT]}
Make = Callable[..., Any]


async def kept(site: Site, answer: httpx.Response) -> CaptureDetail:
    """The capture that a request became: its answer is the one that was given."""
    record = (await site.journal.wait(CaptureRecord))[-1]
    detail = site.engine.archive.capture(record.id)
    assert detail is not None
    assert (detail.record.status, detail.answer_body) == (answer.status_code, answer.content)
    assert site.engine.archive.captures([record.id]) == [record] == [detail.record]
    return detail


@pytest.mark.parametrize(("body", "envelope"), [(BATCH, "data"), ([EVENT], "array")])
async def test_a_signed_batch_is_captured_whole(site: Site, body: object, envelope: str) -> None:
    answer = await site.webhook(body, "/any/path?x=1", headers={"X-Own": "kept"})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "stored": 1})
    detail = await kept(site, answer)
    record = detail.record
    assert (record.method, record.path, record.envelope) == ("POST", "/any/path?x=1", envelope)
    assert (record.signature, record.fault) == (SignatureState.VALID, None)
    assert [(e.event_name, e.event_class, e.user_id, e.time_uuid) for e in record.events] == [
        ("checkout", EventClass.CUSTOM, "u1", EVENT["timeUUID"])
    ]
    assert json.loads(detail.body) == body
    assert record.size == len(detail.body)
    assert ("x-own", "kept") in detail.headers
    assert detail.peer.startswith("127.0.0.1:")
    assert (await site.webhook({"data": []})).json() == {"success": True, "stored": 0}


async def test_tolerance_zero_takes_any_age(engine: StartEngine, config: Make) -> None:
    async with engine(config(receiver={"tolerance_seconds": 0, "signature": "enforce"})) as site:
        body = json.dumps(BATCH).encode()
        headers = {
            "X-Statsig-Signature": sign(SECRET, "1700000000000", body),
            "X-Statsig-Request-Timestamp": "1700000000000",
        }
        assert (await site.webhook(body, secret=None, headers=headers)).status_code == 200


async def test_secrets_are_masked_in_what_is_kept_of_the_head(site: Site) -> None:
    key = "secret-" + "q" * 43
    answer = await site.webhook(BATCH, f"/hook?token={SECRET}", headers={"X-Key": key, "X-Signing": SECRET})
    detail = await kept(site, answer)
    assert detail.record.path == "/hook?token=webhook-…ssss"
    head = dict(detail.headers)
    assert (head["x-key"], head["x-signing"]) == ("secret-…qqqq", "webhook-…ssss")


class Ahead(SystemClock):
    """A clock that the test sets ahead."""

    by = 0

    def now(self) -> int:
        return super().now() + self.by


async def test_a_replaced_secret_is_accepted_until_its_time(engine: StartEngine, config: Make) -> None:
    clock = Ahead()
    before = config(receiver={"signature": "enforce", "tolerance_seconds": 0})
    newer = "webhook-" + "n" * 43
    new = rotated(before.destinations[0], Secret.of(newer), 3600, clock.now())
    async with engine(replace(before, destinations=(new,)), clock=clock) as site:
        await site.event()
        delivered = site.engine.archive.capture((await site.capture()).id)
        assert delivered is not None
        headers = dict(delivered.headers)
        stamp = headers["x-statsig-request-timestamp"]
        assert headers["x-statsig-signature"] == sign(newer, stamp, delivered.body)
        answer = await site.webhook(BATCH, secret=SECRET)
        assert answer.status_code == 200
        detail = (await site.journal.wait(CaptureRecord, count=2))[-1]
        clock.by = 3_600_000
        assert (await site.webhook(BATCH, secret=SECRET)).status_code == 401
        assert (await site.webhook(BATCH, secret=newer)).status_code == 200
        # What came in time is judged as it was then.
        diagnosis = await site.engine.diagnose(detail.id)
        assert diagnosis is not None
        assert diagnosis.verdict.state is SignatureState.VALID
        assert SECRET not in site.engine.redact(f"an old one stays masked: {SECRET}")
