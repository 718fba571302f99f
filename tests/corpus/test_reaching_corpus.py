"""Destinations that cannot be reached, or not as was meant (reliability.md D01, D02, D14, D19, D21–D23)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import BatchPolicy, RetryPolicy, Secret, Target
from statsig_tui.core.records import AttemptRecord, CaptureRecord, DeliveryRecord, DeliveryState
from statsig_tui.engine.target import ENDPOINT
from tests.corpus.cases_d import head
from tests.corpus.certificates import Authority

if TYPE_CHECKING:
    from tests.conftest import Answer, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
Then = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PATIENCE = 20.0
LATER = RetryPolicy((600, 600))
FAR = "http://hooks.example.test/in"
"""A host that is not this machine; nothing but a proxy is ever asked for it."""
FAR_TLS = "https://hooks.example.test/in"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody trusts yet."""
    return Authority(tmp_path)


async def first_attempt(site: Site) -> AttemptRecord:
    """What the first attempt at `mine` became, once the healthy destination beside it got its batch."""
    await site.event()
    (delivery,) = await site.journal.wait(
        DeliveryRecord, lambda d: d.destination == "mine" and d.state not in ("waiting", "sending")
    )
    await site.journal.wait(CaptureRecord)
    (attempt,) = site.engine.archive.attempts(delivery.id)
    return attempt


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ECONNREFUSED, "connection refused: is the endpoint running?"),
        (errno.EHOSTUNREACH, "no connection: No route to host"),
        (errno.ENETUNREACH, "no connection: Network is unreachable"),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_cannot_be_reached_is_told_so(
    engine: StartEngine, config: Make, destination: Make, monkeypatch: pytest.MonkeyPatch,
    host: str, number: int, error: str,
) -> None:  # fmt: skip
    """D01"""
    connect = socket.socket.connect

    def unreachable(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[1] == 9:
            raise OSError(number, os.strerror(number))
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    async with engine(config(destination("mine", f"http://{host}:9/", retry=LATER), destination())) as site:
        attempt = await first_attempt(site)
        assert (attempt.status, attempt.error) == (None, error)


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL])
async def test_a_name_that_is_not_found_is_told_so(
    engine: StartEngine, config: Make, destination: Make, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """D02"""
    found = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(number, "in the system's own words")
        return found(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    mine = destination("mine", "http://no-such-host.invalid/", retry=LATER)
    async with engine(config(mine, destination())) as site:
        attempt = await first_attempt(site)
        assert (attempt.status, attempt.error) == (None, "the host name does not resolve")


async def lingering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As careful servers do: what is under way is thrown away, lest a reset overtake the answer."""
    writer.write_eof()
    while await reader.read(65_536):
        pass


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Nothing more is read, and nothing closed, before the test ends."""
    await asyncio.Event().wait()


async def abrupt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As careless servers do: closed over what is still coming in, which is a reset."""


@pytest.mark.parametrize("then", [lingering, deaf, abrupt])
@pytest.mark.parametrize("tls", [False, True])
async def test_an_early_413_ends_the_upload(
    engine: StartEngine, config: Make, destination: Make, monkeypatch: pytest.MonkeyPatch,
    authority: Authority, then: Then, tls: bool,
) -> None:  # fmt: skip
    """D19: the endpoint says it while most of 8 MB is still to come; what is halved fits."""
    taken: list[bytes] = []
    peers: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head_of_it = await reader.readuntil(b"\r\n\r\n")
            size = int(re.search(rb"Content-Length: (\d+)", head_of_it)[1])  # type: ignore[index]
            if size < 1_000_000:
                taken.append(await reader.readexactly(size))
                writer.write(head(200, "Connection: close"))
            else:
                writer.write(head(413))
                await writer.drain()
                await then(reader, writer)
        writer.close()

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=authority.server() if tls else None)
    async with server:
        url = f"http{'s' * tls}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        mine = destination("mine", url, batch=BatchPolicy(9, 3600), retry=LATER)
        async with engine(config(mine)) as site:
            big = {"eventName": "big", "metadata": {"text": "x" * 900_000}}
            answer = await site.post(json.dumps({"events": [big] * 9}).encode(), "/v1/log_event")
            assert answer.status_code == 202
            await site.delivery(DeliveryState.DELIVERED, "mine", count=9)
            refused = site.journal.of(DeliveryRecord, lambda d: d.state is DeliveryState.CANCELLED)
            made = [item for one in refused for item in site.engine.archive.attempts(one.id)]
            assert {attempt.status for attempt in made} == {413}
        for peer in peers:
            assert peer is not None
            peer.cancel()
    assert len(taken) == 9


@pytest.mark.parametrize("by_proxy", [False, True])
async def test_no_cookie_comes_back_nor_goes_to_another_port(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    monkeypatch: pytest.MonkeyPatch, by_proxy: bool,
) -> None:  # fmt: skip
    """D21"""
    sets = say(head(200, "Set-Cookie: a=b; Path=/"))
    endpoints = [await endpoint(sets), await endpoint(sets)]
    urls = [each.url for each in endpoints]
    if by_proxy:
        monkeypatch.setenv("HTTP_PROXY", endpoints[0].url)
        urls = [FAR, FAR.replace("/in", ":81/in")]
    mine, other = (destination(name, url) for name, url in zip(("mine", "other"), urls, strict=True))
    async with engine(config(mine, other)) as site:
        for count in (1, 2):
            await site.event()
            for name in ("mine", "other"):
                await site.delivery(DeliveryState.DELIVERED, name, count=count)
    requests = [got for each in endpoints for got in each.requests]
    assert len(requests) == 4
    assert not any("cookie" in got.headers for got in requests)


OLD = {"newest": ssl.TLSVersion.TLSv1}


@pytest.mark.parametrize(
    ("server", "trusted", "error"),
    [
        pytest.param({}, True, None, id="D22 good"),
        pytest.param({}, False, "TLS error: .*self-signed|TLS error: .*local issuer", id="D22 unknown"),
        pytest.param({"host": "127.0.0.2"}, True, "TLS error: .*IP address mismatch", id="D22 address"),
        pytest.param({"host": "other.test"}, True, "TLS error: .*127.0.0.1", id="D22 host"),
        pytest.param({"days": (-3, -1)}, True, "TLS error: .*expired.*: check the clock", id="D22 expired"),
        pytest.param(
            {"days": (1, 3)}, True, "TLS error: .*not yet valid.*: check the clock", id="D22 future"
        ),
        pytest.param(OLD, True, "TLS error: ", id="D22 TLS 1.0"),
    ],
)
async def test_a_certificate_is_checked(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    monkeypatch: pytest.MonkeyPatch, authority: Authority,
    server: dict[str, Any], trusted: bool, error: str | None,
) -> None:  # fmt: skip
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    mine = await endpoint(say(200), tls=authority.server(**server))
    async with engine(config(destination("mine", mine.url, retry=LATER), destination())) as site:
        attempt = await first_attempt(site)
        assert attempt.status == (200 if error is None else None)
        if error is not None:
            assert attempt.error is not None
            assert re.match(error, attempt.error)
    assert len(mine.requests) == (1 if error is None else 0)


async def test_a_destination_may_be_trusted_without_a_check(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    authority: Authority,
) -> None:  # fmt: skip
    """D22"""
    mine = await endpoint(say(200), tls=authority.server(days=(-3, -1)))
    chosen = destination("mine", mine.url, retry=LATER, verify_tls=False)
    async with engine(config(chosen, destination())) as site:
        assert (await first_attempt(site)).status == 200


async def test_https_is_checked_though_the_url_was_http_before(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    monkeypatch: pytest.MonkeyPatch, authority: Authority,
) -> None:  # fmt: skip
    """D22"""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    plain, safe = await endpoint(say(200)), await endpoint(say(200), tls=authority.server())
    async with engine(config(destination("mine", plain.url), destination())) as site:
        await first_attempt(site)
        await site.engine.apply(config(destination("mine", safe.url), destination()))
        await site.event()
        await site.delivery(DeliveryState.DELIVERED, "mine", count=2)
    assert (len(plain.requests), len(safe.requests)) == (1, 1)


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


async def test_a_handshake_that_hangs_ends_with_the_deadline_and_the_connection(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    """D22"""
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        mine = destination("mine", url, retry=LATER, timeout_seconds=0.2)
        async with engine(config(mine, destination())) as site:
            attempt = await first_attempt(site)
            assert (attempt.status, attempt.error) == (None, "TLS error: no handshake within 0.2 s")
            async with asyncio.timeout(PATIENCE):
                await left.wait()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "all_proxy"])
async def test_a_proxy_is_used_for_other_machines_and_never_for_this_one(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    monkeypatch: pytest.MonkeyPatch, name: str,
) -> None:  # fmt: skip
    """D23"""
    proxy = await endpoint(say(200))
    monkeypatch.setenv(name, proxy.url)
    async with engine(config(destination("mine", FAR), destination())) as site:
        assert (await first_attempt(site)).status == 200
        assert (await site.engine.send(site.engine.targets()[0], b"{}")).status == 400
    assert [got.path for got in proxy.requests] == [FAR]


async def test_a_host_without_proxy_is_not_asked_through_it(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """D23"""
    proxy = await endpoint(say(200))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "example.test")
    async with engine(config(destination("mine", FAR, retry=LATER), destination())) as site:
        assert (await first_attempt(site)).error == "the host name does not resolve"
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("url", "answer", "status", "error"),
    [
        pytest.param(FAR, head(407), 407, "407 Words", id="D23 refuses"),
        pytest.param(
            FAR, head(302, f"Location: {FAR}2"), 302, f"302: redirect to {FAR}2 not followed", id="D12 by it"
        ),
        pytest.param(FAR_TLS, head(407), None, "the proxy refused: 407 Words", id="D23 refuses a tunnel"),
        pytest.param(FAR_TLS, head(410), None, "the proxy refused: 410 Words", id="D23 gone"),
        pytest.param(FAR_TLS, head(413), None, "the proxy refused: 413 Words", id="D23 too large"),
        pytest.param(FAR_TLS, head(200), None, "timeout: no answer within 0.3 s", id="D23 tunnel to nowhere"),
        pytest.param(FAR_TLS, b"", None, "timeout: no answer within 0.3 s", id="D23 silence"),
    ],
)
async def test_what_a_proxy_says_is_not_what_the_endpoint_says(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    monkeypatch: pytest.MonkeyPatch, url: str, answer: bytes, status: int | None, error: str,
) -> None:  # fmt: skip
    proxy = await endpoint(say(answer))
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    mine = destination("mine", url, retry=LATER, timeout_seconds=0.3)
    async with engine(config(mine, destination())) as site:
        attempt = await first_attempt(site)
        assert (attempt.status, attempt.error) == (status, error)
        assert site.engine.disabled("mine") is None
        sent = await site.engine.send(Target("far", url), b"{}", seconds=0.3)
        assert sent.certainty == ("not sent" if status is None else "answered")
    asked = {FAR, FAR + ENDPOINT} if url == FAR else {"hooks.example.test:443"}
    assert {got.path for got in proxy.requests} == asked


@pytest.mark.parametrize(
    ("host", "error"), [("hooks.example.test", None), ("other.test", "TLS error: .*hooks.example.test")]
)
async def test_a_proxy_sees_nothing_of_what_goes_through_its_tunnel(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    monkeypatch: pytest.MonkeyPatch, authority: Authority, host: str, error: str | None,
) -> None:  # fmt: skip
    """D23, D22: nor may it be somebody else at the other end."""
    mine = await endpoint(say(200), tls=authority.server(host=host))
    asked: list[bytes] = []

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        there = await asyncio.open_connection("127.0.0.1", int(mine.url.split(":")[2].partition("/")[0]))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(pour(reader, there[1]), pour(there[0], writer))

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    async with proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        async with engine(config(destination("mine", FAR_TLS, retry=LATER), destination())) as site:
            attempt = await first_attempt(site)
            sent = await site.engine.send(Target("far", FAR_TLS, Secret.of("secret-k")), b"{}")
    for status, told in ((attempt.status, attempt.error), (sent.status, sent.error)):
        assert status == (200 if error is None else None)
        assert re.match(error or "$", told or "")
    assert [head.split()[:2] for head in asked] == [[b"CONNECT", b"hooks.example.test:443"]] * 2
    assert not any(word in head.lower() for head in asked for word in (b"signature", b"secret-k"))
    assert [got.path for got in mine.requests] == ([] if error else ["/in", f"/in{ENDPOINT}"])


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:9", "nonsense://x", "http://127.0.0.1:9", "http://[", "http://x:y"]
)
async def test_a_bad_proxy_ends_no_worker(
    engine: StartEngine, config: Make, destination: Make, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """D23: it is a failed attempt; and this machine is never reached through it."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    async with engine(config(destination("mine", FAR, retry=LATER), destination())) as site:
        assert (await first_attempt(site)).error


async def test_trust_that_cannot_be_loaded_ends_no_worker(
    engine: StartEngine, config: Make, destination: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D23"""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    async with engine(
        config(destination("mine", "https://127.0.0.1:9/", retry=LATER), destination())
    ) as site:
        assert (await first_attempt(site)).error


async def test_no_login_is_taken_from_the_users_files(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, own_home: Path
) -> None:
    """D23"""
    (own_home / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    mine = await endpoint(say(200))
    async with engine(config(destination("mine", mine.url), destination())) as site:
        await first_attempt(site)
    assert "authorization" not in mine.requests[0].headers


@pytest.mark.parametrize("status", [401, 403])
async def test_the_words_name_the_secret_that_was_asked_for(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, status: int
) -> None:
    """D14, P11: a destination checks our signature, a target our key."""
    mine = await endpoint(say(status))
    async with engine(config(destination("mine", mine.url, retry=LATER), destination())) as site:
        attempt = await first_attempt(site)
        sent = await site.engine.send(Target("mine", mine.url, Secret.of("secret-k")), b"{}")
        assert (attempt.error, sent.error) == (
            f"{status} X: check the signing secret",
            f"{status} X: check the server secret",
        )


async def test_a_header_that_cannot_be_sent_is_not_repeated_in_the_error(site: Site) -> None:
    target = site.engine.targets()[0]
    for value in ("hunter2\nhunter2", "hunter2\u2603"):
        sent = await site.engine.send(target, b"{}", headers=[("X-Own", value)])
        assert (sent.status, sent.certainty) == (None, "not sent")
        assert sent.error is not None
        assert "hunter2" not in sent.error
