"""A series in words and bars: how far it is, how fast, how it was answered, and how long that took."""

from __future__ import annotations

import math
from collections.abc import Callable

from textual.content import Content

from statsig_tui.core.series import Summary
from statsig_tui.tui import theme
from statsig_tui.tui.text import fit
from statsig_tui.tui.widgets.outcome import phrase

_NAME = 24
_COUNT = 10
_BOUND = 11


def series_text(
    it: Summary, total: int | None, rate: float | None, width: int, redact: Callable[[str], str]
) -> Content:
    """All there is to know of a series; `total` None: until it is stopped, `rate` None: none was asked."""
    return Content("\n").join(
        [
            _progress(it, total, width),
            _speed(it, rate),
            Content(),
            *_answers(it, width, redact),
            *_times(it, width),
        ]
    )


def _progress(it: Summary, total: int | None, width: int) -> Content:
    done = it.count - it.under_way
    if total is None:
        return Content.assemble((f"{done:,}", theme.STRONG), " sent, until it is stopped")
    words = f"{done:,} of {total:,}"
    room = max(8, width - 2 * len(f"{total:,}") - 12)
    filled = room * done // total
    return Content.assemble(
        (f"{words:<{2 * len(f'{total:,}') + 4}}  ", theme.STRONG),
        ("█" * filled, theme.ACCENT),
        ("░" * (room - filled), theme.QUIET),
        f"{100 * done // total:>4} %",
    )


def _speed(it: Summary, rate: float | None) -> Content:
    asked = f" of {rate:,g}/s asked for" if rate is not None else ""
    way = f" · {it.under_way:,} under way" if it.under_way else ""
    return Content.styled(f"{it.rate:,.1f}/s{asked} · {it.seconds:,.1f} s{way}", theme.QUIET)


def _answers(it: Summary, width: int, redact: Callable[[str], str]) -> list[Content]:
    unknown = it.unknown - it.under_way
    found = []
    for status, count in it.statuses.items():
        mark, style = theme.status(status)
        found.append(_counted(f"{mark} {status} {phrase(status)}", style, count, ""))
    for words, style, count, why in (
        ("✗ not sent", theme.BAD, it.not_sent, it.errors.get("not sent", "")),
        ("? unknown", theme.WARN, unknown, it.errors.get("unknown", "")),
    ):
        if count:
            room = max(0, width - _NAME - _COUNT - 2)
            found.append(_counted(words, style, count, fit(redact(why), room)))
    if unknown:
        found.append(Content.styled("  They may have arrived; nothing is sent again.", theme.QUIET))
    return found or [Content.styled("No answer yet.", theme.QUIET)]


def _counted(words: str, style: str, count: int, why: str) -> Content:
    return Content.assemble(
        (f"{fit(words, _NAME):<{_NAME}}", style), f"{count:>{_COUNT},}  ", (why, theme.QUIET)
    )


def _times(it: Summary, width: int) -> list[Content]:
    if it.p50 is None or it.p95 is None or it.p99 is None:
        return []
    parts = [("p50", it.p50), ("p95", it.p95), ("p99", it.p99)]
    words = "   ".join(f"{name} {_ms(value)}" for name, value in parts)
    most = max(count for _, count in it.histogram)
    room = max(4, width - _BOUND - _COUNT - 2)
    lines = [Content(), Content.assemble(("answered in   ", theme.QUIET), (words, theme.STRONG))]
    former = 0.0
    for bound, count in it.histogram:
        name = f"≤ {_ms(bound)}" if bound < math.inf else f"> {_ms(former)}"
        bar = "█" * math.ceil(room * count / most) if count else ""
        lines.append(
            Content.assemble((f"{name:>{_BOUND}} ", theme.QUIET), f"{count:>{_COUNT},} ", (bar, theme.ACCENT))
        )
        former = bound
    return lines


def _ms(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:,.{0 if value % 1000 == 0 else 1}f} s"
    return f"{value:.0f} ms" if value >= 10 or value == int(value) else f"{value:.1f} ms"
