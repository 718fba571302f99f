"""The load: keep-alive connections on raw sockets, in a process of its own.

It costs a fraction of what any server does: every result carries the share of a core it took, so that
a run in which the load itself was the limit can be seen.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from benchmarks.bodies import request
from benchmarks.measure import percentile

CONNECTIONS = 16
_DIFFERENT = 256
"""Requests that are made and signed beforehand, and sent in turn."""
_PATIENCE = 60.0
"""Seconds without any answer after which a run is given up."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run."""

    answered: int
    failed: int
    """Answers that were no 2xx."""
    seconds: float
    p50: float
    """Milliseconds."""
    p99: float
    busy: float
    """Share of one core that the generator itself took."""
    began: float
    """By perf_counter(), which all processes of a machine share."""

    @property
    def rate(self) -> float:
        """Requests a second that were answered 2xx."""
        return (self.answered - self.failed) / self.seconds


def run(
    port: int,
    *,
    seconds: float = 0.0,
    requests: int = 0,
    rate: float = 0.0,
    connections: int = CONNECTIONS,
    path: str = "/",
) -> Load:
    """Send for some seconds or a number of requests, as fast as they are answered or at a rate."""
    arguments = {
        "port": port, "seconds": seconds, "requests": requests, "rate": rate, "connections": connections,
    }  # fmt: skip
    options = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *options, "--path", path],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Load(**json.loads(done.stdout))


class _Connection:
    """One connection and the request that is under way on it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.due = 0.0
        self._got = b""
        self.sock = self._connected()

    def _connected(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def send(self, raw: bytes, due: float) -> None:
        self.due = due
        self.sock.sendall(raw)

    def answered(self) -> int | None:
        """The status, once an answer is whole."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection instead of answering")
        self._got = self._got + data if self._got else data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._got[:end].lower()
        length = head.find(b"content-length:")
        if length < 0:
            raise ConnectionError("an answer without Content-Length")
        if len(self._got) < end + 4 + int(head[length + 15 :].split(b"\r\n", 1)[0]):
            return None
        self._got = b""
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self.sock.close()
            self.sock = self._connected()
        return int(head[9:12])


def _drive(options: argparse.Namespace) -> Load:
    requests = [request(number, options.port, options.path) for number in range(_DIFFERENT)]
    selector = selectors.DefaultSelector()
    idle = [_Connection(options.port) for _ in range(options.connections)]
    sockets = {}
    for connection in idle:
        sockets[connection] = connection.sock
        selector.register(connection.sock, selectors.EVENT_READ, connection)
    most = options.requests or sys.maxsize
    taken: list[float] = []
    sent = failed = 0
    cpu = time.process_time()
    started = now = time.perf_counter()
    end = started + options.seconds if options.seconds else float("inf")
    while True:
        while idle and sent < most and now < end:
            due = started + sent / options.rate if options.rate else now
            if due > now:
                break
            idle.pop().send(requests[sent % _DIFFERENT], due)
            sent += 1
        if len(idle) == options.connections and (sent >= most or now >= end):
            break
        paused = options.rate and idle and sent < most and now < end
        ready = selector.select(max(0.0, started + sent / options.rate - now) if paused else _PATIENCE)
        now = time.perf_counter()
        if not ready and not paused:
            raise TimeoutError(f"no answer within {_PATIENCE:g} s")
        for key, _ in ready:
            connection = key.data
            status = connection.answered()
            if status is None:
                continue
            # With a rate, from the moment it was due: waiting for a free connection counts.
            taken.append((time.perf_counter() - connection.due) * 1000)
            failed += not 200 <= status <= 299
            idle.append(connection)
            if connection.sock is not sockets[connection]:
                selector.unregister(key.fileobj)
                sockets[connection] = connection.sock
                selector.register(connection.sock, selectors.EVENT_READ, connection)
    seconds = time.perf_counter() - started
    busy = (time.process_time() - cpu) / seconds
    return Load(len(taken), failed, seconds, percentile(taken, 50), percentile(taken, 99), busy, started)


def _main() -> None:
    parser = argparse.ArgumentParser()
    for name, kind in (
        ("port", int),
        ("requests", int),
        ("connections", int),
        ("seconds", float),
        ("rate", float),
    ):
        parser.add_argument(f"--{name}", type=kind, default=0)
    parser.add_argument("--path", default="/")
    sys.stdout.write(json.dumps(asdict(_drive(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    _main()
