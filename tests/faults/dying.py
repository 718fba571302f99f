"""`statsig-tui` that kills itself at a boundary of a delivery: `dying.py BOUNDARY ARGUMENTS…`.

"-ing" is inside the transaction, which is then lost; "-ed" is after its commit, before what follows from it;
`*N` behind it: when it comes there for the Nth time.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
import sys
from typing import Any

from statsig_tui.cli import main
from statsig_tui.engine import captures, outbox
from statsig_tui.engine.house import House
from statsig_tui.engine.ledger import StoreLedger
from statsig_tui.engine.listeners import Listeners

BOUNDARIES: dict[str, tuple[object, str, bool]] = {
    "accepting": (outbox, "accept", True),
    "accepted": (House, "_keep", True),
    "opening": (outbox, "open_delivery", True),
    "opened": (StoreLedger, "open", True),
    "beginning": (outbox, "begin_attempt", True),
    "begun": (StoreLedger, "begin", True),
    "posted": (StoreLedger, "end", False),
    "ending": (outbox, "end_attempt", True),
    "ended": (StoreLedger, "end", True),
    "turned": (StoreLedger, "turn", True),
    "halving": (outbox, "split", True),
    "halved": (StoreLedger, "halve", True),
    "capturing": (captures, "insert", True),
    "captured": (House, "_record", True),
    "recovering": (outbox, "recover", True),
    "recovered": (Listeners, "listen", False),
}
"""Where: the function's owner and name, and whether it has run by then."""


def die_at(boundary: str) -> None:
    """Make the function at a boundary kill the process."""
    boundary, _, times = boundary.partition("*")
    left = iter(range(int(times or 1) - 1, -1, -1))
    owner, name, has_run = BOUNDARIES[boundary]
    function = getattr(owner, name)

    @functools.wraps(function)
    async def deadly(*arguments: Any, **options: Any) -> Any:
        is_last = not next(left)
        found = await function(*arguments, **options) if has_run or not is_last else None
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    @functools.wraps(function)
    def deadly_at_once(*arguments: Any, **options: Any) -> Any:
        found = function(*arguments, **options)
        if not next(left):
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(owner, name, deadly if inspect.iscoroutinefunction(function) else deadly_at_once)


if __name__ == "__main__":
    die_at(sys.argv.pop(1))
    main()
