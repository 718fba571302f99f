"""`python -m tests.order` tells the right order of system calls from every wrong one."""

from __future__ import annotations

import pytest

from tests.order import judge

ASKED = r'7 recvfrom(12<socket:[1]>, "POST / HTTP/1.1\r\n\r\n\"order-000001\"", 65536, 0, NULL) = 40'
WRITTEN = r'8 pwrite64(5</d/s.db-wal>, "\0\0order-000001", 4096, 56) = 4096'
SYNCED = "8 fdatasync(5</d/s.db-wal>) = 0"
ANSWERED = r'7 sendto(12<socket:[1]>, "HTTP/1.1 202 Accepted\r\n\r\n", 26, 0, NULL, 0) = 26'
SIGNATURE = "v0=" + "a" * 64
NOTED = rf'8 pwrite64(5</d/s.db-wal>, "\0{SIGNATURE}", 4096, 56) = 4096'
POSTED = rf'7 sendto(14<socket:[2]>, "POST / HTTP/1.1\r\nX-Statsig-Signature: {SIGNATURE}", 90) = 90'
SYNC_BEGINS = "8 fdatasync(5</d/s.db-wal> <unfinished ...>"
SYNC_ENDS = "8 <... fdatasync resumed>) = 0"


@pytest.mark.parametrize(
    "trace",
    [
        [ASKED, WRITTEN, SYNCED, ANSWERED],
        [ASKED, WRITTEN, SYNC_BEGINS, SYNC_ENDS, ANSWERED],
        [NOTED, SYNCED, POSTED],
    ],
)
def test_what_was_synced_may_leave(trace: list[str]) -> None:
    judgement = judge(trace)
    assert judgement.acknowledged + judgement.posted == 1
    assert judgement.early == []


@pytest.mark.parametrize(
    ("trace", "why"),
    [
        ([ASKED, WRITTEN, ANSWERED, SYNCED], "was synced"),
        ([ASKED, WRITTEN, SYNC_BEGINS, ANSWERED, SYNC_ENDS], "was synced"),
        ([ASKED, SYNCED, WRITTEN, ANSWERED], "was synced"),
        ([ASKED, SYNC_BEGINS, WRITTEN, SYNC_ENDS, ANSWERED], "was synced"),
        ([ASKED, WRITTEN, "8 fdatasync(4</d/s.db>) = 0", ANSWERED], "was synced"),
        ([ASKED, ANSWERED, WRITTEN, SYNCED], "before the log held it"),
        ([ASKED, SYNCED, ANSWERED], "before the log held it"),
        ([POSTED, NOTED, SYNCED], "before the log held it"),
        ([NOTED, POSTED, SYNCED], "was synced"),
    ],
)
def test_what_was_not_synced_may_not(trace: list[str], why: str) -> None:
    (early,) = judge(trace).early
    assert why in early
