"""What variables are resolved from in earnest: this machine's clock, chance and environment."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Mapping

from statsig_tui.core.template import Sources


def real_sources(seq: int, values: Mapping[str, str]) -> Sources:
    """Sources as of now; `seq` counts from 1, `values` are user variables and answers."""
    return Sources(
        now=time.time_ns() // 1_000_000,
        uuid=lambda: str(uuid.uuid4()),
        choose=random.randrange,
        seq=seq,
        env=os.environ,
        values=values,
    )
