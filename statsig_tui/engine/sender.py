"""Requests that leave by httpx, whatever they are, and every error it can end in.

No redirects, no cookies, one total deadline, at most 64 KiB of an answer (reliability.md D01–D24).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from statsig_tui.core.config import ClientCert
from statsig_tui.core.link_local import is_link_local
from statsig_tui.core.records import Headers, Timing
from statsig_tui.core.request import Request, is_chunked, target_of
from statsig_tui.engine.connecting import (
    CONNECT_SECONDS,
    KEEP_ALIVE_SECONDS,
    LinkLocalRefused,
    certificate_refused,
    connect_error,
    is_local,
    proxy_of,
    trust,
)
from statsig_tui.engine.outcome import (
    ANSWER_LIMIT,
    STALE,
    Head,
    Outcome,
    answered,
    as_text,
    late,
    with_own,
    words,
)
from statsig_tui.errors import UsageError


class Sender:
    """One HTTP client, for one destination or target, whose failures touch nobody else's."""

    def __init__(
        self,
        *,
        verify_tls: bool = True,
        client_cert: ClientCert | None = None,
        allow_link_local: bool = True,
        keep_alive: bool = True,
        credential: str = "signing secret",
    ) -> None:
        """Without `keep_alive` each request has its own connection, so that it is never repeated.

        `credential` is what to check, in words, where the other side does not let us in.
        """
        self.verify_tls = verify_tls
        self.client_cert = client_cert
        self.allow_link_local = allow_link_local
        self._credential = credential
        self._limits = httpx.Limits(
            max_keepalive_connections=4 if keep_alive else 0, keepalive_expiry=KEEP_ALIVE_SECONDS
        )
        self._clients: dict[tuple[bool, bool], httpx.AsyncClient] = {}

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, seconds: float
    ) -> Outcome:
        """Send exactly these bytes and wait at most `seconds` for all of it; never raises on failure."""
        return await self._send(Request(method, url, with_own(headers), body), seconds, {})

    async def send_exactly(self, request: Request, seconds: float) -> Outcome:
        """The same with no header and no path but the given ones, whatever they are.

        In a proxy's tunnel a path goes out as httpx spells it.
        """
        return await self._send(request, seconds, _asked_for(request.url))

    async def _send(self, asked: Request, seconds: float, extensions: dict[str, object]) -> Outcome:
        url = asked.url
        progress = _Progress()

        def failed(error: str, *, sent: bool | None = None) -> Outcome:
            if progress.head is not None:
                # A status that has come is the answer; what follows is not worth a second delivery.
                return self._outcome(progress.head, progress, truncated=True)
            sent = progress.sending if sent is None else sent
            return Outcome(
                status=None,
                ms=progress.ms(),
                error=error,
                certainty="unknown" if sent else "not sent",
                timing=progress.timing(),
            )

        def broken(why: str) -> Outcome:
            what = "broken off" if progress.sent_head else "not sent"
            return failed(f"{what}: {why}", sent=progress.sent_head)

        try:
            async with asyncio.timeout(seconds):
                client = await self._client(url)
                # A proxy's address says nothing of the endpoint's.
                progress.allow_link_local = self.allow_link_local or proxy_of(url) is not None
                known = {"trace": progress.note, "timeout": client.timeout.as_dict()}
                response = await client.send(_built(asked, known | extensions), stream=True)
                try:
                    body, truncated = await _body(response)
                finally:
                    await response.aclose()
                return self._outcome(_head(response), progress, body, truncated=truncated)
        except TimeoutError:
            return failed(late(seconds))
        except LinkLocalRefused as error:
            return failed(str(error), sent=False)
        except httpx.TimeoutException:
            return failed(f"timeout: no connection within {CONNECT_SECONDS:g} s")
        except httpx.ConnectError as error:
            return failed(connect_error(error, url))
        except httpx.ProxyError as error:
            return failed(f"the proxy refused: {words(error)}")
        except httpx.RemoteProtocolError as error:
            if progress.reused and "disconnected without sending" in str(error):
                return failed(STALE)
            return failed(f"protocol error: {words(error)}")
        except httpx.LocalProtocolError as error:
            # Its text repeats an illegal header's value, which may be a secret.
            illegal = "Illegal header" in str(error)
            return broken("illegal header" if illegal else words(error))
        except httpx.TransportError as error:
            return failed(certificate_refused(words(error)) or f"connection lost: {words(error)}")
        except Exception as error:  # noqa: BLE001 - proxies and certificates fail in any way, ImportError too
            return broken(words(error))
        finally:
            if progress.opening is not None:
                # httpcore forgets a connection whose TLS handshake is cut short, and leaves it open.
                await progress.opening.aclose()

    async def _client(self, url: str) -> httpx.AsyncClient:
        local = is_local(url)
        # The trusted certificates are loaded for https alone, so that a client made for http has none.
        kind = (local, urlsplit(url).scheme == "https")
        if kind not in self._clients:
            verify = await asyncio.to_thread(trust, url, verify=self.verify_tls, client_cert=self.client_cert)
            # Another request may have made one meanwhile, and a second one would never be closed.
            if kind not in self._clients:
                self._clients[kind] = self._new_client(verify, trust_env=not local)
        return self._clients[kind]

    def _new_client(self, verify: ssl.SSLContext, *, trust_env: bool) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=verify,
            # Environment proxies are honoured, but never for this machine.
            trust_env=trust_env,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=self._limits,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        )

    def _outcome(self, head: Head, progress: _Progress, body: bytes = b"", *, truncated: bool) -> Outcome:
        return answered(
            head,
            body,
            truncated=truncated,
            ms=progress.ms(),
            credential=self._credential,
            timing=progress.timing(),
        )


