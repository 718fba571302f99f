"""Numbers as a row of bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BARS = " ▁▂▃▄▅▆▇█"


def spark(values: Sequence[float]) -> str:
    """A bar for each value; the highest is full, and only nothing is empty."""
    top = max(values, default=0)
    return "".join(_BARS[math.ceil(value * (len(_BARS) - 1) / top)] if top else _BARS[0] for value in values)
