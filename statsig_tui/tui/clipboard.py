"""Three ways to copy: a tool of the desktop, the terminal, a file. Which of them there are is found out here;
what is copied never stands in a command line.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping

LONGEST = 64 * 1024
"""Bytes that are copied by an escape sequence; terminals drop longer ones."""
_SECONDS = 3.0
"""How long a tool may take: one that cannot reach its display would never end."""
_REMOTE = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")
"""Over these the desktop of this machine is not the one the user sits at."""
_TOOLS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)


async def copy(text: str, what: str, to_terminal: Callable[[str], None]) -> str:
    """Copy by a tool of the desktop, else through the terminal, else into a file; which of them, in words.

    Raises OSError.
    """
    raw = text.encode("utf-8", "surrogateescape")
    can_paste = is_text(raw)
    command = tool(os.environ, sys.platform) if can_paste else None
    size = f"{len(raw):,} bytes"
    if command is not None and await asyncio.to_thread(fill, command, raw):
        return f"Copied {what} by {command[0]}, {size}."
    if can_paste and len(raw) <= LONGEST:
        to_terminal(text)
        return f"Copied {what} by the terminal (OSC 52), {size}."
    why = "More than the terminal copies" if can_paste else "Bytes that are no text"
    return f"{why}: {what}, {size}, is in {await asyncio.to_thread(keep, raw)}."


def tool(
    environ: Mapping[str, str], platform: str, which: Callable[[str], str | None] = shutil.which
) -> tuple[str, ...] | None:
    """The command that fills the clipboard of the desktop the user sits at; None: there is none."""
    if any(environ.get(name) for name in _REMOTE):
        return None
    if platform == "darwin":
        return ("pbcopy",) if which("pbcopy") else None
    return next((words for name, words in _TOOLS if environ.get(name) and which(words[0])), None)


def fill(command: tuple[str, ...], raw: bytes) -> bool:
    """Give bytes to a tool, and wait for it; whether it took them."""
    try:
        done = subprocess.run(  # noqa: S603 one of ours, and no word of it from outside
            command,
            input=raw,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            # What stays behind to serve the clipboard is to outlive the terminal, and its ctrl+c.
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def keep(raw: bytes) -> str:
    """Put bytes into a new file of the user's alone; its name."""
    handle, name = tempfile.mkstemp(prefix="statsig-tui-", suffix=".txt")
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    return name


def is_text(raw: bytes) -> bool:
    """Whether bytes are UTF-8, as a clipboard wants them."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
