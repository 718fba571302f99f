"""The signature doctor: each usual mistake is named, alone and in company (statsig-wire.md §3.6)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json

import pytest

from statsig_tui.core.diagnosis import Diagnosis, diagnose
from statsig_tui.core.signing import SignatureState, sign

SECRET = "webhook-S" + "s" * 42
OTHER = "webhook-" + "o" * 43
NOW = 1_700_000_000_123
STAMP = str(NOW)
BODY = '{"data":[{"eventName":"café","value":"1","metadata":{"b":1.0,"a":2.5}}]}'.encode()


def hex_of(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def ask(
    signature: str | None, stamp: str | None = STAMP, body: bytes = BODY, decoded: bytes | None = None
) -> Diagnosis:
    return diagnose(
        (OTHER, SECRET),
        signature.encode() if signature is not None else None,
        stamp.encode() if stamp is not None else None,
        body, NOW, 300, decoded,
    )  # fmt: skip


def whats(diagnosis: Diagnosis) -> list[str]:
    return [mistake.what for mistake in diagnosis.mistakes]


GOOD = sign(SECRET, STAMP, BODY)
PARSED = json.loads(BODY)


@pytest.mark.parametrize(
    ("signature", "what"),
    [
        ("sha256=" + hex_of(SECRET, BODY), "the body alone was signed"),
        ("v0=" + hex_of(SECRET, BODY), "the body alone was signed"),
        ("v0=" + hex_of(SECRET, STAMP.encode() + b"." + BODY), "joined by a dot, as Stripe does it"),
        ("v0=" + hex_of(SECRET, STAMP.encode() + b":" + BODY), "v0: was left out"),
        ("v0=" + hex_of(SECRET, b"v0:" + BODY), "the timestamp was left out"),
        ("v0=" + hex_of(SECRET, STAMP.encode() + BODY), "joined without a colon"),
        ("v0=" + hex_of(SECRET, b"v1:" + STAMP.encode() + b":" + BODY), "v1: was signed"),
        (sign(SECRET, STAMP[:-3] + "000", BODY), "rounded to seconds"),
        (sign(SECRET, f"{STAMP[:-3]}.{STAMP[-3:]}", BODY), "with a decimal point"),
        (sign(SECRET, STAMP[:-3], BODY), "seconds were signed, milliseconds sent"),
        (sign(SECRET, str(NOW + 1), BODY), ": 1 ms lie between what was signed and the header"),
        (sign(SECRET, str(NOW - 1500), BODY), ": 1500 ms lie between"),
        (sign(SECRET.removeprefix("webhook-"), STAMP, BODY), "without its webhook- prefix"),
        (sign(SECRET + "\n", STAMP, BODY), "with a newline at its end"),
        (sign(f'"{SECRET}"', STAMP, BODY), "in quotes"),
        (sign(SECRET.lower(), STAMP, BODY), "the secret was used in lower case"),
        (sign(SECRET, STAMP, BODY + b"\n"), "signed with a newline at its end"),
        (sign(SECRET, STAMP, json.dumps(PARSED).encode()), "serialised again"),
        (sign(SECRET, STAMP, json.dumps(PARSED, sort_keys=True).encode()), "serialised again"),
        (sign(SECRET, STAMP, json.dumps(PARSED, indent=2).encode()), "serialised again"),
        (sign(SECRET, STAMP, BODY.replace(b"1.0", b"1")), "serialised again"),
        (
            sign(SECRET, STAMP, BODY.removeprefix(b'{"data":').removesuffix(b"}")),
            "the events were signed without their envelope",
        ),
        (GOOD.upper(), "upper case"),
        (GOOD.removeprefix("v0="), "the prefix v0= is missing"),
        (GOOD.replace("v0=", "v1="), "the prefix is v1= instead of v0="),
        (GOOD + " ", "spaces around"),
        (GOOD.upper() + " ", "upper case"),
        (GOOD.removeprefix("v0=") + " ", "spaces around"),
        ("v0=" + base64.b64encode(bytes.fromhex(GOOD[3:])).decode(), "in base64"),
        ("v0=abç", "no digest of 32 bytes"),
    ],
)
def test_a_mistake_is_named_with_its_mend(signature: str, what: str) -> None:
    diagnosis = ask(signature)
    assert diagnosis.verdict.state is SignatureState.INVALID
    assert any(what in found for found in whats(diagnosis)), whats(diagnosis)
    assert all(mistake.mend for mistake in diagnosis.mistakes)
    assert not diagnosis.mend


EVENTS = b'[{"eventName":"a"}]'


@pytest.mark.parametrize(
    ("signed", "sent", "what"),
    [
        (BODY, BODY + b"\n", "a newline was added to the body"),
        (b'{"data":\n[]}', b'{"data":\r\n[]}', "the line ends were changed"),
        (BODY, b"\xef\xbb\xbf" + BODY, "a byte order mark was added to the body"),
        (b'{"data":%s}' % EVENTS, EVENTS, "the envelope was signed but not sent"),
    ],
)
def test_what_became_of_the_body_after_it_was_signed(signed: bytes, sent: bytes, what: str) -> None:
    assert whats(ask(sign(SECRET, STAMP, signed), body=sent)) == [what]


@pytest.mark.parametrize("signs", ["+", "/", "+/"])
def test_base64_is_read_in_either_alphabet_and_without_its_padding(signs: str) -> None:
    in_base64 = (
        (str(stamp), base64.b64encode(bytes.fromhex(sign(SECRET, str(stamp), BODY)[3:])).decode())
        for stamp in range(NOW, NOW + 1000)
    )
    stamp, text = next(found for found in in_base64 if {*"+/"} & {*found[1]} == {*signs})
    for spelled in (text, text.rstrip("="), text.translate(str.maketrans("+/", "-_"))):
        assert whats(ask("v0=" + spelled, stamp)) == ["the digest is in base64 instead of hexadecimal"]


def test_two_mistakes_at_once_are_both_named() -> None:
    found = whats(ask("sha256=" + hex_of(SECRET + "\n", BODY)))
    assert len(found) == 3
    assert "the prefix is sha256= instead of v0=" in found
    assert "the body alone was signed" in found
    assert any("newline" in what for what in found)


def test_seconds_in_the_header_are_named_though_the_digest_is_right() -> None:
    diagnosis = ask(sign(SECRET, STAMP[:-3], BODY), STAMP[:-3])
    assert whats(diagnosis) == ["X-Statsig-Request-Timestamp is in seconds"]
    in_ms = ask(sign(SECRET, STAMP[:-3] + "000", BODY), STAMP[:-3])
    assert whats(in_ms) == [
        "milliseconds were signed, seconds sent",
        "X-Statsig-Request-Timestamp is in seconds",
    ]


def test_what_was_signed_before_it_was_compressed() -> None:
    packed = gzip.compress(BODY, mtime=0)
    diagnosis = ask(GOOD, body=packed, decoded=BODY)
    assert whats(diagnosis) == ["the body was signed before it was compressed"]


def test_a_good_signature_has_no_mistake_and_tells_which_secret_made_it() -> None:
    diagnosis = ask(GOOD)
    assert (diagnosis.verdict.state, diagnosis.mistakes, diagnosis.mend) == (SignatureState.VALID, (), "")
    assert [(item.secret, item.matches) for item in diagnosis.expected] == [
        ("webhook-…oooo", False),
        ("webhook-…ssss", True),
    ]
    assert diagnosis.expected[1].signature == GOOD
    assert diagnosis.base == b"v0:" + STAMP.encode() + b":" + BODY
    assert diagnosis.base_size == len(diagnosis.base)


@pytest.mark.parametrize(
    ("signature", "stamp", "mend"),
    [
        (None, STAMP, "Send both headers"),
        (GOOD, None, "Send both headers"),
        (GOOD, "soon", "epoch milliseconds as 13 digits"),
        (sign(SECRET, str(NOW - 1501), BODY), STAMP, "another secret signed it"),
        (sign("webhook-somebody-elses", STAMP, BODY), STAMP, "another secret signed it"),
        ("v1=" + sign("webhook-somebody-elses", STAMP, BODY)[3:], STAMP, "another secret signed it"),
        (sign(SECRET, str(NOW - 600_000), BODY), str(NOW - 600_000), "Set the clocks right"),
    ],
)
def test_what_no_mistake_explains_gets_its_advice(
    signature: str | None, stamp: str | None, mend: str
) -> None:
    diagnosis = ask(signature, stamp)
    assert mend in diagnosis.mend
    assert len(diagnosis.expected) == (2 if stamp is not None else 0)


def test_without_a_secret_it_says_where_to_give_one() -> None:
    diagnosis = diagnose((), GOOD.encode(), STAMP.encode(), BODY, NOW, 300)
    assert (diagnosis.expected, diagnosis.mistakes) == ((), ())
    assert "Give the signing secret" in diagnosis.mend


def test_nothing_it_says_holds_a_secret() -> None:
    for signature in (GOOD, GOOD.upper(), sign(SECRET + "\n", STAMP, BODY), "v0=" + "0" * 64):
        assert SECRET[8:] not in repr(ask(signature))


def test_a_body_of_megabytes_is_not_guessed_at_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = 0
    real = hmac.digest

    def counted(key: bytes, message: bytes, name: str) -> bytes:
        nonlocal hashed
        hashed += len(message)
        return real(key, message, name)

    monkeypatch.setattr(hmac, "digest", counted)
    large = b'{"data":[{"eventName":"' + b"x" * 4_000_000 + b'"}]}'
    assert ask("v0=" + "0" * 64, body=large).mistakes == ()
    assert hashed < 150_000_000
