"""Options before a command are as good as options behind it, or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from statsig_tui.cli import cli


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("--config before.toml config path", "before.toml"),
        ("config path --config behind.toml", "behind.toml"),
        ("--config before.toml config path --config behind.toml", "behind.toml"),
    ],
)
def test_they_are_taken_wherever_they_stand_and_those_behind_win(line: str, path: str) -> None:
    result = CliRunner(env={"STATSIG_TUI_CONFIG": "environment.toml"}).invoke(cli, line.split())
    assert result.exit_code == 0
    assert Path(result.output.strip()).name == path


def test_a_data_directory_named_first_is_the_one_that_is_read(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--data", str(tmp_path), "--quiet", "list"])
    assert result.exit_code != 0
    assert str(tmp_path) in result.output


def test_one_that_the_command_does_not_know_is_refused() -> None:
    result = CliRunner().invoke(cli, ["--emulator-port", "0", "list"])
    assert result.exit_code == 2
    assert "list has no --emulator-port" in result.output
