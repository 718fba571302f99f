"""Deliveries over connections of our own: HTTP/1.1 and no more, which costs a tenth of a general client.

No redirects, no cookies, no proxies, one total deadline, at most 64 KiB of an answer (reliability.md §2.7).
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass

import httpx

from statsig_tui.core.config import ClientCert
from statsig_tui.core.records import Headers
from statsig_tui.engine.connecting import (
    BROKEN_HANDSHAKE,
    CONNECT_SECONDS,
    KEEP_ALIVE_SECONDS,
    LinkLocalRefused,
    Unusable,
    addresses,
    certificate_refused,
    connect_error,
    connected,
    trust,
)
from statsig_tui.engine.exchange import Answer, Connection
from statsig_tui.engine.outcome import ILLEGAL, STALE, Outcome, answered, late, with_own
from statsig_tui.engine.stopwatch import Stopwatch

_LINE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
"""A header (RFC 9110 §5)."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """What of a URL a request needs."""

    url: str
    host: str
    port: int
    is_tls: bool
    start: str
    """The request line and the Host header."""
    is_name: bool
    """Whether the host is to be looked up."""

    @property
    def origin(self) -> tuple[str, int, bool]:
        """What a connection is to."""
        return self.host, self.port, self.is_tls


class Wire:
    """One destination's connections; it keeps as many as were in use at once."""

    def __init__(
        self, *, verify_tls: bool, allow_link_local: bool = False, client_cert: ClientCert | None = None
    ) -> None:
        self.verify_tls = verify_tls
        self.client_cert = client_cert
        self.allow_link_local = allow_link_local
        self._trust: ssl.SSLContext | None = None
        self._kept: list[tuple[object, Connection]] = []
        """The one that was used last at the end, each with what it is to."""

    def close(self) -> None:
        """Close what is kept."""
        kept, self._kept = self._kept, []
        for _, connection in kept:
            connection.abort()

    async def send(self, place: Place, headers: Headers, body: bytes, seconds: float) -> Outcome:
        """Post exactly these bytes and wait at most `seconds` for all of it; never raises on failure."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        head = _head(place, headers, len(body))
        watch = Stopwatch()
        if head is None:
            return _not_sent(ILLEGAL, began, watch)
        connection = self._take(place, began)
        is_kept = connection is not None
        if connection is None:
            found = await self._open(place, min(seconds, CONNECT_SECONDS), watch)
            if isinstance(found, str):
                return _not_sent(found, began, watch)
            connection = found
        answer = Answer(watch)
        error = ""
        watch.begin("send")
        try:
            async with asyncio.timeout_at(began + seconds):
                await connection.post(answer, head, body)
        except TimeoutError:
            error = late(seconds)
        finally:
            if connection.is_reusable:
                self._keep(place, connection)
            else:
                connection.abort()
        ms, phases = (loop.time() - began) * 1000, watch.phases()
        if answer.head is None:
            if is_kept and answer.is_stale:
                # What was kept as long is closed as well, most likely: not each is to be tried.
                self.close()
            error = STALE if is_kept and answer.is_stale else answer.error or error
            if place.is_tls:
                error = certificate_refused(error.removeprefix("connection lost: ")) or error
            return Outcome(status=None, ms=ms, error=error, certainty="unknown", phases=phases)
        return answered(
            answer.head,
            bytes(answer.body),
            # What a deadline cut off counts with the status that came before it.
            truncated=not answer.is_complete,
            ms=ms,
            credential="signing secret",
            phases=phases,
        )

    def _take(self, place: Place, now: float) -> Connection | None:
        self._forget_unusable(place, now)
        return self._kept.pop()[1] if self._kept else None

    def _keep(self, place: Place, connection: Connection) -> None:
        connection.idle_since = asyncio.get_running_loop().time()
        self._forget_unusable(place, connection.idle_since)
        self._kept.append((place.origin, connection))

    def _forget_unusable(self, place: Place, now: float) -> None:
        def is_usable(origin: object, kept: Connection) -> bool:
            is_young = now - kept.idle_since < KEEP_ALIVE_SECONDS
            return kept.is_reusable and origin == place.origin and is_young

        unusable = [kept for kept in self._kept if not is_usable(*kept)]
        for kept in unusable:
            self._kept.remove(kept)
            kept[1].abort()

    async def _open(self, place: Place, seconds: float, watch: Stopwatch) -> Connection | str:
        """A new connection; or in words, why there is none."""
        step = f"timeout: no connection within {seconds:g} s"
        try:
            async with asyncio.timeout(seconds):
                if place.is_tls and self._trust is None:
                    trusted = await asyncio.to_thread(
                        trust, place.url, verify=self.verify_tls, client_cert=self.client_cert
                    )
                    trusted.set_alpn_protocols(["http/1.1"])
                    self._trust = trusted
                if place.is_name:
                    watch.begin("resolve")
                found = await addresses(place.host, place.port, allow_link_local=self.allow_link_local)
                watch.begin("connect")
                sock = await connected(found)
                if place.is_tls:
                    watch.begin("tls")
                    step = f"TLS error: no handshake within {seconds:g} s"
                return await self._set_up(place, sock)
        except TimeoutError:
            return step
        except LinkLocalRefused as error:
            return str(error)
        except Unusable as error:
            return f"not sent: {error}"
        except OSError as error:
            if place.is_tls and step.startswith("TLS") and not isinstance(error, ssl.SSLError):
                return BROKEN_HANDSHAKE
            return connect_error(error, place.url)

    async def _set_up(self, place: Place, sock: socket.socket) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            Connection,
            sock=sock,
            ssl=self._trust if place.is_tls else None,
            server_hostname=place.host if place.is_tls else None,
        )
        return connection


def place_of(url: str) -> Place | None:
    """Where a URL leads; None: to nothing that is posted to without more ado."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return None
    if parsed.scheme not in _PORTS or not parsed.host or parsed.userinfo:
        return None
    port = parsed.port or _PORTS[parsed.scheme]
    start = f"POST {parsed.raw_path.decode()} HTTP/1.1\r\nHost: {parsed.netloc.decode()}"
    host = parsed.raw_host.decode().strip("[]")
    return Place(url, host, port, parsed.scheme == "https", start, not _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _not_sent(error: str, began: float, watch: Stopwatch) -> Outcome:
    ms = (asyncio.get_running_loop().time() - began) * 1000
    return Outcome(status=None, ms=ms, error=error, certainty="not sent", phases=watch.phases())


def _head(place: Place, headers: Headers, length: int) -> bytes | None:
    """The request's head as it goes out; None where a header is none."""
    lines = [f"{name}: {value}" for name, value in with_own(headers)]
    if not all(map(_LINE.fullmatch, lines)):
        return None
    return "\r\n".join((place.start, *lines, f"Content-Length: {length}\r\n\r\n")).encode("latin-1")
