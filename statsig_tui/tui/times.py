"""Times as people read them: local clock, age, size. Nothing else."""

from __future__ import annotations

import time


def clock(at: int) -> str:
    """`14:02:11.204` of an epoch ms."""
    return time.strftime("%H:%M:%S", time.localtime(at / 1000)) + f".{at % 1000:03d}"


def day_and_clock(at: int) -> str:
    """`2026-01-01 14:02:11` of an epoch ms."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at / 1000))


def age(ms: int) -> str:
    """`4s`, `3m`, `2h`, `5d`: how long ago, or until."""
    seconds = max(0, ms) // 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def moved(ms: int) -> str:
    """`+2 h`, `−35 m`, `+1 d 3 h`: by how much a clock was set, in two units at the most."""
    left = round(abs(ms) / 1000)
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {unit}")
            left %= size
    return f"{'−' if ms < 0 else '+'}{' '.join(parts) or '0 s'}"


def size(count: int) -> str:
    """`512 B`, `5.6 KB`, `2.0 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
