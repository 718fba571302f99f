"""Whether a database is still the file that was opened.

SQLite writes on, without an error, into a file that was deleted or moved: nobody would find it there.
"""

from __future__ import annotations

import os
from pathlib import Path

from statsig_tui.errors import StoreBroken


class OpenedFile:
    """An open database and its log by device and inode; two `stat` calls a look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = (os.fspath(path), os.fspath(path) + "-wal")
        self.log_size = 0
        """Bytes of the log at the last look."""
        self._known = self._look()

    def check(self) -> None:
        """Raise StoreBroken where the name leads elsewhere, or nowhere."""
        if self._look() != self._known:
            raise StoreBroken(
                f"{self._path} was deleted, moved or replaced while it was open",
                "Nothing is taken any more: put it back, or start statsig-tui again with what is there now.",
            )

    def _look(self) -> list[tuple[int, int] | None]:
        database, log = (_stat(name) for name in self._names)
        self.log_size = log.st_size if log is not None else 0
        return [None if found is None else (found.st_dev, found.st_ino) for found in (database, log)]


def _stat(name: str) -> os.stat_result | None:
    try:
        return os.stat(name)  # noqa: PTH116 - on the way of every acknowledgement, and pathlib's costs twice as much
    except OSError:
        return None
