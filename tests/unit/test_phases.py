"""An attempt's phases in words, and as they are kept."""

from __future__ import annotations

import pytest

from statsig_tui.core.phases import Phases, amount, ended, listed, pack, unpack
from statsig_tui.core.records import AttemptRecord
from statsig_tui.tui.widgets.waterfall import waterfall

WHOLE = Phases(2.5, 3.1, 40.25, 0.021, 60.123, 20.0)
REUSED = Phases(send=0.1, wait=30.0)


@pytest.mark.parametrize("phases", [WHOLE, REUSED, Phases(), None])
def test_what_is_kept_is_read_again(phases: Phases | None) -> None:
    assert unpack(pack(phases)) == phases


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        (Phases(connect=3.0, send=0.1, wait=9996.6), "9,997 ms waiting for the answer, connected in 3.0 ms"),
        (Phases(1.0, 2.0, 3.0, 12.0), "12 ms sending the request, connected in 6.0 ms"),
        (Phases(1.0, 5000.0), "5,000 ms connecting, name found in 1.0 ms"),
        (Phases(connect=1.0, tls=4000.0), "4,000 ms in the TLS handshake, connected in 1.0 ms"),
        (Phases(resolve=7.0), "7.0 ms looking up the name"),
        (REUSED, "30 ms waiting for the answer, reused connection"),
        (Phases(), ""),
    ],
)
def test_it_is_told_where_an_attempt_ended(phases: Phases, words: str) -> None:
    assert ended(phases) == words


def test_a_line_names_what_was_come_to() -> None:
    assert listed(REUSED) == "reused connection · request sent 0.1 · waiting 30 ms"
    assert listed(Phases()) == ""
    assert [amount(ms) for ms in (0.03, 0.4, 9.94, 9.96, 10_000)] == ["0.03", "0.4", "9.9", "10", "10,000"]


@pytest.mark.parametrize("width", [30, 44, 75, 300])
@pytest.mark.parametrize("ms", [0.0, 130.0])
def test_the_bars_lie_one_after_the_other_within_the_whole(width: int, ms: float) -> None:
    attempt = AttemptRecord(1, 1, 0, "https://x/", (), 200, "", (), b"", False, None, ms, WHOLE)
    *rows, total = waterfall(attempt, width).plain.split("\n")
    places = [next(at for at, cell in enumerate(row) if cell in "▏▎▍▌▋▊▉█") for row in rows]
    assert places == sorted(places)
    assert all(total.index("└") <= at <= total.index("┘") for at in places)
    assert [row for row in rows if "◂ longest" in row] == [rows[4]]


def test_an_attempt_without_phases_says_so() -> None:
    former = AttemptRecord(1, 1, 0, "https://x/", (), 200, "", (), b"", False, None, 130.0)
    assert "phases are not known" in waterfall(former, 75).plain
    assert "130 ms" in waterfall(former, 75).plain
