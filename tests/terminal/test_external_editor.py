"""f4 in a real terminal: the user's editor gets it, and what it leaves behind is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
F3, F4 = "\x1bOR", "\x1bOS"
CTRL_G, CTRL_C = "\x07", "\x03"


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """An editor that is a line of shell; the file is $1."""

    def make(line: str) -> str:
        path = tmp_path / "editor with space"
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o700)
        return f"'{path}' -w"

    return make


def test_the_whole_text_goes_to_the_editor_and_back(
    start: Start, program: list[str], script: Callable[[str], str], tmp_path: Path
) -> None:
    line = f"""
        stat -c '%a %n' "$2" "${{2%/*}}" > {tmp_path}/seen
        sed -i s/checkout_completed/edited_name/ "$2"
        echo >> "$2"
    """
    terminal = start(program, EDITOR="false", VISUAL=script(line))
    terminal.wait_for("last batch", "Send")
    terminal.press(F4)
    terminal.wait_for("edited_name")
    rights = [line.split(" ", 1) for line in (tmp_path / "seen").read_text().splitlines()]
    assert [int(mode, 8) for mode, _ in rights] == [0o600, 0o700]
    assert not Path(rights[1][1]).exists()
    # The line end that editors add is no change of the event.
    terminal.press(CTRL_G)
    terminal.wait_for("356 bytes · valid JSON")
    terminal.press(CTRL_C + CTRL_C)
    assert terminal.ends() == 0
    assert terminal.is_cooked()


def test_the_field_under_the_cursor_is_edited_alone(
    start: Start, program: list[str], script: Callable[[str], str]
) -> None:
    line = 'case "$(head -c1 "$2")" in "{") echo "zone = 1" > "$2";; *) echo one_name > "$2";; esac'
    terminal = start(program, EDITOR=script(line))
    terminal.wait_for("last batch", "Send")
    terminal.press(CTRL_G)
    terminal.wait_for('"userID"')
    terminal.press(CTRL_G)
    terminal.wait_for("userID      user-1042")
    terminal.press(F4)
    terminal.wait_for("one_name", "userID      user-1042")
    # A table is edited as one object, or as lines.
    terminal.press("\t\t\t")
    terminal.wait_for("On/off")
    terminal.press(F4)
    terminal.wait_for("☑ zone", "userID      user-1042")


@pytest.mark.parametrize(
    ("editor", "says"),
    [
        ("", "Neither $VISUAL nor $EDITOR is set"),
        ("/none/such", "cannot be run"),
        ("false", "ended with code 1: nothing was taken"),
        ("sh -c 'kill -INT $$' ", "nothing was taken"),
        ("true", "Nothing was changed"),
    ],
)
def test_an_editor_that_fails_changes_nothing(
    start: Start, program: list[str], editor: str, says: str
) -> None:
    terminal = start(program, EDITOR=editor, VISUAL="")
    terminal.wait_for("last batch", "Send")
    terminal.press(F4)
    terminal.wait_for(says)
    terminal.wait_for("checkout_completed")
    terminal.press(CTRL_C + CTRL_C)
    assert terminal.ends() == 0


def test_the_pager_shows_what_is_under_the_cursor_and_can_drive_nothing(
    start: Start, program: list[str], script: Callable[[str], str], tmp_path: Path
) -> None:
    line = f'stat -c %a "$2" > {tmp_path}/seen; cat "$2" >> {tmp_path}/seen; echo paged; read answer'
    terminal = start(program, PAGER=script(line))
    terminal.wait_for("last batch", "Send")
    terminal.press(F3)
    terminal.wait_for("paged")
    # The terminal is the pager's: what is pressed is not for the app.
    terminal.press("q\r")
    terminal.wait_for("last batch", "Send")
    rights, *text = (tmp_path / "seen").read_text().splitlines()
    assert rights == "600"
    assert any('"event": "checkout_completed"' in line for line in text)
    terminal.press(CTRL_C + CTRL_C)
    assert terminal.ends() == 0
    assert terminal.is_cooked()
