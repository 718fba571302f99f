"""The rules for URLs, headers, secrets and bounds, as file and screens apply them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statsig_tui.core.config import BatchPolicy, Destination, RetryPolicy, Secret, Target
from statsig_tui.core.destination import (
    Invalid,
    doubt_secret,
    validate_destination,
    validate_headers,
    validate_host,
    validate_target,
    validate_url,
)

GOOD = Destination("api", "http://localhost:3000/")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000/webhook?a=b&c=%20",
        "HTTPS://Api.Example.COM",
        "http://127.0.0.1:1/",
        "http://[::1]:65535/",
        "http://[::ffff:127.0.0.1]/",
        "http://my_service:80/",
        "http://bücher.example/",
        "http://xn--bcher-kva.example/",
        "http://example.com./",
        "http://localhost/é/@path",
        "http://1.2.3.4.example/",
    ],
)
def test_urls_that_name_one_host_are_accepted(url: str) -> None:
    validate_url(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("", "is empty", id="C10-empty"),
        pytest.param("ftp://example.com/", "must start with http", id="C10-ftp"),
        pytest.param("//example.com", "must start with http", id="C10-no-scheme"),
        pytest.param("localhost:3000", "must start with http", id="C10-host-alone"),
        pytest.param("http://", "names no host", id="C10-no-host"),
        pytest.param("http:///path", "names no host", id="C10-path-alone"),
        pytest.param("http://:80/", "names no host", id="C10-port-alone"),
        pytest.param("http://[::1", "cannot be read", id="C10-open-bracket"),
        pytest.param("http://[::zz]/", "", id="C10-not-IPv6"),
        pytest.param("http://[fe80::1%25eth0]/", "interface", id="C10-zone"),
        pytest.param("http://localhost:99999/", "a port that", id="C10-port-99999"),
        pytest.param("http://localhost:0/", "a port that", id="C10-port-0"),
        pytest.param("http://localhost:/", "a port that", id="C10-port-empty"),
        pytest.param("http://localhost:8０/", "a port that", id="C10-port-wide-digit"),
        pytest.param("http://localhost:80:80/", "a port that", id="C10-two-ports"),
        pytest.param("http://local host/", "contains a space", id="C10-space"),
        pytest.param("http://localhost/\n", "contains a line break", id="C10-newline"),
        pytest.param("http://localhost/\x1b[2J", "U+001B", id="C10-escape"),
        pytest.param("http://localhost/\u202e", "U+202E", id="C10-bidi"),
        pytest.param("http://localhost/\ud800", "U+D800", id="C10-surrogate"),
        pytest.param("http://xn--/", "broken international", id="C10-xn"),
        pytest.param(f"http://{'a' * 300}/", "300 characters", id="C10-300-host"),
        pytest.param(f"http://{'a' * 64}.example/", "longer than 63", id="C10-64-label"),
        pytest.param("http://a..b/", "that is empty", id="C10-empty-label"),
        pytest.param("http://exa%6dple/", "a character in its host", id="C10-percent-host"),
        pytest.param("http://localhost/" + "a" * 70_000, "too long", id="C10-70-kB"),
        pytest.param("http://user:pass@localhost/", "user name or password", id="C10-userinfo"),
        pytest.param("http://localhost/#a", "fragment", id="C10-fragment"),
        pytest.param("http://localhost\\@evil/", "backslash", id="C10-backslash"),
        pytest.param("http://127.1/", "ambiguous", id="C10-127.1"),
        pytest.param("http://2130706433/", "ambiguous", id="C10-decimal"),
        pytest.param("http://0x7f000001/", "ambiguous", id="C10-hex"),
        pytest.param("http://0177.0.0.1/", "ambiguous", id="C10-octal"),
        pytest.param("http://127.0.0.1./", "ambiguous", id="C10-dot-after-address"),
        pytest.param("http://①②⑦.①/", "ambiguous", id="C10-circled-digits"),
    ],
)
def test_urls_that_can_be_misread_are_refused_with_reason_and_hint(url: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_url(url)
    assert says in caught.value.message
    assert caught.value.hint


def test_no_refusal_of_a_url_repeats_its_password() -> None:
    for tail in ("", " ", "\\", "#", ":x"):
        with pytest.raises(Invalid) as caught:
            validate_url(f"http://user:hunter2@localhost{tail}")
        assert "hunter2" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0.0.0.0", "::1", "::", "box.local"])
def test_addresses_to_listen_on(host: str) -> None:
    validate_host(host)


@pytest.mark.parametrize("host", ["", "127.1", "localhost:80", "http://localhost", "a b", "[::1]", "*"])
def test_what_is_no_address_to_listen_on(host: str) -> None:
    with pytest.raises(Invalid):
        validate_host(host)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("X-A", "a\r\nInjected: b", id="C11-CRLF"),
        pytest.param("X-A", "a\nb", id="C11-LF"),
        pytest.param("X-A", "a\0b", id="C11-NUL"),
        pytest.param("X-A", "€", id="C11-not-Latin-1"),
        pytest.param("X-A", "é", id="C11-not-ASCII"),
        pytest.param("X-A", " a", id="C11-leading-space"),
        pytest.param("X-A", "a\t", id="C11-trailing-tab"),
        pytest.param("X-A", "a" * 9000, id="C11-long"),
        pytest.param("Host", "a", id="C11-Host"),
        pytest.param("content-LENGTH", "1", id="C11-Content-Length"),
        pytest.param("Transfer-Encoding", "chunked", id="C11-Transfer-Encoding"),
        pytest.param("X-Statsig-Signature", "v0=", id="C11-X-Statsig"),
        pytest.param("", "a", id="C11-no-name"),
        pytest.param("X A", "a", id="C11-space-in-name"),
        pytest.param("X-A:", "a", id="C11-colon-in-name"),
        pytest.param("X-É", "a", id="C11-name-not-ASCII"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(name: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_headers({name: value})
    assert caught.value.field == f"headers.{name}"
    assert caught.value.hint


def test_headers_differ_by_more_than_case() -> None:
    validate_headers({"X-A": "", "Authorization": "Bearer a\tb", "X-B": "a"})
    with pytest.raises(Invalid, match="twice"):
        validate_headers({"X-A": "1", "x-a": "2"})


@pytest.mark.parametrize(
    ("destination", "field", "says"),
    [
        (replace(GOOD, name=""), "name", "must not be empty"),
        (replace(GOOD, name="a" * 101), "name", "at most 100 characters"),
        (replace(GOOD, name=" a"), "name", "space at an end"),
        (replace(GOOD, name="a\x1b[31m"), "name", "cannot be shown"),
        (replace(GOOD, name="taken"), "name", "another destination"),
        (replace(GOOD, url="x"), "url", "must start with"),
        (replace(GOOD, timeout_seconds=0.05), "timeout_seconds", "must be at least 0.1 (got 0.05)"),
        (replace(GOOD, timeout_seconds=float("nan")), "timeout_seconds", "must be at least 0.1 (got nan)"),
        (replace(GOOD, timeout_seconds=float("inf")), "timeout_seconds", "must be at most 300 (got inf)"),
        (replace(GOOD, rate_limit=0.0), "rate_limit", "must be at least 0.01 (got 0)"),
        (replace(GOOD, batch=BatchPolicy(max_events=10**30)), "batch.max_events", "must be at most 10000"),
        (
            replace(GOOD, batch=BatchPolicy(max_seconds=-1)),
            "batch.max_seconds",
            "must be at least 0 (got -1)",
        ),
        (replace(GOOD, retry=RetryPolicy((1.0, -5.0))), "retry.schedule", "must be at least 0 (got -5)"),
        (replace(GOOD, retry=RetryPolicy((1e9,))), "retry.schedule", "must be at most 604800"),
        (replace(GOOD, headers={"Host": "x"}), "headers.Host", "is set by"),
        (replace(GOOD, secret=Secret()), "secret", "exactly one source (0 given)"),
        (replace(GOOD, secret=Secret.of("")), "secret", "is empty"),
        (replace(GOOD, secret=Secret.of("webhook-a\n")), "secret", "begins or ends"),
        (replace(GOOD, secret=Secret.of("webhook-\r\na")), "secret", "control character"),
        (replace(GOOD, secret=Secret(env="")), "secret", "is empty"),
    ],
)
def test_a_screen_learns_which_field_is_wrong_and_why(
    destination: Destination, field: str, says: str
) -> None:
    with pytest.raises(Invalid) as caught:
        validate_destination(destination, {"taken"})
    assert caught.value.field == field
    assert says in caught.value.message
    assert caught.value.hint


def test_destinations_that_can_be_meant_are_accepted() -> None:
    validate_destination(GOOD)
    validate_destination(replace(GOOD, name="my api 🫨", secret=Secret.of("x"), rate_limit=None))
    validate_destination(replace(GOOD, retry=RetryPolicy(()), timeout_seconds=300))
    validate_destination(replace(GOOD, retry=RetryPolicy("none"), secret=Secret(env="A")))


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (Target("emulator", "http://localhost"), "built-in"),
        (Target("Emulator", "http://localhost"), "built-in"),
        (Target("a", "http://localhost/?x=1"), "no query"),
        (Target("a", "http://localhost", Secret.of("secret-é")), "no HTTP header"),
        (Target("taken", "http://localhost"), "another target"),
    ],
)
def test_targets_that_cannot_be_meant(target: Target, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        validate_target(target, {"taken"})


def test_a_secret_of_statsigs_shape_raises_no_doubt() -> None:
    assert doubt_secret("webhook-" + "a" * 43, ("webhook-",)) is None
    assert doubt_secret("client-" + "a" * 43, ("secret-", "client-")) is None
