"""Statsig's side of the wire: take incoming events and SDK batches, answer as Statsig does.

Sources: statsig-wire.md §1, §3.3, §5; answers and browsers: reliability.md, decisions and §2.4.
Errors are `{"status", "message"}`; an acceptance is sent after the commit.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from statsig_tui.core import incoming, jsontext, sdk
from statsig_tui.core.config import EmulatorConfig
from statsig_tui.core.event import Event
from statsig_tui.core.redact import Redactor, mask_secret
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.framing import Limits, Refusal
from statsig_tui.engine.http import (
    CLOSE,
    BodyRefused,
    ClientGone,
    Receive,
    Scope,
    Send,
    decoded_body,
    header,
    headers_all,
    peer,
    read_body,
    respond,
    sniff_encoding,
)
from statsig_tui.engine.room import off_loop
from statsig_tui.errors import StatsigTuiError

TRACE_HEADER = b"x-statsig-tui-trace"
PASS_HEADER = b"x-statsig-tui-pass"
"""Of requests of our own: a word that says for whom their events are."""
LARGE = 256 * 1024
"""Bytes from which a body is parsed off the loop."""
_KEY = re.compile(r"(secret|client)-[\x21-\x7e]+")
_SUCCESS = b'{"success":true}'
_NO_UPDATES = b'{"has_updates":false}'
_SPECS = re.compile(r"/v[12]/download_config_specs(/[^/]*)?/?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_METHODS = {
    "/v1/webhooks/event_webhook": "POST",
    "/v1/log_event": "POST",
    "/v1/rgstr": "POST",
    "/v1/initialize": "POST",
    "/v1/get_id_lists": "POST",
}
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-max-age", b"600"),
    (b"access-control-allow-private-network", b"true"),
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a good request brought: its events, and what is worth saying about it."""

    events: Sequence[Event]
    fault: str | None = None


