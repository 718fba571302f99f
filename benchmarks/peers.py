"""Other programs, each in a virtual environment of its own under the cache, where they were installed."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

from benchmarks.capture import live
from benchmarks.load import Load, run
from benchmarks.measure import Absent, Aim, Plan, Row, Rows, alternate, ratios, say
from benchmarks.processes import place, running
from benchmarks.terminal import terminal

_PACKAGES = {"mitmdump": "mitmproxy", "fasthook": "fasthook", "capstan": "capstan", "posting": "posting"}
_CONSTRAINTS = {"posting": ["tree-sitter>=0.25,<0.26"]}
"""tree-sitter 0.26 ends posting with a segmentation fault at its start."""
_PATIENCE = 30.0
_ADDON = """
from mitmproxy import http

def request(flow):
    flow.response = http.Response.make(200, b"{}", {"content-type": "application/json"})
"""


def install() -> None:
    """Put every peer into its virtual environment, from the package index."""
    for command, package in _PACKAGES.items():
        where = _cache() / package
        say(f"installing {package} into {where}")
        if not (where / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", str(where)], check=True)
        subprocess.run(
            [str(where / "bin" / "pip"), "install", "-q", package, *_CONSTRAINTS.get(package, [])], check=True
        )
        if _command(command) is None:
            raise FileNotFoundError(f"{package} has no command {command}")


def compared(plan: Plan) -> Rows:
    """Rates of capture while Live draws, against others that keep or show what comes."""
    seconds = plan.scaled(3, 1)
    peers: tuple[tuple[str, str, float, Callable[[str], AbstractContextManager[int]]], ...] = (
        ("mitmdump", "mitmdump -w", 10, _mitmdump),
        ("fasthook", "fasthook --save", 4, _fasthook),
        ("capstan", "capstan", 50, _capstan),
    )
    what = "capture while Live draws"
    for name, shown_as, least, serving in peers:
        command = _command(name)
        if command is None:
            yield Absent(f"{what}, against {shown_as}", f"{name} is not installed: see --install-peers")
            continue
        with live() as shown, serving(command) as port:
            found, other = alternate(
                plan,
                lambda shown=shown: shown.load(seconds=seconds).rate,  # type: ignore[misc]
                lambda name=name, port=port: _rate(name, port, seconds),  # type: ignore[misc]
            )
        yield Row(
            what,
            shown_as,
            ratios(found, other),
            Aim(">=", least),
            f"{median(found):,.0f}/s against {median(other):,.0f}/s",
        )


def posting(directory: Path) -> tuple[list[str], str] | None:
    """How posting is started on an empty collection, and what its first paint shows; None: not installed."""
    command = _command("posting")
    return None if command is None else ([command, "--collection", str(directory)], "Enter a URL")


def _rate(name: str, port: int, seconds: float) -> float:
    done: Load = run(port, seconds=seconds)
    say(f"  {name}: {done.rate:,.0f} a second")
    return done.rate


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "statsig-tui-benchmarks"


def _command(name: str) -> str | None:
    path = _cache() / _PACKAGES[name] / "bin" / name
    return str(path) if path.exists() else None


@contextlib.contextmanager
def _mitmdump(command: str) -> Iterator[int]:
    with place() as at:
        addon = at.directory / "answer.py"
        addon.write_text(_ADDON)
        port = _free_port()
        arguments = [
            command, "-q", "-w", str(at.directory / "flows"), "-s", str(addon),
            "--mode", "reverse:http://127.0.0.1:9", "--listen-host", "127.0.0.1", "-p", str(port),
            "--set", "connection_strategy=lazy", "--set", f"confdir={at.directory}",
        ]  # fmt: skip
        with running(arguments):
            yield _listening(port)


@contextlib.contextmanager
def _fasthook(command: str) -> Iterator[int]:
    port = _free_port()
    with (
        place() as at,
        running([command, "listen", str(port), "--quiet", "--save", str(at.directory / "saved.json")]),
    ):
        yield _listening(port)


@contextlib.contextmanager
def _capstan(command: str) -> Iterator[int]:
    port = _free_port()
    with terminal([command, "--port", str(port)]):
        yield _listening(port)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _listening(port: int) -> int:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return port
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")
