"""The emulator over real sockets (reliability.md §2.4, statsig-wire.md §1 and §5; ids are table E's)."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import brotli
import pytest
import zstandard

from statsig_tui.core.config import Secret
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import EventRecord, RequestRecord, VerdictRecord
from statsig_tui.engine.framing import Limits

if TYPE_CHECKING:
    from tests.conftest import Site, StartEngine

WEBHOOK = "/v1/webhooks/event_webhook"
GOOD = {"user": {"userID": "u1"}, "event": "checkout"}
KEY = "secret-" + "k" * 43
CLIENT = "client-" + "c" * 43
BATCH = {"events": [{"eventName": "page_view", "user": {"userID": "u1"}, "time": 1_767_225_600_000}]}
Make = Callable[..., Any]


async def test_an_event_is_accepted_after_the_commit(site: Site) -> None:
    answer = await site.post(GOOD)
    assert (answer.status_code, answer.json()) == (202, {"success": True})
    assert answer.headers["content-type"] == "application/json"
    trace = site.engine.archive.trace(answer.headers["x-statsig-tui-trace"])
    assert trace is not None
    assert [(event.name, event.user_id) for event in trace.events] == [("checkout", "u1")]
    assert site.journal.of(RequestRecord) == []


@pytest.mark.parametrize("name", ["STATSIG-API-KEY", "statsig-api-key", "Statsig-Api-Key"])
async def test_header_names_may_be_written_in_any_case(site: Site, name: str) -> None:
    assert (await site.post(GOOD, key=None, headers={name: KEY})).status_code == 202


@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8", "", "nonsense"])
async def test_json_is_taken_under_any_content_type(site: Site, content_type: str) -> None:
    assert (await site.post(GOOD, headers={"Content-Type": content_type})).status_code == 202


@pytest.mark.parametrize(
    ("key", "says"),
    [
        pytest.param(None, "STATSIG-API-KEY is missing", id="E01 none"),
        pytest.param("", "must be a secret-… key", id="E01 empty"),
        pytest.param(CLIENT, "must be a secret-… key", id="E01 client"),
        pytest.param("console-" + "x" * 43, "must be a secret-… key", id="E01 console"),
        pytest.param("secret-", "must be a secret-… key", id="E01 prefix alone"),
        pytest.param("secret-a b", "must be a secret-… key", id="E01 space"),
        pytest.param("nonsense", "must be a secret-… key", id="E01 nonsense"),
    ],
)
async def test_a_missing_or_malformed_key_is_401(site: Site, key: str | None, says: str) -> None:
    answer = await site.post(GOOD, key=None, headers={} if key is None else {"STATSIG-API-KEY": key})
    body = answer.json()
    assert answer.status_code == body["status"] == 401
    assert set(body) == {"status", "message"}
    assert says in body["message"]
    (noted,) = await site.journal.wait(RequestRecord)
    assert (noted.method, noted.path, noted.status, noted.fault) == ("POST", WEBHOOK, 401, body["message"])
    assert site.journal.of(EventRecord) == []


async def test_two_keys_are_401(site: Site) -> None:
    answer = await site.client.post(
        site.emulator + WEBHOOK, json=GOOD, headers=[("STATSIG-API-KEY", KEY), ("STATSIG-API-KEY", KEY)]
    )
    assert answer.status_code == 401
    assert "twice" in answer.json()["message"]


async def test_a_key_in_the_query_is_401_with_a_hint_and_masked(site: Site) -> None:
    """E02"""
    answer = await site.post(GOOD, f"{WEBHOOK}?k={KEY}", key=None)
    assert answer.status_code == 401
    assert "query" in answer.json()["message"]
    (noted,) = await site.journal.wait(RequestRecord)
    assert noted.path == f"{WEBHOOK}?k=secret-…kkkk"


async def test_listed_keys_alone_are_taken(engine: StartEngine, config: Make) -> None:
    known = "secret-" + "a" * 43
    keys = (Secret.of("secret-" + "b" * 43), Secret.of(known))
    async with engine(config(emulator={"keys": keys})) as site:
        assert (await site.post(GOOD, key=known)).status_code == 202
        answer = await site.post(GOOD)
        assert answer.status_code == 401
        assert "secret-…kkkk is none of the emulator's keys" in answer.json()["message"]
        beyond_ascii = {"STATSIG-API-KEY": ("secret-é" + "k" * 43).encode()}
        assert (await site.post(GOOD, key=None, headers=beyond_ascii)).status_code == 401
    async with engine(config(emulator={"keys": (Secret(env="UNSET"),)})) as site:
        assert (await site.post(GOOD)).status_code == 401


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param([], "the body is an array", id="E03 array"),
        pytest.param({"events": [GOOD]}, "events: batches are not taken", id="E03 events"),
        pytest.param({"data": [GOOD]}, "data: batches are not taken", id="E03 data"),
        pytest.param({"user": {}, "eventName": "e"}, "event: missing (eventName", id="E03 eventName"),
        pytest.param({"user": {}, "event": ""}, "event: must be a string", id="E04 empty"),
        pytest.param({"event": "e"}, "user: missing", id="E05 no user"),
        pytest.param({"event": "e", "userId": "u"}, "userId belongs into user", id="E05 userId"),
        pytest.param(GOOD | {"timestamp": "2026-01-01"}, "timestamp: must be epoch ms", id="E06 ISO"),
        pytest.param(GOOD | {"metadata": "x"}, "metadata: must be an object", id="metadata"),
        pytest.param(GOOD | {"value": []}, "value: must be", id="value"),
        pytest.param(b"", "Bad request: The body is not JSON", id="nothing"),
        pytest.param(b'{"event":', "line 1, column 10", id="cut off"),
        pytest.param(b'{"event":NaN}', "NaN", id="NaN"),
        pytest.param(b"\xff\xfe{\x00}\x00", "UTF-16", id="UTF-16"),
    ],
)
async def test_a_bad_body_is_400_naming_the_field(site: Site, body: object, says: str) -> None:
    answer = await site.post(body)
    told = answer.json()
    assert answer.status_code == told["status"] == 400
    assert says.replace("epoch ms", "epoch milliseconds") in told["message"]
    (noted,) = await site.journal.wait(RequestRecord)
    assert noted.status == 400
    assert site.journal.of(EventRecord) == []
    assert (await site.post(GOOD)).status_code == 202


@pytest.mark.parametrize(
    ("body", "name", "says"),
    [
        ({"user": {}, "eventName": "e"}, "", "event: missing"),
        ({"event": "e"}, "e", "user: missing"),
        (GOOD | {"timestamp": "2026-01-01T00:00:00Z"}, "checkout", "timestamp"),
        ({"events": [GOOD]}, None, "events: batches"),
        ([GOOD], None, "array"),
    ],
)
async def test_lenient_takes_it_and_says_what_statsig_would_do(
    engine: StartEngine, config: Make, body: object, name: str | None, says: str
) -> None:
    async with engine(config(emulator={"strict": False})) as site:
        answer = await site.post(body)
        assert (answer.status_code, answer.json()) == (202, {"success": True})
        (noted,) = await site.journal.wait(RequestRecord)
        assert noted.fault is not None
        assert "Statsig would likely drop this" in noted.fault
        assert says in noted.fault
        assert [event.name for event in site.journal.of(EventRecord)] == ([] if name is None else [name])
        assert (await site.post(b"{")).status_code == 400


@pytest.mark.parametrize("char", list("\\[]{}<>#=;&$%|\0\n\r"))
async def test_a_name_that_statsig_drops_is_accepted_and_not_forwarded(site: Site, char: str) -> None:
    """E04"""
    answer = await site.post(GOOD | {"event": f"a{char}b"})
    assert answer.status_code == 202
    (event,) = await site.journal.wait(EventRecord)
    assert "Statsig drops names" in event.note
    (verdict,) = await site.journal.wait(VerdictRecord)
    assert (verdict.forwarded, verdict.clause) == (False, "invalid event name")


@pytest.mark.parametrize(
    "user", [{}, {"userID": 5}, {"userID": "u" * 10_000}, {"userId": "u"}, {"customIDs": {"stableID": "s"}}]
)
async def test_users_of_any_shape_are_accepted(site: Site, user: object) -> None:
    """E05"""
    await site.event("e", user=user)


@pytest.mark.parametrize("timestamp", [None, 1_767_225_600, 0, -1, 1e15, 1_767_225_600_000.5])
async def test_any_number_is_a_timestamp(site: Site, timestamp: object) -> None:
    """E06"""
    await site.event("e", timestamp=timestamp)


CODERS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("path", ["/v1/log_event", "/v1/rgstr", WEBHOOK])
@pytest.mark.parametrize("encoding", CODERS)
async def test_every_encoding_is_taken(site: Site, path: str, encoding: str) -> None:
    raw = json.dumps(GOOD if path == WEBHOOK else BATCH).encode()
    answer = await site.post(CODERS[encoding](raw), path, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()) == (202, {"success": True})
    assert len(await site.journal.wait(EventRecord)) == 1


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_an_encoding_that_is_not_announced_is_noticed(site: Site, encoding: str) -> None:
    raw = CODERS[encoding](json.dumps(BATCH).encode())
    assert (await site.post(raw, "/v1/log_event")).status_code == 202


@pytest.mark.parametrize("query", ["gz=1", "k=ignored&gz=1&st=javascript-client"])
async def test_gz_announces_gzip_and_may_be_wrong(site: Site, query: str) -> None:
    raw = json.dumps(BATCH).encode()
    for body in (gzip.compress(raw), raw):
        assert (await site.post(body, f"/v1/rgstr?{query}")).status_code == 202
    assert len(await site.journal.wait(EventRecord, count=2)) == 2


@pytest.mark.parametrize("encoding", ["compress", "snappy", "gzip, br", "utf-8"])
async def test_another_encoding_is_415(site: Site, encoding: str) -> None:
    answer = await site.post(GOOD, headers={"Content-Encoding": encoding})
    assert answer.status_code == answer.json()["status"] == 415
    assert "gzip, deflate, br, zstd" in answer.json()["message"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_broken_compression_is_400_and_a_bomb_413(engine: StartEngine, encoding: str) -> None:
    async with engine(limits=Limits(body_bytes=100_000)) as site:
        packed = CODERS[encoding](json.dumps(BATCH).encode())
        for body in (packed[:-3], b"not packed at all"):
            answer = await site.post(body, "/v1/log_event", headers={"Content-Encoding": encoding})
            assert answer.status_code == 400
        bomb = CODERS[encoding](b"[" + b" " * 200_000)
        answer = await site.post(bomb, "/v1/log_event", headers={"Content-Encoding": encoding})
        assert answer.status_code == answer.json()["status"] == 413
        assert (await site.post(BATCH, "/v1/log_event")).status_code == 202


async def test_a_body_over_the_limit_is_413_in_statsigs_envelope(engine: StartEngine) -> None:
    async with engine(limits=Limits(body_bytes=1000)) as site:
        answer = await site.post(b" " * 1001)
        assert answer.status_code == answer.json()["status"] == 413
        assert (await site.post(GOOD)).status_code == 202


async def test_log_event_takes_a_batch_and_names_what_is_none(site: Site) -> None:
    body = {"events": [*BATCH["events"], 5, {"eventName": "purchase", "value": 19.99}]}
    answer = await site.post(body, "/v1/log_event", headers={"STATSIG-CLIENT-TIME": "1767225600000"})
    assert answer.status_code == 202
    assert [event.name for event in site.journal.of(EventRecord)] == ["page_view", "purchase"]
    (noted,) = await site.journal.wait(RequestRecord)
    assert (noted.status, noted.fault) == (202, "events: not objects at 1")
    for wrong, says in (({}, "events: missing"), (GOOD, "/v1/webhooks/event_webhook"), ([], "not a JSON")):
        refused = await site.post(wrong, "/v1/log_event")
        assert refused.status_code == 400
        assert says in refused.json()["message"]


async def test_an_empty_batch_is_accepted(site: Site) -> None:
    assert (await site.post({"events": []}, "/v1/log_event")).status_code == 202


async def test_rgstr_takes_the_key_from_the_query_and_masks_it(site: Site) -> None:
    answer = await site.post(BATCH, f"/v1/rgstr?k={CLIENT}", key=None)
    assert answer.status_code == 202
    answer = await site.post({}, f"/v1/rgstr?k={CLIENT}&st=js", key=None)
    assert answer.status_code == 400
    (noted,) = await site.journal.wait(RequestRecord)
    assert noted.path == "/v1/rgstr?k=client-…cccc&st=js"


async def test_a_query_of_many_fields_is_read(site: Site) -> None:
    many = "&".join(f"a{n}=1" for n in range(500))
    assert (await site.post(gzip.compress(json.dumps(BATCH).encode()), f"/v1/rgstr?{many}&gz=1")).is_success


async def test_a_scrambled_body_is_read(site: Site) -> None:
    scrambled = base64.b64encode(json.dumps(BATCH).encode())[::-1]
    assert (await site.post(scrambled, "/v1/rgstr?se=1")).status_code == 202
    assert (await site.journal.wait(EventRecord))[0].name == "page_view"
    answer = await site.post(BATCH, "/v1/rgstr?se=1")
    assert answer.status_code == 400
    assert "base64 text, reversed" in answer.json()["message"]


@pytest.mark.parametrize("suffix", [".json", "", ".json?sinceTime=5"])
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_polls_for_specs_are_answered_and_their_key_is_masked(
    site: Site, version: str, suffix: str
) -> None:
    answer = await site.client.get(f"{site.emulator}/{version}/download_config_specs/{KEY}{suffix}")
    assert (answer.status_code, answer.json()) == (200, {"has_updates": False})
    (noted,) = await site.journal.wait(RequestRecord)
    assert noted.path == f"/{version}/download_config_specs/secret-…kkkk{suffix}"
    assert (noted.method, noted.status, noted.fault) == ("GET", 200, None)
    assert site.engine.archive.requests(1) == [noted]


@pytest.mark.parametrize("odd", ["short", "not-a-known-prefix-1234567890", "secret%2D" + "k" * 43])
async def test_whatever_stands_for_the_key_in_the_path_is_masked(site: Site, odd: str) -> None:
    await site.client.get(f"{site.emulator}/v1/download_config_specs/{odd}.json")
    (noted,) = await site.journal.wait(RequestRecord)
    assert odd not in noted.path


async def test_the_other_polls_are_answered(site: Site) -> None:
    scrambled = base64.b64encode(b'{"user":{}}')[::-1]
    answer = await site.post(scrambled, f"/v1/initialize?k={CLIENT}&se=1", key=None)
    assert (answer.status_code, answer.json()) == (200, {"has_updates": False})
    answer = await site.post({}, "/v1/get_id_lists")
    assert (answer.status_code, answer.json()) == (200, {})
    noted = await site.journal.wait(RequestRecord, count=2)
    assert noted[0].path == "/v1/initialize?k=client-…cccc&se=1"
    answer = await site.client.get(site.emulator + "/")
    assert answer.status_code == 200
    assert "event" not in answer.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_another_method_is_405_with_what_is_allowed(site: Site, method: str) -> None:
    """R28"""
    answer = await site.client.request(method, site.emulator + WEBHOOK, headers={"STATSIG-API-KEY": KEY})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path", ["/v1/webhooks", "/v1/unknown", "//", "/v1/webhooks/event_webhook/x", "/%00"]
)
async def test_another_path_is_404_naming_the_right_ones(site: Site, path: str) -> None:
    """R29"""
    answer = await site.post(GOOD, path)
    assert answer.status_code == answer.json()["status"] == 404
    assert WEBHOOK in answer.json()["message"]


async def test_internal_events_are_kept_and_never_forwarded(site: Site) -> None:
    await site.post({"events": [{"eventName": "statsig::diagnostics"}]}, "/v1/log_event")
    (verdict,) = await site.journal.wait(VerdictRecord)
    assert (verdict.forwarded, verdict.clause) == (False, "internal event")
    assert site.journal.of(EventRecord)[0].event_class is EventClass.INTERNAL
