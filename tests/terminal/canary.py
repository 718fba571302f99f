"""The canary's secrets, how they may be spelled, who sends them back, and where they must not be found."""

from __future__ import annotations

import base64
import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

SECRETS = {
    "emulator key": "secret-CanaryEmulator0123456789abcdefghijklmn1",
    "target key, inline": "secret-CanaryTarget0123456789abcdefghijklmnop2",
    "target key, env": "secret-CanaryEnvironment0123456789abcdefghijk3",
    "target key, file": "secret-CanaryFile0123456789abcdefghijklmnopqr4",
    "signing secret": "webhook-CanarySigning0123456789abcdefghijklmn5",
    "signing secret of no known shape": "canary+signs/with=anything:0123456789 %6",
    "receiver's secret": "webhook-CanaryReceiver0123456789abcdefghijkl7",
    "a header of one's own": "CanaryHeader0123456789abcdefghijklmnop",
    "a key nobody knows": "secret-CanaryStranger0123456789abcdefghijklm8",
}
TYPED = "canary typed=by+hand/0123456789"
"""A signing secret that the app comes to know while it runs."""
COOKIE = "CanaryCookieOfTheirOwn"
"""What nobody knows, in a header whose name says that it is a secret."""
BODIES = {"raw", "body", "response_body", "answer_body", "summary"}
"""Columns that hold what was received, as it was: a body may hold a key, and is never changed."""


def forms(value: str) -> set[bytes]:
    """A secret as it may be spelled."""
    raw = value.encode()
    tail = raw.partition(b"-")[2] or raw
    encoded = {
        base64.b64encode(raw),
        base64.urlsafe_b64encode(raw),
        raw.hex().encode(),
        quote(value).encode(),
    }
    return {raw, tail, *encoded, json.dumps(value)[1:-1].encode()}


def leaks(where: str, data: bytes) -> list[str]:
    """Which secrets are in there."""
    secrets = {**SECRETS, "typed secret": TYPED, "cookie": COOKIE}
    return [
        f"{name} in {where}" for name, value in secrets.items() if any(form in data for form in forms(value))
    ]


def stored(database: Path) -> bytes:
    """Every value of the store that is no body."""
    db = sqlite3.connect(database)
    try:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        parts = []
        for table in tables:
            cursor = db.execute(f"SELECT * FROM {table}")
            kept = [n for n, column in enumerate(cursor.description) if column[0] not in BODIES]
            parts += [str(row[n]) for row in cursor for n in kept]
        return "\n".join(parts).encode("utf-8", "surrogatepass")
    finally:
        db.close()


class Echo(BaseHTTPRequestHandler):
    """Sends every secret back: in a redirect, in the reason, in headers of telling and of other names."""

    protocol_version = "HTTP/1.1"
    says: ClassVar[list[str]]
    paths: ClassVar[list[str]]
    was_asked: ClassVar[threading.Condition]

    def do_POST(self) -> None:
        """Redirect to itself."""
        self.rfile.read(int(self.headers["Content-Length"]))
        query = "&".join(f"k={quote(value)}" for value in self.says)
        host, port = self.connection.getsockname()
        self.send_response(307, f"see {self.says[-1]}")
        self.send_header("Location", f"http://{host}:{port}/followed?{query}")
        for number, value in enumerate(self.says):
            self.send_header(f"X-Echo-{number}", f"you said {value}")
        self.send_header("Set-Cookie", f"session={COOKIE}")
        self.send_header("Content-Length", "0")
        self.end_headers()
        with self.was_asked:
            self.paths.append(self.path)
            self.was_asked.notify()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[tuple[type[Echo], int]]:
    """Such an endpoint and its port."""

    class Own(Echo):
        says: ClassVar[list[str]] = list(SECRETS.values())
        paths: ClassVar[list[str]] = []
        was_asked = threading.Condition()

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Own, server.server_address[1]
        server.shutdown()
