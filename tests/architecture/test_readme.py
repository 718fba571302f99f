"""The README's promises about itself: its commands exist, and CI runs the one it names."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path

from statsig_tui.cli import cli
from statsig_tui.core.request import Shape
from statsig_tui.settings.templates import read

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_both_set_up_commands_are_one_line_each() -> None:
    blocks = re.findall(r"```\n(python3 -m venv .+?)\n```", README)
    assert len(blocks) == 2
    assert all("\n" not in block for block in blocks)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    taken = re.search(r"command=\$\((sed .+)\)", script)
    assert taken is not None
    command = subprocess.run(
        taken[1], shell=True, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert command.strip() in README.split("\n")
    for step in ("pip install", "ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"):
        assert step in command


def test_every_command_is_in_the_readme_and_has_an_example() -> None:
    for name, command in cli.commands.items():
        assert f"statsig-tui {name}" in README
        subcommands = getattr(command, "commands", {"": command})
        assert all("Example:" in (each.help or "") for each in subcommands.values())


def test_the_template_of_the_readme_says_all_there_is_to_say() -> None:
    [block] = [text for text in re.findall(r"```toml\n(.+?)```", README, re.DOTALL) if "[variables]" in text]
    template, report = read(block.encode(), "readme.toml")
    assert report.warnings == []
    assert all(
        getattr(template, field.name)
        for field in fields(template)
        if field.name not in ("group", "answer", "fault")
    )
    assert template.shape == Shape("PUT", "/v1/webhooks/event_webhook?try=1", "X-Team: shop")


def test_every_picture_of_the_readme_exists() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert len(pictures) >= 3
    assert all((ROOT / picture).is_file() for picture in pictures)
