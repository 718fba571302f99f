"""Changing a signing secret while what the old one signed is still accepted for some time. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from statsig_tui.core.config import Destination, OldSecret, Secret

GRACES = {"in 24 h": 86_400, "in 1 h": 3600, "now": 0}
"""When the old secret ends, in words and in seconds from now."""


def rotated(destination: Destination, secret: Secret | None, seconds: int, now: int) -> Destination:
    """The destination with another secret; `now` in epoch ms.

    The one it had is accepted for so many seconds; with 0, no older one is any longer either.
    """
    kept: list[OldSecret] = []
    if secret is not None and seconds:
        kept = [old for old in destination.old_secrets if now < old.until and old.secret != secret]
        if destination.secret is not None and destination.secret.value is not None:
            kept.append(OldSecret(destination.secret, now + seconds * 1000))
    return replace(destination, secret=secret, old_secrets=tuple(kept))


def accepted(destination: Destination, now: int) -> Iterator[OldSecret]:
    """The old secrets that are accepted at a time (epoch ms)."""
    return (old for old in destination.old_secrets if now < old.until)
