"""Signatures: the project's vectors, and what each kind of wrong one is called (statsig-wire.md §3.6)."""

from __future__ import annotations

import hmac

import pytest

from statsig_tui.core.signing import SignatureState, SignatureVerdict, sign, verify

SECRET = "webhook-12345"
STAMP = "1700000000000"
NOW = 1_700_000_000_000
BODY = b'{"data":[]}'
GOOD = sign(SECRET, STAMP, BODY)


def judge(
    signature: str | bytes | None = GOOD,
    timestamp: str | bytes | None = STAMP,
    body: bytes = BODY,
    *,
    secrets: tuple[str, ...] = (SECRET,),
    tolerance: int = 300,
) -> SignatureVerdict:
    return verify(secrets, _raw(signature), _raw(timestamp), body, NOW, tolerance)


def _raw(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (b'{"data":[]}', "v0=35e16ef94a2124c21dd12b3d731cedc207e96a03eb02a243ddcac393738fbd94"),
        (b"[]", "v0=569d2a814bee6be65101eca22e0537c46b8942400903fed49ac3cc2654316d15"),
        (b"", "v0=41102a6695ce136997f1c581f7d9047bc22c1d82ab208becee4ec907ae0eadb1"),
        (
            '{"data":[{"eventName":"café ☕"}]}'.encode(),
            "v0=3f90bb11d9775a376673b1cb7433ad5ffff4c658926ac750481f52d8f55d8b94",
        ),
    ],
)
def test_vectors(body: bytes, signature: str) -> None:
    assert sign(SECRET, STAMP, body) == signature
    assert judge(signature, body=body).state is SignatureState.VALID


@pytest.mark.parametrize("size", [2030, 2031, 2032, 4080, 16_367, 16_368, 100_000])
def test_a_body_of_any_size_is_signed_whole(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    made = hmac.digest(SECRET.encode(), b"v0:" + STAMP.encode() + b":" + body, "sha256").hex()
    assert sign(SECRET, STAMP, body) == f"v0={made}"


@pytest.mark.parametrize(
    ("signature", "timestamp", "names"),
    [
        (None, STAMP, "X-Statsig-Signature missing"),
        (GOOD, None, "X-Statsig-Request-Timestamp missing"),
        (None, None, "X-Statsig-Signature and X-Statsig-Request-Timestamp missing"),
    ],
)
def test_missing_headers_are_named(signature: str | None, timestamp: str | None, names: str) -> None:
    verdict = judge(signature, timestamp)
    assert (verdict.state, verdict.code, verdict.reason) == (
        SignatureState.MISSING,
        "missing_signature",
        names,
    )


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("v1=" + GOOD[3:], "v0= and 64 hex digits"),
        ("sha256=" + GOOD[3:], "sha256= instead of v0="),
        (GOOD[3:], "prefix v0= is missing"),
        ("V0=" + GOOD[3:], "lower case"),
        ("v0=" + GOOD[3:].upper(), "lower case"),
        (GOOD + " ", "spaces around it"),
        (GOOD[:-1], "64 hex digits"),
        (GOOD + "0", "64 hex digits"),
        ("v0=" + "g" * 64, "64 hex digits"),
        ("v0=abç", "64 hex digits"),
        (b"v0=" + b"\xff" * 64, "64 hex digits"),
        ("", "64 hex digits"),
    ],
)
def test_malformed_signatures_are_told_apart(signature: str | bytes, reason: str) -> None:
    verdict = judge(signature)
    assert (verdict.state, verdict.code) == (SignatureState.INVALID, "bad_signature_format")
    assert reason in verdict.reason


def test_a_reserialised_body_does_not_verify() -> None:
    assert judge(body=b'{"data": []}').code == "bad_signature"


def test_any_of_several_secrets_may_have_signed() -> None:
    assert judge(secrets=("webhook-new", SECRET)).state is SignatureState.VALID
    assert judge(secrets=(SECRET, "webhook-new")).state is SignatureState.VALID
    assert judge(secrets=("webhook-new", "webhook-newer")).code == "bad_signature"


