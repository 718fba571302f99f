"""What is said behind a label goes on below itself."""

from __future__ import annotations

import pytest
from textual.content import Content

from statsig_tui.tui.widgets.hanging import hung

LINE = Content("Last success  never, for as long as it is known here")


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (52, [LINE.plain]),
        (35, ["Last success  never, for as long as", "              it is known here"]),
        (31, ["Last success  never, for as", "              long as it is", "              known here"]),
        (20, [LINE.plain]),
    ],
)
def test_a_long_line_hangs_unless_there_is_no_room_beside_the_label(width: int, shown: list[str]) -> None:
    assert hung(LINE, 14, width).plain.split("\n") == shown
