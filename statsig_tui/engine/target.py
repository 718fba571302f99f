"""How an incoming event is posted to a target: URL, headers, exactly the given bytes, once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from statsig_tui.core.config import Target
from statsig_tui.core.records import Headers
from statsig_tui.engine.sender import Outcome, Sender

ENDPOINT = "/v1/webhooks/event_webhook"
TIMEOUT_SECONDS = 15.0
"""For all of a request and its answer."""


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


class Post(Protocol):
    """Posts to one target: a body, headers beside the target's own, and how long to wait for all of it."""

    async def __call__(self, body: bytes, headers: Headers = (), seconds: float = TIMEOUT_SECONDS) -> Outcome:
        """Exactly these bytes, once: never repeated by itself."""


@contextlib.asynccontextmanager
async def posting(target: Target) -> AsyncIterator[Post]:
    """A way to post incoming events to a target, each over a connection of its own."""
    sender = Sender(keep_alive=False)
    url = endpoint(target)

    async def post(body: bytes, headers: Headers = (), seconds: float = TIMEOUT_SECONDS) -> Outcome:
        return await sender.send("POST", url, request_headers(target, headers), body, seconds)

    try:
        yield post
    finally:
        await sender.close()


async def post_to(
    target: Target, body: bytes, *, headers: Sequence[tuple[str, str]] = (), seconds: float = TIMEOUT_SECONDS
) -> Outcome:
    """Post one incoming event to a target."""
    async with posting(target) as post:
        return await post(body, tuple(headers), seconds)
