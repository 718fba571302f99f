"""Mask secrets by value and by shape wherever text leaves: screen, log, JSON line, export, crash."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

_SHAPE = re.compile(r"\b(secret|client|console|webhook)(?:-|%2[dD])[A-Za-z0-9_%]{8,}")
_SECRET_NAME = re.compile(r"auth|cookie|secret|token|password|(?<!idempotency-)key\b", re.IGNORECASE)
_TAIL = 4
_SHORTEST = 6
"""A shorter known value is too likely to be part of ordinary words to be replaced by value."""


def mask_secret(value: str) -> str:
    """What may be shown of a secret: the kind's prefix and the last four characters.

    A value too short to hide behind its tail shows nothing of itself.
    """
    prefix, dash, rest = value.partition("-")
    kind = f"{prefix}-" if dash and prefix in {"secret", "client", "console", "webhook"} else ""
    body = rest if kind else value
    return f"{kind}…{body[-_TAIL:]}" if len(body) >= 3 * _TAIL else f"{kind}…"


@lru_cache(maxsize=256)
def tells_secret(name: str) -> bool:
    """Whether a header's name says that its value is a secret."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """Replaces known secret values, and whatever has the shape of a Statsig key, in any text."""

    def __init__(self, values: Iterable[str | None] = ()) -> None:
        plain = [value for value in values if value and len(value) >= _SHORTEST]
        # As it stands in a URL, and in JSON: there a secret of no known shape would be overlooked.
        spelled = [(quote(value), quote(value, safe=""), json.dumps(value)[1:-1]) for value in plain]
        known = set(plain).union(*spelled)
        # Longest first: a secret that contains another must not leave its remainder behind.
        self._known = sorted(known, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with every secret masked."""
        for value in self._known:
            if value in text:
                text = text.replace(value, mask_secret(value))
        if "-" in text or "%2" in text:
            text = _SHAPE.sub(_masked, text)
        return text

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers with every secret in their values masked."""
        return tuple((name, self.header(name, value)) for name, value in pairs)

    def header(self, name: str, value: str) -> str:
        """A header's value with every secret masked, and all of it where the name tells a secret."""
        return mask_secret(value) if value and tells_secret(name) else self(value)


def is_secret(name: str, value: str) -> bool:
    """Whether a header's value is a secret: by its name, or because it has the shape of a Statsig key."""
    return bool(value) and (tells_secret(name) or _SHAPE.search(value) is not None)


def _masked(match: re.Match[str]) -> str:
    return mask_secret(match.group(0).replace("%2D", "-", 1).replace("%2d", "-", 1))
