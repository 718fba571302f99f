"""Drawing: the list under a feed and a large body, against Textual's own widgets, in a terminal each."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.bodies import json_document
from benchmarks.measure import Aim, Plan, Row, Rows, alternate, ratios, say
from benchmarks.processes import place
from benchmarks.terminal import Terminal, terminal
from benchmarks.viewers import RATE

_PAGE_UP = "\x1b[5~"
_STEPS = 40
_LAST = "the_last_member"
_FIRST = "eventName"


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed took, and how many frames it drew for that."""

    share: float
    """Of one core."""
    frames: float
    """A second."""


def fed(plan: Plan) -> Rows:
    """Processor time of a feed of rows; by the frame, because a list that falls behind draws fewer."""
    found, table = alternate(plan, lambda: _feed(plan, "rows"), lambda: _feed(plan, "table"))
    yield Row(
        f"processor time of a frame of a live feed, {RATE:,} rows a second at 20 Hz",
        "DataTable",
        ratios([feed.share / feed.frames for feed in found], [feed.share / feed.frames for feed in table]),
        Aim("<=", 0.25),
        f"{_shown(found)} against {_shown(table)}",
    )


def _feed(plan: Plan, kind: str) -> Feed:
    with terminal([sys.executable, "-m", "benchmarks.viewers", kind]) as screen:
        screen.wait_for("page_view")
        time.sleep(1)
        before, drawn, began = screen.cpu(), screen.frames, time.perf_counter()
        time.sleep(plan.scaled(5, 2))
        passed = time.perf_counter() - began
        feed = Feed((screen.cpu() - before) / passed, (screen.frames - drawn) / passed)
    say(f"  {kind}: {_shown([feed])}")
    return feed


def _shown(feeds: Sequence[Feed]) -> str:
    share, frames = median(feed.share for feed in feeds), median(feed.frames for feed in feeds)
    return f"{share:.0%} of a core for {frames:.0f} frames a second"


def opened(plan: Plan) -> Rows:
    """Opening a large body, until its first and until its last line can be seen, and scrolling in it."""
    megabytes = int(plan.scaled(10, 2))
    steps: list[float] = []
    first: list[float] = []
    with place() as at:
        raw, indented = at.directory / "body.json", at.directory / "indented.json"
        document = json.loads(json_document(megabytes * 1024 * 1024))
        document["end"] = _LAST
        raw.write_text(json.dumps(document, separators=(",", ":")))
        # The editor does not indent: it is given what ours makes of the body by itself.
        indented.write_text(json.dumps(document, indent=2))

        def ours() -> float:
            with terminal(_command("body", raw)) as screen:
                began, seen, whole = _open(screen, "body")
                first.append(seen - began)
                screen.settle()
                before = screen.cpu()
                for _ in range(_STEPS):
                    drawn = screen.bytes
                    screen.press(_PAGE_UP)
                    screen.wait_for_output(drawn)
                steps.append((screen.cpu() - before) / _STEPS * 1000)
            say(f"  ours: {first[-1] * 1000:.0f} ms, all of it {(whole - began) * 1000:.0f} ms")
            return whole - began

        def editor() -> float:
            with terminal(_command("text", indented)) as screen:
                began, _, whole = _open(screen, "text")
            say(f"  TextArea: {whole - began:.2f} s")
            return whole - began

        repeats = plan.repeats if plan.quick else min(3, plan.repeats)
        found, other = alternate(plan, ours, editor, repeats=repeats)
    against = "TextArea, its time over ours"
    for what, ours_took in (("its beginning can be read", first), ("its end can be seen", found)):
        yield Row(
            f"opening a body of {megabytes} MB, until {what}",
            against,
            ratios(other, ours_took),
            Aim(">=", 40),
            f"{median(ours_took) * 1000:.0f} ms against {median(other):.2f} s",
        )
    yield Row(f"processor time of a scroll step in {megabytes} MB", "10 ms", steps, Aim("<=", 10, "ms"))


def _command(kind: str, path: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.viewers", kind, str(path)]


def _open(screen: Terminal, kind: str) -> tuple[float, float, float]:
    """When o was pressed, when the beginning was seen, and when the end was."""
    screen.wait_for("ready")
    screen.settle()
    began = time.perf_counter()
    screen.press("o")
    seen = screen.started + screen.wait_for(_FIRST)
    while True:
        screen.press("e")
        if screen.has_drawn(_LAST, within=0.02 if kind == "body" else 60):
            return began, seen, time.perf_counter()
