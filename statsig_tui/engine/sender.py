"""HTTP requests that leave, and every error they can end in: mapped here and nowhere else.

No redirects, no cookies, one total deadline, at most 64 KiB of an answer (reliability.md D01–D24).
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal
from urllib.parse import urlsplit

import httpx

from statsig_tui import __version__
from statsig_tui.core.records import Headers

USER_AGENT = f"statsig-tui/{__version__}"
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
        started = time.perf_counter()
        progress = _Progress()

        def failed(error: str, *, sent: bool = True) -> Outcome:
            return Outcome(
                status=None,
                ms=(time.perf_counter() - started) * 1000,
                error=error,
                certainty="unknown" if sent and progress.sending else "not sent",
            )

        try:
            async with asyncio.timeout(seconds):
                client = await self._client(url)
                request = client.build_request(
                    method,
                    url,
                    headers=[(name.encode(), value.encode("latin-1")) for name, value in _complete(headers)],
                    content=body,
                    extensions={"trace": progress.note},
                )
                response = await client.send(request, stream=True)
                try:
                    return await _answer(response, started)
                finally:
                    await response.aclose()
        except TimeoutError:
            if progress.status is not None:
                return _cut_short(progress, started)
            return failed(f"timeout: no answer within {seconds:g} s")
        except httpx.TimeoutException:
            return failed(f"timeout: no connection within {_CONNECT_SECONDS:g} s")
        except httpx.ConnectError as error:
            return failed(_connect_error(error, url))
        except httpx.RemoteProtocolError as error:
            if progress.status is not None:
                return _cut_short(progress, started)
            if progress.reused and "disconnected without sending" in str(error):
                return failed(STALE)
            return failed(f"protocol error: {_words(error)}")
        except httpx.LocalProtocolError as error:
            # Its text repeats an illegal header's value, which may be a secret.
            illegal = "Illegal header" in str(error)
            return failed(f"not sent: {'illegal header' if illegal else _words(error)}", sent=False)
        except httpx.TransportError as error:
            if progress.status is not None:
                return _cut_short(progress, started)
            return failed(f"connection lost: {_words(error)}")
        except Exception as error:  # noqa: BLE001 - proxies and certificates fail in any way, ImportError too
            return failed(f"not sent: {_words(error)}")

    async def _client(self, url: str) -> httpx.AsyncClient:
        local = is_local(url)
        if local not in self._clients:
            verify = await asyncio.to_thread(_context, url, verify=self.verify_tls)
            # Another request may have made one meanwhile, and a second one would never be closed.
            if local not in self._clients:
                self._clients[local] = self._new_client(verify, trust_env=not local)
        return self._clients[local]

    def _new_client(self, verify: ssl.SSLContext, *, trust_env: bool) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=verify,
            # Environment proxies are honoured, but never for this machine.
            trust_env=trust_env,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=self._limits,
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
        )


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class _Progress:
    """How far a request came, as httpcore tells it: what separates *not sent* from *unknown*."""

    sending: bool = False
    reused: bool = True
    status: int | None = None
    reason: str = ""
    headers: Headers = ()

    async def note(self, name: str, info: dict[str, object]) -> None:
        if name.startswith("connection.connect"):
            self.reused = False
        elif name.endswith("send_request_headers.started"):
            self.sending = True
        elif name.endswith("receive_response_headers.complete"):
            value = info.get("return_value")
            if isinstance(value, tuple) and len(value) >= 4:
                self.status = value[1]
                self.reason = value[2].decode("latin-1")
                self.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in value[3])


def _complete(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    given = {name.lower() for name, _ in headers}
    own = (("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
    return [*headers, *((name, value) for name, value in own if name.lower() not in given)]


async def _answer(response: httpx.Response, started: float) -> Outcome:
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
        ms=(time.perf_counter() - started) * 1000,
        reason=response.reason_phrase,
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
        ),
        body=bytes(body),
        truncated=truncated or cut is not None,
        error=_status_error(response) if valid else f"protocol error: status {response.status_code}",
        retry_after=response.headers.get("retry-after"),
    )


def _cut_short(progress: _Progress, started: float) -> Outcome:
    return Outcome(
        status=progress.status,
        ms=(time.perf_counter() - started) * 1000,
        reason=progress.reason,
        headers=progress.headers,
        truncated=True,
        error=None
        if progress.status and 200 <= progress.status <= 299
        else f"answered {progress.status}, then cut",
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