def head_of(request: Request) -> Headers:
    """Every header of a request as it goes out, the framing's too, in their order.

    Raises UsageError where no request can be made of it.
    """
    try:
        raw = _built(request, {}).headers.raw
    except (UnicodeError, httpx.InvalidURL) as error:
        raise UsageError(f"No request can be made of this: {words(error)}.") from None
    head = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    # h11 writes Host before all others.
    return tuple(sorted(head, key=lambda header: header[0].lower() != "host"))


def _built(asked: Request, extensions: dict[str, object]) -> httpx.Request:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in asked.headers]
    content = _in_chunks(asked.body) if is_chunked(asked.headers) else asked.body
    return httpx.Request(asked.method, asked.url, headers=headers, content=content, extensions=extensions)


def _asked_for(url: str) -> dict[str, object]:
    """What stands in the request line, where it is not left to httpx."""
    target, parts = target_of(url), urlsplit(url)
    if proxy_of(url) is None:
        return {"target": target.encode()}
    if parts.scheme == "https":
        # httpcore would have the proxy open its tunnel to this instead of the host.
        return {}
    return {"target": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{target}".encode()}


def _head(response: httpx.Response) -> Head:
    return Head(response.status_code, response.reason_phrase, as_text(response.headers.raw))


async def _in_chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body


@dataclass(slots=True)
class _Progress:
    """How far a request came, as httpcore tells it: what separates *not sent* from *unknown*."""

    started: float = field(default_factory=time.perf_counter)
    sending: bool = False
    sent_head: bool = False
    reused: bool = True
    head: Head | None = None
    allow_link_local: bool = False
    opening: Any = None
    """A network stream that is no connection yet: its handshake is not done."""
    _to_proxy: bool = False
    """What is being said concerns a tunnel: a proxy's yes is not the endpoint's."""
    _sending_at: float | None = None
    _answered_at: float | None = None

    async def note(self, name: str, info: dict[str, object]) -> None:
        if name.startswith("connection.connect"):
            self.reused = False
            self.opening = info.get("return_value")
            # Here and not by its name alone: that may lead elsewhere than when it was looked at.
            is_connected = name == "connection.connect_tcp.complete"
            if is_connected and not self.allow_link_local and self._is_link_local():
                raise LinkLocalRefused
        elif name.endswith("start_tls.complete"):
            self.opening = None
        elif name.endswith("send_request_headers.started"):
            self._to_proxy = getattr(info.get("request"), "method", b"") == b"CONNECT"
            if not self._to_proxy:
                self.sending = True
                self.opening = None
                self._sending_at = time.perf_counter()
        elif name.endswith("send_request_headers.complete"):
            self.sent_head = not self._to_proxy
        elif name.endswith("receive_response_headers.complete") and not self._to_proxy:
            self._answered_at = time.perf_counter()
            value = info.get("return_value")
            if isinstance(value, tuple) and len(value) >= 4:
                self.head = Head(value[1], value[2].decode("latin-1"), as_text(value[3]))

    def _is_link_local(self) -> bool:
        return is_link_local(self.opening.get_extra_info("server_addr")[0])

    def ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000

    def timing(self) -> Timing:
        """The parts up to now; together they are all of ms()."""
        now = time.perf_counter()
        sending, answered = self._sending_at, self._answered_at
        return Timing(
            connect=((sending or now) - self.started) * 1000,
            wait=None if sending is None else ((answered or now) - sending) * 1000,
            read=None if answered is None else (now - answered) * 1000,
        )


async def _body(response: httpx.Response) -> tuple[bytes, bool]:
    """What of a body arrives and is kept, and whether that is not all of it."""
    body = bytearray()
    try:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > ANSWER_LIMIT:
                return bytes(body[:ANSWER_LIMIT]), True
    except httpx.TransportError:
        return bytes(body), True
    return bytes(body), False
