"""The user's own editor over a text, in a private file that is gone afterwards."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from statsig_tui.errors import UsageError


def editor(environ: Mapping[str, str]) -> list[str]:
    """The command of $VISUAL, or of $EDITOR. Raises UsageError where neither is set."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environ.get(name, ""))
        except ValueError:
            raise UsageError(f"${name} has a quote that is not closed.") from None
        if words:
            return words
    raise UsageError(
        "Neither $VISUAL nor $EDITOR is set.", "Set one before the start: EDITOR=vim statsig-tui"
    )


def edited(command: list[str], raw: bytes, suffix: str) -> bytes:
    """What the editor makes of the bytes: the very same where nothing was changed.

    A line end that the editor adds at the end is not taken. Raises UsageError where it cannot be run or
    fails; it has the terminal, and ctrl+c is its own.
    """
    with tempfile.TemporaryDirectory(prefix="statsig-tui-") as private, _interrupts_are_its_own():
        path = Path(private) / f"event{suffix}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
        try:
            code = subprocess.run([*command, str(path)], check=False).returncode  # noqa: S603 the user's own
            found = path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{command[0]} cannot be run: {error.strerror}.", "See $VISUAL and $EDITOR."
            ) from None
    if code:
        raise UsageError(f"{command[0]} ended with code {code}: nothing was taken.")
    return found.removesuffix(b"\n") if found.endswith(b"\n") and not raw.endswith(b"\n") else found


@contextmanager
def _interrupts_are_its_own() -> Iterator[None]:
    """Let no ctrl+c end this process meanwhile; a child starts with the usual handling again."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
