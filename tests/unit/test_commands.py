"""The table of commands: no key means two things at once, and texts name the keys that act."""

from __future__ import annotations

import ast
import re
from contextvars import copy_context
from pathlib import Path

from statsig_tui.tui import commands
from statsig_tui.tui.commands import COMMANDS, clashes, key, palette, short_key, use_keys


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


def test_texts_name_the_keys_that_act() -> None:
    def said() -> tuple[str, ...]:
        return key("live.mark"), key("live.search"), short_key("compose.save"), palette("app.ports")

    def remapped() -> tuple[str, ...]:
        use_keys({"live.mark": "b,m", "live.search": "", "compose.save": "ctrl+e", "app.palette": "f9"})
        return said()

    assert said() == ("m", "/", "^s", "ctrl+p, Use a free port")
    # A command without a key is still in the palette.
    assert copy_context().run(remapped) == ("b", "f9, Search", "^e", "f9, Use a free port")


def test_no_text_names_a_key_that_can_be_moved_by_itself() -> None:
    # In these dialogs it is a key of their own; ctrl+z is the editor's.
    fixed = {"filter_details.py", "exporting.py", "dialogs.py"}
    named = re.compile(r"ctrl\+(?!z)[a-z]\b|\^[a-z]\b|\bf\d{1,2}\b")
    files = [path for path in Path(commands.__file__).parent.rglob("*.py") if path.name not in fixed]
    assert len(files) > 80
    found = [
        f"{path.name}: {text}"
        for path in files
        if path.name != "commands.py"
        for text in _prose(ast.parse(path.read_text()))
        if named.search(text)
    ]
    assert not found


def _prose(tree: ast.AST) -> list[str]:
    """Texts with a blank in them that are not docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if " " in node.value and id(node) not in docstrings
    ]
