"""The rules for URLs, headers, secrets and bounds, as file and screens apply them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statsig_tui.core.config import BatchPolicy, ClientCert, Destination, Filter, RetryPolicy, Secret, Target
from statsig_tui.core.destination import (
    Invalid,
    check_not_emulator,
    doubt_secret,
    is_same_place,
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
        "http://localhost:65535/" + "a" * (8192 - 23),
        f"http://{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 61}/",
    ],
)
def test_urls_that_name_one_host_are_accepted(url: str) -> None:
    validate_url(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://localhost:65535/" + "a" * (8192 - 22), "is too long (8,193 characters; 8,192 at most)"),
        ("http://localhost:65536/", "has a port that is not a number from 1 to 65535"),
        ("http://localhost:123456/", "has a port"),
        (f"http://{'a' * 64}/", "longer than 63 characters"),
        (f"http://{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 62}/", "has a host of 254 characters"),
        ("http://a.XN--/", "broken international host name"),
        ("http://xn--abc-/", "broken international host name"),
        ("http://[v1.a]/", "has brackets around no IPv6 address"),
        ("http://[::1]x/", "has brackets around no IPv6 address"),
        ("http://[::1]:0/", "has a port"),
        ("http://[::1]:99999/", "has a port"),
        ("http://user@localhost/#a", "must not contain a user name"),
        ("http://localhost?@a#b", "has a fragment"),
    ],
)
def test_urls_just_beyond_what_is_accepted(url: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate_url(url)
    assert says in caught.value.message


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


def test_headers_differ_by_more_than_case() -> None:
    validate_headers({"X-A": "", "Authorization": "Bearer a\tb", "X-B": "a" * 8192})
    with pytest.raises(Invalid, match="too long"):
        validate_headers({"X-B": "a" * 8193})
    with pytest.raises(Invalid, match="twice"):
        validate_headers({"X-A": "1", "x-a": "2"})


@pytest.mark.parametrize(
    ("destination", "field", "says"),
    [
        (replace(GOOD, name=""), "name", "must not be empty"),
        (replace(GOOD, name="a" * 101), "name", "at most 100 characters"),
        (replace(GOOD, name=" a"), "name", "space at an end"),
        (replace(GOOD, name="a\x1b[31m"), "name", "cannot be shown"),
        (replace(GOOD, name="a\u202eb"), "name", "cannot be shown"),
        (replace(GOOD, envelope="list"), "envelope", 'must be one of "data", "array"'),  # type: ignore[arg-type]
        (replace(GOOD, retry=RetryPolicy("quik")), "retry.schedule", "must be one of"),  # type: ignore[arg-type]
        (replace(GOOD, name="taken"), "name", "another destination"),
        (replace(GOOD, url="x"), "url", "must start with"),
        (replace(GOOD, timeout_seconds=0.05), "timeout_seconds", "must be at least 0.1 (got 0.05)"),
        (replace(GOOD, timeout_seconds=float("nan")), "timeout_seconds", "must be at least 0.1 (got nan)"),
        (replace(GOOD, timeout_seconds=float("inf")), "timeout_seconds", "must be at most 300 (got inf)"),
        (replace(GOOD, timeout_seconds=1e20), "timeout_seconds", "must be at most 300 (got 1e+20)"),
        (replace(GOOD, timeout_seconds=1e14), "timeout_seconds", "(got 100000000000000)"),
        (replace(GOOD, timeout_seconds=-1e20), "timeout_seconds", "must be at least 0.1 (got -1e+20)"),
        (replace(GOOD, rate_limit=0.0), "rate_limit", "must be at least 0.01 (got 0)"),
        (replace(GOOD, batch=BatchPolicy(10**20)), "batch.max_events", "10000 (got a number far beyond)"),
        (replace(GOOD, batch=BatchPolicy(-(10**20))), "batch.max_events", "1 (got a number far beyond)"),
        (replace(GOOD, batch=BatchPolicy(10**20 - 1)), "batch.max_events", f"(got {'9' * 20})"),
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
        (replace(GOOD, secret=Secret(file=" ")), "secret", "is empty"),
        (replace(GOOD, client_cert=ClientCert(" ")), "client_cert.cert", "is empty"),
        (replace(GOOD, client_cert=ClientCert("mine.pem")), "client_cert.cert", "is not a whole path"),
        (replace(GOOD, client_cert=ClientCert("/a\x07b")), "client_cert.cert", "cannot be shown"),
        (replace(GOOD, client_cert=ClientCert("/a", "b")), "client_cert.key", "is not a whole path"),
        (
            replace(GOOD, client_cert=ClientCert("/a", "-----BEGIN PRIVATE KEY-----")),
            "client_cert.key",
            "is the certificate or key itself",
        ),
        (replace(GOOD, filter=Filter(exposure_kinds={"gates": True})), "filter.exposure_kinds", "no kind of"),
        (replace(GOOD, filter=Filter(patterns={" ": True})), "filter.patterns", "no name fits"),
        (replace(GOOD, filter=Filter(patterns={"a\x07*": True})), "filter.patterns", "no name fits"),
        (
            replace(GOOD, filter=Filter(patterns={"ok*": True, "[a*": True})),
            "filter.patterns",
            '"[a*", which no name fits: its [ is never closed',
        ),
        (
            replace(GOOD, filter=Filter(patterns={"[z-a]*": True})),
            "filter.patterns",
            "a range in it runs backwards",
        ),
        (
            replace(GOOD, filter=Filter(where="user:u1 lag:>10s")),
            "filter.where",
            "at character 9: lag says nothing of an event before its delivery",
        ),
        (
            replace(GOOD, filter=Filter(where="since:10m")),
            "filter.where",
            "at character 7: since: 10m is an age",
        ),
        (replace(GOOD, filter=Filter(where="event:a (x")), "filter.where", "at character 9: this bracket"),
        (replace(GOOD, filter=Filter(where="nope:1")), "filter.where", "at character 1: there is no key"),
        (replace(GOOD, filter=Filter(sample=1.1)), "filter.sample", "must be at most 1 (got 1.1)"),
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
    validate_destination(replace(GOOD, name="a" * 100))
    validate_destination(replace(GOOD, name="my api 🫨", secret=Secret.of("x"), rate_limit=None))
    validate_destination(replace(GOOD, retry=RetryPolicy(()), timeout_seconds=300))
    validate_destination(replace(GOOD, retry=RetryPolicy("none"), secret=Secret(env="A")))
    validate_destination(replace(GOOD, client_cert=ClientCert("~/a.pem", "/b.pem")))
    validate_destination(replace(GOOD, client_cert=ClientCert("C:\\a.pem")))
    validate_destination(replace(GOOD, filter=Filter(patterns={"*": False}, where=" ", sample=0)))
    validate_destination(replace(GOOD, filter=Filter(patterns={"[a-z]*_[!0-9]": True})))


@pytest.mark.parametrize(
    ("url", "is_it"),
    [
        ("http://127.0.0.1:7828/hook", True),
        ("https://localhost:7828/", True),
        ("http://localhost.:7828/", True),
        ("http://api.localhost:7828/", True),
        ("http://[::1]:7828/", True),
        ("http://0.0.0.0:7828/", True),
        ("http://127.0.0.1:7829/", False),
        ("http://127.0.0.1/", False),
        ("http://10.0.0.1:7828/", False),
        ("http://example.com:7828/", False),
        ("http://[::1:7828/", False),
    ],
)
def test_the_emulator_is_no_destination_under_any_name(url: str, is_it: bool) -> None:
    assert is_same_place(url, "http://127.0.0.1:7828") is is_it
    assert is_same_place("http://127.0.0.1:7828", url) is is_it
    if is_it:
        with pytest.raises(Invalid, match="url: is the emulator's own address"):
            check_not_emulator(url, "http://127.0.0.1:7828")


def test_a_port_that_is_not_written_is_that_of_the_scheme() -> None:
    assert is_same_place("http://example.com/a", "http://EXAMPLE.com:80/b")
    assert is_same_place("https://example.com/", "http://example.com:443/")
    assert not is_same_place("http://example.com/", "https://example.com/")
    assert not is_same_place("http://example.com/", "http://example.org/")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (Target("emulator", "http://localhost"), "built-in"),
        (Target("Emulator", "http://localhost"), "built-in"),
        (Target("a", "localhost"), "url: must start with"),
        (Target("a", "http://localhost/?x=1"), "no query"),
        (Target("a", "http://localhost", headers={"Host": "x"}), "headers.Host: is set by"),
        (Target("a", "http://localhost", Secret()), "key: must have exactly one source"),
        (Target("a", "http://localhost", Secret.of("secret-é")), "no HTTP header"),
        (Target("taken", "http://localhost"), "another target"),
        (Target("a" * 101, "http://localhost"), "at most 100 characters"),
    ],
)
def test_targets_that_cannot_be_meant(target: Target, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        validate_target(target, {"taken"})


def test_a_secret_of_statsigs_shape_raises_no_doubt() -> None:
    assert doubt_secret("webhook-" + "a" * 43, ("webhook-",)) is None
    assert doubt_secret("client-" + "a" * 43, ("secret-", "client-")) is None
    validate_target(Target("a", "http://localhost", Secret.of("client-" + "a" * 43)))
    validate_target(Target("a", "http://localhost", Secret(env="KEY")))


@pytest.mark.parametrize(
    ("value", "doubt"),
    [
        ("op://vault/statsig/secret", "is a 1Password reference"),
        ("secret-" + "a" * 43, "does not start with webhook- or hook-"),
        ("webhook-" + "a" * 11, "has 19 characters"),
        ("webhook-" + "a" * 12, None),
        ("webhook-" + "a" * 92, None),
        ("webhook-" + "a" * 93, "has 101 characters"),
    ],
)
def test_what_speaks_against_a_secret(value: str, doubt: str | None) -> None:
    found = doubt_secret(value, ["webhook-", "hook-"])
    assert found is None if doubt is None else found is not None and found.startswith(doubt)


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[2002:a9fe:a9fe::1]"],
)
def test_metadata_is_no_destination_unless_it_is_said(host: str) -> None:
    there = replace(GOOD, url=f"http://{host}/latest/meta-data")
    with pytest.raises(Invalid, match="url: is a link-local or metadata address"):
        validate_destination(there)
    validate_destination(replace(there, allow_link_local=True))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "127.1.2.3", "0.0.0.0", "[::1]"]
)
def test_no_name_of_this_machine_leads_a_destination_to_the_emulator(host: str) -> None:
    """E08"""
    emulator = "http://127.0.0.1:7828"
    with pytest.raises(Invalid, match="url: is the emulator's own address"):
        check_not_emulator(f"http://{host}:7828/hook", emulator)
    check_not_emulator(f"http://{host}:7829/hook", emulator)
    check_not_emulator("http://example.com:7828/hook", emulator)
