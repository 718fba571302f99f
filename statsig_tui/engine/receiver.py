"""The endpoint that destinations point at: keep everything that arrives whole, judge it, answer.

Order and answers: reliability.md, decisions and §2.1–2.3. A 2xx is sent after the commit.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from statsig_tui.core import jsontext
from statsig_tui.core.config import ReceiverConfig
from statsig_tui.core.envelope import Content, NotABatch, Verification, decode, listed
from statsig_tui.core.programs import Course, Step
from statsig_tui.core.records import Captured, Headers
from statsig_tui.core.redact import Redactor
from statsig_tui.core.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    SignatureState,
    SignatureVerdict,
    verify,
)
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.framing import Limits, Refusal
from statsig_tui.engine.http import (
    CLOSE,
    SENDER,
    BodyRefused,
    ClientGone,
    Heads,
    Receive,
    Scope,
    Send,
    Sender,
    answer,
    decoded_body,
    first_of_each,
    peer,
    read_body,
    respond,
)
from statsig_tui.engine.room import off_loop
from statsig_tui.errors import StatsigTuiError

LARGE = 256 * 1024
"""Bytes from which a body is parsed and verified off the loop."""
_JSON: Headers = (("content-type", "application/json"),)
_BODYLESS = (204, 304)
_BROWSER = "browser_request"
_SIGNATURE = SIGNATURE_HEADER.lower().encode()
_TIMESTAMP = TIMESTAMP_HEADER.lower().encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver says, and the fault it names; None: a request as it should be."""

    status: int
    body: bytes
    fault: str | None = None
    headers: Headers = _JSON
    program: str | None = None
    """The step of the response program that it is."""


