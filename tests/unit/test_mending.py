"""What can be done about an attempt that failed."""

from __future__ import annotations

import pytest

from statsig_tui.core.mending import mend
from statsig_tui.core.records import AttemptRecord
from statsig_tui.engine.outcome import CUT_OFF, INTERRUPTED


def attempt(status: int | None, error: str | None) -> AttemptRecord:
    return AttemptRecord(1, 1, 0, "http://x/", (), status, "", (), b"", False, error, 1.0)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_what_arrived_needs_nothing(status: int) -> None:
    assert mend(attempt(status, None)) == ""


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (302, "Webhook URL"),
        (400, "Envelope"),
        (401, "Signing"),
        (403, "Signing"),
        (404, "Webhook URL"),
        (405, "Webhook URL"),
        (410, "resumes"),
        (413, "smaller batches"),
        (415, "Content-Type"),
        (422, "Envelope"),
        (429, "Rate limit"),
        (500, "its log"),
        (503, "its log"),
        (504, "answer first"),
        (599, "its log"),
    ],
)
def test_every_usual_refusal_has_a_mend(status: int, says: str) -> None:
    assert says in mend(attempt(status, f"{status} Words"))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("timeout: no answer within 15 s", "Timeout"),
        (CUT_OFF, "Retry now"),
        (INTERRUPTED, "goes again by itself"),
        ("timeout: no connection within 10 s", "firewalls"),
        ("connection refused: is the endpoint running?", "start the endpoint"),
        ("the host name does not resolve", "mend the host"),
        ("TLS error: self-signed certificate", "SSL_CERT_FILE"),
        ("TLS error: Hostname mismatch, certificate is not valid for 'x'.", "certificate is for"),
        ("TLS error: certificate has expired: check the clock", "renew"),
        ("TLS error: wrong version number", "http://"),
        (
            "TLS error: the endpoint asks for a client certificate: set client_cert at the destination",
            "name a",
        ),
        ("TLS error: the endpoint refuses the client certificate: unknown ca", "look at Client cert"),
        ("protocol error: status 999", "no proper HTTP"),
        ("connection lost: the endpoint closed", "its log"),
        ("the proxy refused: 407 Words", "NO_PROXY"),
    ],
)
def test_so_has_every_way_not_to_get_an_answer(error: str, says: str) -> None:
    assert says in mend(attempt(None, error))


def test_what_is_under_way_needs_nothing_yet() -> None:
    assert mend(attempt(None, None)) == ""
