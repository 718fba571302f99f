"""What both endpoints do with ASGI: read a body within limits, inflate it, answer JSON."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import brotli
import zstandard
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from statsig_tui.engine.framing import Limits, RefusedError, body_too_large

__all__ = [
    "AT_ONCE",
    "CLOSE",
    "SENDER",
    "WHOLE",
    "ASGIApp",
    "BodyRefused",
    "ClientGone",
    "Heads",
    "Receive",
    "Scope",
    "Send",
    "Sender",
    "answer",
    "decoded_body",
    "error_json",
    "first_of_each",
    "header",
    "headers_all",
    "json_head",
    "peer",
    "read_body",
    "respond",
    "sniff_encoding",
]

Heads = Mapping[bytes, bytes]
"""Headers by lower-case name."""
CLOSE = (b"connection", b"close")
"""For answers to a request whose framing is in doubt or whose body was not read."""
WHOLE = "statsig_tui.whole"
"""Extension of the scope: whether all of the body is here already, so that no deadline has to be set."""
AT_ONCE = "statsig_tui.at_once"
"""Extension of the scope: writes a JSON answer in one piece; False where it has to be sent as usual."""
SENDER = "statsig_tui.sender"
"""Extension of the scope: the Sender of the request."""
_SLICE = 8 * 1024
"""How much is inflated from at a time, and"""
_PIECE = 32 * 1024
"""how much to: the most that comes out beyond the limit before it is noticed."""
_ZSTD_WINDOW = 8 * 1024 * 1024
"""What RFC 9659 lets a sender ask of a receiver; the frame's own wish could be gigabytes."""


class Sender(Protocol):
    """Who waits for an answer, and may get none."""

    async def keep_waiting(self, seconds: float | None) -> bool:
        """Let it wait, for ever with None; whether it still does. Ends when the server stops."""

    def cut(self) -> None:
        """End its connection."""


class BodyRefused(RefusedError):
    """A body that is not taken: status, code and message of the answer."""


class ClientGone(Exception):
    """The peer left before its body had arrived; the server has already told `on_refused`."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def first_of_each(scope: Scope) -> Heads:
    """The first header of each name, for who asks for several."""
    return dict(reversed(scope["headers"]))


def peer(scope: Scope) -> str:
    """Who sent it: the socket's other end, whatever a header says."""
    client = scope["client"]
    return f"{client[0]}:{client[1]}" if client else ""