def test_without_a_secret_nothing_is_checked() -> None:
    assert judge(secrets=()).state is SignatureState.UNCHECKED


@pytest.mark.parametrize("secret", [SECRET.removeprefix("webhook-"), SECRET + "\n", SECRET.upper(), ""])
def test_the_whole_secret_signs(secret: str) -> None:
    assert judge(sign(secret, STAMP, BODY)).code == "bad_signature"


def test_every_changed_byte_is_noticed() -> None:
    body = b'{"data":[{"eventName":"checkout_completed","value":"49.90"}]}'
    signature = sign(SECRET, STAMP, body)
    assert judge(signature, body=body).state is SignatureState.VALID
    for at in range(len(body)):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert judge(signature, body=changed).code == "bad_signature"
    for at in range(3, len(signature)):
        digit = "0" if signature[at] != "0" else "1"
        assert judge(signature[:at] + digit + signature[at + 1 :], body=body).code == "bad_signature"
    assert judge(signature, body=body + b"\n").code == "bad_signature"
    assert judge(signature, "1700000000001", body).code == "bad_signature"


@pytest.mark.parametrize(
    ("timestamp", "state", "says"),
    [
        (str(NOW), SignatureState.VALID, "matches"),
        (str(NOW - 299_000), SignatureState.VALID, "matches"),
        (str(NOW + 299_000), SignatureState.VALID, "matches"),
        (str(NOW - 300_000), SignatureState.VALID, "matches"),
        (str(NOW - 300_001), SignatureState.STALE, "is 300.0 s old; 300 s are tolerated"),
        (str(NOW + 301_000), SignatureState.STALE, "is 301.0 s ahead"),
        (str(NOW - 600_000), SignatureState.STALE, "600.0 s old"),
        (str(NOW // 1000), SignatureState.INVALID, "seconds: send milliseconds"),
        ("0", SignatureState.INVALID, "seconds: send milliseconds"),
        ("99999999999", SignatureState.INVALID, "seconds: send milliseconds"),
        ("100000000000", SignatureState.STALE, "s old"),
        ("-1700000000000", SignatureState.INVALID, "not epoch milliseconds"),
        ("1e9", SignatureState.INVALID, "not epoch milliseconds"),
        (" 1700000000000", SignatureState.INVALID, "not epoch milliseconds"),
        ("+1700000000000", SignatureState.INVALID, "not epoch milliseconds"),
        ("1_700_000_000_000", SignatureState.INVALID, "not epoch milliseconds"),
        ("١٧٠٠٠٠٠٠٠٠٠٠٠", SignatureState.INVALID, "not epoch milliseconds"),
        ("1" * 400, SignatureState.INVALID, "not epoch milliseconds"),
        ("", SignatureState.INVALID, "not epoch milliseconds"),
        ("1700000000000.5", SignatureState.INVALID, "not epoch milliseconds"),
    ],
)
def test_timestamps(timestamp: str, state: SignatureState, says: str) -> None:
    verdict = judge(sign(SECRET, timestamp, BODY), timestamp)
    assert verdict.state is state
    assert says in verdict.reason
    codes = {SignatureState.VALID: "valid", SignatureState.STALE: "stale_timestamp"}
    assert verdict.code == codes.get(state, "bad_timestamp")


def test_tolerance_zero_takes_any_age() -> None:
    old = str(NOW - 10 * 365 * 86_400_000)
    assert judge(sign(SECRET, old, BODY), old, tolerance=0).state is SignatureState.VALID


def test_no_verdict_repeats_secret_or_signature() -> None:
    for verdict in (judge(GOOD[:-1]), judge(sign("other", STAMP, BODY)), judge(GOOD, "x"), judge(None)):
        assert SECRET not in verdict.reason
        assert GOOD[3:20] not in verdict.reason
