"""Which way something is copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from statsig_tui.tui import clipboard

ALL = {"wl-copy", "xclip", "xsel", "pbcopy"}


@pytest.mark.parametrize(
    ("environ", "platform", "there", "expected"),
    [
        ({}, "linux", ALL, None),
        ({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "linux", ALL, "wl-copy"),
        ({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "linux", {"xsel", "xclip"}, "xclip"),
        ({"DISPLAY": ":0"}, "linux", ALL, "xclip"),
        ({"DISPLAY": ":0"}, "linux", {"xsel"}, "xsel"),
        ({"DISPLAY": ":0"}, "linux", set(), None),
        ({"DISPLAY": ""}, "linux", ALL, None),
        ({}, "darwin", ALL, "pbcopy"),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", ALL, None),
        ({"SSH_CONNECTION": "a b c d", "DISPLAY": ":0"}, "linux", ALL, None),
        ({"SSH_CLIENT": "a b c", "WAYLAND_DISPLAY": "w"}, "linux", ALL, None),
    ],
)
def test_a_tool_is_asked_only_where_the_user_sits_at_its_desktop(
    environ: dict[str, str], platform: str, there: set[str], expected: str | None
) -> None:
    found = clipboard.tool(environ, platform, lambda name: name if name in there else None)
    assert (found[0] if found else None) == expected


def test_a_tool_is_given_the_bytes_and_nothing_on_its_command_line(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\necho "$#" > "{tmp_path}/count"\ncat > "{tmp_path}/got"\n')
    tool.chmod(0o700)
    assert clipboard.fill((str(tool),), b"caf\xc3\xa9\n\x00")
    assert (tmp_path / "got").read_bytes() == b"caf\xc3\xa9\n\x00"
    assert (tmp_path / "count").read_text() == "0\n"


def test_a_tool_that_fails_or_is_not_there_took_nothing(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\nexit 1\n")
    tool.chmod(0o700)
    assert not clipboard.fill((str(tool),), b"x" * 1_000_000)
    assert not clipboard.fill((str(tmp_path / "none"),), b"x")


def test_what_goes_into_a_file_is_for_the_user_alone() -> None:
    path = Path(clipboard.keep(b"\xff"))
    try:
        assert path.read_bytes() == b"\xff"
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        path.unlink()
