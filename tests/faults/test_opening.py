"""A database or a directory that cannot be used: said in words, exit code 3, the user's file left alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.engine import schema

if TYPE_CHECKING:
    from tests.contract.conftest import Spawn

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
UNPRIVILEGED = (str(Path(__file__).with_name("unprivileged.py")),)


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def foreign(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.commit()
    db.close()


def ours(path: Path) -> None:
    db = sqlite3.connect(path)
    schema.migrate(db)
    db.close()


def newer(path: Path) -> None:
    ours(path)
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    db.close()


def truncated(path: Path) -> None:
    ours(path)
    path.write_bytes(path.read_bytes()[:5000])


def overwritten(path: Path) -> None:
    ours(path)
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


FAULTS = [
    (garbage, "not a database", "not deleted"),
    (foreign, "another program", "--data"),
    (newer, "newer statsig-tui", "Upgrade"),
    (truncated, "malformed", "not deleted"),
    (overwritten, "malformed", "not deleted"),
]


@pytest.mark.parametrize(("spoil", "says", "hint"), FAULTS)
async def test_serve_says_what_is_wrong_with_its_database_and_leaves_it_alone(
    spawn: Spawn, tmp_path: Path, spoil: Callable[[Path], None], says: str, hint: str
) -> None:
    path = database(tmp_path)
    spoil(path)
    before = path.read_bytes()
    code, (error,), err = await (await spawn("serve", *PORTS, "--json")).lines()
    assert (code, error["type"], err) == (3, "error", "")
    assert says in error["message"]
    assert str(path) in error["message"]
    assert hint in error["hint"]
    assert path.read_bytes() == before


def test_the_app_says_what_is_wrong_with_its_database_and_leaves_it_alone(
    start: Callable[..., Any], program: list[str], tmp_path: Path
) -> None:
    path = database(tmp_path)
    for spoil, says, hint in FAULTS[:3]:
        path.unlink(missing_ok=True)
        spoil(path)
        before = path.read_bytes()
        terminal = start(program)
        assert terminal.ends() == 3
        # The terminal breaks lines within words.
        said = "".join(terminal.text.split())
        assert says.replace(" ", "") in said
        assert hint.replace(" ", "") in said
        assert terminal.is_cooked()
        assert path.read_bytes() == before


def database(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    return data / "statsig-tui.db"


def read_only_directory(data: Path) -> None:
    data.chmod(0o555)


def read_only_database(data: Path) -> None:
    ours(data / "statsig-tui.db")
    (data / "statsig-tui.db").chmod(0o444)


def forbidden_lock(data: Path) -> None:
    (data / "lock").touch(mode=0o400)


def directory_for_the_log(data: Path) -> None:
    (data / "statsig-tui.log").mkdir()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (read_only_directory, "the data directory {data} cannot be written"),
        (read_only_database, "{data}/statsig-tui.db: "),
        (forbidden_lock, "{data}/lock cannot be opened"),
        (directory_for_the_log, "the log {data}/statsig-tui.log cannot be opened"),
    ],
)
async def test_what_may_not_be_written_is_named(
    spawn: Spawn, tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    data = database(tmp_path).parent
    spoil(data)
    code, out, err = await (await spawn("serve", *PORTS, runs=UNPRIVILEGED)).end()
    data.chmod(0o700)
    assert (code, out) == (3, "")
    message, hint = err.splitlines()
    assert says.format(data=data) in message
    assert "--data" in hint


async def test_a_port_below_1024_is_not_for_everybody(spawn: Spawn) -> None:
    it = await spawn("serve", "--emulator-port", "0", "--receiver-port", "80", runs=UNPRIVILEGED)
    code, out, err = await it.end()
    assert (code, out) == (3, "")
    assert "127.0.0.1:80 may not be opened by this user" in err
    assert "from 1024 up" in err
