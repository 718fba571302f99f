"""Client certificates at a server that lets nobody in without one: shown, refused, or not to be used."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import ClientCert, RetryPolicy
from statsig_tui.core.records import AttemptRecord, DeliveryRecord
from statsig_tui.core.request import Request
from statsig_tui.engine.probing import self_test
from statsig_tui.engine.sender import Sender
from tests.corpus.certificates import Authority

if TYPE_CHECKING:
    from tests.conftest import Answer, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
LATER = RetryPolicy((600,))
TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The one that server and client trust."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.trusted))
    return made


@pytest.fixture
def strict(authority: Authority) -> Iterator[Callable[[ssl.TLSVersion], str]]:
    """Start a server that says why it lets nobody in: asyncio's own closes without a word."""
    with contextlib.ExitStack() as stack:

        def start(newest: ssl.TLSVersion) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            context = authority.server(asks=True, newest=newest)

            def serve() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        peer, _ = listener.accept()
                        with context.wrap_socket(peer, True, do_handshake_on_connect=False) as safe:
                            with contextlib.suppress(ssl.SSLError):
                                safe.do_handshake()
                            # As careful servers do: what is still read lets no reset overtake the alert.
                            safe.shutdown(socket.SHUT_WR)
                            while os.read(safe.fileno(), 65_536):
                                pass

            thread = threading.Thread(target=serve)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return f"https://127.0.0.1:{listener.getsockname()[1]}/hook"

        yield start


async def first_attempt(site: Site) -> AttemptRecord:
    await site.event()
    (delivery,) = await site.journal.wait(
        DeliveryRecord, lambda d: d.state not in ("waiting", "sending") and d.destination == "mine"
    )
    (attempt,) = site.engine.archive.attempts(delivery.id)
    return attempt


@pytest.mark.parametrize("newest", [TLS12, TLS13])
@pytest.mark.parametrize("is_one_file", [False, True])
async def test_who_shows_one_is_let_in(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    authority: Authority, tmp_path: Path, newest: ssl.TLSVersion, is_one_file: bool,
) -> None:  # fmt: skip
    mine = await endpoint(say(200), tls=authority.server(asks=True, newest=newest))
    cert, key = authority.client("me")
    if is_one_file:
        both = tmp_path / "both.pem"
        both.write_bytes(cert.read_bytes() + key.read_bytes())
        chosen = ClientCert(str(both))
    else:
        chosen = ClientCert(str(cert), str(key))
    async with engine(config(destination("mine", mine.url, client_cert=chosen, retry=LATER))) as site:
        assert (await first_attempt(site)).status == 200
    verification, *_ = await self_test(destination("mine", mine.url, client_cert=chosen), 0)
    assert "TLS" not in str(verification)


@pytest.mark.parametrize(
    ("newest", "error"),
    [
        (TLS13, "TLS error: the endpoint asks for a client certificate: set client_cert at the destination"),
        (TLS12, "TLS error: .*"),
    ],
)
async def test_who_shows_none_is_told_so(
    engine: StartEngine, config: Make, destination: Make, strict: Callable[[ssl.TLSVersion], str],
    newest: ssl.TLSVersion, error: str,
) -> None:  # fmt: skip
    async with engine(config(destination("mine", strict(newest), retry=LATER))) as site:
        attempt = await first_attempt(site)
    assert re.fullmatch(error, attempt.error or "")


@pytest.mark.parametrize("newest", [TLS12, TLS13])
async def test_one_that_is_not_trusted_is_told_so(
    engine: StartEngine, config: Make, destination: Make, strict: Callable[[ssl.TLSVersion], str],
    tmp_path: Path, newest: ssl.TLSVersion,
) -> None:  # fmt: skip
    (tmp_path / "foreign").mkdir()
    cert, key = Authority(tmp_path / "foreign").client("me")
    shown = ClientCert(str(cert), str(key))
    url = strict(newest)
    async with engine(config(destination("mine", url, client_cert=shown, retry=LATER))) as site:
        attempt = await first_attempt(site)
    assert attempt.error is not None
    assert attempt.error.startswith("TLS error: the endpoint refuses the client certificate: ")


def wrong(authority: Authority, case: str) -> ClientCert:
    """A client certificate that cannot be used."""
    cert, key = authority.client("me")
    _, other = authority.client("other")
    _, sealed = authority.client("sealed", password=b"secret")
    pipe = cert.with_name("pipe.pem")
    os.mkfifo(pipe)
    files = {
        "a pipe": (pipe, key),
        "no certificate": (cert.with_name("none.pem"), key),
        "no key": (cert, key.with_name("none.pem")),
        "another key": (cert, other),
        "a password": (cert, sealed),
        "no key within": (cert, None),
        "no PEM": (cert, Path(__file__)),
    }
    return ClientCert(*(str(file) if file is not None else None for file in files[case]))  # type: ignore[arg-type]  # the first one is a file


WRONG = {
    "no certificate": "client certificate: .*none.pem cannot be read: No such file or directory",
    "a pipe": "client certificate: .*pipe.pem is no file",
    "no key": "client certificate: .*none.pem cannot be read: No such file or directory",
    "another key": "client certificate: the key in .*other-key.pem belongs to another certificate",
    "a password": "client certificate: the key in .*sealed-key.pem has a password: .*",
    "no key within": "client certificate: .*me.pem does not hold a certificate and its private key in PEM",
    "no PEM": "client certificate: .* are no certificate and private key in PEM",
}


@pytest.mark.parametrize("case", WRONG)
async def test_one_that_cannot_be_used_is_an_error_of_the_attempt(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    authority: Authority, case: str,
) -> None:  # fmt: skip
    mine = await endpoint(say(200), tls=authority.server(asks=True))
    shown = wrong(authority, case)
    async with engine(config(destination("mine", mine.url, client_cert=shown, retry=LATER))) as site:
        attempt = await first_attempt(site)
    assert re.fullmatch(f"not sent: {WRONG[case]}", attempt.error or "")
    sender = Sender(client_cert=shown)
    outcome = await sender.send_exactly(Request("POST", mine.url, (), b"{}"), 5)
    await sender.close()
    assert re.fullmatch(f"not sent: {WRONG[case]}", outcome.error or "")
    assert mine.requests == []
