"""Secrets are masked by value and by shape; ordinary words are left alone (reliability.md promise 13)."""

from __future__ import annotations

import pytest

from statsig_tui.core.config import Config, Destination
from statsig_tui.core.redact import Redactor, mask_secret

LONG = "A1b2C3d4E5f6G7h8J9k0L1m2N3p4Q5r6S7t8U9v0WxYz1"


@pytest.mark.parametrize("kind", ["secret", "client", "console", "webhook"])
def test_a_mask_shows_the_kind_and_the_tail(kind: str) -> None:
    assert mask_secret(f"{kind}-{LONG}") == f"{kind}-…xYz1"


@pytest.mark.parametrize("value", ["secret-abc", "abc", "", "secret-", "password123"])
def test_a_short_secret_shows_nothing_of_itself(value: str) -> None:
    assert mask_secret(value) in {"…", "secret-…"}


@pytest.mark.parametrize("kind", ["secret", "client", "console", "webhook"])
def test_what_looks_like_a_key_is_masked_unknown_or_not(kind: str) -> None:
    key = f"{kind}-{LONG}"
    for text in (key, f"/v1/download_config_specs/{key}.json", f"?k={key}&st=1", f'{{"key":"{key}"}}'):
        shown = Redactor()(text)
        assert LONG not in shown
        assert f"{kind}-…xYz1" in shown
        assert shown.replace(f"{kind}-…xYz1", key) == text


def test_an_encoded_key_is_masked() -> None:
    for text in (f"secret%2D{LONG}", f"secret%2d{LONG}"):
        assert LONG not in Redactor()(text)


def test_known_values_are_masked_wherever_they_stand() -> None:
    redact = Redactor(["hunter2hunter2", "pass phrase with spaces", None, ""])
    assert redact("a hunter2hunter2b") == "a …ter2b"
    assert "phrase" not in redact("x=pass phrase with spaces;")


def test_a_secret_inside_another_leaves_no_remainder() -> None:
    redact = Redactor(["abcdef", "abcdefghijklmnop"])
    assert redact("abcdefghijklmnop abcdef") == "…mnop …"


@pytest.mark.parametrize(
    "text", ["the secret-ary", "a client-side app", "secret-", "webhook-url", "", "é☕", "secret santa"]
)
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor(["abc", "12"])(text) == text


def test_masking_twice_changes_nothing() -> None:
    redact = Redactor([f"secret-{LONG}"])
    once = redact(f"key secret-{LONG} done")
    assert redact(once) == once


@pytest.mark.parametrize("spelled", ["a%2Bb/c%3Dd%20%22e%25", "a%2Bb%2Fc%3Dd%20%22e%25", 'a+b/c=d \\"e%'])
def test_a_secret_of_no_known_shape_is_masked_in_urls_and_json(spelled: str) -> None:
    assert spelled not in Redactor(['a+b/c=d "e%'])(f"x {spelled} y")


def test_the_values_of_telling_headers_are_secrets() -> None:
    headers = {"Authorization": "Bearer CanaryHeader0123", "X-Api-Key": "CanaryKey0123", "X-Team": "payments"}
    config = Config(destinations=(Destination("d", "http://localhost/", headers=headers),))
    shown = Redactor(config.secret_values())(
        "Bearer CanaryHeader0123, CanaryHeader0123, CanaryKey0123, payments"
    )
    assert "Canary" not in shown
    assert "payments" in shown
