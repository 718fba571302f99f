"""The store goes wrong under a running engine: nothing is acknowledged into nothing, and it comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from statsig_tui.core.records import DeliveryState, Record
from statsig_tui.engine import history
from statsig_tui.engine.store import Store
from statsig_tui.errors import StoreBroken

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, Site, StartEndpoint, StartEngine
    from tests.contract.conftest import Program, Spawn
    from tests.faults.conftest import Ask

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
ENDPOINT = "/v1/webhooks/event_webhook"
KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
SETTINGS = """
[[destinations]]
name = "mine"
url = "{}"
secret = {{ inline = "webhook-0123456789012345678901234567890123456789012" }}
[destinations.batch]
max_events = 1
[destinations.retry]
schedule = [{}]
"""
PAGE = 4096
EVENT = {"user": {"userID": "u1"}, "event": "refused"}
Settings = Callable[[str], tuple[str, str]]
Undo = Callable[[], object]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the database."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


async def both_refuse(site: Site) -> str:
    """Post to both listeners; why they refused, after having seen that they did it right."""
    emulated, received = await site.post(EVENT), await site.webhook(b'{"data":[]}')
    for answer in (emulated, received):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
    said: str = emulated.json()["message"]
    assert received.json()["error"]["code"] == "not_stored"
    return said


async def recovers(site: Site) -> None:
    """Both take again what they are sent, and everything that was taken is delivered."""
    changed, loop = asyncio.Event(), asyncio.get_running_loop()

    def note(records: Sequence[Record]) -> None:
        loop.call_soon_threadsafe(changed.set)

    leave = site.engine.on_commit(note)
    async with asyncio.timeout(20):
        while site.engine.refusal is not None:
            await changed.wait()
            changed.clear()
    leave()
    await site.event("after")
    assert (await site.webhook(b'{"data":[]}')).status_code == 200
    await site.capture(lambda record: [event.event_name for event in record.events] == ["after"])


async def test_a_lock_of_another_program_is_waited_for(engine: StartEngine, tmp_path: Path) -> None:
    async with engine() as site:
        with locked(tmp_path / "store.db"):
            waiting = asyncio.create_task(site.event())
            await asyncio.sleep(0)
        await waiting
        assert site.engine.refusal is None


async def test_a_lock_that_stays_is_a_503_until_it_is_gone(engine: StartEngine, tmp_path: Path) -> None:
    async with engine(busy_seconds=0.05) as site:
        with locked(tmp_path / "store.db"):
            assert "locked" in await both_refuse(site)
            assert site.engine.refusal is not None
            assert "holds a lock" in site.engine.refusal.hint
        await recovers(site)
        names = {event.name for event in site.engine.archive.seen_events()}
        assert names == {"after"}


async def test_many_that_wait_for_a_lock_wait_together(tmp_path: Path) -> None:
    """One after the other, the last of these would be answered after 80 seconds."""
    store = await Store.open(tmp_path / "store.db", busy_seconds=0.4)
    with locked(tmp_path / "store.db"):
        async with asyncio.timeout(20):
            writes = [
                store.write(lambda tx: history.insert_request(tx, 1, "GET", "/", 200, None))
                for _ in range(200)
            ]
            results = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(result) for result in results} == {StoreBroken}
    await store.close()


async def test_a_lock_at_the_start_is_told(tmp_path: Path) -> None:
    await (await Store.open(tmp_path / "store.db")).close()
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    # The one lock that keeps even readers out.
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBroken, match="locked") as caught:
        await Store.open(tmp_path / "store.db", busy_seconds=0.05)
    other.close()
    assert "holds a lock" in caught.value.hint


async def test_a_reader_that_never_ends_holds_up_no_write_and_no_end(tmp_path: Path) -> None:
    """At every commit the writer would wait 5 s for it, once the log is full."""
    store = await Store.open(tmp_path / "store.db")
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM facts").fetchall()
    noise = os.urandom(500_000).hex()
    async with asyncio.timeout(20):
        for _ in range(30):
            await store.write(lambda tx: history.insert_request(tx, 1, "GET", noise, 200, None))
        await store.close()
    other.close()


def moved(path: Path) -> Undo:
    return partial(path.rename(path.with_name("aside.db")).replace, path)


def replaced(path: Path) -> Undo:
    back = moved(path)
    other = sqlite3.connect(path.with_name("theirs.db"))
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    path.with_name("theirs.db").rename(path)
    return back


def log_moved(path: Path) -> Undo:
    return moved(path.with_name("store.db-wal"))


@pytest.mark.parametrize("fault", [moved, replaced, log_moved])
async def test_nothing_is_acknowledged_into_a_file_that_is_no_longer_there(
    engine: StartEngine, tmp_path: Path, fault: Callable[[Path], Undo]
) -> None:
    path = tmp_path / "store.db"
    async with engine() as site:
        await site.event("before")
        await site.delivery(DeliveryState.DELIVERED)
        put_back = fault(path)
        theirs = path.read_bytes() if path.exists() else None
        assert "deleted, moved or replaced" in await both_refuse(site)
        with pytest.raises(StoreBroken):  # a thread that has not read yet
            await asyncio.to_thread(site.engine.archive.counters)
        assert (path.read_bytes() if path.exists() else None) == theirs
        put_back()
        await recovers(site)
    async with engine() as again:
        assert {event.name for event in again.engine.archive.seen_events()} == {"before", "after"}


@pytest.mark.parametrize("names", [("receiver", "other"), ("receiver",)])
async def test_settings_the_store_cannot_follow_leave_every_destination_at_work(
    engine: StartEngine, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Renamed or deleted: its events would have found nobody, and nobody would have told."""
    async with engine() as site:
        before = site.engine.config
        [item] = before.destinations
        after = [replace(item, name=names[1], url=f"{site.receiver}/")] if len(names) == 2 else []
        put_back = moved(tmp_path / "store.db")
        with pytest.raises(StoreBroken):
            await site.engine.apply(
                replace(before, destinations=tuple(after)), renamed=names if len(names) == 2 else None
            )
        assert site.engine.config == before
        put_back()
        await recovers(site)


