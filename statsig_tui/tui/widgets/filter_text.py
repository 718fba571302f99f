"""What Event Filtering says of a draft: what is set, what it decides, what a dry run found. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from statsig_tui.core import filters
from statsig_tui.core.config import Filter
from statsig_tui.core.event import Event
from statsig_tui.core.judgements import Tried
from statsig_tui.tui import theme
from statsig_tui.tui.text import cut, fit, fit_words

_ASKED = 70
"""Cells of a question; it may hold a condition of any length."""
_TITLE = 23


def detail_words(chosen: Filter) -> Content:
    """What of the details is set, in a line."""
    parts = [
        f"{len(off)} {what}{'s' * (len(off) != 1)} off"
        for what, named in (
            ("kind", chosen.exposure_kinds),
            ("type", chosen.change_types),
            ("action", chosen.change_actions),
            ("tier", chosen.tiers),
        )
        if (off := [name for name, on in named.items() if not on])
    ]
    if chosen.patterns:
        parts.append(f"{len(chosen.patterns)} pattern{'s' * (len(chosen.patterns) != 1)}")
    if chosen.where.strip():
        parts.append("a condition")
    if chosen.sample < 1:
        parts.append(f"{chosen.sample * 100:.4g} % of users")
    return Content.styled(" · ".join(parts), theme.WARN)


def explained(draft: Filter, event: Event, title: str, size: tuple[int, int]) -> Content:
    """What decides on an event, then every other question, in so many cells and lines."""
    width, height = size
    steps = list(filters.explain(draft, event))
    clause = filters.decide(draft, event).clause
    decisive = next(step for step in reversed(steps) if step.clause is clause)
    head, tail = f"{title}:  ", f"  → {clause}"
    asked = fit(decisive.asked, max(10, width - len(head) - len(tail) - 2))
    parts = [Content.assemble((head, theme.QUIET), _mark(decisive), asked, tail)]
    # Kept whole: a mark says nothing without its question.
    parts += [
        Content.assemble(_mark(step), (fit(step.asked, min(_ASKED, max(10, width - 2))), theme.QUIET))
        for step in steps
        if step is not decisive
    ]
    lines = [parts[0]]
    for part in parts[1:]:
        if lines[-1].cell_length + 3 + part.cell_length <= width or len(lines) == height:
            lines[-1] = Content.assemble(lines[-1], "   ", part)
        else:
            lines.append(part)
    return Content("\n").join(line.truncate(width, ellipsis=True) for line in lines)


def _mark(step: filters.Step) -> tuple[str, str]:
    return ("✓ ", theme.GOOD) if step.passes else ("✗ ", theme.BAD)


def trial_words(tried: Tried, width: int) -> Content:
    """What a dry run found, as much of it as fits into so many cells."""
    ways = list(_trial_ways(tried))
    return Content(next((words for words in ways if len(words) <= width), ways[-1]))


def _trial_ways(tried: Tried) -> Iterator[str]:
    over = f"Dry run over {tried.events:,}"
    events = f"{over} event{'s' * (tried.events != 1)}"
    passing, filtered = f"{tried.passing:,} pass", f"{tried.events - tried.passing:,} filtered"
    against = f"against saved: {difference(tried)}"
    yield f"{events}: {passing}, {filtered} · {against} ({tried.passed_before:,} pass now)"
    yield f"{events}: {passing}, {filtered} · {against}"
    yield f"{over}: {passing}, {filtered} · {against}"
    yield f"{over}: {passing} · {against}"


def difference(tried: Tried) -> str:
    """`+12 −8,120`, without what is zero."""
    parts = [f"+{tried.gained:,}"] if tried.gained else []
    return " ".join([*parts, f"−{tried.lost:,}"] if tried.lost else parts) or "no change"


def passes(tried: Tried | None) -> tuple[str, str, str]:
    """`yes`, `no`, `312 of 400`; its style; ` (+12 −8)` where the saved filter says something else."""
    if tried is None:
        return "–", theme.QUIET, ""
    if tried.passing in (0, tried.events):
        words, style = ("yes", theme.GOOD) if tried.passing else ("no", theme.QUIET)
    else:
        words, style = f"{tried.passing:,} of {tried.events:,}", theme.WARN
    return words, style, f" ({difference(tried)})" if tried.gained or tried.lost else ""


def passes_cells(tried: Tried | None, width: int) -> Content:
    """The same in a column of so many cells, set off from what is before it."""
    words, style, change = passes(tried)
    shown = cut(words, width - 3)
    rest = width - 3 - len(shown)
    return Content.assemble("   ", (shown, style), (cut(change, rest).ljust(rest), theme.WARN))


def box_words(title: str, what: str, room: int) -> Content:
    """`Exposures   gate · experiment …`, in so many cells."""
    about = fit_words(what, max(0, room - _TITLE))
    return Content.assemble((f"{title:<{_TITLE}}", theme.STRONG), (f"{about:<{room - _TITLE}}", theme.QUIET))
