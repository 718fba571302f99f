"""A long run under load, killed again and again: nothing acknowledged is lost, nothing grows unbounded."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.endpoint import FaultyEndpoint
from tests.soak.load import Load
from tests.soak.programs import PATIENCE, Figures, Program, free_port

MIB = 1024 * 1024
SETTINGS = """
[emulator]
port = {emulator}
[receiver]
port = {receiver}
[retention]
captures = 10000
megabytes = 64
[[destinations]]
name = "faulty"
url = "{url}"
secret = {{ inline = "webhook-{secret}" }}
timeout_seconds = 0.5
[destinations.batch]
max_events = 20
max_seconds = 0.05
[destinations.retry]
schedule = {schedule}
[[destinations]]
name = "receiver"
url = "http://127.0.0.1:7829/"
secret = {{ inline = "webhook-{secret}" }}
[destinations.batch]
max_events = 50
max_seconds = 0.02
"""
SHORT_LIFE = (0.2, 1.2)
"""Seconds after which it is killed, at random; every fourth life lasts an eighth of the run."""
_SAMPLE_SECONDS = 0.5
_SETTLED = 0.3
"""The part of a life after which what it takes is compared with its end."""
MOST_MEMORY = 400 * MIB
MOST_GROWTH = 96 * MIB
MOST_DESCRIPTORS = 250
MOST_DATABASE = (64 + 32) * MIB
"""What is undelivered is kept beyond the retention's 64 MiB."""
MOST_LOG = 32 * MIB
LEAST_DRAWN = 2000
"""Bytes a second that a Live screen under load draws at the least."""


