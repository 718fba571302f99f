"""HTTP requests that leave, and every error they can end in: mapped here and nowhere else.

No redirects, no cookies, one total deadline, at most 64 KiB of an answer (reliability.md D01–D24).
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal
from urllib.parse import urlsplit

import httpx

from statsig_tui import __version__
from statsig_tui.core.records import Headers, Timing
from statsig_tui.core.request import Request, is_chunked, target_of
from statsig_tui.errors import UsageError

USER_AGENT = f"statsig-tui/{__version__}"
OWN = (("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
"""What every request has that does not give its own."""
ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer's body that are read and kept."""
STALE = "the idle connection had been closed: sent again at once"
"""The error of a request whose kept connection the server closed before it answered."""
_CONNECT_SECONDS = 5.0
_KEEP_ALIVE_SECONDS = 4.0
"""Below the 5 s after which many servers close: a stale connection is found before it is used."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: an answer, or an error in words."""

    status: int | None
    ms: float
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    truncated: bool = False
    error: str | None = None
    certainty: Literal["answered", "not sent", "unknown"] = "answered"
    """`unknown`: bytes may have arrived, but no answer came."""
    retry_after: str | None = field(default=None)
    timing: Timing = field(default_factory=Timing)


class Sender:
    """One HTTP client, for one destination or target, whose failures touch nobody else's."""

    def __init__(self, *, verify_tls: bool = True, keep_alive: bool = True) -> None:
        """Without `keep_alive` each request has its own connection, so that it is never repeated."""
        self.verify_tls = verify_tls
        self._limits = httpx.Limits(
            max_keepalive_connections=4 if keep_alive else 0, keepalive_expiry=_KEEP_ALIVE_SECONDS
        )
        self._clients: dict[bool, httpx.AsyncClient] = {}

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
        """The same with no header and no path but the given ones, whatever they are."""
        return await self._send(request, seconds, {"target": target_of(request.url).encode()})

    async def _send(self, asked: Request, seconds: float, extensions: dict[str, object]) -> Outcome:
        url = asked.url
        progress = _Progress()

        def failed(error: str, *, sent: bool | None = None) -> Outcome:
            sent = progress.sending if sent is None else sent
            return Outcome(
                status=None,
                ms=progress.ms(),
                error=error,
                certainty="unknown" if sent else "not sent",
                timing=progress.timing(),
            )

        def broken(words: str) -> Outcome:
            what = "broken off" if progress.sent_head else "not sent"
            return failed(f"{what}: {words}", sent=progress.sent_head)

        try:
            async with asyncio.timeout(seconds):
                client = await self._client(url)
                known = {"trace": progress.note, "timeout": client.timeout.as_dict()}
                response = await client.send(_built(asked, known | extensions), stream=True)
                try:
                    return await _answer(response, progress)
                finally:
                    await response.aclose()
        except TimeoutError:
            if progress.status is not None:
                return _cut_short(progress)
            return failed(f"timeout: no answer within {seconds:g} s")
        except httpx.TimeoutException:
            return failed(f"timeout: no connection within {_CONNECT_SECONDS:g} s")
        except httpx.ConnectError as error:
            return failed(_connect_error(error, url))
        except httpx.RemoteProtocolError as error:
            if progress.status is not None:
                return _cut_short(progress)
            if progress.reused and "disconnected without sending" in str(error):
                return failed(STALE)
            return failed(f"protocol error: {_words(error)}")
        except httpx.LocalProtocolError as error:
            # Its text repeats an illegal header's value, which may be a secret.
            illegal = "Illegal header" in str(error)
            return broken("illegal header" if illegal else _words(error))
        except httpx.TransportError as error:
            if progress.status is not None:
                return _cut_short(progress)
            return failed(f"connection lost: {_words(error)}")
        except Exception as error:  # noqa: BLE001 - proxies and certificates fail in any way, ImportError too
            return broken(_words(error))

    async def _client(self, url: str) -> httpx.AsyncClient:
        local = is_local(url)
        client = self._clients.get(local)
        if client is None:
            verify = await asyncio.to_thread(_context, url, verify=self.verify_tls)
            client = httpx.AsyncClient(
                verify=verify,
                # Environment proxies are honoured, but never for this machine.
                trust_env=not local,
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                limits=self._limits,
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            )
            self._clients[local] = client
        return client


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def with_own(headers: Sequence[tuple[str, str]]) -> Headers:
    """The headers with those that every request has, where it does not give its own."""
    given = {name.lower() for name, _ in headers}
    return (*headers, *((name, value) for name, value in OWN if name.lower() not in given))


