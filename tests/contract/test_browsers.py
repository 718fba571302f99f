"""Who may call from a web page, and under which Host (reliability.md decisions, R19, R33, R34, E10)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.records import CaptureRecord, EventRecord, RequestRecord

if TYPE_CHECKING:
    from tests.conftest import Site, StartEngine

GOOD = {"user": {"userID": "u1"}, "event": "checkout"}
WEBHOOK = "/v1/webhooks/event_webhook"
LOOPBACK = ["http://localhost:3000", "http://127.0.0.1:8080", "https://localhost", "http://[::1]:3000"]
FOREIGN = [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example:3000",
    "http://evil.example:3000/localhost",
    "http://localhost@evil.example",
    "file://",
    "",
    "http://[",
]
Make = Callable[..., Any]


@pytest.mark.parametrize("origin", LOOPBACK)
async def test_a_page_on_this_machine_may_call_the_emulator(site: Site, origin: str) -> None:
    page = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    preflight = await site.client.options(
        site.emulator + "/v1/rgstr",
        headers=page
        | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,statsig-api-key",
            "Access-Control-Request-Private-Network": "true",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "content-type,statsig-api-key"
    assert preflight.headers["access-control-allow-private-network"] == "true"
    assert preflight.headers["vary"] == "origin"
    answer = await site.post(GOOD, headers=page)
    assert answer.status_code == 202
    assert answer.headers["access-control-allow-origin"] == origin
    refused = await site.post({}, headers=page)
    assert refused.status_code == 400
    assert refused.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_from_elsewhere_may_not_call_the_emulator(site: Site, origin: str) -> None:
    """R33, R34, E10"""
    for method in ("OPTIONS", "POST"):
        answer = await site.client.request(
            method,
            site.emulator + WEBHOOK,
            content=json.dumps(GOOD),
            headers={"Origin": origin, "Content-Type": "text/plain", "STATSIG-API-KEY": "secret-" + "k" * 43},
        )
        assert answer.status_code == answer.json()["status"] == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert site.journal.of(EventRecord) == []
    (noted, _) = await site.journal.wait(RequestRecord, count=2)
    assert noted.fault is not None
    assert "cors_origins" in noted.fault


async def test_a_cross_site_request_without_an_origin_is_refused(site: Site) -> None:
    answer = await site.post(GOOD, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["same-origin", "same-site", "none"])
async def test_other_fetches_without_an_origin_are_taken(site: Site, kind: str) -> None:
    headers = {"Sec-Fetch-Site": kind, "Sec-Fetch-Mode": "cors"}
    assert (await site.post(GOOD, headers=headers)).status_code == 202


async def test_origins_and_hosts_can_be_allowed(engine: StartEngine, config: Make) -> None:
    allowed = {"cors_origins": ("https://app.example",), "allowed_hosts": ("tui.example", "lan.example:9")}
    async with engine(config(emulator=allowed)) as site:
        answer = await site.post(GOOD, headers={"Origin": "https://app.example"})
        assert answer.status_code == 202
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert (await site.post(GOOD, headers={"Origin": "http://app.example"})).status_code == 403
        for host, status in (
            ("tui.example", 202),
            ("TUI.example:1234", 202),
            ("lan.example:9", 202),
            ("lan.example:8", 403),
            ("evil.example", 403),
        ):
            assert (await site.post(GOOD, headers={"Host": host})).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 202),
        ("LOCALHOST:7828", 202),
        ("127.0.0.1", 202),
        ("127.0.0.1:9999", 202),
        ("[::1]", 202),
        ("[::1]:7828", 202),
        ("evil.example:9999", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.", 403),
        ("0.0.0.0", 403),
        ("127.1", 403),
        ("2130706433", 403),
        ("user@127.0.0.1", 403),
        ("localhost:7828@evil.example", 403),
    ],
)
async def test_the_emulators_hosts(site: Site, host: str, status: int) -> None:
    """R19"""
    answer = await site.post(GOOD, headers={"Host": host})
    assert answer.status_code == status
    if status == 403:
        assert "allowed_hosts" in answer.json()["message"]


async def test_the_receiver_takes_any_host(site: Site) -> None:
    for host in ("tunnel.example", "evil.example:9", "127.1"):
        assert (await site.webhook({"data": []}, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
     {"Origin": "http://localhost:3000"}],
)  # fmt: skip
async def test_the_receiver_refuses_pages_of_other_sites_and_keeps_what_they_sent(
    site: Site, headers: dict[str, str]
) -> None:
    """R33"""
    answer = await site.webhook({"data": [{"eventName": "e"}]}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "browser_request"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    (capture,) = await site.journal.wait(CaptureRecord)
    assert (capture.status, capture.fault) == (403, "browser_request")
    assert [event.event_name for event in capture.events] == ["e"]


async def test_the_receiver_answers_no_preflight(site: Site) -> None:
    """R34"""
    answer = await site.client.options(
        site.receiver + "/",
        headers={"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"},
    )
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_browsers_can_be_allowed_at_the_receiver(engine: StartEngine, config: Make) -> None:
    async with engine(config(receiver={"allow_browsers": True})) as site:
        answer = await site.webhook({"data": []}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 200


async def test_a_page_of_the_receiver_itself_is_no_foreigner(site: Site) -> None:
    answer = await site.webhook({"data": []}, headers={"Origin": site.receiver})
    assert answer.status_code == 200