@dataclass
class Report:
    """What the run showed."""

    seconds: float
    acknowledged: int = 0
    captures: int = 0
    requests: int = 0
    repeated: int = 0
    lives: int = 0
    kills: int = 0
    drawn: int = 0
    samples: list[Figures] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{self.seconds:.0f} s, {self.lives} lives, {self.kills} of them ended by kill -9",
            f"{self.acknowledged:,} events and {self.captures:,} requests acknowledged",
            f"{self.requests:,} deliveries received, {self.repeated:,} events more than once, each explained",
            f"{self.drawn:,} bytes drawn",
            f"{'':14}{'at s':>8}{'memory':>12}{'descriptors':>14}{'database':>12}{'log':>10}",
        ]
        for name, of in self._rows():
            lines.append(
                f"{of.kind:6}{name:8}{of.at:8.1f}{of.memory / MIB:8.1f} MiB{of.descriptors:14}"
                f"{of.database / MIB:8.1f} MiB{of.log / MIB:6.1f} MiB"
            )
        return "\n".join([*lines, *self.faults[:20], f"{len(self.faults)} faults"])

    def _rows(self) -> list[tuple[str, Figures]]:
        rows: list[tuple[str, Figures]] = []
        for kind in ("serve", "app"):
            samples = [sample for sample in self.samples if sample.kind == kind]
            if samples:
                largest = max(samples, key=lambda sample: sample.memory)
                middle = samples[len(samples) // 2]
                named = ("start", samples[0]), ("middle", middle), ("end", samples[-1]), ("largest", largest)
                rows.extend(named)
        return rows


async def soak(directory: Path, seconds: float, *, seed: int = 20260101, screens: bool = True) -> Report:
    """Run the program under load for so long, every other life of it as the app if `screens`."""
    chance = random.Random(seed)
    database = directory / "data" / "statsig-tui.db"
    endpoint = FaultyEndpoint(database, chance)
    report = Report(seconds)
    emulator, receiver = free_port(), free_port()
    async with endpoint.listening():
        settings = directory / "config.toml"
        settings.touch(mode=0o600)
        settings.write_text(
            SETTINGS.format(
                emulator=emulator, receiver=receiver, url=endpoint.url, secret="s" * 43, schedule=[0.05] * 200
            )
        )
        load = Load(
            f"http://127.0.0.1:{emulator}", f"http://127.0.0.1:{receiver}", lambda: len(endpoint.arrived)
        )
        sending = asyncio.create_task(load.run())
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while loop.time() < begun + seconds:
            program = Program(directory, emulator, on_screen=screens and report.lives % 2 == 1)
            await program.start()
            lasts = seconds / 8 if report.lives % 4 >= 2 else chance.uniform(*SHORT_LIFE)
            await _live(program, lasts, begun, report)
            number = signal.SIGTERM if report.lives % 5 == 4 else signal.SIGKILL
            code = await program.end(number)
            if code != (143 if number == signal.SIGTERM else -number):
                report.faults.append(f"after signal {number} it ended with {code}")
            report.lives += 1
            report.kills += number == signal.SIGKILL
            report.faults += _lost(database, load)
        load.over = True
        await sending
        endpoint.healed = True
        await _settle(Program(directory, emulator, on_screen=False), database, begun, report)
        report.faults += _lost(database, load)
    missing = load.events - endpoint.arrived
    if missing:
        report.faults.append(f"{len(missing)} acknowledged events never arrived: {sorted(missing)[:5]}")
    report.faults += endpoint.unexplained
    report.acknowledged, report.captures = len(load.events), load.captures
    report.requests, report.repeated = endpoint.requests, endpoint.repeated
    report.faults += _beyond_bounds(report)
    return report


async def _live(program: Program, lasts: float, begun: float, report: Report) -> None:
    """Let the program live for so long; what it takes is looked at meanwhile."""
    loop = asyncio.get_running_loop()
    born = loop.time()
    samples: list[Figures] = []
    while (left := born + lasts - loop.time()) > 0:
        # The pause is the load under which it runs, not a wait for anything.
        await asyncio.sleep(min(left, _SAMPLE_SECONDS))
        samples.append(program.figures(loop.time() - begun))
    settled = samples[int(len(samples) * _SETTLED)]
    if samples[-1].memory - settled.memory > MOST_GROWTH:
        report.faults.append(f"memory grew from {settled} to {samples[-1]}")
    if program.on_screen and lasts > 2 and program.drawn < LEAST_DRAWN * lasts:
        report.faults.append(f"in {lasts:.1f} s Live drew {program.drawn} bytes")
    report.drawn += program.drawn
    report.samples += samples


async def _settle(program: Program, database: Path, begun: float, report: Report) -> None:
    """A last life, without load, in which everything that is open is delivered."""
    loop = asyncio.get_running_loop()
    await program.start()
    async with asyncio.timeout(PATIENCE):
        while _ask(database, _OPEN) != [0]:
            await asyncio.sleep(_SAMPLE_SECONDS / 5)
    report.samples.append(program.figures(loop.time() - begun))
    code = await program.end(signal.SIGTERM)
    if code != 143:
        report.faults.append(f"at the end it exited with {code}")
    if _ask(database, "PRAGMA integrity_check") != ["ok"]:
        report.faults.append("the database is not whole")
    states = set(_ask(database, "SELECT DISTINCT state FROM deliveries"))
    if states != {"delivered"}:
        report.faults.append(f"deliveries ended as {sorted(states)}")


_OPEN = (
    "SELECT (SELECT count(*) FROM verdicts WHERE forwarded = 1 AND delivery IS NULL)"
    " + (SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'retrying', 'sending'))"
)


def _lost(database: Path, load: Load) -> list[str]:
    """What was acknowledged lately and is not in the store. Older things may have been forgotten."""
    events = set(_ask(database, "SELECT user_id FROM events ORDER BY id DESC LIMIT 5000"))
    paths = set(_ask(database, "SELECT path FROM captures ORDER BY id DESC LIMIT 5000"))
    lost = [*(set(load.recent_events) - events), *(set(load.recent_paths) - paths)]
    return [f"acknowledged and not kept: {what}" for what in lost]


def _ask(database: Path, question: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=20)) as db:
        return [row[0] for row in db.execute(question)]


def _beyond_bounds(report: Report) -> list[str]:
    bounds = {
        "memory": MOST_MEMORY,
        "descriptors": MOST_DESCRIPTORS,
        "database": MOST_DATABASE,
        "log": MOST_LOG,
    }
    return [
        f"{name}: {most} at the most, but {getattr(of, name)} at {of.at:.1f} s"
        for name, most in bounds.items()
        for of in [max(report.samples, key=lambda sample: getattr(sample, name))]
        if getattr(of, name) > most
    ]
