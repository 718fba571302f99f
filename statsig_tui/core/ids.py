"""Ids as people see them: one letter for the kind, unique over all kinds (product.md §5)."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["e", "b", "d", "c", "t", "s", "r"]
"""event, batch, delivery, capture, trace, sent, request"""
_NUMBERED = re.compile(r"#?([ebdcsr])([0-9]{1,18})")
_TRACE = re.compile(r"t[0-9a-f]{16}")


def tag(kind: Kind, number: int) -> str:
    """`c57` for capture 57."""
    return f"{kind}{number}"


def numbered(text: str) -> tuple[Kind, int] | None:
    """The kind and number of an id such as `c57`; None where it is no such id."""
    match = _NUMBERED.fullmatch(text.strip())
    return (match[1], int(match[2])) if match else None  # type: ignore[return-value]  # the pattern allows only kinds


def is_trace(text: str) -> bool:
    """Whether a text is a trace's id."""
    return _TRACE.fullmatch(text) is not None
