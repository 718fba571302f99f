"""How a row of the table is measured: runs that alternate, their median and spread, and what it should be."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")
Kind = Literal["ratio", "ms", "MB", "%", "lost"]
_SHOWN: dict[Kind, str] = {
    "ratio": "{:.2f}×",
    "ms": "{:.1f} ms",
    "MB": "{:+.1f} MB",
    "%": "{:.2f} %",
    "lost": "{:.0f} lost",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    repeats: int
    quick: bool

    def scaled(self, usual: float, quick: float) -> float:
        """A size or a duration, smaller for a quick run."""
        return quick if self.quick else usual


@dataclass(frozen=True, slots=True)
class Aim:
    """What a value should reach, or stay below."""

    side: Literal[">=", "<="]
    value: float
    kind: Kind = "ratio"

    def is_met(self, value: float) -> bool:
        """Whether a value does."""
        return value >= self.value if self.side == ">=" else value <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.side == '>=' else '≤'} {_SHOWN[self.kind].format(self.value)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a value of each run, and what was seen beside it."""

    what: str
    against: str
    values: Sequence[float]
    aim: Aim
    note: str = ""
    """The absolute figures, which drift with the machine and say only where the ratio comes from."""

    @property
    def median(self) -> float:
        """The value that counts."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Absent:
    """A line that could not be measured, and why."""

    what: str
    why: str


Rows = Iterator[Row | Absent]


def alternate(
    plan: Plan, one: Callable[[], T], other: Callable[[], T], *, repeats: int | None = None
) -> tuple[list[T], list[T]]:
    """Run A/B/A/B …; the values of each. The machine's drift is then in both."""
    pairs = [(one(), other()) for _ in range(repeats or plan.repeats)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    """Each run's value over its neighbour's."""
    return [one / other for one, other in zip(ones, others, strict=True)]


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which so many percent of them are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def table(rows: Sequence[Row | Absent]) -> str:
    """The rows as Markdown, as they came out."""
    lines = [
        "| what | against | median | spread | runs | to reach | | seen |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if isinstance(row, Absent):
            lines.append(f"| {row.what} | | not measured | | | | | {row.why} |")
            continue
        shown = _SHOWN[row.aim.kind].format
        spread = f"{shown(min(row.values))} – {shown(max(row.values))}"
        met = "yes" if row.aim.is_met(row.median) else "**no**"
        lines.append(
            f"| {row.what} | {row.against} | {shown(row.median)} | {spread} | {len(row.values)}"
            f" | {row.aim} | {met} | {row.note} |"
        )
    return "\n".join(lines) + "\n"


def say(text: str) -> None:
    """Tell how far it is, beside the table."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
