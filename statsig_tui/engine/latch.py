"""At most one wake-up in flight, however often and from whichever thread it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Latch:
    """`wake` is called by the first trip after a release, in the tripping thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._guard = threading.Lock()
        self._tripped = False

    def trip(self) -> None:
        """Something changed."""
        with self._guard:
            if self._tripped:
                return
            self._tripped = True
        self._wake()

    def release(self) -> None:
        """Call before reading, so that what changes while reading wakes again."""
        with self._guard:
            self._tripped = False
