"""Faults are made to real processes: fixtures of commands and terminals, and a look into their store."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import settings, spawn
from tests.terminal.conftest import program, start

__all__ = ["program", "settings", "spawn", "start"]

Ask = Callable[[str], list[Any]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask the database of the processes: rows, or values where a row is one value."""

    def look(question: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(tmp_path / "data" / "statsig-tui.db")) as db:
            rows = db.execute(question).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    return look
