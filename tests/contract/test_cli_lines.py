"""Files and pipes of JSON lines, in real processes: bounded memory, and a bad line named by its number."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Answer, Endpoint, StartEndpoint
    from tests.contract.conftest import Spawn

Say = Callable[..., "Answer"]
Settings = Callable[[str], tuple[str, str]]
TARGET = '[[targets]]\nname = "mine"\nurl = "{url}"\n'
MANY = 20_000
PEAK = """
import atexit, re, runpy, sys

def tell():
    with open("/proc/self/status") as status:
        sys.stderr.write("peak " + re.search(r"VmHWM:\\s+(\\d+)", status.read())[1] + "\\n")

atexit.register(tell)
runpy.run_module("statsig_tui", run_name="__main__", alter_sys=True)
"""
"""Runs the program, and says on stderr how many KiB of memory it had at most."""
ODD = (
    b'\xef\xbb\xbf{"event":"e1","n":{{seq}}}\r\n'
    b"\r\n"
    b'{"event":"e3","n":{{seq}}}\r\n'
    b'{"event":"e4", oops}\n'
    b"  \n"
    b"[6]\n"
    b'{"event":"e7","n":{{nobody}}}\n'
    b'{"event":"e8","n":{{seq}}}'
)
"""A BOM, CRLF and LF, blank lines, three bad ones, and no line end at the end."""


@pytest.fixture
async def mine(endpoint: StartEndpoint, say: Say) -> Endpoint:
    return await endpoint(say(202))


@pytest.fixture
def to_mine(mine: Endpoint, settings: Settings) -> tuple[str, ...]:
    """Options that send there."""
    return (*settings(TARGET.format(url=mine.url.removesuffix("/hook"))), "--target", "mine")


def events(mine: Endpoint) -> list[str]:
    """Names of what arrived, in its order."""
    return [json.loads(got.body)["event"] for got in mine.requests]


@pytest.mark.parametrize("name", ["plain.txt", "named.jsonl", "packed", "-"])
async def test_bad_lines_are_named_by_number_and_the_rest_is_sent(
    spawn: Spawn, mine: Endpoint, to_mine: tuple[str, ...], tmp_path: Path, name: str
) -> None:
    raw = gzip.compress(ODD) if name == "packed" else ODD
    file = tmp_path / name
    file.write_bytes(raw)
    source = "-" if name == "-" else str(file)
    it = await spawn("send", source, *to_mine, "--json", "--repeat", "2", "--set", "+metadata.run=r{{seq}}")
    code, lines, err = await it.lines(raw if name == "-" else None)
    assert code == 1
    assert [line.partition(": ")[2] for line in err.splitlines()] == [
        "line 4: it is not JSON: expecting property name enclosed in double quotes, at column 16",
        "line 6: it is JSON, but no object",
        "line 7: A variable cannot be resolved: column 19: {{nobody}} has no value.",
        "3 lines are left out: mend what is named above, and send only that.",
    ]
    assert lines[-1]["statuses"] == {"202": 6}
    assert events(mine) == ["e1", "e3", "e8"] * 2
    sent = [json.loads(got.body) for got in mine.requests]
    assert [body["n"] for body in sent] == [1, 2, 3, 4, 5, 6]
    assert [body["metadata"]["run"] for body in sent] == [f"r{number}" for number in range(1, 7)]


async def test_packed_lines_that_are_cut_are_sent_up_to_the_last_whole_one(
    spawn: Spawn, mine: Endpoint, to_mine: tuple[str, ...], tmp_path: Path
) -> None:
    lines = b"".join(b'{"event":"e%d"}\n' % number for number in range(1, 10))
    # Stored as it is, so that what is cut off is known: half of the last line, and the check sum.
    packed = gzip.compress(lines, 0)
    file = tmp_path / "events.gz"
    for raw, reason in ((packed[:-16], "cut"), (packed[:-8] + b"\0" * 8, "broken")):
        mine.requests.clear()
        file.write_bytes(raw)
        code, out, err = await (await spawn("send", str(file), *to_mine)).end()
        whole = 8 if reason == "cut" else 9
        assert f"line {whole + 1}: its gzip data is {reason} here: line {whole} is the last whole one" in err
        assert (code, events(mine)) == (1, [f"e{number}" for number in range(1, whole + 1)])
        assert out.startswith(f"{whole} in ")


async def test_a_line_that_is_too_long_is_passed_over(
    spawn: Spawn, mine: Endpoint, to_mine: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    long = b'{"event":"' + b"x" * (16 * 1024 * 1024) + b'"}'
    file.write_bytes(b'{"event":"e1"}\n' + long + b'\n{"event":"e3"}\n')
    code, _, err = await (await spawn("send", str(file), *to_mine)).end()
    assert (code, events(mine)) == (1, ["e1", "e3"])
    assert err.startswith("error: line 2: it is longer than 16 MiB\n")


@pytest.mark.parametrize("packed", [False, True])
async def test_memory_does_not_grow_with_the_lines(spawn: Spawn, tmp_path: Path, packed: bool) -> None:
    peaks = []
    for count in (MANY // 100, MANY):
        file = tmp_path / f"events-{count}"
        with gzip.open(file, "wb", 1) if packed else file.open("wb") as out:
            for number in range(1, count + 1):
                bad = b", oops" if number == count // 2 else b""
                out.write(b'{"event":"e%d","metadata":{"note":"%s"}%s}\n' % (number, b"n" * 1500, bad))
        it = await spawn("send", str(file), "--dry-run", "--json", runs=("-c", PEAK), stdout=DEVNULL)
        code, _, err = await it.end()
        assert (code, f"error: line {count // 2:,}: it is not JSON" in err) == (1, True), err
        peaks.append(int(err.splitlines()[-1].removeprefix("peak ")))
    few, many = peaks
    assert many - few < 6 * 1024, "KiB; the lines alone are 30 MiB"


def captures(count: int, bad: int, note: str = "") -> bytes:
    """Exported captures, the newest first, of which one is broken."""
    lines = []
    for number in range(1, count + 1):
        line = {"type": "capture", "at": 1_700_000_000_000 - number, "method": "POST", "path": f"/{number}"}
        line |= {"answer": {"status": 200}, "http_version": "1.1", "body": f"{{}}{note}"}
        lines.append(json.dumps(line)[: 9 if number == bad else None])
    return "\r\n".join(["", *lines] if bad != 1 else lines).encode()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bad", [1, 150])
async def test_captures_are_imported_in_the_order_of_time_without_the_bad_line(
    spawn: Spawn, tmp_path: Path, packed: bool, bad: int
) -> None:
    raw = captures(250, bad)
    file = tmp_path / "captures"
    file.write_bytes(gzip.compress(raw) if packed else raw)
    for source in (str(file), "-"):
        data = tmp_path / source.strip("/").replace("/", "-")
        stdin = file.read_bytes() if source == "-" else None
        code, _, err = await (await spawn("import", source, data=data)).end(stdin=stdin)
        # A blank line before them counts.
        assert (code, err.splitlines()[0]) == (1, "249 captures imported")
        assert f"error: line {bad + (bad != 1)}: The body is not JSON" in err
        code, lines, _ = await (await spawn("list", "--json", "--limit", "3", data=data)).lines()
        newest = [number for number in range(1, 5) if number != bad][:3]
        assert (code, [line["path"] for line in lines]) == (0, [f"/{number}" for number in newest])


async def test_captures_that_are_cut_are_imported_up_to_the_last_whole_one(
    spawn: Spawn, tmp_path: Path
) -> None:
    file = tmp_path / "captures.gz"
    file.write_bytes(gzip.compress(captures(9, 0), 0)[:-16])
    code, _, err = await (await spawn("import", str(file))).end()
    assert (code, err.splitlines()[0]) == (1, "8 captures imported")
    assert "line 10: its gzip data is cut here: line 9 is the last whole one" in err


async def test_memory_of_an_import_does_not_grow_with_the_lines(spawn: Spawn, tmp_path: Path) -> None:
    peaks = []
    for count in (200, 5_000):
        file = tmp_path / f"captures-{count}.gz"
        file.write_bytes(gzip.compress(captures(count, count // 2, "n" * 8000), 1))
        it = await spawn("import", str(file), data=tmp_path / str(count), runs=("-c", PEAK))
        code, _, err = await it.end()
        assert (code, err.splitlines()[0]) == (1, f"{count - 1:,} captures imported")
        peaks.append(int(err.splitlines()[-1].removeprefix("peak ")))
    few, many = peaks
    assert many - few < 12 * 1024, "KiB; the lines alone are 40 MiB"


async def test_what_a_pipe_gives_is_sent_at_once_and_a_signal_ends_it(
    spawn: Spawn, mine: Endpoint, to_mine: tuple[str, ...]
) -> None:
    it = await spawn("send", "-", *to_mine, "--json")
    assert it.process.stdin is not None
    it.process.stdin.write(b'{"event":"e1"}\n{"event":"e2"}\n')
    await mine.got(2)
    it.process.stdin.write(b'nothing of the kind\n{"event":"e3"}\n{"event":"only begun')
    await mine.got(3)
    for _ in range(3):
        await it.line("sent")
    it.process.send_signal(signal.SIGINT)
    # The pipe stays open: it is not its end that ends the program.
    async with asyncio.timeout(30):
        summary = await it.line("summary")
        code = await it.process.wait()
    assert (code, summary["count"], summary["statuses"]) == (130, 3, {"202": 3})
    _, _, err = await it.end()
    assert "line 3: it is not JSON" in err
    assert "Fatal" not in err
    assert events(mine) == ["e1", "e2", "e3"]


async def test_lines_that_leave_the_machine_have_to_be_confirmed(
    spawn: Spawn, mine: Endpoint, settings: Settings
) -> None:
    far = f"http://0.0.0.0:{mine.url.rpartition(':')[2].removesuffix('/hook')}"
    asked = ("send", "-", *settings(TARGET.format(url=far)), "--target", "mine", "--rate", "500", "--json")
    line = b'{"event":"e"}\n'
    for count, repeat, many in ((11, 1, "11"), (12, 1, "12"), (6, 2, "12"), (10, 2, "20")):
        it = await spawn(*asked, "--repeat", str(repeat))
        code, (error,), _ = await it.lines(line * count)
        wanted = many if count <= 10 else "More than 10"
        assert (code, error["message"].partition(" requests")[0]) == (2, wanted)
    assert mine.requests == []
    code, lines, err = await (await spawn(*asked)).lines(line * 10)
    assert (code, lines[-1]["statuses"], err) == (0, {"202": 10}, "")


async def test_a_value_that_no_line_asks_for_is_said(
    spawn: Spawn, mine: Endpoint, to_mine: tuple[str, ...]
) -> None:
    lines = b'{"event":"{{name}}"}\n' * 3
    given = ("--var", "name=e", "--var", "nmae=f")
    code, _, err = await (await spawn("send", "-", *to_mine, *given)).end(stdin=lines)
    assert (code, err) == (1, "error: No line has a variable nmae.\n")
    assert events(mine) == ["e"] * 3
