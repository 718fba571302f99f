"""Where a command's bytes come from."""

from __future__ import annotations

import sys
from pathlib import Path

from statsig_tui.errors import UsageError


def read_source(source: str) -> bytes:
    """The bytes of a file or, for `-`, of standard input. Raises UsageError."""
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{source} cannot be read: {error.strerror}.", "Name a file, or - for standard input."
        ) from None