async def test_a_log_that_is_deleted_takes_nothing_acknowledged_with_it(
    engine: StartEngine, tmp_path: Path
) -> None:
    async with engine() as site:
        for number in range(20):
            await site.event(f"e{number}")
        (tmp_path / "store.db-wal").unlink()
        assert "deleted, moved or replaced" in await both_refuse(site)
    async with engine() as again:
        names = {event.name for event in again.engine.archive.seen_events()}
        assert names == {f"e{number}" for number in range(20)}


@pytest.mark.parametrize("finder", ["writer", "reader"])
async def test_a_damaged_database_takes_nothing_more_and_keeps_what_it_has(
    engine: StartEngine, tmp_path: Path, finder: str
) -> None:
    path = tmp_path / "store.db"
    names = {f"e{number}" for number in range(50)}
    async with engine() as site:
        for name in names:
            await site.event(name)
        large = await site.webhook(json.dumps([{"noise": os.urandom(100_000).hex()}]).encode())
        assert large.status_code == 200
        number = (await site.capture(lambda record: record.size > 200_000)).id
    whole = path.read_bytes()
    damaged = whole[:PAGE] + os.urandom(len(whole) - PAGE)
    async with engine() as site:
        if finder == "reader":  # and the writer has all it needs in its memory
            await site.event("late")
            names.add("late")
        with path.open("r+b") as file:
            file.write(damaged)
        if finder == "reader":
            with pytest.raises(StoreBroken, match="malformed"):
                await asyncio.to_thread(site.engine.archive.capture, number)
        assert "malformed" in await both_refuse(site)
        assert "malformed" in await both_refuse(site)
        assert site.engine.refusal is not None
        assert "start statsig-tui again" in site.engine.refusal.hint
    with pytest.raises(StoreBroken, match="malformed") as caught:
        async with engine():
            pass
    assert "Move the file away" in caught.value.hint
    path.write_bytes(mended(path.read_bytes(), damaged, whole))
    async with engine() as again:
        assert {event.name for event in again.engine.archive.seen_events()} == names