def headers_all(scope: Scope, name: bytes) -> list[bytes]:
    """Every header of that lower-case name, in order."""
    return [value for key, value in scope["headers"] if key == name]


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The whole body as it came over the wire; BodyRefused (413, 408) or ClientGone."""
    is_whole = scope.get("extensions", {}).get(WHOLE)
    if is_whole is not None and is_whole():
        return _within(await receive(), limits)
    loop = asyncio.get_running_loop()
    end = loop.time() + limits.body_total_seconds
    whole = bytearray()
    try:
        async with asyncio.timeout(min(limits.body_idle_seconds, limits.body_total_seconds)) as timer:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                part: bytes = message.get("body", b"")
                if len(whole) + len(part) > limits.body_bytes:
                    raise BodyRefused(*body_too_large(limits))
                if not message.get("more_body", False):
                    return bytes(whole + part) if whole else part
                whole += part
                timer.reschedule(min(end, loop.time() + limits.body_idle_seconds))
    except TimeoutError:
        late = loop.time() >= end
        seconds = limits.body_total_seconds if late else limits.body_idle_seconds
        reason = f"The body was not whole after {seconds:g} seconds."
        if not late:
            reason = f"No more of the body came for {seconds:g} seconds."
        raise BodyRefused(408, "body_timeout", reason) from None


def _within(message: Message, limits: Limits) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message["body"]
    if len(body) > limits.body_bytes:
        raise BodyRefused(*body_too_large(limits))
    return body


def error_json(status: int, code: str, message: str) -> bytes:
    """The receiver's error body."""
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def json_head(body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers every JSON answer has."""
    return [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
    ]


async def respond(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with a JSON body."""
    await send({"type": "http.response.start", "status": status, "headers": [*json_head(body), *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer(scope: Scope, send: Send, status: int, body: bytes) -> None:
    """As respond(), by the shortest way there is to the wire."""
    at_once = scope["extensions"].get(AT_ONCE) if "extensions" in scope else None
    if at_once is None or not at_once(status, body):
        await respond(send, status, body)


def sniff_encoding(raw: bytes) -> str | None:
    """The encoding a body's first bytes betray, where the header does not say."""
    if raw.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if raw.startswith(b"\x28\xb5\x2f\xfd") else None


def decoded_body(raw: bytes, encoding: str | None, limit: int) -> bytes:
    """The body without its Content-Encoding, of at most `limit` bytes; BodyRefused (413, 400, 415)."""
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        pieces: Iterator[bytes] = iter((raw,))
    elif name in {"gzip", "x-gzip"}:
        pieces = _zlib_pieces(raw, 31)
    elif name == "deflate":
        # Some senders leave out the zlib header the RFC asks for.
        has_header = len(raw) > 1 and raw[0] & 15 == 8 and int.from_bytes(raw[:2], "big") % 31 == 0
        pieces = _zlib_pieces(raw, 15 if has_header else -15)
    elif name == "br":
        pieces = _brotli_pieces(raw)
    elif name == "zstd":
        pieces = _zstd_pieces(raw)
    else:
        raise BodyRefused(
            415,
            "unsupported_encoding",
            "Content-Encoding must be one of gzip, deflate, br, zstd and identity, and only one.",
        )
    whole = []
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > limit:
                raise BodyRefused(413, "inflated_too_large", f"The body inflates to over {limit} bytes.")
            whole.append(piece)
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
        raise BodyRefused(400, "bad_encoding", f"The body is not valid or not whole {name} data.") from None
    return whole[0] if len(whole) == 1 else b"".join(whole)


def _zlib_pieces(raw: bytes, wbits: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits)
    fed = 0
    while fed < len(raw) and not inflate.eof:
        rest = raw[fed : fed + _SLICE]
        fed += len(rest)
        while rest and not inflate.eof:
            yield inflate.decompress(rest, _PIECE)
            rest = inflate.unconsumed_tail
    yield inflate.flush()
    if not inflate.eof or inflate.unused_data or fed < len(raw):
        raise EOFError


def _brotli_pieces(raw: bytes) -> Iterator[bytes]:
    inflate = brotli.Decompressor()
    for start in range(0, len(raw), _SLICE):
        yield inflate.process(raw[start : start + _SLICE], output_buffer_limit=_PIECE)
        while not inflate.can_accept_more_data():
            yield inflate.process(b"", output_buffer_limit=_PIECE)
    while not inflate.is_finished():
        piece = inflate.process(b"", output_buffer_limit=_PIECE)
        if not piece:
            raise EOFError
        yield piece


def _zstd_pieces(raw: bytes) -> Iterator[bytes]:
    # The stream reader ends a frame that was cut off without a word, so the blocks are counted first.
    _check_zstd_whole(raw)
    reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(raw)
    while piece := reader.read(_PIECE):
        yield piece


def _check_zstd_whole(raw: bytes) -> None:
    """Raise EOFError unless the bytes are one frame from end to end (RFC 8878 §3.1.1)."""
    frame = zstandard.get_frame_parameters(raw)
    place = zstandard.frame_header_size(raw)
    last = False
    while not last:
        block = raw[place : place + 3]
        if len(block) < 3:
            raise EOFError
        head = int.from_bytes(block, "little")
        last = bool(head & 1)
        is_run = (head >> 1) & 3 == 1
        place += 3 + (1 if is_run else head >> 3)
    if place + (4 if frame.has_checksum else 0) != len(raw):
        raise EOFError
