"""The settings file edited beside the running app: said first, written over only by who was told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

Start = Callable[..., Any]
F7 = "\x1b[18~"
MINE = '[[destinations]]\nname = "mine"\nurl = "http://127.0.0.1:9/hook"\nenabled = false\n'
THEIRS = MINE + '\n[[destinations]]\nname = "theirs"\nurl = "http://127.0.0.1:9/hook"\n'


def test_the_second_save_writes_over_what_was_told(start: Start, program: list[str], tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(MINE)
    terminal = start(program)
    terminal.wait_for("receiver :")
    terminal.press(F7)
    terminal.wait_for("Destinations  1", "mine")
    file.write_text(THEIRS)
    terminal.press(" ")
    terminal.wait_for("was changed by somebody else", "Save once more to write over")
    assert file.read_text() == THEIRS
    terminal.press(" ")
    terminal.wait_for("● mine")
    saved = tomllib.loads(file.read_text())["destinations"]
    assert [(item["name"], item.get("enabled", True)) for item in saved] == [("mine", True)]
