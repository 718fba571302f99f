"""The known name that a mistyped one was likely meant to be. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like this one; None where none does."""
    return next(iter(get_close_matches(name, list(known), 1)), None)
