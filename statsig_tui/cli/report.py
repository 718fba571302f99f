"""What `send` prints: each outcome as it comes, and what a series came to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from statsig_tui.cli.lines import json_line
from statsig_tui.core.config import EMULATOR, Target
from statsig_tui.core.printable import printable
from statsig_tui.core.series import Summary, Tally
from statsig_tui.engine.outcome import Outcome

_SHOWN = 10
"""Unexpected answers of a series that are printed one by one."""
_SHOWN_BYTES = 2000
"""Of an answer; how many there are is said."""


class Report:
    """Prints each outcome as it comes, and keeps count."""

    def __init__(
        self,
        target: Target,
        redact: Callable[[str], str],
        is_expected: Callable[[int | None], bool],
        *,
        is_series: bool,
        as_json: bool,
        quiet: bool,
    ) -> None:
        self.tally = Tally()
        self.all_expected = True
        self._target = target
        self._redact = redact
        self._as_json = as_json
        self._is_series = is_series
        self._is_expected = is_expected
        self._quiet = quiet
        self._left = _SHOWN
        self._started = time.perf_counter()

    def note(self, outcome: Outcome) -> None:
        """Print one outcome, if it is to be seen."""
        expected = self._is_expected(outcome.status)
        self.all_expected = self.all_expected and expected
        trace = next(
            (value for name, value in outcome.headers if name.lower() == "x-statsig-tui-trace"), None
        )
        if self._as_json:
            line = {
                "type": "sent",
                "at": _now() - round(outcome.ms),
                "target": self._target.name,
                "status": outcome.status,
                "ms": round(outcome.ms, 3),
                "trace": trace,
                "error": outcome.error,
            }
            self._say(json_line(line))
        elif not self._is_series:
            self._tell(outcome, trace)
        elif not expected and self._left > 0:
            self._left -= 1
            self._tell(outcome, trace)
            if not self._left:
                click.echo("(further ones are only counted)", err=True)

    def summarise(self) -> None:
        """Print what the series came to."""
        it = self.tally.summary(time.perf_counter() - self._started)
        if self._as_json:
            self._say(json_line(_fields(it, self._target)))
        elif not self._quiet:
            self._say(_in_words(it))

    def _tell(self, outcome: Outcome, trace: str | None) -> None:
        if outcome.status is None:
            unknown = (
                "; it may have arrived: sending again may count it twice"
                if outcome.certainty == "unknown"
                else ""
            )
            hint = ""
            if self._target.name == EMULATOR and outcome.certainty == "not sent":
                hint = (
                    "\nStart the emulator with `statsig-tui serve`, or choose another target with --target."
                )
            click.echo(self._redact(f"error: {printable(outcome.error or '')}{unknown}{hint}"), err=True)
            return
        if not self._quiet:
            answer = printable(outcome.body[:_SHOWN_BYTES].decode(errors="replace"))
            if len(outcome.body) > _SHOWN_BYTES:
                answer += f"… ({len(outcome.body):,} bytes{' or more' * outcome.truncated})"
            where = f"  trace {trace}" if trace else ""
            self._say(f"{outcome.status} {outcome.reason} in {outcome.ms:.1f} ms  {answer}{where}")

    def _say(self, line: str) -> None:
        click.echo(printable(self._redact(line)))


def _fields(it: Summary, target: Target) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    return {
        "type": "summary",
        "at": _now(),
        "target": target.name,
        "count": it.count,
        "seconds": rounded(it.seconds),
        "rate": rounded(it.rate),
        "statuses": {str(status): count for status, count in it.statuses.items()},
        "not_sent": it.not_sent,
        "unknown": it.unknown,
        "ms": {"p50": rounded(it.p50), "p95": rounded(it.p95), "p99": rounded(it.p99)},
    }


def _in_words(it: Summary) -> str:
    answers = [f"{status} ×{count:,}" for status, count in it.statuses.items()]
    answers += [f"not sent ×{it.not_sent:,}"] if it.not_sent else []
    answers += [f"unknown ×{it.unknown:,}"] if it.unknown else []
    times = "".join(
        f"  {name} {value:.1f} ms"
        for name, value in (("p50", it.p50), ("p95", it.p95), ("p99", it.p99))
        if value is not None
    )
    counted = ", ".join(answers) or "nothing sent"
    return f"{it.count:,} in {it.seconds:.2f} s, {it.rate:,.1f}/s: {counted}{times}"


def _now() -> int:
    return time.time_ns() // 1_000_000
