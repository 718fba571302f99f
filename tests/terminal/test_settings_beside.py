"""The settings file edited beside the running app: said first, written over only by who was told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
F7 = "\x1b[18~"
MINE = '[[destinations]]\nname = "mine"\nurl = "http://127.0.0.1:9/hook"\nenabled = false\n'
THEIRS = MINE + '\n[[destinations]]\nname = "theirs"\nurl = "http://127.0.0.1:9/hook"\n'


def shown(start: Start, program: list[str], file: Path, *size: int) -> Any:
    """The app on Destinations, over a settings file with one."""
    file.write_text(MINE)
    terminal = start(program, *size)
    terminal.wait_for("receiver :")
    terminal.press(F7)
    terminal.wait_for("Destinations  1", "mine")
    return terminal


def test_the_second_save_writes_over_what_was_told(start: Start, program: list[str], tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    terminal = shown(start, program, file)
    file.write_text(THEIRS)
    terminal.press(" ")
    terminal.wait_for("was changed by somebody else", "Save once more to write over", "Reload settings")
    assert file.read_text() == THEIRS
    terminal.press(" ")
    terminal.wait_for("● mine")
    saved = tomllib.loads(file.read_text())["destinations"]
    assert [(item["name"], item.get("enabled", True)) for item in saved] == [("mine", True)]


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_what_the_file_says_now_is_taken_over(
    start: Start, program: list[str], tmp_path: Path, size: tuple[int, int]
) -> None:
    file = tmp_path / "config.toml"
    terminal = shown(start, program, file, *size)
    file.write_text(THEIRS)
    reload(terminal)
    terminal.wait_for("Settings reloaded.", "Destinations  2", "theirs")
    assert file.read_text() == THEIRS, "reading it writes nothing"
    # It is the file that the next save is over: nobody is told of it again.
    terminal.press(" ")
    terminal.wait_for("● mine")
    saved = tomllib.loads(file.read_text())["destinations"]
    assert [(item["name"], item.get("enabled", True)) for item in saved] == [("mine", True), ("theirs", True)]


def test_a_broken_file_is_refused_and_nothing_changes(
    start: Start, program: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    terminal = shown(start, program, file)
    file.write_text(THEIRS + 'filter = { where = "lag:>1s" }\n')
    reload(terminal)
    terminal.wait_for("config.toml line 9", "lag says nothing of an event")
    assert "Destinations  1" in terminal.text
    file.unlink()
    reload(terminal)
    terminal.wait_for("is not there any more")
    assert "mine" in terminal.text


def reload(terminal: Any) -> None:
    """Choose it in the palette."""
    terminal.press("\x10")
    terminal.wait_for("Search for commands")
    terminal.press("Reload settings")
    terminal.wait_for("Use what the settings file says now")
    terminal.press("\r")
