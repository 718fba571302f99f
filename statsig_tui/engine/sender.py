"""HTTP requests that leave, and every error they can end in: mapped here and nowhere else.

No redirects, no cookies, one total deadline, at most 64 KiB of an answer (reliability.md D01–D24).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from statsig_tui import __version__
from statsig_tui.core.records import Headers, Timing
from statsig_tui.core.request import Request, is_chunked, target_of
from statsig_tui.errors import UsageError

PROGRAM = "statsig-tui/"
USER_AGENT = f"{PROGRAM}{__version__}"
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

    def __init__(
        self, *, verify_tls: bool = True, keep_alive: bool = True, credential: str = "signing secret"
    ) -> None:
        """Without `keep_alive` each request has its own connection, so that it is never repeated.

        `credential` is what to check, in words, where the other side does not let us in.
        """
        self.verify_tls = verify_tls
        self._credential = credential
        self._limits = httpx.Limits(
            max_keepalive_connections=4 if keep_alive else 0, keepalive_expiry=_KEEP_ALIVE_SECONDS
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
        """The same with no header and no path but the given ones, whatever they are."""
        return await self._send(request, seconds, {"target": target_of(request.url).encode()})

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

        def broken(words: str) -> Outcome:
            what = "broken off" if progress.sent_head else "not sent"
            return failed(f"{what}: {words}", sent=progress.sent_head)

        try:
            async with asyncio.timeout(seconds):
                client = await self._client(url)
                known = {"trace": progress.note, "timeout": client.timeout.as_dict()}
                response = await client.send(_built(asked, known | extensions), stream=True)
                try:
                    body, truncated = await _body(response)
                finally:
                    await response.aclose()
                return self._outcome(_Head.of(response), progress, body, truncated=truncated)
        except TimeoutError:
            return failed(f"timeout: no answer within {seconds:g} s")
        except httpx.TimeoutException:
            return failed(f"timeout: no connection within {_CONNECT_SECONDS:g} s")
        except httpx.ConnectError as error:
            return failed(_connect_error(error, url))
        except httpx.ProxyError as error:
            return failed(f"the proxy refused: {_words(error)}")
        except httpx.RemoteProtocolError as error:
            if progress.reused and "disconnected without sending" in str(error):
                return failed(STALE)
            return failed(f"protocol error: {_words(error)}")
        except httpx.LocalProtocolError as error:
            # Its text repeats an illegal header's value, which may be a secret.
            illegal = "Illegal header" in str(error)
            return broken("illegal header" if illegal else _words(error))
        except httpx.TransportError as error:
            return failed(f"connection lost: {_words(error)}")
        except Exception as error:  # noqa: BLE001 - proxies and certificates fail in any way, ImportError too
            return broken(_words(error))
        finally:
            if progress.opening is not None:
                # httpcore forgets a connection whose TLS handshake is cut short, and leaves it open.
                await progress.opening.aclose()

    async def _client(self, url: str) -> httpx.AsyncClient:
        local = is_local(url)
        # The trusted certificates are loaded for https alone, so that a client made for http has none.
        kind = (local, urlsplit(url).scheme == "https")
        if kind not in self._clients:
            verify = await asyncio.to_thread(_context, url, verify=self.verify_tls)
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
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
        )

    def _outcome(self, head: _Head, progress: _Progress, body: bytes = b"", *, truncated: bool) -> Outcome:
        valid = 100 <= head.status <= 599
        return Outcome(
            status=head.status if valid else None,
            ms=progress.ms(),
            reason=head.reason,
            headers=head.headers,
            body=body,
            truncated=truncated,
            error=_status_error(head, self._credential) if valid else f"protocol error: status {head.status}",
            retry_after=head.header("retry-after"),
            timing=progress.timing(),
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


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of an answer."""

    status: int
    reason: str
    headers: Headers

    @classmethod
    def of(cls, response: httpx.Response) -> _Head:
        return cls(response.status_code, response.reason_phrase, _text(response.headers.raw))

    def header(self, name: str) -> str | None:
        values = [value for given, value in self.headers if given.lower() == name]
        return ", ".join(values) if values else None


def with_own(headers: Sequence[tuple[str, str]]) -> Headers:
    """The headers with those that every request has, where it does not give its own."""
    given = {name.lower() for name, _ in headers}
    return (*headers, *((name, value) for name, value in OWN if name.lower() not in given))


def asked_of(request: Request) -> Headers:
    """The headers without what this program sends of itself: other programs have their own."""
    return tuple(header for header in request.headers if header not in OWN)


def left_out_of(request: Request) -> tuple[str, ...]:
    """Names of headers that every program sends of itself, and that this request leaves out on purpose."""
    given = {name.lower() for name, _ in request.headers}
    return tuple(name for name, _ in OWN if name.lower() not in given)


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
    head: _Head | None = None
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
                self.head = _Head(value[1], value[2].decode("latin-1"), _text(value[3]))

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


def _text(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


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


def _status_error(head: _Head, credential: str) -> str | None:
    status = head.status
    if 200 <= status <= 299:
        return None
    if 300 <= status <= 399:
        return f"{status}: redirect to {head.header('location') or 'nowhere'} not followed"
    hint = {
        401: f": check the {credential}",
        403: f": check the {credential}",
        410: ": the endpoint is gone for good",
        413: ": more than the endpoint takes at once",
        429: ": the endpoint asks to slow down",
    }.get(status, "")
    return f"{status} {head.reason}".strip() + hint


def _connect_error(error: httpx.ConnectError, url: str) -> str:
    text = _words(error)
    causes = list(_causes(error))
    if not str(error) and url.startswith("https:"):
        return "TLS error: the endpoint broke off the handshake: does it speak https?"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        clock = ": check the clock" if "expired" in text or "not yet valid" in text else ""
        return f"TLS error: {text}{clock}"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host name does not resolve"
    numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
    if errno.ECONNREFUSED in numbers:
        return "connection refused: is the endpoint running?"
    return f"no connection: {os.strerror(numbers[-1]) if numbers else text}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, each address that was tried included."""
    yield error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    # httpcore raises again `from None`: the cause is left as the context alone.
    for cause in (*inner, error.__cause__ or error.__context__):
        if cause is not None:
            yield from _causes(cause)


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
