"""What a snippet sends when it is really run: bash with curl, and Python, against the real receiver."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core.config import EMULATOR_KEY, Config, EmulatorConfig, ReceiverConfig
from statsig_tui.core.records import CaptureDetail, Headers
from statsig_tui.core.redact import mask_secret
from statsig_tui.core.request import Request
from statsig_tui.core.snippets import KINDS, snippet
from statsig_tui.engine.engine import Engine, running

KEY = "secret-" + "q" * 43
JSON = (("Content-Type", "application/json"), ("STATSIG-API-KEY", KEY))
BODIES = (
    b"",
    b'{"user":{"userID":"u"},"event":"it\'s $HOME `id` $(id) !! \\ \\n \\"x\\""}',
    b"{\n  'a':\t1\r\n}\n\n",
    "café ☕ \U0001f600 \u202e \u2028 \x85".encode(),
    b"\x00\xff\xfe binary \xed\xa0\x80",
    b"\xef\xbb\xbf{}",
    b"@/etc/hostname",
    b"-",
    b"a=b&c=%20\x1b[201~",
    b"x" * 300_000,
    b"\xff" * 200_000,
)


@dataclass
class Listening:
    """A receiver, and what it got last."""

    engine: Engine

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self.engine.addresses.receiver is not None
        return self.engine.addresses.receiver

    def got(self) -> list[CaptureDetail]:
        """Everything since the last time, oldest first."""
        numbers = self.engine.archive.capture_ids(self._seen)
        self._seen = numbers[-1] if numbers else self._seen
        found = [self.engine.archive.capture(number) for number in numbers]
        return [detail for detail in found if detail is not None]

    _seen: int = 0


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """A receiver for all of these: hypothesis runs a test's body many times."""
    config = Config(emulator=EmulatorConfig(port=0), receiver=ReceiverConfig(port=0))
    database = tmp_path_factory.mktemp("store") / "store.db"
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running(config, database, listeners=["receiver"])) as engine,
    ):
        yield Listening(engine)


def run(arguments: list[str], script: str, directory: Path | None = None) -> None:
    """Run a script that comes through a file, so that its length is no matter."""
    done = subprocess.run(
        arguments,
        input=script.encode(),
        cwd=directory,
        # HTTPie is beside Python itself.
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "STATSIG_SERVER_SECRET": KEY,
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()


def headers_of(detail: CaptureDetail) -> dict[str, str]:
    return {name.lower(): value for name, value in detail.headers}


@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=80) | st.text(max_size=40).map(lambda text: text.encode()))
@example(body=BODIES[1])
@example(body=BODIES[2])
@example(body=BODIES[3])
@example(body=BODIES[4])
@example(body=BODIES[5])
@example(body=BODIES[6])
@example(body=BODIES[9])
@example(body=BODIES[10])
@example(body=b"")
def test_curl_sends_these_very_bytes(listening: Listening, body: bytes) -> None:
    listening.got()
    run(["bash", "-s"], snippet("curl", Request("POST", f"{listening.url}/a?b=[1]&c={{x,y}}", JSON, body)))
    [detail] = listening.got()
    assert detail.body == body
    assert (detail.record.method, detail.record.path) == ("POST", "/a?b=[1]&c={x,y}")
    headers = headers_of(detail)
    assert headers["content-type"] == "application/json"
    assert headers["statsig-api-key"] == mask_secret(KEY)


def test_python_sends_these_very_bytes(listening: Listening) -> None:
    listening.got()
    scripts = [snippet("python", Request("POST", f"{listening.url}/p", JSON, body)) for body in BODIES]
    run([sys.executable, "-"], "\n".join(scripts))
    found = listening.got()
    assert [detail.body for detail in found] == list(BODIES)
    assert {headers_of(detail)["statsig-api-key"] for detail in found} == {mask_secret(KEY)}


@pytest.mark.parametrize("kind", ["curl", "python"])
@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("PUT", (), b"{}"),
        ("GET", (), b""),
        ("DELETE", (("X-A", "b"),), b""),
        ("POST", (("Content-Type", "a; b=\"it's\""), ("X-Empty", ""), ("X-Latin", "caf\xe9 \\x")), b"x"),
        ("POST", (("Transfer-Encoding", "chunked"), ("X-Two", "1"), ("X-Two", "2")), b"in one chunk"),
    ],
)  # fmt: skip
def test_method_and_headers_are_these(
    listening: Listening, kind: str, method: str, headers: Headers, body: bytes
) -> None:
    listening.got()
    text = snippet("curl" if kind == "curl" else "python", Request(method, listening.url, headers, body))
    run(["bash", "-s"] if kind == "curl" else [sys.executable, "-"], text)
    [detail] = listening.got()
    assert (detail.record.method, detail.body) == (method, body)
    given_names = {name.lower() for name, _ in headers}
    came = [(name.lower(), value) for name, value in detail.headers if name.lower() in given_names]
    assert came == [(name.lower(), value) for name, value in headers]
    if "content-type" not in given_names:
        assert "content-type" not in headers_of(detail)


@pytest.mark.parametrize("kind", KINDS)
def test_no_snippet_holds_a_secret(kind: str) -> None:
    headers = (
        *JSON,
        ("Authorization", "Bearer canary"),
        ("X-Api-Key", "canary"),
        ("Cookie", "canary"),
        ("X-Team", KEY),
    )
    text = snippet(kind, Request("POST", "http://127.0.0.1:1/", headers, b"{}"))  # type: ignore[arg-type]  # one of KINDS
    assert KEY not in text
    assert "canary" not in text
    for name in ("STATSIG_SERVER_SECRET", "AUTHORIZATION", "X_API_KEY", "COOKIE", "X_TEAM"):
        assert name in text


def test_the_emulator_s_own_key_is_no_secret() -> None:
    text = snippet(
        "curl", Request("POST", "http://127.0.0.1:1/", (("STATSIG-API-KEY", EMULATOR_KEY),), b"{}")
    )
    assert EMULATOR_KEY in text


@pytest.mark.parametrize("body", [item for item in BODIES if b"\x00" not in item and len(item) < 1000])
def test_httpie_gets_the_bytes_as_one_word_or_through_a_pipe(body: bytes) -> None:
    text = snippet("httpie", Request("POST", "http://127.0.0.1:1/x", JSON, body))
    if " | http " in text:
        feed = text.partition(" | http ")[0]
        fed = subprocess.run(["bash", "-c", feed], capture_output=True, timeout=60, check=True).stdout
        assert fed == body
    else:
        words = shlex.split(text)
        assert words[words.index("--raw") + 1].encode() == body
        assert "--ignore-stdin" in words
        assert "Content-Type: application/json" in words


def test_raw_is_the_request_itself() -> None:
    url = "http://127.0.0.1:7/x?y=%zz"
    assert snippet("raw", Request("POST", url, (("A", "b"),), b"\xff{}")).encode(
        "utf-8", "surrogateescape"
    ) == (b"POST /x?y=%zz HTTP/1.1\r\nHost: 127.0.0.1:7\r\nA: b\r\nContent-Length: 3\r\n\r\n\xff{}")
    chunked = snippet("raw", Request("POST", url, (("Transfer-Encoding", "chunked"),), b"{}" * 8))
    assert chunked.endswith("chunked\r\n\r\n10\r\n" + "{}" * 8 + "\r\n0\r\n\r\n")
    assert "Content-Length" not in chunked
