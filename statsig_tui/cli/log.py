"""The log file: the only place our own troubles are written to, without secrets and never on the screen."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from statsig_tui.cli.secrets import Secrets
from statsig_tui.core.printable import lines
from statsig_tui.errors import Unavailable

_BYTES = 1024 * 1024
_FILES = 5


class _Redacting(logging.Formatter):
    def __init__(self, redact: Secrets) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        # A log is read in a terminal, too.
        return "\n".join(lines(self._redact(super().format(record))))


def log_to(path: Path, secrets: Secrets) -> None:
    """Write every warning of ours and of the libraries to a rotating file, mode 0600, secrets masked.

    Raises Unavailable where it cannot be opened.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise Unavailable(
            f"the log {path} cannot be opened: {error.strerror}", "Name another directory with --data."
        ) from None
    # Without this a full disk would have logging print its own failure, over the screen.
    logging.raiseExceptions = False
    # Opened now: when there is no descriptor left, that is one of the things to be told.
    handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_FILES)
    handler.setFormatter(_Redacting(secrets))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