def receiver(
    *,
    clock: Clock,
    settings: Callable[[], ReceiverConfig],
    secrets: Callable[[], tuple[str, ...]],
    redact: Callable[[], Redactor],
    record: Callable[[Captured], Awaitable[object]],
    refused: Callable[[Refusal], None],
    limits: Limits,
    course: Callable[[], Course | None] = lambda: None,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application; `secrets` are all that may have signed, `refused` hears of what is not kept.

    `course` is the response program that runs. A capture is committed before its step is acted out.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            body = await read_body(scope, receive, limits)
        except ClientGone:
            return
        except BodyRefused as error:
            refused(Refusal(peer(scope), error.status, error.code, error.message))
            await respond(send, error.status, error_body(error.code, error.message), [CLOSE])
            return
        now = clock.now()
        judge = _Judge(settings(), secrets(), now, limits.body_bytes)
        if len(body) > LARGE:
            content, verdict, judged = await off_loop(judge, scope, body)
        else:
            content, verdict, judged = judge(scope, body)
        running = course()
        step = None if running is None else _step(running, scope, content, judged)
        if step is not None:
            judged = _by_program(step, judged)
        captured = _captured(scope, body, content, verdict, judged, now, started, redact())
        try:
            await record(captured)
        except StatsigTuiError as error:
            refusal = Refusal(captured.peer, 503, "not_stored", f"Not kept: {error.message}")
            refused(refusal)
            body = error_body(refusal.code, refusal.message)
            await respond(send, 503, body, [(b"retry-after", b"5")])
            return
        if step is None:
            await answer(scope, send, judged.status, judged.body)
        else:
            await _act_out(step, judged, scope, send)

    return application


def _step(course: Course, scope: Scope, content: Content, judged: Answer) -> Step | None:
    """What the program has for a request; a verification it answers only where it names the path."""
    if judged.fault == _BROWSER:
        return None
    path = scope["raw_path"].decode("latin-1")
    return course.next(path, named=isinstance(content, Verification))


def _by_program(step: Step, usual: Answer) -> Answer:
    """The answer a step makes of the usual one; of a fault is told all the same."""
    word = step.word
    if step.answer == "usual":
        return replace(usual, program=word)
    if not isinstance(step.answer, int):
        return Answer(0, b"", usual.fault, (), word)
    if step.body is not None:
        body = step.body.encode()
    elif step.answer < 300:
        body = jsontext.dump({"success": True})
    else:
        body = error_body("by_program", f"The response program answers {step.answer}.")
    if step.answer in _BODYLESS:
        return Answer(step.answer, b"", usual.fault, step.headers, word)
    named = any(name.lower() == "content-type" for name, _ in step.headers)
    own = step.headers if named else (("content-type", step.content_type), *step.headers)
    return Answer(step.answer, body, usual.fault, own, word)


async def _act_out(step: Step, made: Answer, scope: Scope, send: Send) -> None:
    """Let the sender wait and answer it, or not."""
    sender: Sender = scope["extensions"][SENDER]
    if step.delay_ms and not await sender.keep_waiting(step.delay_ms / 1000):
        return
    if step.answer == "hang":
        await sender.keep_waiting(None)
    elif step.answer == "cut":
        sender.cut()
    else:
        headers = [(name.encode(), value.encode()) for name, value in made.headers]
        if made.status not in _BODYLESS:
            headers.append((b"content-length", b"%d" % len(made.body)))
        await send({"type": "http.response.start", "status": made.status, "headers": headers})
        await send({"type": "http.response.body", "body": made.body})


def error_body(code: str, message: str) -> bytes:
    """The receiver's error envelope."""
    return jsontext.dump({"error": {"code": code, "message": message}})


@dataclass(slots=True)
class _Judge:
    settings: ReceiverConfig
    secrets: tuple[str, ...]
    now: int
    limit: int

    def __call__(self, scope: Scope, body: bytes) -> tuple[Content, SignatureVerdict, Answer]:
        heads = first_of_each(scope)
        verdict = self._signature(scope, heads, body)
        content: Content
        try:
            encoding = _encoding(heads)
            content = decode(decoded_body(body, encoding, self.limit) if body and encoding else body)
        except BodyRefused as error:
            content = NotABatch(error.status, error.code, error.message)
        return content, verdict, self._answer(heads, body, content, verdict)

    def _signature(self, scope: Scope, heads: Heads, body: bytes) -> SignatureVerdict:
        names = [name for name, _ in scope["headers"]]
        if names.count(_SIGNATURE) > 1 or names.count(_TIMESTAMP) > 1:
            return SignatureVerdict(
                SignatureState.INVALID, "bad_signature_format", "a signature header was sent twice"
            )
        signature = heads.get(_SIGNATURE)
        if not self.secrets and signature is None:
            return SignatureVerdict(
                SignatureState.UNCHECKED, "unverified", "not signed, and no signing secret is known here"
            )
        return verify(
            self.secrets,
            signature,
            heads.get(_TIMESTAMP),
            body,
            self.now,
            self.settings.tolerance_seconds,
        )

    def _answer(self, heads: Heads, body: bytes, content: Content, verdict: SignatureVerdict) -> Answer:
        if not self.settings.allow_browsers and is_foreign_browser(heads):
            return _error(
                403,
                _BROWSER,
                "A web page sent this. Set allow_browsers under [receiver] to take such requests.",
            )
        if isinstance(content, Verification):
            return Answer(200, jsontext.dump({"verification_code": content.code}))
        signed = verdict.state is SignatureState.VALID
        fault = None if signed or verdict.state is SignatureState.UNCHECKED else verdict.code
        if fault is not None and self.settings.signature == "enforce":
            return _error(401, fault, f"Signature refused: {verdict.reason}.")
        if body and not signed and not _is_json(heads.get(b"content-type")):
            return _error(415, "not_json", "An unsigned request must say Content-Type: application/json.")
        if isinstance(content, NotABatch):
            return _error(content.status, content.code, content.message)
        if content.rejected:
            places = ", ".join(str(index) for index in content.rejected[:5])
            fault = fault or f"items that are no events: {places}"
        return Answer(200, _stored(len(content.events), len(content.rejected)), fault)


@lru_cache(maxsize=256)
def _stored(events: int, rejected: int) -> bytes:
    counts = {"success": True, "stored": events}
    return jsontext.dump(counts | {"rejected": rejected} if rejected else counts)


def is_foreign_browser(heads: Heads) -> bool:
    """Whether a page of another site sent a request: judged by Origin and Sec-Fetch-Site alone."""
    if heads.get(b"sec-fetch-site") == b"cross-site":
        return True
    origin = heads.get(b"origin")
    if origin is None:
        return False
    _, _, authority = origin.partition(b"://")
    return authority.lower() != heads.get(b"host", b"").lower()


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, error_body(code, message), code)


def _is_json(content_type: bytes | None) -> bool:
    kind = (content_type or b"").split(b";")[0].strip().lower()
    return kind == b"application/json" or kind.endswith(b"+json")


def _encoding(heads: Heads) -> str | None:
    value = heads.get(b"content-encoding")
    return value.decode("latin-1") if value is not None else None


def _captured(
    scope: Scope,
    body: bytes,
    content: Content,
    verdict: SignatureVerdict,
    answer: Answer,
    now: int,
    started: float,
    redact: Redactor,
) -> Captured:
    query = scope["query_string"]
    path = scope["raw_path"].decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    heads = first_of_each(scope)
    signature, timestamp = heads.get(_SIGNATURE), heads.get(_TIMESTAMP)
    envelope, events = listed(content)
    return Captured(
        at=now,
        method=scope["method"],
        path=redact(path),
        http_version=scope["http_version"],
        peer=peer(scope),
        headers=redact.pairs((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]),
        body=body,
        envelope=envelope,
        events=events,
        signature=signature.decode("latin-1") if signature is not None else None,
        timestamp=timestamp.decode("latin-1") if timestamp is not None else None,
        verdict=verdict,
        status=answer.status,
        fault=answer.fault,
        answer_headers=answer.headers,
        answer_body=answer.body,
        ms=(time.perf_counter() - started) * 1000,
        program=answer.program,
    )
