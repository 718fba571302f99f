"""What a long-running command asks of its process."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import threading
from collections.abc import Callable

HARD_STOP_SECONDS = 5.0
"""After this the process ends, whatever still hangs."""

_OLD_EVERY = 50
"""Collections of the middle generation before one of the old; Python's own number is 10."""


def hard_stop(code: int, end: Callable[[int], None] = os._exit) -> None:
    """End the process with this code when the clean stop takes too long."""
    timer = threading.Timer(HARD_STOP_SECONDS, end, (code,))
    timer.daemon = True
    timer.start()


def collect_nothing() -> None:
    """Until keep_loaded(): what is being loaded stays, and walking it again and again delays the start."""
    gc.disable()


def keep_loaded() -> None:
    """What is loaded now stays: the collector need not walk it while an acknowledgement waits.

    What lives long is walked less often than Python does by itself: each walk is 10 to 20 ms.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _OLD_EVERY)
    gc.enable()


def raise_descriptor_limit() -> None:
    """Allow as many descriptors as the system grants: every connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
