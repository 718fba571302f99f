"""Starting: until the composer can be used, until help is printed; and what an idle app takes."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.measure import Absent, Aim, Plan, Row, Rows, alternate, ratios, say
from benchmarks.peers import posting
from benchmarks.processes import place
from benchmarks.terminal import terminal

_EMPTY = """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    def compose(self):
        yield Static("painted")

Empty().run()
"""
_COMPOSER = "checkout_completed"
"""What the composer's form holds at the start."""


def started(plan: Plan) -> Rows:
    """First paint with a usable composer."""
    what = "first paint with a usable composer"
    _app_seconds()  # the files are read once from the disk
    found, empty = alternate(plan, _app_seconds, lambda: _seconds([sys.executable, "-c", _EMPTY], "painted"))
    seen = f"{median(found) * 1000:.0f} ms against {median(empty) * 1000:.0f} ms"
    yield Row(what, "an empty Textual app", ratios(found, empty), Aim("<=", 1.10), seen)
    with place() as at:
        peer = posting(at.directory)
        if peer is None:
            yield Absent(f"{what}, against posting", "posting is not installed: see --install-peers")
            return
        arguments, painted = peer
        found, other = alternate(plan, _app_seconds, lambda: _seconds(arguments, painted))
    seen = f"{median(found) * 1000:.0f} ms against {median(other) * 1000:.0f} ms"
    yield Row(what, "posting", ratios(found, other), Aim("<=", 0.6), seen)


def helped(plan: Plan) -> Rows:
    """`--help`."""
    repeats = int(plan.scaled(max(10, plan.repeats), 3))
    found, nothing = alternate(
        plan,
        lambda: _ended([sys.executable, "-m", "statsig_tui", "--help"]),
        lambda: _ended([sys.executable, "-c", "pass"]),
        repeats=repeats,
    )
    yield Row(
        "`statsig-tui --help`",
        "`python -c pass`",
        ratios(found, nothing),
        Aim("<=", 6),
        f"{median(found) * 1000:.0f} ms against {median(nothing) * 1000:.0f} ms",
    )


def idled(plan: Plan) -> Rows:
    """Processor time of the app while nothing happens."""
    seconds = plan.scaled(10, 5)
    shares: list[float] = []
    with place() as at, terminal(at.program()) as screen:
        at.receiver()
        screen.wait_for("last batch")
        time.sleep(3)
        for _ in range(plan.repeats):
            before = screen.cpu()
            time.sleep(seconds)
            shares.append((screen.cpu() - before) / seconds * 100)
            say(f"  idle: {shares[-1]:.2f} %")
    yield Row("processor time of the idle app", "one core", shares, Aim("<=", 0.5, "%"))


def _app_seconds() -> float:
    with place() as at:
        return _seconds(at.program(), _COMPOSER)


def _seconds(arguments: list[str], painted: str) -> float:
    with terminal(arguments) as screen:
        return screen.wait_for(painted)


def _ended(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
