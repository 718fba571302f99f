"""The user's own editor, or pager, over a text in a private file that is gone afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App, SuspendNotSupported

from statsig_tui.errors import UsageError

T = TypeVar("T")
_PAGERS = ("less", "more")


def editor(environ: Mapping[str, str]) -> list[str]:
    """The command of $VISUAL, or of $EDITOR. Raises UsageError where neither is set."""
    for name in ("VISUAL", "EDITOR"):
        if words := _words(environ, name):
            return words
    raise UsageError(
        "Neither $VISUAL nor $EDITOR is set.", "Set one before the start: EDITOR=vim statsig-tui"
    )


def pager(environ: Mapping[str, str]) -> list[str]:
    """The command of $PAGER, or what most systems have. Raises UsageError where there is none."""
    if words := _words(environ, "PAGER"):
        return words
    found = next((name for name in _PAGERS if shutil.which(name, path=environ.get("PATH"))), None)
    if found is None:
        raise UsageError("$PAGER is not set, and there is no less.", "Set it: PAGER=most statsig-tui")
    return [found]


def _words(environ: Mapping[str, str], name: str) -> list[str]:
    try:
        return shlex.split(environ.get(name, ""))
    except ValueError:
        raise UsageError(f"${name} has a quote that is not closed.") from None


def handed_over(app: App[Any], job: Callable[[], T]) -> T:
    """Do something that takes the terminal, and take it back. Raises UsageError where it cannot be given."""
    try:
        with app.suspend():
            try:
                return job()
            except UsageError as error:
                # Raised through suspend(), it would keep the terminal from coming back.
                failure = error
    except SuspendNotSupported:
        failure = UsageError("There is no terminal to give away.")
    raise failure


def edited(command: list[str], raw: bytes, suffix: str) -> bytes:
    """What the editor makes of the bytes: the very same where nothing was changed.

    A line end that the editor adds at the end is not taken. Raises UsageError where it cannot be run or
    fails; it has the terminal, and ctrl+c is its own.
    """
    code, found = _run(command, raw, suffix, "See $VISUAL and $EDITOR.")
    if code:
        raise UsageError(f"{command[0]} ended with code {code}: nothing was taken.")
    return found.removesuffix(b"\n") if found.endswith(b"\n") and not raw.endswith(b"\n") else found


def paged(command: list[str], text: str) -> None:
    """Let the pager show a text, which has to be printable. Raises UsageError where it cannot be run."""
    code, _ = _run(command, text.encode(), ".txt", "See $PAGER.")
    if code:
        raise UsageError(f"{command[0]} ended with code {code}.", "See $PAGER.")


def _run(command: list[str], raw: bytes, suffix: str, hint: str) -> tuple[int, bytes]:
    with tempfile.TemporaryDirectory(prefix="statsig-tui-") as private, _interrupts_are_its_own():
        path = Path(private) / f"event{suffix}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
        try:
            code = subprocess.run([*command, str(path)], check=False).returncode  # noqa: S603 the user's own
            return code, path.read_bytes()
        except OSError as error:
            raise UsageError(f"{command[0]} cannot be run: {error.strerror}.", hint) from None


@contextmanager
def _interrupts_are_its_own() -> Iterator[None]:
    """Let no ctrl+c end this process meanwhile; a child starts with the usual handling again."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
