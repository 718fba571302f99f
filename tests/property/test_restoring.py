"""What was kept of a sent request makes the same request again, and what was not kept is named."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core.config import Secret, Target
from statsig_tui.core.records import SentDetail, SentRecord
from statsig_tui.core.redact import Redactor
from statsig_tui.core.request import Request, Shape
from statsig_tui.core.restoring import Restored, restored
from statsig_tui.engine.outcome import PROGRAM
from statsig_tui.engine.target import request_for

KEY = "secret-" + "k" * 43
TARGET = Target("mine", "http://127.0.0.1:7/base", Secret.of(KEY), headers={"X-Team": "a", "X-Env": "b"})
REDACT = Redactor([KEY])
lines = st.lists(
    st.sampled_from(
        ["X-A: 1", "X-A: 2", "x-a: 3", "X-B;", "X-B: caf\xe9", "X-Team:", "X-Team: a", "X-Env: other",
         "Accept:", "User-Agent: mine", "Content-Type:", "Content-Type: text/plain", "STATSIG-API-KEY:",
         "Transfer-Encoding: chunked", "no header at all", ""]
    ),
    max_size=6,
).map("\n".join)  # fmt: skip


def kept(request: Request) -> SentDetail:
    """What the store keeps of it."""
    record = SentRecord(1, 1, 0, TARGET.name, REDACT(request.url), "e", 2, 202, None, "answered", 1.0, None)
    headers = REDACT.pairs(request.headers)
    return SentDetail(record, headers, request.body, (), b"", False, method=request.method)


def found(request: Request, target: Target = TARGET) -> Restored:
    usual = request_for(target, b"")
    masked = Request(usual.method, REDACT(usual.url), REDACT.pairs(usual.headers), b"")
    return restored(kept(request), masked, PROGRAM)


@settings(max_examples=300, deadline=None)
@given(
    headers=lines,
    method=st.sampled_from(["", "PUT", "x-own"]),
    path=st.sampled_from(["", "/", "/a?b=[1]", "/%zz/../\xe9"]),
)
@example(headers="X-Team: a\nX-A: 1\nX-Team: a", method="", path="")
def test_the_same_request_is_made_again(headers: str, method: str, path: str) -> None:
    request = request_for(TARGET, b"{}", shape=Shape(method, path, headers))
    it = found(request)
    assert it.missing == ()
    again = request_for(TARGET, b"{}", shape=it.shape)
    assert (again.method, again.url, again.body) == (request.method, request.url, request.body)
    assert by_name(again) == by_name(request)


def by_name(request: Request) -> dict[str, list[str]]:
    """The values of each header in their order; the order of different ones means nothing to HTTP."""
    return {
        name: [value for given_name, value in request.headers if given_name.lower() == name]
        for name in {given_name.lower() for given_name, _ in request.headers}
    }


def test_a_plain_request_asks_for_nothing() -> None:
    assert found(request_for(TARGET, b"{}")) == Restored(Shape())


def test_secrets_were_not_kept_and_are_named() -> None:
    shape = Shape(
        "PUT",
        "/v1/rgstr?k=client-abcdefghijkl",
        "STATSIG-API-KEY: client-abcdefghijkl\nCookie: c\nX-A: secret-abcdefghijkl\nX-B: b",
    )
    it = found(request_for(TARGET, b"{}", shape=shape))
    assert it.missing == ("STATSIG-API-KEY", "Cookie", "X-A", "the path")
    assert it.shape == Shape("PUT", "", "X-B: b")


def test_another_version_of_the_program_asks_for_nothing_else() -> None:
    request = request_for(TARGET, b"{}", shape=Shape(headers="User-Agent: statsig-tui/0.0.1"))
    assert found(request).shape == Shape()
