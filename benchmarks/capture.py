"""Receiving: how much of bare uvicorn's rate is left when every batch is verified, stored and shown."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from benchmarks.load import CONNECTIONS, Load, run
from benchmarks.measure import Aim, Plan, Row, Rows, alternate, percentile, ratios, say
from benchmarks.processes import bare, headless, place
from benchmarks.terminal import LIVE, Terminal, terminal

_BURST = 2000
_RATE = 200
_TICK_MS = 50.0
"""The period at which Live draws while it can be read."""
_WARM_UP = 300


@dataclass(frozen=True, slots=True)
class Live:
    """The app in its terminal, on Live."""

    port: int
    screen: Terminal

    def load(self, **options: float) -> Load:
        """Put load on it; returns when Live shows all that was acknowledged."""
        before = self.screen.count
        done = checked(run(self.port, **options))  # type: ignore[arg-type]  # seconds, rate and requests
        self.screen.wait_for_count(before + done.answered)
        return done


@contextlib.contextmanager
def live() -> Iterator[Live]:
    """The app on Live, warmed up and quiet."""
    with place() as at, terminal(at.program()) as screen:
        port = at.receiver()
        screen.press(LIVE)
        screen.wait_for_count(1)
        shown = Live(port, screen)
        shown.load(requests=_WARM_UP)
        screen.settle()
        yield shown


def checked(load: Load) -> Load:
    """A run that shows what it claims to: all answered 2xx, and not limited by the load itself."""
    if load.failed:
        raise AssertionError(f"{load.failed} of {load.answered} requests were not answered 2xx")
    if load.busy > 0.9:
        raise AssertionError(f"the load took {load.busy:.0%} of a core: it measured itself")
    return load


def captured(plan: Plan) -> Rows:
    """Rates of capture, headless and while Live draws, and a burst."""
    seconds = plan.scaled(3, 1)
    loads: dict[str, list[Load]] = {"bare": [], "headless": [], "live": []}
    with bare() as bare_port, headless() as headless_port, live() as shown:
        ports = {"bare": bare_port, "headless": headless_port}

        def rate(name: str) -> Callable[[], float]:
            def once() -> float:
                done = (
                    shown.load(seconds=seconds)
                    if name == "live"
                    else checked(run(ports[name], seconds=seconds))
                )
                loads[name].append(done)
                say(f"  {name}: {done.rate:,.0f} a second")
                return done.rate

            return once

        for port in ports.values():
            run(port, requests=_WARM_UP)
        for name, least in (("headless", 0.40), ("live", 0.30)):
            found, uvicorn = alternate(plan, rate(name), rate("bare"))
            p99 = median(load.p99 for load in loads[name])
            busiest = max(load.busy for load in loads["bare"])
            while_live = " while Live draws" if name == "live" else ""
            yield Row(
                f"durable, signed capture of 10-event batches{while_live}",
                "bare uvicorn answering 200",
                ratios(found, uvicorn),
                Aim(">=", least),
                f"{median(found):,.0f}/s, p99 {p99:.1f} ms, against {median(uvicorn):,.0f}/s;"
                f" the load took {busiest:.0%} of a core at most",
            )
        lost = 0

        def burst() -> float:
            nonlocal lost
            before = shown.screen.count
            done = shown.load(requests=_BURST)
            at = shown.screen.wait_for_count(before + _BURST)
            lost += before + _BURST - shown.screen.count
            say(f"  burst: shown after {at - done.began:.2f} s")
            return _BURST / (at - done.began)

        found, alone = alternate(plan, burst, lambda: checked(run(headless_port, requests=_BURST)).rate)
        yield Row(
            f"burst of {_BURST:,} batches over {CONNECTIONS} connections, acknowledged and shown",
            "the rate of headless",
            ratios(found, alone),
            Aim(">=", 0.8),
            f"{median(found):,.0f}/s against {median(alone):,.0f}/s, {lost} lost",
        )


def acknowledged(plan: Plan) -> Rows:
    """How long an acknowledgement takes at a steady rate, and whether the screen keeps its period."""
    seconds = plan.scaled(5, 2)
    ticks: list[float] = []
    with headless() as port, live() as shown:

        def drawing() -> float:
            shown.screen.counts.clear()
            done = shown.load(seconds=seconds, rate=_RATE)
            # The first and the last tick belong to the silence around the load.
            at = [when for when, _ in list(shown.screen.counts)[1:-2]]
            ticks.append(percentile([two - one for one, two in pairwise(at)], 99) * 1000)
            say(f"  while Live draws: p99 {done.p99:.1f} ms, tick p99 {ticks[-1]:.1f} ms")
            return done.p99

        found, alone = alternate(plan, drawing, lambda: checked(run(port, seconds=seconds, rate=_RATE)).p99)
    at_rate = f"acknowledgement p99 at {_RATE}/s × 10 while Live draws"
    seen = f"{median(found):.1f} ms against {median(alone):.1f} ms"
    yield Row(at_rate, "headless", ratios(found, alone), Aim("<=", 2), seen)
    yield Row(at_rate, "10 ms", found, Aim("<=", 10, "ms"))
    yield Row(
        "screen tick p99 during that load",
        f"its period of {_TICK_MS:.0f} ms",
        [tick / _TICK_MS for tick in ticks],
        Aim("<=", 1.1),
        f"{median(ticks):.1f} ms",
    )
