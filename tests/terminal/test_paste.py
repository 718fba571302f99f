"""A paste is text: nothing in it sends, quits or switches anything, and nothing of it is lost."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statsig_tui.core.draft import SAMPLE

Start = Callable[..., Any]
START, END = "\x1b[200~", "\x1b[201~"
PASTES = {
    "unknown sequence, then ctrl+j": "a\x1b[999z\nb\nc",
    "fake end, then ctrl+j, f7, ctrl+c twice": f"a{END}\n\x1b[18~\x03\x03b",
    "fake end and beginning": f"a{END}\n\x1b[18~{START}b",
    "keys of every kind": "a\x1b[17~\x1b[15~\x10\x03\x03\x11\x1bOP\x1bq\tb",
    "an escape at the end": "ab\x1b",
    "half an end": "ab\x1b[201",
    "every control": "a" + "".join(map(chr, [*range(13), *range(14, 32), *range(0x7F, 0xA0)])) + "b",
    "a title and the clipboard": "a\x1b]0;PWNED\x07\x1b]52;c;aGk=\x07b",
}


@pytest.fixture
def editor(start: Start, program: list[str]) -> Any:
    """The app with the sample in the JSON editor."""
    terminal = start(program)
    terminal.wait_for("captured")
    terminal.press("\x07")
    terminal.wait_for('"checkout_completed"')
    return terminal


def sent(data: Path) -> list[bytes]:
    """Bodies of everything that was sent by hand."""
    database = sqlite3.connect(data / "statsig-tui.db")
    try:
        rows = database.execute("SELECT body FROM sent WHERE event_name NOT LIKE 'DEMO%' ORDER BY id")
        return [row[0] for row in rows]
    finally:
        database.close()


def peak(pid: int) -> int:
    """The most memory that a process had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def test_a_paste_is_text_in_the_editor_and_sends_nothing(editor: Any, tmp_path: Path) -> None:
    begins = len(editor.raw)
    text = SAMPLE
    for pasted in PASTES.values():
        editor.press(START + pasted + END)
        # At the beginning: the sample behind it stays in its place.
        text = text.removesuffix(SAMPLE) + pasted + SAMPLE
        editor.wait_for(f"{len(text.encode()):,} bytes · not JSON")
        assert "Compose" in editor.text
    assert sent(tmp_path / "data") == []
    editor.press("\n")
    editor.wait_for("400 bad request")
    assert sent(tmp_path / "data") == [text.encode()], "every character, and one event for one key"
    drawn = editor.raw[begins:]
    assert b"\x1b]0;" not in drawn
    assert b"\x1b]52;" not in drawn
    editor.kill(signal.SIGTERM)
    assert editor.ends() == 143


def test_a_megabyte_is_pasted_whole(editor: Any, tmp_path: Path) -> None:
    line = "x" * 98 + "\x1b\n"
    editor.press(START + line * 10_000 + END)
    editor.wait_for(f"{1_000_000 + len(SAMPLE):,} bytes · not JSON")
    editor.press("\x7f")
    editor.wait_for(f"{999_999 + len(SAMPLE):,} bytes · not JSON")
    assert sent(tmp_path / "data") == []


def test_64_megabytes_are_not_inserted_and_the_app_says_so_and_works_on(editor: Any, tmp_path: Path) -> None:
    before = peak(editor.pid)
    junk = b"\x00\xff\xfe\x1b[999z\n\x03\x03\x1b[18~" + END.encode()[:-1]
    body = (junk * 3_000_000)[:64_000_000]
    size = len(body.decode("utf-8", "replace"))
    editor.press(START.encode() + body + END.encode())
    editor.wait_for(f"Too long to paste: {size:,} characters were not", "Body from a file")
    editor.press("{")
    editor.wait_for(f"{len(SAMPLE) + 1:,} bytes · not JSON")
    assert peak(editor.pid) - before < 64_000_000, "it is not collected"
    # The end that is in it is not the end of it: nothing behind it is inserted, or pressed.
    editor.press(START + "x" * 3_000_000 + END + "\n\x1b[18~\x03\x03" + END)
    editor.wait_for("3,000,014 characters were not")
    editor.press("\x7f")
    editor.wait_for("valid JSON")
    assert sent(tmp_path / "data") == []
    editor.kill(signal.SIGTERM)
    assert editor.ends() == 143


def test_bytes_that_are_no_text_end_nothing(editor: Any) -> None:
    editor.press(START.encode() + b"\xff\xfe\xc3" + END.encode())
    editor.wait_for("���{", "not JSON")
    # Keys that come in one go are keys, brackets among them.
    editor.press("q\x7f\x7fa[2")
    editor.wait_for("��a[2{", "not JSON")
    editor.kill(signal.SIGTERM)
    assert editor.ends() == 143


def test_a_paste_into_a_list_presses_no_key(start: Start, program: list[str]) -> None:
    terminal = start(program)
    terminal.wait_for("captured")
    terminal.press("\x1b[19~")
    terminal.wait_for("FOLLOW")
    terminal.press(f"{START}q1\x03\x03\x1b[999zq\n{END}")
    terminal.press("\x1b[18~")
    terminal.wait_for("Event Filtering")
    assert "ctrl+c again" not in terminal.text
    terminal.press("q")
    assert terminal.ends() == 0
