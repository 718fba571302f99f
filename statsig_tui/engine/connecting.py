"""From a URL's host to a connected socket: name, addresses, trust, and why it failed, in words."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import re
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

import httpx

from statsig_tui.core.config import ClientCert
from statsig_tui.core.link_local import ALLOWING, LINK_LOCAL, is_link_local
from statsig_tui.engine.outcome import words

CONNECT_SECONDS = 5.0
"""For the connection, its TLS handshake included."""
KEEP_ALIVE_SECONDS = 4.0
"""Below the 5 s after which many servers close: a stale connection is found before it is used."""
_NEXT_ADDRESS_SECONDS = 0.25
"""After which the next address of a name is tried beside the one that does not answer (RFC 8305)."""
_OF_THE_LIBRARY = re.compile(r"^\[[A-Z0-9_: ]+\] (certificate verify failed: )?| \(_ssl\.c:\d+\)")
"""What only whoever wrote it can read: `[SSL: CERTIFICATE_VERIFY_FAILED] … (_ssl.c:1006)`."""
BROKEN_HANDSHAKE = "TLS error: the endpoint broke off the handshake: does it speak https?"

_REFUSING = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_", "UNSUPPORTED_CERTIFICATE", "DECRYPT_ERROR")
"""What alerts about a certificate begin with."""

Address = tuple[socket.AddressFamily, Any]


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def has_proxies() -> bool:
    """Whether the environment names a proxy for anything."""
    return any(getproxies().get(scheme) for scheme in ("http", "https", "all"))


def proxy_of(url: str) -> str | None:
    """The environment's proxy that httpx goes by to a URL, without its credentials; None: by none."""
    proxies, asked = getproxies(), urlsplit(url)
    proxy = proxies.get(asked.scheme) or proxies.get("all")
    excepted = [entry.strip().lower() for entry in proxies.get("no", "").split(",") if entry.strip()]
    if not proxy or is_local(url) or any(_is_excepted(asked, entry) for entry in excepted):
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _is_excepted(asked: SplitResult, entry: str) -> bool:
    """Whether an entry of NO_PROXY speaks of a URL, as httpx reads it: a domain's hosts, or one address."""
    host, port = asked.hostname or "", asked.port or (443 if asked.scheme == "https" else 80)
    if entry == "*":
        return True
    try:
        ipaddress.ip_address(entry.partition("/")[0])
    except ValueError:
        parts = urlsplit(entry if "://" in entry else f"//{entry}")
        name = parts.hostname or ""
    else:
        return host == entry.partition("/")[0]
    if parts.port not in (None, port) or parts.scheme not in ("", "all", asked.scheme):
        return False
    if parts.scheme or name == "localhost":
        return host == name
    return host == name or host.endswith(name if name.startswith(".") else f".{name}")


class Unusable(OSError):
    """A client certificate that cannot be shown: which of its fields is wrong, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"client certificate: {why}")
        self.field = field
        self.why = why


def trust(url: str, *, verify: bool, client_cert: ClientCert | None = None) -> ssl.SSLContext:
    """What a server must show, and what it is shown; reads all the certificates, which takes its time.

    Raises Unusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not url.startswith("https:"):
        # Loading the trusted certificates costs more than a whole delivery, and plain HTTP needs none.
        return context
    if verify:
        context = httpx.create_ssl_context()
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert is not None:
        show(context, client_cert)
    return context


def show(context: ssl.SSLContext, chosen: ClientCert) -> None:
    """Have a client certificate shown to whom asks for one; raises Unusable."""
    cert = Path(chosen.cert).expanduser()
    key = Path(chosen.key).expanduser() if chosen.key is not None else None
    for field, file in (("cert", cert), ("key", key)):
        if file is None:
            continue
        if file.is_fifo():
            # Whoever opens it waits, for ever if nobody writes.
            raise Unusable(field, f"{file} is no file")
        try:
            file.open("rb").close()
        except OSError as error:
            raise Unusable(field, f"{file} cannot be read: {error.strerror}") from None
    asked: list[bool] = []

    def password() -> str:
        # Without an answer of ours, OpenSSL asks for it on the terminal.
        asked.append(True)
        return ""

    try:
        context.load_cert_chain(cert, key, password)
    except (OSError, ValueError) as error:
        where = "key" if key is not None else "cert"
        if asked:
            why = f"the key in {key or cert} has a password: take it off with openssl pkey"
        elif "KEY_VALUES_MISMATCH" in str(error).upper().replace(" ", "_"):
            why = f"the key in {key or cert} belongs to another certificate"
        elif key is None:
            why = f"{cert} does not hold a certificate and its private key in PEM"
        else:
            why = f"{cert} and {key} are no certificate and private key in PEM"
        raise Unusable(where, why) from None


