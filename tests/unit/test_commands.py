"""The table of commands: no key means two things at once."""

from __future__ import annotations

from statsig_tui.tui.commands import COMMANDS, clashes


def test_no_two_commands_of_a_screen_have_one_key() -> None:
    assert clashes({}) == []


def test_keys_of_the_settings_that_hide_a_command_are_told() -> None:
    assert clashes({"live.mark": "r"}) == ["live.replay and live.mark are both on r: see [interface.keys]."]
    # What is for everywhere is on every screen, and said once.
    assert clashes({"app.help": "f1, ctrl+p"}) == [
        "app.palette and app.help are both on ctrl+p: see [interface.keys]."
    ]
    assert clashes({"live.mark": "r", "live.replay": "v"}) == []
    # On another screen the key is free.
    assert clashes({"live.mark": "f10"}) == []


def test_every_command_has_an_id_of_its_own() -> None:
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
