"""The soak: load on both endpoints, kill -9 at random, `serve` and the app with Live by turns.

`python -m tests.soak --minutes 20`; loopback only. Ends with 1 where anything acknowledged was lost, a
repetition is not explained by an attempt, or memory, descriptors, database or log went beyond their bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.soak.run import soak


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=20260101, help="of lives and faults")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="statsig-tui-soak-") as place:
        report = asyncio.run(soak(Path(place), chosen.minutes * 60, seed=chosen.seed))
    sys.stdout.write(f"{report}\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
