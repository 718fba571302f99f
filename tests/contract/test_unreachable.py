"""Destinations that cannot be reached, or not as was meant (reliability.md D01, D02, D22, D23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import RetryPolicy
from statsig_tui.core.records import CaptureRecord, DeliveryState

if TYPE_CHECKING:
    from tests.conftest import Site, StartEngine

Make = Callable[..., Any]
LATER = RetryPolicy((600, 600))


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:9/", "connection refused: is the endpoint running?"),
        ("http://no-such-host.invalid/", "the host name does not resolve"),
    ],
)
async def test_what_cannot_be_reached_is_told_so(
    engine: StartEngine, config: Make, destination: Make, url: str, error: str
) -> None:
    """D01, D02"""
    async with engine(config(destination("mine", url, retry=LATER), destination())) as site:
        await site.event()
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert (retrying.status, retrying.error) == (None, error)
        await site.journal.wait(CaptureRecord)


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:9", "nonsense://x", "http://127.0.0.1:9", "http://[", "http://x:y"]
)
async def test_a_bad_proxy_ends_no_worker(
    engine: StartEngine, config: Make, destination: Make, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """D23: it is a failed attempt; and this machine is never reached through it."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    mine = destination("mine", "http://hooks.example.test/", retry=LATER)
    async with engine(config(mine, destination())) as site:
        await site.event()
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert retrying.error
        await site.journal.wait(CaptureRecord)


async def test_trust_that_cannot_be_loaded_ends_no_worker(
    engine: StartEngine, config: Make, destination: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D23"""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    async with engine(config(destination("mine", "https://127.0.0.1:9/", retry=LATER))) as site:
        await site.event()
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert retrying.error


async def test_a_server_without_tls_is_told_so(engine: StartEngine, config: Make, destination: Make) -> None:
    """D22"""
    async with engine() as site:
        url = site.receiver.replace("http:", "https:")
        await site.engine.apply(config(destination("mine", url, retry=LATER)))
        await site.event()
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert retrying.error is not None
        assert retrying.error.startswith("TLS error")
        assert site.engine.refused == {"tls": 1}


async def test_a_header_that_cannot_be_sent_is_not_repeated_in_the_error(site: Site) -> None:
    target = site.engine.targets()[0]
    for value in ("hunter2\nhunter2", "hunter2\u2603"):
        sent = await site.engine.send(target, b"{}", headers=[("X-Own", value)])
        assert (sent.status, sent.certainty) == (None, "not sent")
        assert sent.error is not None
        assert "hunter2" not in sent.error
