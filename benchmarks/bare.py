"""What capture is measured against: uvicorn with httptools, reading a body and answering 200."""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any

import uvicorn

_HEAD = (b"content-type", b"application/json")
_OK = b'{"success":true}'
_posts: list[float] = []
"""When each came, by perf_counter(), until they are asked for with GET and forgotten with DELETE."""


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, answer 200."""
    while (await receive()).get("more_body"):
        pass
    body = _OK
    if scope["method"] == "POST":
        _posts.append(time.perf_counter())
    elif scope["method"] == "GET":
        first, last = (_posts[0], _posts[-1]) if _posts else (0, 0)
        body = json.dumps({"posts": len(_posts), "first": first, "last": last}).encode()
    else:
        _posts.clear()
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [_HEAD, length]})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Listen on a free port and say which."""
    # Without the protocol asyncio would set no TCP_NODELAY on what is accepted: 40 ms an answer.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sys.stdout.write(f"{sock.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        answer, http="httptools", loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False
    )
    uvicorn.Server(config).run(sockets=[sock])


if __name__ == "__main__":
    main()
