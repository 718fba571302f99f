"""The terminal the app runs in: told when it is gone, and given back though the app hangs."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import time
from collections.abc import Callable

_SIGNAL_SECONDS = 1.0
"""How long a terminal that went away may take to say so by a signal, too, which is then what counts."""
_MODES = (2048, 2004, 1006, 1015, 1003, 1000, 1004, 1049)
"""What Textual switches on: size reports, paste, mouse, focus, and the alternate screen."""
_PLAIN = b"\x1b[<u" + b"".join(b"\x1b[?%dl" % mode for mode in _MODES) + b"\x1b[?7h\x1b[?25h\x1b[0m"


def restorer(fd: int) -> Callable[[], None]:
    """How to bring a terminal back to what it is now, from any thread, whatever the app does."""
    before = termios.tcgetattr(fd)

    def restore() -> None:
        # A terminal that is gone needs nothing.
        with contextlib.suppress(OSError, termios.error):
            os.write(fd, _PLAIN)
            termios.tcsetattr(fd, termios.TCSANOW, before)

    return restore


def on_hang_up(fd: int, tell: Callable[[], None]) -> None:
    """Call `tell`, from a thread, when the terminal is gone.

    Not everybody is sent SIGHUP then: a session of its own, or a job that its shell disowned, is not.
    """

    def watch() -> None:
        poll = select.poll()
        # No events asked for: it sleeps until the hang-up, which is always told.
        poll.register(fd, 0)
        _, told = poll.poll()[0]
        if told & (select.POLLHUP | select.POLLERR):
            time.sleep(_SIGNAL_SECONDS)
            tell()

    threading.Thread(target=watch, name="terminal", daemon=True).start()
