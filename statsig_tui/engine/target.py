"""How an incoming event is posted to a target: URL, headers, exactly the given bytes, once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from statsig_tui.core.config import Target
from statsig_tui.core.records import Headers
from statsig_tui.core.request import POST, Request, Shape, with_lines, with_path
from statsig_tui.engine.sender import Outcome, Sender, with_own

ENDPOINT = "/v1/webhooks/event_webhook"
TIMEOUT_SECONDS = 15.0
"""For all of a request and its answer."""


def endpoint(target: Target) -> str:
    """The URL that a target's incoming events are posted to."""
    return target.url.rstrip("/") + ENDPOINT


def request_for(
    target: Target, body: bytes, *, headers: Sequence[tuple[str, str]] = (), shape: Shape | None = None
) -> Request:
    """The whole request: content type, the target's key and headers, `headers`, then what the shape asks."""
    shape = shape or Shape()
    key = target.key.value if target.key is not None else None
    usual = [("Content-Type", "application/json"), *([("STATSIG-API-KEY", key)] if key else [])]
    given = {name.lower() for name, _ in headers}
    own = [(name, value) for name, value in (*usual, *target.headers.items()) if name.lower() not in given]
    url = with_path(target.url, shape.path) if shape.path else endpoint(target)
    complete = with_lines(with_own([*own, *headers]), shape.headers)
    return Request(shape.method.upper() or POST, url, complete, body)


async def send_once(request: Request, seconds: float) -> Outcome:
    """Send a request exactly as it is, on a connection of its own, so that it is never repeated."""
    sender = Sender(keep_alive=False, credential="server secret")
    try:
        return await sender.send_exactly(request, seconds)
    finally:
        await sender.close()


class Post(Protocol):
    """Posts to one target: a body, headers beside the target's own, and how long to wait for all of it."""

    async def __call__(self, body: bytes, headers: Headers = (), seconds: float = TIMEOUT_SECONDS) -> Outcome:
        """Exactly these bytes, once: never repeated by itself."""


@contextlib.asynccontextmanager
async def posting(target: Target, shape: Shape | None = None) -> AsyncIterator[Post]:
    """A way to post incoming events to a target, each over a connection of its own."""
    sender = Sender(keep_alive=False, credential="server secret")

    async def post(body: bytes, headers: Headers = (), seconds: float = TIMEOUT_SECONDS) -> Outcome:
        request = request_for(target, body, headers=headers, shape=shape)
        return await sender.send_exactly(request, seconds)

    try:
        yield post
    finally:
        await sender.close()
