"""Promises 1 and 3, by chance: killed again and again under load. `python -m tests.soak` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.run import soak


@pytest.mark.parametrize(("seconds", "screens"), [(10, False), (20, True)])
async def test_nothing_acknowledged_is_lost_and_every_repetition_is_explained(
    tmp_path: Path, seconds: float, screens: bool
) -> None:
    report = await soak(tmp_path, seconds, screens=screens)
    assert not report.faults, str(report)
    assert report.kills >= 3
    assert report.acknowledged > 0
    assert report.captures > 0
    assert report.repeated > 0
    assert bool(report.drawn) == screens
