"""`doctor`: versions, places, settings, store, lock, ports and clock, looked at and left as they are."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import click

from statsig_tui import __version__
from statsig_tui.cli.lines import json_line
from statsig_tui.cli.mounts import MEND, network
from statsig_tui.cli.options import Options
from statsig_tui.cli.probing import probed
from statsig_tui.core.config import DEFAULT_EMULATOR_PORT, DEFAULT_HOST, DEFAULT_RECEIVER_PORT, Config
from statsig_tui.core.printable import printable
from statsig_tui.core.probe import Passing
from statsig_tui.engine.lock import Holder, holder
from statsig_tui.engine.reading import reading
from statsig_tui.errors import NotFound, StatsigTuiError

_LIBRARIES = ("textual", "httpx", "uvicorn", "httptools", "msgspec")
_EARLIEST = 1_700_000_000
"""A clock before November 2023 is wrong: signatures made with it are refused as stale."""
_LITTLE = 200 * 1024 * 1024
"""Bytes free on the disk below which the store may soon take nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    said: str
    is_well: bool = True
    hint: str = ""


def run_doctor(options: Options, *, probes: bool, as_json: bool) -> int:
    """Print every finding; 0 only if all is well."""
    findings: list[Finding] = []
    for finding in chain(_findings(options), _probed(options) if probes else ()):
        findings.append(finding)
        said, hint = options.secrets(finding.said), options.secrets(finding.hint)
        if as_json:
            fields = {"type": "check", "at": time.time_ns() // 1_000_000, "name": finding.name}
            click.echo(json_line(fields | {"ok": finding.is_well, "said": said, "hint": hint}))
        else:
            mark = "✓" if finding.is_well else "✗"
            click.echo(f"{mark} {finding.name:<10} {printable(said)}")
            if hint:
                click.echo(f"  {'':<10} {printable(hint)}")
    return 0 if all(finding.is_well for finding in findings) else 1


def _findings(options: Options) -> Iterator[Finding]:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    yield Finding("version", f"statsig-tui {__version__}, Python {platform.python_version()}, {libraries}")
    yield Finding("system", f"{platform.system()} {platform.release()}, SQLite {sqlite3.sqlite_version}")
    yield _terminal()
    places = options.places()
    config: Config | None = None
    try:
        loaded = options.load()
    except StatsigTuiError as error:
        yield Finding("settings", str(error), False, error.hint or "")
    else:
        config = loaded.config
        there = "" if places.config.exists() else ", which is not there: defaults are used"
        yield Finding("settings", f"{places.config}{there}", not loaded.warnings, "; ".join(loaded.warnings))
    owner = holder(places.lock)
    yield _store(places.database)
    yield _room(places.database)
    if kind := network(places.data):
        yield Finding("files", f"{places.data} is on a network file system ({kind})", False, MEND)
    yield _lock(owner)
    yield from _ports(config or Config(), owner)
    yield _clock()


def _probed(options: Options) -> Iterator[Finding]:
    try:
        config = options.load().config
    except StatsigTuiError:
        config = Config()
    for hop in probed(config):
        is_well = hop.passing is Passing.PASSED
        took = f" after {hop.ms:,} ms" if hop.ms is not None else ""
        said = hop.said or "not come to"
        yield Finding(f"→ {hop.name}", f"{said}{took}", is_well, hop.mend)


def _terminal() -> Finding:
    size = shutil.get_terminal_size()
    kind = os.environ.get("TERM", "")
    colours = "no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM", "")
    said = ", ".join(
        part for part in (kind or "TERM is not set", f"{size.columns}×{size.lines}", colours) if part
    )
    if kind in ("", "dumb"):
        return Finding(
            "terminal", said, False, "The app needs one that can place its cursor; commands do not."
        )
    return Finding("terminal", said)


def _store(database: Path) -> Finding:
    try:
        with reading(database) as archive:
            counters = archive.counters()
        megabytes = database.stat().st_size / 1e6
    except NotFound:
        return Finding("store", f"{database}: nothing is stored yet")
    except StatsigTuiError as error:
        return Finding("store", str(error), False, error.hint or "")
    said = f"{database}: {megabytes:,.1f} MB, {counters.captures:,} captures, {counters.events:,} events"
    return Finding("store", said)


def _room(database: Path) -> Finding:
    directory = next((path for path in database.parents if path.exists()), Path("/"))
    free = shutil.disk_usage(directory).free
    said = f"{free / 1e9:,.1f} GB free at {directory}"
    if free < _LITTLE:
        return Finding("disk", said, False, "Make room: what cannot be stored is not acknowledged.")
    return Finding("disk", said)


def _lock(owner: Holder | None) -> Finding:
    if owner is None:
        return Finding("running", "nothing runs on this data directory")
    addresses = ", ".join(base for base in (owner.emulator, owner.receiver) if base) or "no listener"
    return Finding("running", f"process {owner.pid}: {addresses}")


def _ports(config: Config, owner: Holder | None) -> Iterator[Finding]:
    for name, host, port, default, ours in (
        (
            "emulator",
            config.emulator.host,
            config.emulator.port,
            DEFAULT_EMULATOR_PORT,
            owner and owner.emulator,
        ),
        (
            "receiver",
            config.receiver.host,
            config.receiver.port,
            DEFAULT_RECEIVER_PORT,
            owner and owner.receiver,
        ),
    ):
        if ours:
            yield Finding(name, f"listens at {ours}")
            continue
        wanted = default if port is None else port
        if wanted == 0:
            yield Finding(name, f"any free port of {host}")
        elif reason := _taken(host or DEFAULT_HOST, wanted):
            hint = f"See who has it: lsof -i :{wanted}; or choose another one with --{name}-port."
            yield Finding(name, f"{host}:{wanted} cannot be had: {reason}", False, hint)
        else:
            yield Finding(name, f"{host}:{wanted} is free")


def _taken(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _clock() -> Finding:
    now = time.time()
    said = time.strftime("%Y-%m-%d %H:%M:%S %Z (UTC%z)", time.localtime(now))
    if now < _EARLIEST:
        return Finding("clock", said, False, "Set it: signatures made with it are refused as stale.")
    return Finding("clock", said)
