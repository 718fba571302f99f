"""An event's time as it is written: now, epoch ms, relative, and wrong on purpose in seconds or as text.

Now is an argument. What lint takes a number for is decided here, too. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from statsig_tui.core import event, notation, template
from statsig_tui.core.notation import FieldError

NOW = "now"
"""A timestamp that becomes the epoch ms of sending."""
_OFFSET = re.compile(r"(?:now\s*)?([+-])\s*(\d{1,12})\s*(ms|s|m|h|d)", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HINT = 'write now, epoch milliseconds, -5m or 2026-01-31T14:02:11Z; anything else as JSON: "…"'
_SIZES = (
    (Decimal("1e8"), "", Decimal(0)),
    (Decimal("1e11"), "seconds", Decimal(1000)),
    (Decimal("1e14"), "", Decimal(1)),
    (Decimal("1e17"), "microseconds", Decimal("0.001")),
    (Decimal("1e20"), "nanoseconds", Decimal("0.000001")),
)
"""Below which size a number is taken for what, and what makes milliseconds of it."""
_LATEST = 253_402_300_799_999
"""The last millisecond that a date can say."""


class Form(StrEnum):
    """How a time is written."""

    NOW = "now"
    MS = "epoch ms"
    RELATIVE = "relative"
    SECONDS = "seconds"
    """Wrong on purpose."""
    TEXT = "ISO text"
    """Wrong on purpose."""


FORMS = tuple(Form)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a written time comes to."""

    form: Form | None = None
    ms: int | None = None
    """Epoch ms that it likely means; None: no time."""
    wrong: str = ""
    """Why Statsig will not read it as that."""


def shown(raw: str) -> str:
    """A spelled timestamp as it is edited."""
    if notation.kind(raw) == "text" and json.loads(raw) == NOW:
        return NOW
    variable = template.alone(raw)
    if variable is not None and _spelled(variable.argument) == raw:
        return variable.argument
    return notation.shown(raw, bare=False)


def read(content: str) -> str:
    """What was typed as a time, spelled. Raises FieldError."""
    content = content.strip()
    if content.casefold() == NOW:
        return json.dumps(NOW)
    if (match := _OFFSET.fullmatch(content)) is not None:
        return _spelled(f"{match[1]}{match[2]}{match[3].lower()}")
    if notation.is_spelled(content) or template.alone(content) is not None:
        return notation.read(content)
    ms = event.milliseconds(content) if _DATE.match(content) else None
    if ms is None:
        raise FieldError(_HINT)
    return str(ms)


def meaning(content: str, now: int) -> Meaning:
    """What a time comes to that is written as read() takes it, at `now` (epoch ms)."""
    content = content.strip()
    if content.casefold() == NOW:
        return Meaning(Form.NOW, now)
    if (match := _OFFSET.fullmatch(content)) is not None:
        offset = f"{match[1]}{match[2]}{match[3].lower()}"
        sources = template.Sources(now, uuid=str, choose=int)
        return Meaning(Form.RELATIVE, int(template.render(_spelled(offset), sources)))
    if content.startswith('"'):
        return _text(content)
    number = decimal(content) if notation.is_spelled(content) else None
    if number is None:
        ms = event.milliseconds(content) if _DATE.match(content) else None
        return Meaning(Form.MS, ms) if ms is not None else Meaning()
    unit, factor = unit_of(number)
    if unit:
        wrong = f"{unit}: Statsig takes milliseconds"
        return Meaning(Form.SECONDS if unit == "seconds" else None, int(number * factor), wrong)
    return Meaning(Form.MS, int(number) if abs(number) <= _LATEST else None)


def written(form: Form, content: str, now: int) -> str:
    """The time of a content in another form, as read() takes it."""
    found = meaning(content, now)
    ms = found.ms if found.ms is not None else now
    match form:
        case Form.NOW:
            return NOW
        case Form.MS:
            return str(ms)
        case Form.SECONDS:
            return str(ms // 1000)
        case Form.TEXT:
            at = datetime.fromtimestamp(min(max(ms, 0), _LATEST) / 1000, UTC)
            return f'"{at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}"'
        case Form.RELATIVE:
            return _relative(ms - now)


def next_form(form: Form | None) -> Form:
    """The form that comes after one."""
    return FORMS[(FORMS.index(form) + 1) % len(FORMS)] if form is not None else FORMS[0]


def unit_of(number: Decimal) -> tuple[str, Decimal]:
    """The unit a timestamp looks to be in, if not milliseconds, and the factor; 0: no time near now."""
    return next(((unit, factor) for below, unit, factor in _SIZES if number < below), ("", Decimal(0)))


def is_time(ms: int) -> bool:
    """Whether milliseconds are a time near now, by their size."""
    return _SIZES[1][0] <= ms < _SIZES[2][0]


def decimal(spelled: str) -> Decimal | None:
    """A spelled number, exactly."""
    try:
        return Decimal(spelled)
    except InvalidOperation:
        return None


def _text(content: str) -> Meaning:
    wrong = "text: a number is expected"
    try:
        ms = event.milliseconds(json.loads(content))
    except ValueError:
        return Meaning(wrong=wrong)
    return Meaning(Form.TEXT, ms, wrong)


def _spelled(offset: str) -> str:
    return f"{{{{now_ms {offset}}}}}"


def _relative(difference: int) -> str:
    sign = "-" if difference <= 0 else "+"
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")):
        if abs(difference) >= size and abs(difference) % size < max(size // 60, 1000):
            return f"{sign}{abs(difference) // size}{unit}"
    return f"{sign}{abs(difference)}ms" if difference else "-5m"