class Refused(Exception):
    """A request that is answered with an error in Statsig's envelope."""

    def __init__(self, status: int, message: str, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow


Accept = Callable[[str, Sequence[Event], str], Awaitable[object]]
"""Trace, events, and the pass that came with them; empty: none."""
Note = Callable[[str, str, int, str | None], Awaitable[None]]
"""Method, path, status, fault of a request that was not plainly accepted."""


class Emulator:
    """The ASGI application; hands what it accepted to `accept` and answers once that returned."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], EmulatorConfig],
        redact: Callable[[], Redactor],
        new_trace: Callable[[], str],
        new_uuid: Callable[[], str],
        accept: Accept,
        note: Note,
        refused: Callable[[Refusal], None],
        limits: Limits,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._redact = redact
        self._new_trace = new_trace
        self._new_uuid = new_uuid
        self._accept = accept
        self._note = note
        self._refused = refused
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = self._shown_path(scope)
        extra: list[tuple[bytes, bytes]] = []
        fault: str | None = None
        try:
            self._check_host(scope)
            extra += self._cors(scope)
            status, body, fault = await self._route(scope, receive, extra)
        except ClientGone:
            return
        except BodyRefused as error:
            # The answer comes before the body was read to its end: the connection cannot go on.
            extra.append(CLOSE)
            status, body, fault = error.status, error_body(error.status, error.message), error.message
        except Refused as error:
            if error.allow:
                extra.append((b"allow", error.allow.encode()))
            status, body, fault = error.status, error_body(error.status, error.message), error.message
        except StatsigTuiError as error:
            extra.append((b"retry-after", b"5"))
            status, body, fault = 503, error_body(503, f"Not stored: {error.message}"), "not stored"
            self._refused(Refusal(peer(scope), 503, "not_stored", f"Not stored: {error.message}"))
        if status != 503 and (fault is not None or status not in (202, 204)):
            try:
                await self._note(scope["method"], path, status, self._redact()(fault) if fault else None)
            except StatsigTuiError as error:
                words = f"{fault or 'A poll'} (not noted: {error.message})"
                self._refused(Refusal(peer(scope), status, "not_stored", self._redact()(words)))
        await respond(send, status, body, extra)

    async def _route(
        self, scope: Scope, receive: Receive, extra: list[tuple[bytes, bytes]]
    ) -> tuple[int, bytes, str | None]:
        path, method = scope["path"], scope["method"]
        if method == "OPTIONS" and header(scope, b"origin") is not None:
            return 204, b"", None
        if _SPECS.fullmatch(path):
            await self._read(scope, receive, {"GET", "POST"})
            return 200, _NO_UPDATES, None
        if path == "/" and method == "GET":
            return 200, jsontext.dump({"name": "statsig-tui emulator", "healthy": True}), None
        wanted = _METHODS.get(path)
        if wanted is None:
            raise Refused(404, "Not found: events go to POST /v1/webhooks/event_webhook or /v1/log_event.")
        raw = await self._read(scope, receive, {wanted})
        if path == "/v1/initialize":
            return 200, _NO_UPDATES, None
        if path == "/v1/get_id_lists":
            return 200, b"{}", None
        self._check_key(scope)
        takes_sdk = path != "/v1/webhooks/event_webhook"
        read = self._sdk if takes_sdk else self._incoming
        accepted = await off_loop(read, scope, raw) if len(raw) > LARGE else read(scope, raw)
        if accepted.events:
            trace = self._new_trace()
            given = (header(scope, PASS_HEADER) or b"").decode("latin-1")
            await self._accept(trace, accepted.events, given)
            extra.append((TRACE_HEADER, trace.encode()))
        return 202, _SUCCESS, accepted.fault

    async def _read(self, scope: Scope, receive: Receive, methods: set[str]) -> bytes:
        if scope["method"] not in methods:
            allow = ", ".join(sorted(methods))
            raise Refused(405, f"{scope['method']} is not allowed here: use {allow}.", allow)
        return await read_body(scope, receive, self._limits)

    def _incoming(self, scope: Scope, wire: bytes) -> Accepted:
        raw, body = self._json(scope, wire)
        found = incoming.problems(body)
        fault = found[0].message if found else None
        if fault is not None and self._settings().strict:
            raise Refused(400, f"Bad request: {fault}")
        if not isinstance(body, dict) or ("event" not in body and ("events" in body or "data" in body)):
            return Accepted((), f"accepted, but Statsig would likely drop this: {fault}")
        event = incoming.to_event(raw, body, now=self._clock.now(), time_uuid=self._new_uuid())
        note = f"accepted, but Statsig would likely drop this: {fault}" if fault else None
        return Accepted((event,), note)

    def _sdk(self, scope: Scope, wire: bytes) -> Accepted:
        raw, body = self._json(scope, wire)
        problem = sdk.problem(body)
        if problem is not None:
            raise Refused(400, f"Bad request: {problem}")
        stamp = header(scope, b"statsig-client-time") or b""
        batch = sdk.to_events(
            raw,
            now=self._clock.now(),
            client_time=int(stamp) if stamp.isdigit() and len(stamp) <= 16 else None,
            known_experiments=self._settings().known_experiments,
            new_uuid=self._new_uuid,
        )
        if not batch.rejected:
            return Accepted(batch.events)
        places = ", ".join(str(index) for index in batch.rejected[:5])
        return Accepted(batch.events, f"events: not objects at {places}")

    def _json(self, scope: Scope, wire: bytes) -> tuple[bytes, object]:
        """The JSON text of a body, unpacked, and its value; whatever the Content-Type says (§5)."""
        query = _query(scope)
        encoding = (header(scope, b"content-encoding") or b"").decode("latin-1").strip().lower()
        if not encoding or encoding == "identity":
            # gz=1 announces gzip without a header; and some senders announce nothing at all.
            encoding = "gzip" if query.get("gz") == "1" else sniff_encoding(wire) or "identity"
            if encoding == "gzip" and sniff_encoding(wire) != "gzip":
                encoding = "identity"
        try:
            raw = decoded_body(wire, encoding, self._limits.body_bytes) if wire else wire
        except BodyRefused as error:
            raise Refused(error.status, error.message) from None
        if query.get("se") == "1":
            try:
                raw = sdk.unscramble(raw)
            except ValueError as error:
                raise Refused(400, f"Bad request: {error}") from None
        try:
            return jsontext.without_bom(raw), jsontext.parse(raw)
        except jsontext.JsonError as error:
            raise Refused(400, f"Bad request: {error.message}") from None

    def _check_key(self, scope: Scope) -> None:
        given = headers_all(scope, b"statsig-api-key")
        in_query = _query(scope).get("k")
        if not given and in_query and scope["path"] == "/v1/rgstr":
            given = [in_query.encode()]
        if not given:
            hint = " A key in the query is not read here." if in_query else ""
            raise Refused(401, f"Unauthorized: the header STATSIG-API-KEY is missing.{hint}")
        if len(given) > 1:
            raise Refused(401, "Unauthorized: STATSIG-API-KEY was sent twice.")
        key = given[0].strip(b" \t").decode("latin-1")
        shown = mask_secret(key) if _KEY.fullmatch(key) else "it"
        kinds = ("secret-", "client-") if scope["path"] != "/v1/webhooks/event_webhook" else ("secret-",)
        if not _KEY.fullmatch(key) or not key.startswith(kinds):
            raise Refused(
                401, f"Unauthorized: STATSIG-API-KEY must be a {' or '.join(f'{k}…' for k in kinds)} key."
            )
        allowed = [item.value for item in self._settings().keys if item.value]
        if self._settings().keys and not any(
            # A list, so that every key is compared whatever the first ones gave.
            [hmac.compare_digest(key.encode("latin-1"), known.encode()) for known in allowed]  # noqa: C419
        ):
            raise Refused(401, f"Unauthorized: {shown} is none of the emulator's keys.")

    def _check_host(self, scope: Scope) -> None:
        host = (header(scope, b"host") or b"").strip(b" \t").decode("latin-1").lower()
        settings = self._settings()
        name = host
        if not host.endswith("]") and host.rpartition(":")[2].isdigit():
            name = host.rpartition(":")[0]
        if name in _LOOPBACK or name in settings.allowed_hosts or host in settings.allowed_hosts:
            return
        raise Refused(403, "Host not allowed: use 127.0.0.1, or name it under allowed_hosts of [emulator].")

    def _cors(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Headers for a page that may call; raises for one that may not. The Origin alone decides."""
        origin = header(scope, b"origin")
        if origin is None:
            if header(scope, b"sec-fetch-site") == b"cross-site":
                raise Refused(403, "A web page of another site sent this without saying which.")
            return []
        text = origin.decode("latin-1")
        if _host_of(text) not in _LOOPBACK and text not in self._settings().cors_origins:
            raise Refused(403, "Origin not allowed: name it under cors_origins of [emulator].")
        allowed = [(b"access-control-allow-origin", origin), (b"vary", b"origin")]
        if scope["method"] == "OPTIONS":
            wanted = header(scope, b"access-control-request-headers") or b"content-type, statsig-api-key"
            allowed += [*_PREFLIGHT, (b"access-control-allow-headers", wanted)]
        else:
            allowed.append((b"access-control-expose-headers", TRACE_HEADER))
        return allowed

    def _shown_path(self, scope: Scope) -> str:
        """The request's path without keys: they stand in the path of config polls and in `k=` (§5)."""
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        specs = re.fullmatch(r"(/v[12]/download_config_specs/)([^/]+?)(\.json|%2ejson)?", path, re.IGNORECASE)
        if specs:
            path = f"{specs[1]}{mask_secret(specs[2])}{specs[3] or ''}"
        query = re.sub(r"(^|&)(k|key|apikey|sdkkey)=([^&]*)", _masked_parameter, query, flags=re.IGNORECASE)
        return self._redact()(path + (f"?{query}" if query else ""))


def error_body(status: int, message: str) -> bytes:
    """Statsig's error envelope (§1)."""
    return jsontext.dump({"status": status, "message": message})


def _host_of(origin: str) -> str:
    try:
        return (urlsplit(origin).hostname or "") if "://" in origin else ""
    except ValueError:
        return ""


def _masked_parameter(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}={mask_secret(match[3])}"


def _query(scope: Scope) -> dict[str, str]:
    raw = scope["query_string"].decode("latin-1")
    return {name: values[-1] for name, values in parse_qs(raw).items()} if raw else {}
