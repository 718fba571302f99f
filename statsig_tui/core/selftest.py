"""What an endpoint must do with good and bad requests, and what an answer says about it (§3.5, §3.6). Pure.

Every request carries the same harmless event; only what is wrong with it differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from statsig_tui.core import jsontext
from statsig_tui.core.records import Headers
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

_STALE = 60 * 60 * 1000
_CONTENT_TYPE = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True)
class Trial:
    """One request of the test and what is expected of the endpoint."""

    name: str
    about: str
    """What is right or wrong with it."""
    headers: Headers
    body: bytes
    takes: bool
    """Whether it has to be accepted (2xx), or else refused (4xx)."""
    weakness: str
    """What it means when the endpoint does otherwise."""
    code: str | None = None
    """The verification code that a 200 has to repeat."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an endpoint did in one trial."""

    trial: Trial
    passed: bool
    status: int | None
    said: str
    """What came back and what it means, in words; it may hold text of the endpoint."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a test has come."""

    done: tuple[Result, ...]
    under_way: Trial | None
    """None: that was all."""
    total: int


def trials(secret: str | None, *, now: int, code: str, other_secret: str) -> tuple[Trial, ...]:
    """The requests, the verification of the URL first; without a secret only what needs none."""
    verification = b'{"data":{"event":"url_verification","verification_code":' + jsontext.dump(code) + b"}}"
    ask = Trial(
        "url verification",
        "unsigned, as Statsig sends it when a webhook's URL is saved",
        (_CONTENT_TYPE,),
        verification,
        True,
        "Statsig would not register this webhook, and would not say so",
        code,
    )
    # Spelled as no serialiser writes it, so that whoever parses and writes it again gets other bytes.
    body = (
        b'{"data": [{"eventName":"statsig_tui_self_test","user":{"userID":"self-test"},"userID":"self-test",'
        b'"timestamp":'
        + str(now).encode()
        + b',"value":"1.0","metadata":{"note":"caf\xc3\xa9","ratio":1.50}}]}'
    )
    if secret is None:
        good = Trial("good request", "unsigned", (_CONTENT_TYPE,), body, True, "it takes no batch")
        return ask, good
    stamp = str(now)
    signature = sign(secret, stamp, body)
    respelled = jsontext.dump(jsontext.parse(body))
    old = str(now - _STALE)
    return (
        ask,
        Trial(
            "good request", "signed as Statsig signs", _signed(stamp, signature), body, True,
            "it refuses what Statsig sends",
        ),
        Trial(
            "flipped byte", "one character of the body was changed after signing", _signed(stamp, signature),
            body.replace(b"self-test", b"self-tesT", 1), False,
            "it does not check the signature: anybody can post events to it",
        ),
        Trial(
            "wrong secret", "signed with another secret", _signed(stamp, sign(other_secret, stamp, body)),
            body, False, "it does not check the signature with its own secret",
        ),
        Trial(
            "no signature", "the signature's header is missing", (_CONTENT_TYPE, (TIMESTAMP_HEADER, stamp)),
            body, False, "it takes unsigned requests",
        ),
        Trial(
            "no timestamp", "the timestamp header is missing", (_CONTENT_TYPE, (SIGNATURE_HEADER, signature)),
            body, False, "it signs without the header's timestamp, perhaps with its own clock",
        ),
        Trial(
            "re-serialised", "signed over the same JSON in another spelling",
            _signed(stamp, sign(secret, stamp, respelled)), body, False,
            "it checks a body that it parsed and wrote again, and will refuse what is spelled otherwise",
        ),
        Trial(
            "stale", "rightly signed an hour ago", _signed(old, sign(secret, old, body)), body, False,
            "it takes old requests: whoever once saw one can repeat it",
        ),
    )  # fmt: skip


def judge(trial: Trial, status: int | None, body: bytes, error: str | None) -> Result:
    """What an answer says about the endpoint."""
    if status is None:
        return Result(trial, False, None, error or "no answer")
    accepted = 200 <= status < 300
    if trial.code is not None:
        echoed = _code(body) == trial.code
        if status == 200 and echoed:
            return Result(trial, True, status, "200 with the code")
        what = f"{status}" if status != 200 else '200, but not {"verification_code": …} with the code'
        return Result(trial, False, status, f"{what}: {trial.weakness}")
    if accepted == trial.takes and (accepted or 400 <= status < 500):
        return Result(trial, True, status, f"{status}, as it should")
    if not accepted and not trial.takes:
        return Result(trial, False, status, f"{status}: it was refused, but not with a 4xx")
    return Result(trial, False, status, f"{status}: {trial.weakness}")


def untried(trial: Trial) -> Result:
    """The result of a trial that was not made, because nothing answered to those before it."""
    return Result(trial, False, None, "not tried: nothing answers")


def together(results: Sequence[Result]) -> list[Result]:
    """The results, where what one of them explains is not explained otherwise by the others."""
    taken = {item.trial.name for item in results if not item.passed and 200 <= (item.status or 0) < 300}
    if not taken >= {"flipped byte", "wrong secret"}:
        return list(results)
    follows = taken - {"flipped byte", "url verification"}
    said = "it does not look at the signature"
    return [
        replace(item, said=f"{item.status}: {said}") if item.trial.name in follows else item
        for item in results
    ]


def score(results: Sequence[Result]) -> str:
    """`6 of 8 passed`."""
    return f"{sum(result.passed for result in results)} of {len(results)} passed"


def _signed(timestamp: str, signature: str) -> Headers:
    return (_CONTENT_TYPE, (TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature))


def _code(body: bytes) -> object:
    try:
        found = jsontext.parse(body)
    except ValueError:
        return None
    return found.get("verification_code") if isinstance(found, dict) else None
