"""A destination as the texts of a form: a credential is not among them, and stays what it is."""

from __future__ import annotations

import pytest

from statsig_tui.core.config import ClientCert, Destination, RetryPolicy
from statsig_tui.core.destination import Invalid
from statsig_tui.tui.widgets.destination_text import OFF, ON, complaints, from_texts, retry_words, to_texts

SAVED = Destination(
    "d", "http://localhost/", headers={"Authorization": "Bearer CanaryHeader0123", "X-Team": "payments"}
)


def test_a_credential_is_masked_and_other_headers_are_not() -> None:
    assert to_texts(SAVED)["headers"] == "Authorization: …0123\nX-Team: payments"


def test_a_credential_that_is_left_masked_is_kept() -> None:
    texts = to_texts(SAVED) | {"headers": "Authorization: …0123\nX-Team: search"}
    assert complaints(texts, (), None, SAVED) == {}
    made = from_texts(texts, {"headers"}, SAVED, (), None)
    assert made.headers == {"Authorization": "Bearer CanaryHeader0123", "X-Team": "search"}


def test_another_credential_takes_its_place() -> None:
    texts = to_texts(SAVED) | {"headers": "Authorization: Bearer other"}
    assert from_texts(texts, {"headers"}, SAVED, (), None).headers == {"Authorization": "Bearer other"}


def test_a_mask_under_another_name_is_no_value() -> None:
    texts = to_texts(SAVED) | {"headers": "X-Token: …0123"}
    assert "X-Token" in complaints(texts, (), None, SAVED)["headers"]
    with pytest.raises(Invalid):
        from_texts(texts, {"headers"}, SAVED, (), None)


def test_isolating_and_the_schedule_are_edited_apart() -> None:
    off = from_texts(to_texts(SAVED) | {"isolate": OFF}, {"isolate"}, SAVED, (), None)
    assert off.retry == RetryPolicy("quick", isolate=False)
    slow = from_texts(to_texts(off) | {"schedule": "svix"}, {"schedule"}, off, (), None)
    assert slow.retry == RetryPolicy("svix", isolate=False)


def test_limits_are_emptied_and_filled() -> None:
    filled = from_texts(
        to_texts(SAVED) | {"max_bytes": "65536", "concurrency": "4"},
        {"max_bytes", "concurrency"},
        SAVED,
        (),
        None,
    )
    assert (filled.batch.max_bytes, filled.concurrency) == (65_536, 4)
    assert to_texts(filled)["max_bytes"] == "65536"
    assert (
        from_texts(to_texts(filled) | {"max_bytes": " "}, {"max_bytes"}, filled, (), None).batch.max_bytes
        is None
    )


@pytest.mark.parametrize(
    ("field", "text", "complaint"),
    [
        ("max_bytes", "0", "must be at least 1"),
        ("max_bytes", "many", "must be a whole number"),
        ("concurrency", "17", "must be at most 16"),
        ("concurrency", "0", "must be at least 1"),
        ("jitter", "1.5", "must be at most 1"),
        ("jitter", "20%", "must be a number"),
        ("cert", "me.pem", "is not a whole path: begin it with / or ~/"),
        ("cert", "-----BEGIN CERTIFICATE-----", "is the certificate or key itself"),
        ("url", "http://169.254.169.254/", "is a link-local or metadata address"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(field: str, text: str, complaint: str) -> None:
    wrong = complaints(to_texts(SAVED) | {field: text}, (), None, SAVED)
    assert set(wrong) == {field}
    assert wrong[field].startswith(complaint)


def test_a_key_needs_a_certificate() -> None:
    assert set(complaints(to_texts(SAVED) | {"key": "/key.pem"}, (), None, SAVED)) == {"cert"}
    texts = to_texts(SAVED) | {"cert": "/me.pem", "key": "~/key.pem"}
    made = from_texts(texts, {"cert", "key"}, SAVED, (), None)
    assert made.client_cert == ClientCert("/me.pem", "~/key.pem")
    gone = from_texts(to_texts(made) | {"cert": "", "key": ""}, {"cert", "key"}, made, (), None)
    assert gone.client_cert is None


def test_a_link_local_url_is_right_where_it_is_allowed() -> None:
    texts = to_texts(SAVED) | {"url": "http://169.254.169.254/", "allow_link_local": ON}
    assert complaints(texts, (), None, SAVED) == {}
    assert from_texts(texts, {"url", "allow_link_local"}, SAVED, (), None).allow_link_local


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (RetryPolicy((1, 5)), "1 s, 5 s"),
        (RetryPolicy((1, 5), jitter=0.2), "1 s, 5 s, each ±20 %"),
        (RetryPolicy("svix", jitter=1), "5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 10 h, each ±20 %"),
    ],
)
def test_a_schedule_says_its_jitter(policy: RetryPolicy, words: str) -> None:
    assert retry_words(policy) == words
