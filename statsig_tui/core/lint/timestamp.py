"""Advice on a timestamp: epoch milliseconds, a number, and near now (statsig-wire.md §1). Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from statsig_tui.core import event
from statsig_tui.core.lint.advice import Fix
from statsig_tui.core.lint.body import Part, name_of, value_of, valued
from statsig_tui.core.moments import NOW, decimal, is_time, unit_of
from statsig_tui.core.spans import Member, dump

_DAY = 86_400_000
_FUTURE = _DAY
_PAST = 30 * _DAY
_NAME = "timestamp"


def advise(part: Part, member: Member | None, stray: Member | None, now: int, *, is_draft: bool) -> None:
    """Note what there is to say about the timestamp, or about what was likely meant by it."""
    if member is None:
        if stray is not None:
            _misnamed(part, stray)
        return
    kind, path, at = part.kind(member), part.path(member), value_of(member)
    if kind == "null" or (is_draft and part.string(member) == NOW):
        return
    if kind == "number":
        _number(part, member, now)
        return
    words = "must be epoch milliseconds, a number"
    if part.string(member) == NOW:
        part.sheet.error(_NAME, path, words, at, valued(member, str(now), "write the time of now"))
        return
    ms = _milliseconds(part, member)
    fix = (
        valued(member, str(ms)) if ms is not None else part.removed(member, "remove it: the time of arrival")
    )
    part.sheet.error(_NAME, path, words, at, fix)


def _misnamed(part: Part, stray: Member) -> None:
    ms = _milliseconds(part, stray)
    words = "not read here: this endpoint calls it timestamp, and takes epoch milliseconds"
    fix: Fix | None = None
    if ms is not None:
        spelled = dump(_NAME) + part.text[stray.name_end : stray.value] + str(ms)
        fix = part.replaced(stray, spelled, "call it timestamp")
    part.sheet.warning("misnamed", part.path(stray), words, name_of(stray), fix)


def _number(part: Part, member: Member, now: int) -> None:
    path, at = part.path(member), value_of(member)
    # A zero with an exponent beyond all bounds is JSON, too.
    number = decimal(member.raw(part.text)) or Decimal(0)
    unit, factor = unit_of(number)
    if unit:
        words = f"looks like {unit}: epoch milliseconds are expected, which makes it {_year(number)}"
        part.sheet.error("timestamp-unit", path, words, at, valued(member, str(int(number * factor))))
        return
    if not factor:
        part.sheet.warning("timestamp-far", path, f"no time near now: {_year(number)}", at)
        return
    if number != int(number):
        part.sheet.hint(
            "timestamp-fraction", path, "milliseconds are whole", at, valued(member, str(int(number)))
        )
    ago = now - int(number)
    if ago < -_FUTURE:
        part.sheet.warning("timestamp-far", path, f"{-ago // _DAY:,} days in the future", at)
    elif ago > _PAST:
        part.sheet.warning("timestamp-far", path, f"{ago // _DAY:,} days ago", at)


def _milliseconds(part: Part, member: Member) -> int | None:
    """The epoch milliseconds that a value of any kind likely means."""
    raw = member.raw(part.text)
    text = part.string(member)
    if text is None and part.kind(member) != "number":
        return None
    spelled = text.strip() if text is not None else raw
    number = decimal(spelled) if spelled[:1].isdigit() and "-" not in spelled and ":" not in spelled else None
    if number is None:
        ms = event.milliseconds(spelled)
        return ms if ms is not None and is_time(ms) else None
    ms = int(number * unit_of(number)[1])
    return ms if is_time(ms) else None


def _year(number: Decimal) -> str:
    try:
        return f"the year {datetime.fromtimestamp(int(number) / 1000, UTC).year}"
    except (ValueError, OverflowError, OSError, InvalidOperation):
        return "beyond every calendar"