def head_of(request: Request) -> Headers:
    """Every header of a request as it goes out, the framing's too, in their order.

    Raises UsageError where no request can be made of it.
    """
    try:
        raw = _built(request, {}).headers.raw
    except (UnicodeError, httpx.InvalidURL) as error:
        raise UsageError(f"No request can be made of this: {_words(error)}.") from None
    head = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    # h11 writes Host before all others.
    return tuple(sorted(head, key=lambda header: header[0].lower() != "host"))


def _built(asked: Request, extensions: dict[str, object]) -> httpx.Request:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in asked.headers]
    content = _in_chunks(asked.body) if is_chunked(asked.headers) else asked.body
    return httpx.Request(asked.method, asked.url, headers=headers, content=content, extensions=extensions)


async def _in_chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body


@dataclass(slots=True)
class _Progress:
    """How far a request came, as httpcore tells it: what separates *not sent* from *unknown*."""

    started: float = field(default_factory=time.perf_counter)
    sending: bool = False
    sent_head: bool = False
    reused: bool = True
    status: int | None = None
    reason: str = ""
    headers: Headers = ()
    _sending_at: float | None = None
    _answered_at: float | None = None

    async def note(self, name: str, info: dict[str, object]) -> None:
        if name.startswith("connection.connect"):
            self.reused = False
        elif name.endswith("send_request_headers.started"):
            self.sending = True
            self._sending_at = time.perf_counter()
        elif name.endswith("send_request_headers.complete"):
            self.sent_head = True
        elif name.endswith("receive_response_headers.complete"):
            self._answered_at = time.perf_counter()
            value = info.get("return_value")
            if isinstance(value, tuple) and len(value) >= 4:
                self.status = value[1]
                self.reason = value[2].decode("latin-1")
                self.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in value[3])

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


async def _answer(response: httpx.Response, progress: _Progress) -> Outcome:
    body = bytearray()
    truncated = False
    cut: str | None = None
    try:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > ANSWER_LIMIT:
                truncated = True
                del body[ANSWER_LIMIT:]
                break
    except httpx.TransportError as error:
        # The status has come: that is the answer; what follows it is not worth a second delivery.
        cut = f"answer cut short: {_words(error)}"
    valid = 100 <= response.status_code <= 599
    return Outcome(
        status=response.status_code if valid else None,
        ms=progress.ms(),
        reason=response.reason_phrase,
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
        ),
        body=bytes(body),
        truncated=truncated or cut is not None,
        error=_status_error(response) if valid else f"protocol error: status {response.status_code}",
        retry_after=response.headers.get("retry-after"),
        timing=progress.timing(),
    )


def _cut_short(progress: _Progress) -> Outcome:
    return Outcome(
        status=progress.status,
        ms=progress.ms(),
        reason=progress.reason,
        headers=progress.headers,
        truncated=True,
        error=None
        if progress.status and 200 <= progress.status <= 299
        else f"answered {progress.status}, then cut",
        timing=progress.timing(),
    )


def _status_error(response: httpx.Response) -> str | None:
    status = response.status_code
    if 200 <= status <= 299:
        return None
    if 300 <= status <= 399:
        return f"{status}: redirect to {response.headers.get('location', 'nowhere')} not followed"
    hint = {
        401: ": check the signing secret",
        403: ": check the signing secret",
        410: ": the endpoint is gone for good",
        413: ": the batch is too large for the endpoint",
        429: ": the endpoint asks to slow down",
    }.get(status, "")
    return f"{status} {response.reason_phrase}".strip() + hint


def _connect_error(error: httpx.ConnectError, url: str) -> str:
    text = _words(error)
    if not str(error) and url.startswith("https:"):
        return "TLS error: the endpoint broke off the handshake: does it speak https?"
    if "CERTIFICATE_VERIFY_FAILED" in text or "SSL" in text or "TLS" in text:
        clock = ": check the clock" if "expired" in text or "not yet valid" in text else ""
        return f"TLS error: {text}{clock}"
    if "Name or service not known" in text or "nodename nor servname" in text or "getaddrinfo" in text:
        return "the host name does not resolve"
    if "All connection attempts failed" in text or "refused" in text:
        return "connection refused: is the endpoint running?"
    return f"no connection: {text}"


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _context(url: str, *, verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not url.startswith("https:"):
        # Loading the trusted certificates costs more than a whole delivery, and plain HTTP needs none.
        return context
    if verify:
        return httpx.create_ssl_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