class LinkLocalRefused(OSError):
    """A host has no other address than link-local or metadata ones."""

    def __init__(self) -> None:
        super().__init__(f"not sent: the host {LINK_LOCAL}: {ALLOWING}")


async def check_not_link_local(url: str, seconds: float = CONNECT_SECONDS) -> None:
    """Look where a URL leads before anything is made ready for it; raises LinkLocalRefused.

    It looks for so many seconds at most: whoever connects looks at the address that answered.
    """
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(seconds):
            found = await _addresses(parts.hostname or "", parts.port or 0)
    except OSError:
        return  # it is late, or has none: whoever connects says why
    _allowed(found)


async def connected(host: str, port: int, *, allow_link_local: bool = False) -> socket.socket:
    """A socket to whichever address of a host answers first. Raises OSError."""
    addresses = await _addresses(host, port)
    waiting = deque(addresses if allow_link_local else _allowed(addresses))
    errors: list[BaseException] = []
    trying: set[asyncio.Task[socket.socket]] = set()
    found: list[socket.socket] = []
    try:
        while not found and (waiting or trying):
            if waiting:
                trying.add(asyncio.create_task(_connect(*waiting.popleft())))
            patience = _NEXT_ADDRESS_SECONDS if waiting else None
            done, _ = await asyncio.wait(trying, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is None:
                    found.append(task.result())
                else:
                    errors.append(error)
            trying -= done
    finally:
        for task in trying:
            task.cancel()
            task.add_done_callback(_close)
        for spare in found[1:]:
            spare.close()
    if not found:
        raise OSError("no address answers") from BaseExceptionGroup("every address that was tried", errors)
    return found[0]


def connect_error(error: BaseException, url: str) -> str:
    """Why no connection came about."""
    text = words(error)
    causes = list(_causes(error))
    if not str(error) and url.startswith("https:"):
        return BROKEN_HANDSHAKE
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        if (refused := certificate_refused(text)) is not None:
            return refused
        clock = ": check the clock" if "expired" in text or "not yet valid" in text else ""
        return f"TLS error: {_OF_THE_LIBRARY.sub('', text)}{clock}"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host name does not resolve"
    numbers = [cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno]
    if errno.ECONNREFUSED in numbers:
        return "connection refused: is the endpoint running?"
    return f"no connection: {os.strerror(numbers[-1]) if numbers else text}"


def certificate_refused(text: str) -> str | None:
    """What an endpoint says of our client certificate, in plain words; None: it speaks of something else."""
    spelled = text.upper().replace(" ", "_")
    # What TLS 1.2 calls a failed handshake may be anything.
    if "CERTIFICATE_REQUIRED" in spelled:
        return "TLS error: the endpoint asks for a client certificate: set client_cert at the destination"
    if any(f"ALERT_{alert}" in spelled for alert in _REFUSING):
        return f"TLS error: the endpoint refuses the client certificate: {text}"
    return None


def _allowed(addresses: list[Address]) -> list[Address]:
    allowed = [item for item in addresses if not is_link_local(item[1][0])]
    if addresses and not allowed:
        raise LinkLocalRefused
    return allowed


async def _addresses(host: str, port: int) -> list[Address]:
    """The addresses of a host, its families in turn."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        found = [(family, address) for family, _, _, _, address in infos]
    else:
        found = [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]
    first = [item for item in found if item[0] == found[0][0]]
    others = [item for item in found if item[0] != found[0][0]]
    return [item for item in chain.from_iterable(zip_longest(first, others)) if item is not None]


async def _connect(family: socket.AddressFamily, address: Any) -> socket.socket:
    # With its protocol named: asyncio sets TCP_NODELAY on no other.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _close(task: asyncio.Task[socket.socket]) -> None:
    """Close what a task connected though it was cancelled, an instant too late."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, each address that was tried included."""
    yield error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    # httpcore raises again `from None`: the cause is left as the context alone.
    for cause in (*inner, error.__cause__ or error.__context__):
        if cause is not None:
            yield from _causes(cause)
