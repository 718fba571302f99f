"""An attempt's phases one under the other, each with a bar where its time lay in the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.content import Content

from statsig_tui.core.phases import LABELS, OPENING, REUSED, Phases, amount
from statsig_tui.core.records import AttemptRecord
from statsig_tui.tui import theme

_LABEL = 17
_MS = 11
_WIDEST = 72
_EIGHTHS = "▏▎▍▌▋▊▉█"
_UNKNOWN = "Its phases are not known: through a proxy, or by an earlier version, the total alone is measured."


def waterfall(attempt: AttemptRecord, width: int) -> Content:
    """The phases at a width in cells, and the whole; in words where nothing was measured."""
    phases, whole = attempt.phases, attempt.ms
    if whole is None:
        words = "It is under way." if attempt.error is None else "It was broken off."
        return Content.styled(words, theme.QUIET)
    if phases is None:
        return Content("\n").join([_total(whole, width), Content.styled(_UNKNOWN, theme.QUIET)])
    absent = [Content.styled(line, theme.QUIET) for line in _packed(_absent(attempt, phases), width)]
    return Content("\n").join([*_lines(attempt, phases, whole, width), _total(whole, width), *absent])


def _lines(attempt: AttemptRecord, phases: Phases, whole: float, width: int) -> Iterator[Content]:
    took = dict(phases)
    room = _room(width)
    longest = max(took, key=lambda name: took[name], default=None)
    last = next(reversed(took), None) if attempt.status is None or attempt.truncated else None
    # What is missing at the beginning was spent before the first phase.
    at = max(0.0, whole - sum(took.values()))
    if phases.is_reused:
        yield Content.styled(f"{REUSED:<{_LABEL}}{'–':>{_MS}}", theme.QUIET)
    for name, ms in took.items():
        said, style = ("✗ ended here", theme.BAD) if name == last else ("", theme.ACCENT)
        if name == longest and name != last:
            said, style = "◂ longest", theme.WARN
        yield Content.assemble(
            (f"{LABELS[name]:<{_LABEL}}", "$foreground"),
            f"{amount(ms) + ' ms':>{_MS}}   ",
            (f"{_bar(at, ms, whole, room):<{room}}", style),
            (f" {said}" if said else "", style),
        )
        at += ms


def _total(whole: float, width: int) -> Content:
    return Content.assemble(
        (f"{'total':<{_LABEL}}{amount(whole) + ' ms':>{_MS}}   ", theme.STRONG),
        ("└" + "─" * (_room(width) - 2) + "┘", theme.QUIET),
    )


def _room(width: int) -> int:
    """Cells of a bar that is the whole."""
    return max(8, min(_WIDEST, width - _LABEL - _MS - len("     ✗ ended here")))


def _bar(at: float, ms: float, whole: float, room: int) -> str:
    """A bar of at least an eighth of a cell, so that every phase is seen."""
    scale = room * len(_EIGHTHS) / whole if whole else 0.0
    start = min(int(at * scale) // len(_EIGHTHS), room - 1)
    length = max(1, min(round(ms * scale), (room - start) * len(_EIGHTHS)))
    full, rest = divmod(length, len(_EIGHTHS))
    return " " * start + _EIGHTHS[-1] * full + (_EIGHTHS[rest - 1] if rest else "")


def _packed(said: Iterable[str], width: int) -> list[str]:
    """What is said, on as few lines as there is room for without parting it."""
    lines: list[str] = []
    for words in said:
        if lines and len(lines[-1]) + len(words) + 3 <= width:
            lines[-1] += f" · {words}"
        else:
            lines.append(words)
    return lines


def _absent(attempt: AttemptRecord, phases: Phases) -> Iterator[str]:
    """Which phases are not there, and why: `TLS handshake: http has none`."""
    missing = set(LABELS).difference(name for name, _ in phases)
    if phases.is_reused:
        missing.difference_update(OPENING)
    if "resolve" in missing and phases.connect is not None:
        missing.remove("resolve")
        yield f"{LABELS['resolve']}: the host is an address"
    if "tls" in missing and attempt.url.startswith("http:"):
        missing.remove("tls")
        yield f"{LABELS['tls']}: http has none"
    if "wait" in missing and phases.read is not None:
        missing.remove("wait")
        yield f"{LABELS['wait']}: it answered while the request was sent"
    if missing:
        yield f"not come to: {', '.join(label for name, label in LABELS.items() if name in missing)}"
