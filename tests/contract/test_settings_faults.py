"""A settings file that cannot be meant, and the program: exit code, words, and nothing started or written."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.corpus.cases_c import BROKEN, WRONG, Case

if TYPE_CHECKING:
    from tests.contract.conftest import Spawn

PROGRAM = {"C03 UTF 16", "C04 half written", "C05 lists", "C09 port as text"}
"""The cases that the program itself is started with."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the settings are."""
    return tmp_path / "config.toml"


@pytest.mark.parametrize(
    "case", [case for case in [*BROKEN, *WRONG] if case.id in PROGRAM], ids=lambda case: case.id
)
async def test_the_program_ends_with_the_complaint(spawn: Spawn, file: Path, case: Case) -> None:
    file.write_bytes(case.data)
    checking, serving = await asyncio.gather(
        spawn("config", "check", "--config", str(file), data=None),
        spawn("serve", "--json", "--config", str(file)),
    )
    code, out, err = await checking.end()
    assert (code, out) == (1, "")
    assert case.says in err
    code, lines, err = await serving.lines()
    assert (code, err) == (2, "")
    ((kind, message),) = [(line["type"], line["message"]) for line in lines]
    assert kind == "error"
    assert case.says in message
    assert list(serving.data.glob("*.db")) == [], "nothing was started"
    assert file.read_bytes() == case.data


async def test_the_program_works_with_what_it_only_doubts(spawn: Spawn, file: Path) -> None:
    """C08"""
    file.write_text("[emulater]\nport = 1\n")
    checking = await spawn("config", "check", "--config", str(file), data=None)
    code, out, err = await checking.end()
    assert (code, out) == (1, "")
    assert 'did you mean "emulator"?' in err
    ports = ("--emulator-port", "0", "--receiver-port", "0")
    serving = await spawn("serve", "--json", *ports, "--config", str(file))
    await serving.line("ready")
    assert (await serving.end(signal.SIGTERM))[0] == 128 + signal.SIGTERM
    assert file.read_text() == "[emulater]\nport = 1\n"
