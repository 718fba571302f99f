"""Typing: from a key to its character on the screen, in a terminal that a program presses the keys of."""

from __future__ import annotations

import json
import sys
import time
from statistics import median

from benchmarks.bodies import json_document
from benchmarks.measure import Aim, Plan, Row, Rows, alternate, percentile, ratios, say
from benchmarks.processes import place
from benchmarks.terminal import terminal

_SIZE = 64 * 1024
_KEY = "z"
_PAUSE_SECONDS = 0.2
"""Between keys: long enough for the draft to be judged after each, which a key must not wait for."""


def typed(plan: Plan) -> Rows:
    """A key in the composer with a large body, all its advice included, and in an empty editor."""
    keys = int(plan.scaled(40, 15))
    with place() as at:
        body = at.directory / "body.json"
        body.write_text(json.dumps(json.loads(json_document(_SIZE)), indent=2))

        def ours() -> list[float]:
            return _presses(["draft", str(body)], keys)

        found, blank = alternate(plan, ours, lambda: _presses(["blank"], keys))
    ms = [median(each) * 1000 for each in found]
    slow = median(percentile(each, 95) for each in found) * 1000
    blank_ms = [median(each) * 1000 for each in blank]
    what = f"a key until it is drawn, in the JSON of a body of {_SIZE // 1024} KB"
    note = f"{median(ms):.1f} ms, p95 {slow:.1f} ms, against {median(blank_ms):.1f} ms"
    yield Row(what, "an empty TextArea", ratios(ms, blank_ms), Aim("<=", 5.0), note)
    yield Row(what, "50 ms", ms, Aim("<=", 50, "ms"))


def _presses(arguments: list[str], keys: int) -> list[float]:
    """Seconds that each key took."""
    took: list[float] = []
    with terminal([sys.executable, "-m", "benchmarks.viewers", *arguments]) as screen:
        screen.wait_for("ready")
        screen.settle(1)
        for count in range(1, keys + 1):
            screen.drawn.clear()
            began = time.perf_counter()
            screen.press(_KEY)
            took.append(screen.started + screen.wait_for(_KEY * count) - began)
            time.sleep(_PAUSE_SECONDS)
    say(f"  {arguments[0]}: {median(took) * 1000:.1f} ms, p95 {percentile(took, 95) * 1000:.1f} ms")
    return took