def mended(now: bytes, damaged: bytes, whole: bytes) -> bytes:
    """What the damage hit and nobody has written since, as it was."""
    pages = range(0, len(now), PAGE)
    same = {at for at in pages if now[at : at + PAGE] == damaged[at : at + PAGE]}
    return b"".join((whole if at in same else now)[at : at + PAGE] for at in pages)


async def test_a_database_that_is_deleted_is_told_by_serve_and_not_made_anew_until_the_next_start(
    spawn: Spawn, ask: Ask
) -> None:
    it = await spawn("serve", *PORTS, "--json")
    ready = await it.line("ready")
    for file in it.data.glob("statsig-tui.db*"):
        file.unlink()
    assert await post(ready["emulator"] + ENDPOINT, "lost") == 503
    error = await it.line("error")
    assert str(it.data / "statsig-tui.db") in error["message"]
    assert "start statsig-tui again" in error["hint"]
    assert await post(ready["receiver"] + "/", "lost") == 503
    assert not (it.data / "statsig-tui.db").exists()
    assert (await it.end(signal.SIGTERM))[0] == 143
    again = await spawn("serve", *PORTS, "--json")
    assert await post((await again.line("ready"))["emulator"] + ENDPOINT, "kept") == 202
    await again.line("event")
    assert ask("SELECT name FROM events") == ["kept"]


async def test_a_full_disk_refuses_what_it_cannot_keep_and_goes_on_when_there_is_room(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Callable[..., Answer], ask: Ask
) -> None:
    mine = await endpoint(say(503))
    chosen = settings(SETTINGS.format(mine.url, ", ".join(["0.05"] * 2000)))
    it = await spawn("serve", *PORTS, "--json", *chosen)
    ready = await it.line("ready")
    resource.prlimit(it.process.pid, resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    accepted: list[str] = []
    kept = 0
    status = {"emulator": 202, "receiver": 200}
    for number in range(200):  # ten times what fits
        status["emulator"] = await post(ready["emulator"] + ENDPOINT, f"e{number}")
        if status["emulator"] == 202:
            accepted.append(f"e{number}")
        status["receiver"] = await post(ready["receiver"] + "/", "capture")
        kept += status["receiver"] == 200
        if set(status.values()) == {503}:
            break
    assert set(status.values()) == {503}
    assert min(len(accepted), kept) > 5
    error = await it.line("error")
    assert "disk" in error["message"] + error["hint"]
    assert mine.requests
    assert_noted(ask, mine.requests)
    resource.prlimit(it.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    mine.answer = say(200)
    await delivered(it, ask)
    assert await post(ready["emulator"] + ENDPOINT, "after") == 202
    await delivered(it, ask)
    assert_noted(ask, mine.requests)
    assert sorted(ask("SELECT name FROM events")) == sorted([*accepted, "after"])
    assert ask("SELECT count(*) FROM captures") == [kept]
    assert {*accepted, "after"} <= {name for got in mine.requests for name in names(got)}
    assert (await it.end(signal.SIGTERM))[0::2] == (143, "")


async def post(url: str, name: str) -> int:
    """Post noise, an event and a batch alike; the answer's status."""
    noise = {"noise": os.urandom(5_000).hex()}
    body = {"user": {}, "event": name, "metadata": noise, "data": [{"eventName": name, "metadata": noise}]}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(url, json=body, headers=KEY)
    if answer.status_code == 503:
        assert answer.headers["retry-after"] == "5"
    return answer.status_code


def assert_noted(ask: Ask, requests: list[Got]) -> None:
    """Nothing was posted whose attempt had not been stored before."""
    noted = set(ask("SELECT sent_timestamp || signature FROM attempts"))
    for got in requests:
        assert got.headers["x-statsig-request-timestamp"] + got.headers["x-statsig-signature"] in noted


async def delivered(it: Program, ask: Ask) -> None:
    """Until nothing waits any more."""
    while ask("SELECT count(*) FROM verdicts WHERE delivery IS NULL") != [0] or set(
        ask("SELECT state FROM deliveries")
    ) != {"delivered"}:
        await it.line("delivery", state="delivered")


def names(got: Got) -> list[str]:
    return [event["eventName"] for event in json.loads(got.body)["data"]]
