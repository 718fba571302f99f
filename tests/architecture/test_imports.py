"""The directions of architecture.md, and that headless commands carry no screen."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

Python = Callable[..., Awaitable[tuple[int, str, str]]]
SCREENS = {"textual", "rich"}
LOADED = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


async def test_contracts_hold(python: Python) -> None:
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    assert pyproject.read_text().count("[[tool.importlinter.contracts]]") >= 6
    # In a process of its own: the linter's logging would silence ours for the tests that follow.
    script = f"""
import os, sys
from importlinter.cli import lint_imports
os.chdir({str(pyproject.parent)!r})
sys.exit(lint_imports(config_filename={str(pyproject)!r}, no_cache=True))
"""
    code, out, err = await python("-c", script)
    assert code == 0, out + err


@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        ("statsig_tui", {"asyncio", "httpx", "click", "msgspec", "sqlite3"} | SCREENS),
        (
            "statsig_tui.core.config, statsig_tui.core.sdk, statsig_tui.core.filters",
            {"asyncio", "httpx", "sqlite3"} | SCREENS,
        ),
        # httpx brings a command line of its own, and with it click and rich: the contracts see to ours.
        ("statsig_tui.engine.engine", {"keyring", "textual"}),
        ("statsig_tui.settings", {"httpx", "sqlite3", "uvicorn"} | SCREENS),
        ("statsig_tui.cli", {"httpx", "sqlite3", "uvicorn", "asyncio"} | SCREENS),
    ],
)
async def test_importing_pulls_in_nothing_foreign(python: Python, module: str, foreign: set[str]) -> None:
    code, out, err = await python("-c", f"import {module}; {LOADED}")
    assert (code, err) == (0, "")
    assert not foreign & set(json.loads(out))


@pytest.mark.parametrize(
    "arguments",
    [["serve", "--help"], ["listen", "--help"], ["send", "--help"], ["lint", "--help"], ["--help"]],
)
async def test_help_pulls_in_no_screen(python: Python, arguments: list[str]) -> None:
    script = f"""
import sys
from statsig_tui.cli import main
sys.argv = ["statsig-tui", *{arguments!r}]
try:
    main()
finally:
    {LOADED}
"""
    code, out, err = await python("-c", script)
    assert (code, err) == (0, "")
    shown, loaded = out.rstrip("\n").rsplit("\n", 1)
    assert "Example:" in shown
    assert not SCREENS & set(json.loads(loaded))
