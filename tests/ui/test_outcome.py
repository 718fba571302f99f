"""An answer in words, without an app: what it means, how long it took, and its headers and body."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statsig_tui.core.config import STATSIG_URL
from statsig_tui.core.records import SentDetail, SentRecord, Timing
from statsig_tui.core.redact import Redactor
from statsig_tui.engine.target import ENDPOINT
from statsig_tui.tui.widgets.outcome import answer

RECORD = SentRecord(
    1, 1, 0, "t", "http://127.0.0.1:1" + ENDPOINT, "e", 2, 202, None, "answered", 20.0, None
)  # fmt: skip
DETAIL = SentDetail(
    RECORD,
    (),
    b"{}",
    (
        ("Content-Type", "application/json"),
        ("Set-Cookie", "session=hunter2hunter2"),
        ("X-Esc", "\x1b[2J[/x]"),
    ),
    b'{"success":true}',
    timing=Timing(1.25, 18.0, 0.5),
)


def words(detail: SentDetail, *, unfolded: bool = False) -> str:
    return answer(detail, Redactor(), 60, unfolded=unfolded).plain


def test_the_parts_of_the_time_are_told() -> None:
    assert "✓ 202 accepted  20 ms\nconnect 1.2 · wait 18 · read 0.5 ms\n" in words(DETAIL)
    assert '{"success":true}\n16 bytes' in words(DETAIL)


def test_headers_are_folded_until_they_are_asked_for() -> None:
    assert "▸ 3 headers" in words(DETAIL)
    assert "Content-Type" not in words(DETAIL)
    shown = words(DETAIL, unfolded=True)
    assert "Content-Type  application/json" in shown
    assert "␛[2J[/x]" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("url", [STATSIG_URL, "https://events.statsigapi.net"])
def test_for_statsig_a_2xx_is_no_promise(url: str) -> None:
    shown = words(replace(DETAIL, record=replace(RECORD, url=url + ENDPOINT)))
    assert "It does not say that the event was kept" in shown
    assert "It does not say" not in words(DETAIL)


def test_unknown_is_no_failure_and_warns_of_counting_twice() -> None:
    record = replace(RECORD, status=None, certainty="unknown", error="timeout: no answer within 15 s")
    shown = words(replace(DETAIL, record=record, response_headers=(), timing=Timing(1.0, 15000.0)))
    assert shown.startswith("? unknown")
    assert "connect 1.0 · wait 15,000 ms" in shown
    assert "sending again may count twice" in shown


def test_a_json_body_is_laid_out_and_keeps_its_spelling() -> None:
    body = b'{"n":1.10,"big":12345678901234567890,"a":[{},[]],"s":"{x, \\"y\\": [1]}","e":1e3,"k":"[/oops]"}'
    shown = words(replace(DETAIL, response_body=body))
    assert '{\n  "n": 1.10,\n  "big": 12345678901234567890,\n  "a": [\n    {},\n    []\n  ],\n' in shown
    assert '"s": "{x, \\"y\\": [1]}",\n  "e": 1e3,\n  "k": "[/oops]"\n}' in shown
    broken = b"<html>" + b"x" * 100
    assert broken.decode() in words(replace(DETAIL, response_body=broken))
