"""The corpus is whole: every row of the four tables of reliability.md §2.1–2.4 has its cases."""

from __future__ import annotations

import pytest

from tests.corpus import bodies, framing, incoming, requests, signatures

ROWS = {"R": 36, "S": 14, "J": 30, "E": 10}
IN_A_TEST_OF_ITS_OWN = {
    "R23": "test_framing.py",
    "S09": "test_signatures.py",
    "E07": "test_incoming.py",
    "E09": "contract/test_kill_loop.py",
}
CASES = {
    case.id
    for table in (framing.CASES, requests.CASES, signatures.CASES, bodies.CASES, incoming.CASES)
    for case in table
}


@pytest.mark.parametrize(
    "row", [f"{table}{number:02}" for table, count in ROWS.items() for number in range(1, count + 1)]
)
def test_every_row_has_a_case(row: str) -> None:
    assert row in IN_A_TEST_OF_ITS_OWN or any(case.startswith(f"{row} ") for case in CASES)
