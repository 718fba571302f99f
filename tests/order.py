"""Synced, then acknowledged: the order of system calls as strace saw it. `python -m tests.order`.

Every 2xx must leave after an fdatasync of the log that began after the log's write holding its request had
ended; and every delivery after one of the write that holds its attempt. Needs Linux and strace.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

CALLS = "pwrite64,fdatasync,fsync,sendto,sendmsg,write,writev,recvfrom,read"
TOKEN = re.compile(r"order-\d{6}")
KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
PATIENCE = 60.0
SETTINGS = """
[[destinations]]
name = "receiver"
url = "http://127.0.0.1:7829/"
secret = { inline = "webhook-0123456789012345678901234567890123456789012" }
[destinations.batch]
max_events = 1
"""
_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((\d+)<([^>]*)>,? ?(.*)")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_UNFINISHED = " <unfinished ...>"
_ANSWER = re.compile(r'^"HTTP/1\.1 2\d\d ')
_SIGNATURE = re.compile(r"X-Statsig-Signature: (v0=[0-9a-f]{64})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One system call on a file, with the lines of the trace at which it began and ended."""

    name: str
    fd: int
    file: str
    text: str
    began: int
    ended: int

    @property
    def is_of_log(self) -> bool:
        """Whether it is about the write-ahead log."""
        return self.file.endswith("-wal")


@dataclass
class Judgement:
    """What left the process, and what of it left too early."""

    acknowledged: int = 0
    posted: int = 0
    syncs: int = 0
    early: list[str] = field(default_factory=list)


def calls(trace: Iterable[str]) -> Iterator[Call]:
    """The calls of a trace (`strace -f -y -o`), in the order in which they ended."""
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(trace):
        found = _LINE.match(line)
        if found is None:
            continue
        thread, text = found.groups()
        began = number
        if text.endswith(_UNFINISHED):
            begun[thread] = number, text.removesuffix(_UNFINISHED)
            continue
        resumed = _RESUMED.match(text)
        if resumed is not None and thread in begun:
            began, start = begun.pop(thread)
            text = start + resumed[2]
        call = _CALL.match(text)
        if call is not None:
            yield Call(call[1], int(call[2]), call[3], call[4], began, number)


def judge(trace: Iterable[str]) -> Judgement:
    """Whether everything that left stood on the disk by then."""
    seen = list(calls(trace))
    writes = [call for call in seen if call.name == "pwrite64" and call.is_of_log]
    syncs = [call for call in seen if call.name in ("fdatasync", "fsync") and call.is_of_log]
    judgement = Judgement(syncs=len(syncs))
    held: dict[str, Call] = {}
    """The first write of the log that holds a request, or an attempt's signature."""
    for write in writes:
        for mark in {*TOKEN.findall(write.text), *re.findall(r"v0=[0-9a-f]{64}", write.text)}:
            held.setdefault(mark, write)
    asked: dict[int, str] = {}
    """What the last request on a descriptor was marked with."""
    delivered: set[int] = set()
    """Descriptors on which the receiver gets our own deliveries: their marks were written before."""
    for call in seen:
        if call.name in ("recvfrom", "read"):
            if call.text.startswith('"POST '):
                asked.pop(call.fd, None)
                (delivered.add if _SIGNATURE.search(call.text) else delivered.discard)(call.fd)
            if call.fd not in delivered:
                for mark in TOKEN.findall(call.text)[:1]:
                    asked[call.fd] = mark
        elif call.name in ("sendto", "sendmsg", "write", "writev"):
            answered = _ANSWER.match(call.text) is not None and call.fd in asked
            signature = _SIGNATURE.search(call.text)
            if answered:
                judgement.acknowledged += 1
                mark = asked.pop(call.fd)
            elif signature is not None:
                judgement.posted += 1
                mark = signature[1]
            else:
                continue
            early = _too_early(call, held.get(mark), syncs)
            if early:
                judgement.early.append(f"{mark} left at line {call.began + 1}, {early}")
    return judgement


def _too_early(sent: Call, write: Call | None, syncs: Iterable[Call]) -> str:
    if write is None or write.ended > sent.began:
        return "before the log held it"
    if any(write.ended < sync.began and sync.ended < sent.began for sync in syncs):
        return ""
    return f"before the log, written at line {write.began + 1}, was synced"


async def record(directory: Path, requests: int) -> Path:
    """Run `serve` under strace, send it requests of both kinds over four connections; the trace's file."""
    trace = directory / "trace"
    settings = directory / "config.toml"
    settings.touch(mode=0o600)
    settings.write_text(SETTINGS)
    process = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-y", "-s", "8192", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(trace)),
        *(sys.executable, "-m", "statsig_tui", "serve", "--emulator-port", "0", "--receiver-port", "0"),
        *("--data", str(directory), "--config", str(settings)),
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        line = await process.stdout.readline()
    if not line:
        raise SystemExit(f"strace could not run the program: it ended with {await process.wait()}")
    ready = json.loads(line)
    reading = asyncio.create_task(process.stdout.read())
    marks = iter(range(requests))

    async def sender() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE, headers=KEY) as client:
            for number in marks:
                mark = f"order-{number:06}"
                event = {"user": {}, "event": mark}
                if number % 2:
                    answer = await client.post(f"{ready['receiver']}/", json=[{"eventName": mark}])
                else:
                    url = f"{ready['emulator']}/v1/webhooks/event_webhook"
                    answer = await client.post(url, json=event)
                answer.raise_for_status()

    await asyncio.gather(*(sender() for _ in range(4)))
    os.kill(ready["pid"], signal.SIGTERM)
    await asyncio.wait_for(process.wait(), PATIENCE)
    await reading
    return trace


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.order", description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="half to each endpoint")
    wanted = parser.parse_args().requests
    if shutil.which("strace") is None:
        sys.stderr.write("strace is missing, and without it nothing was proved: apt-get install strace\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="statsig-tui-order-") as place:
        trace = asyncio.run(record(Path(place), wanted))
        with trace.open(errors="replace") as lines:
            judgement = judge(line.rstrip("\n") for line in lines)
    sys.stdout.write(report(judgement))
    return 0 if judgement.acknowledged == wanted and judgement.posted and not judgement.early else 1


def report(judgement: Judgement) -> str:
    """What was found, in lines."""
    early = len(judgement.early)
    lines = [
        f"{judgement.acknowledged} requests acknowledged, {judgement.posted} deliveries posted,",
        f"{judgement.syncs} syncs of the log.",
        "Each left after the sync of the write that holds it." if not early else f"{early} LEFT TOO EARLY:",
        *judgement.early[:10],
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
