"""How an incoming event is posted to a target: URL, headers, exactly the given bytes, once."""

from __future__ import annotations

from collections.abc import Sequence

from statsig_tui.core.config import Target
from statsig_tui.core.records import Headers
from statsig_tui.engine.sender import Outcome, Sender

ENDPOINT = "/v1/webhooks/event_webhook"


def endpoint(target: Target) -> str:
    """The URL that a target's incoming events are posted to."""
    return target.url.rstrip("/") + ENDPOINT


def request_headers(target: Target, extra: Sequence[tuple[str, str]] = ()) -> Headers:
    """What is sent beside an incoming event: content type, the target's key and headers, then `extra`."""
    key = target.key.value if target.key is not None else None
    own: list[tuple[str, str]] = [("Content-Type", "application/json")]
    if key:
        own.append(("STATSIG-API-KEY", key))
    own += target.headers.items()
    given = {name.lower() for name, _ in extra}
    return (*((name, value) for name, value in own if name.lower() not in given), *extra)


async def post_to(
    target: Target, body: bytes, *, headers: Sequence[tuple[str, str]] = (), seconds: float = 15.0
) -> Outcome:
    """Post an incoming event to a target, exactly these bytes, once: never repeated by itself."""
    sender = Sender(keep_alive=False, credential="server secret")
    try:
        return await sender.send("POST", endpoint(target), request_headers(target, headers), body, seconds)
    finally:
        await sender.close()
