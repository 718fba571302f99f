"""Promise 2: whatever the disk kept of the log behind the last acknowledged write, that write is there."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from statsig_tui.engine import history
from statsig_tui.engine.store import Store, Tx

SEED = 20260101
TEARS = 40


def note(number: int) -> Callable[[Tx], None]:
    return lambda tx: history.insert_request(tx, 1, "GET", f"/{number}", 200, None)


def paths(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT path FROM requests ORDER BY id")]


@pytest.fixture
async def crashed(tmp_path: Path) -> tuple[Path, int, int]:
    """A database as a power cut leaves it, its log at the last acknowledgement, and how many those were."""
    path = tmp_path / "store.db"
    log = path.with_name("store.db-wal")
    store = await Store.open(path)
    # A reader keeps the writer from starting the log anew, so that it only grows here.
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM facts").fetchall()
    for number in range(50):
        await store.write(note(number))
    acknowledged = log.stat().st_size
    await asyncio.gather(*(store.write(note(number)) for number in range(50, 400)))
    image = tmp_path / "image"
    image.mkdir()
    for file in (path, log):
        shutil.copy(file, image)
    reader.close()
    await store.close()
    return image / path.name, acknowledged, 50


def cut(log: Path, at: int) -> None:
    os.truncate(log, at)


def zeroed(log: Path, at: int) -> None:
    size = log.stat().st_size
    os.truncate(log, at)
    os.truncate(log, size)


def scrambled(log: Path, at: int) -> None:
    content = bytearray(log.read_bytes())
    content[at:] = random.Random(at).randbytes(len(content) - at)
    log.write_bytes(content)


@pytest.mark.parametrize("tear", [cut, zeroed, scrambled])
async def test_a_torn_log_loses_only_what_was_not_acknowledged(
    crashed: tuple[Path, int, int], tmp_path: Path, tear: Callable[[Path, int], None]
) -> None:
    image, acknowledged, count = crashed
    end = image.with_name("store.db-wal").stat().st_size
    assert end > acknowledged
    chance = random.Random(SEED)
    lost = 0
    for at in [acknowledged, *(chance.randrange(acknowledged, end) for _ in range(TEARS))]:
        torn = tmp_path / "torn"
        shutil.copytree(image.parent, torn)
        tear(torn / "store.db-wal", at)
        store = await Store.open(torn / "store.db")
        kept = store.look(paths)
        assert store.look(lambda db: db.execute("PRAGMA integrity_check").fetchone()) == ("ok",)
        # What is kept is a beginning, and holds everything that was acknowledged.
        assert kept == [f"/{number}" for number in range(len(kept))]
        assert len(kept) >= count
        lost += len(kept) < 400
        await store.write(note(len(kept)))
        await store.close()
        shutil.rmtree(torn)
    assert lost > TEARS // 2, "the log was hardly torn"
