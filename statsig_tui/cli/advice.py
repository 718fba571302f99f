"""Advice on an event as lines: for a person, or as JSON lines, the contract of product.md §5."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import click

from statsig_tui.cli.lines import json_line, plural
from statsig_tui.core.lint import Advice, Severity
from statsig_tui.core.printable import printable


def tell_advice(
    found: Iterable[Advice], redact: Callable[[str], str], *, as_json: bool, to_stderr: bool
) -> None:
    """Print one line for each, the worst first."""
    at = time.time_ns() // 1_000_000
    for item in found:
        click.echo(redact(_as_json(item, at) if as_json else _as_text(item)), err=to_stderr)


def summary(found: Sequence[Advice]) -> str:
    """How many there are of which kind, and how many of them can be fixed."""
    if not found:
        return "nothing to say"
    counts = Counter(item.severity for item in found)
    parts = [plural(counts[severity], severity) for severity in Severity if counts[severity]]
    fixable = sum(item.fix is not None for item in found)
    return ", ".join(parts) + (f"; --fix mends {fixable}" if fixable else "")


def _as_text(item: Advice) -> str:
    where = f"line {item.line}, column {item.column}" if item.line else ""
    mending = f"fix: {item.fix.title}" if item.fix is not None else ""
    notes = "; ".join(note for note in (where, mending) if note)
    return printable(f"{item.severity}: {item}" + (f" ({notes})" if notes else ""))


def _as_json(item: Advice, at: int) -> str:
    return json_line(
        {
            "type": "advice",
            "at": at,
            "severity": item.severity,
            "rule": item.rule,
            "path": item.path,
            "message": item.message,
            "line": item.line or None,
            "column": item.column or None,
            "fix": item.fix is not None,
        }
    )
