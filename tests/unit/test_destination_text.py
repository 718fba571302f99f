"""A destination as the texts of a form: a credential is not among them, and stays what it is."""

from __future__ import annotations

import pytest

from statsig_tui.core.config import Destination, RetryPolicy
from statsig_tui.core.destination import Invalid
from statsig_tui.tui.widgets.destination_text import OFF, complaints, from_texts, to_texts

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
