"""The one command: measure, tell how far it is on stderr, print the table on stdout."""

from __future__ import annotations

import argparse
import compileall
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import statsig_tui
from benchmarks import capture, forwarding, isolation, keystrokes, peers, scale, starting, viewing
from benchmarks.measure import Absent, Plan, Row, Rows, say, table

_GROUPS: dict[str, Callable[[Plan], Rows]] = {
    "capture": capture.captured,
    "acknowledgement": capture.acknowledged,
    "peers": peers.compared,
    "forwarder": forwarding.forwarded,
    "isolation": isolation.isolated,
    "start": starting.started,
    "help": starting.helped,
    "scale": scale.scaled,
    "feed": viewing.fed,
    "body": viewing.opened,
    "keys": keystrokes.typed,
    "memory": scale.remembered,
    "idle": starting.idled,
}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=_GROUPS, metavar="NAME", help=", ".join(_GROUPS))
    parser.add_argument("--repeats", type=int, metavar="N", help="runs of each side; 5, or 3 with --quick")
    parser.add_argument("--quick", action="store_true", help="shorter runs and smaller sizes")
    parser.add_argument("--peers", action="store_true", help="also against other programs")
    parser.add_argument("--install-peers", action="store_true", help="install those first, under the cache")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    # What was started is ended on the way out, however that comes.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    # As what was installed is; Python may be told to write no byte code of its own.
    compileall.compile_dir(Path(statsig_tui.__file__).parent, quiet=2)
    plan = Plan(options.repeats or (3 if options.quick else 5), options.quick)
    if options.install_peers:
        peers.install()
    chosen = options.only or [name for name in _GROUPS if name != "peers" or options.peers]
    rows: list[Row | Absent] = []
    for name in chosen:
        say(name)
        began = time.monotonic()
        rows += _GROUPS[name](plan)
        say(f"  took {time.monotonic() - began:.0f} s")
    text = table(rows)
    sys.stdout.write(text)
    if options.markdown is not None:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
