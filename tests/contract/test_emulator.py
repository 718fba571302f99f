"""The emulator as SDKs use it (statsig-wire.md §5), and its keys; odd requests are in the corpus."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from statsig_tui.core.config import Secret
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import EventRecord, RequestRecord, VerdictRecord

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


CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", CODERS)
async def test_an_encoding_that_is_not_announced_is_noticed(site: Site, encoding: str) -> None:
    raw = CODERS[encoding](json.dumps(BATCH).encode())
    assert (await site.post(raw, "/v1/log_event")).status_code == 202


@pytest.mark.parametrize("query", ["gz=1", "k=ignored&gz=1&st=javascript-client"])
async def test_gz_announces_gzip_and_may_be_wrong(site: Site, query: str) -> None:
    raw = json.dumps(BATCH).encode()
    for body in (gzip.compress(raw), raw):
        assert (await site.post(body, f"/v1/rgstr?{query}")).status_code == 202
    assert len(await site.journal.wait(EventRecord, count=2)) == 2


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


async def test_internal_events_are_kept_and_never_forwarded(site: Site) -> None:
    await site.post({"events": [{"eventName": "statsig::diagnostics"}]}, "/v1/log_event")
    (verdict,) = await site.journal.wait(VerdictRecord)
    assert (verdict.forwarded, verdict.clause) == (False, "internal event")
    assert site.journal.of(EventRecord)[0].event_class is EventClass.INTERNAL
