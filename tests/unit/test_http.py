"""Bodies within limits, inflated within limits; answers as both endpoints make them."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Iterable
from typing import Any

import brotli
import pytest
import zstandard

from statsig_tui.engine.framing import Limits
from statsig_tui.engine.http import (
    BodyRefused,
    ClientGone,
    Receive,
    decoded_body,
    header,
    headers_all,
    read_body,
    respond,
    sniff_encoding,
)

LIMITS = Limits(body_bytes=10, body_idle_seconds=0.05, body_total_seconds=0.2)
LIMIT = 1024 * 1024
TEXT = b'{"data":[]}' * 20_000
CODED = {
    "identity": TEXT,
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT, quality=4),
    "zstd": zstandard.ZstdCompressor().compress(TEXT),
}
BOMB = bytes(64 * LIMIT)
BOMBS = {
    "gzip": gzip.compress(BOMB, 1),
    "deflate": zlib.compress(BOMB, 1),
    "br": brotli.compress(BOMB, quality=1),
    "zstd": zstandard.ZstdCompressor(write_content_size=False).compress(BOMB),
}


def _receive(*messages: tuple[bytes, bool] | None, stalls: bool = False) -> Receive:
    """A peer that sends these parts, None meaning that it leaves, and then stalls or must not be asked."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if stalls and not left:
            await asyncio.Event().wait()
        message = left.pop(0)
        if message is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": message[0], "more_body": message[1]}

    return receive


@pytest.mark.parametrize(
    "parts",
    [
        [(b"0123456789", False)],
        [(b"01234", True), (b"", True), (b"56789", False)],
        [(b"0123456789", True), (b"", False)],
    ],
)
async def test_a_body_within_the_limit_is_joined(parts: list[tuple[bytes, bool]]) -> None:
    body = await read_body({}, _receive(*parts), LIMITS)
    assert body == b"0123456789"
    assert type(body) is bytes


async def test_a_body_over_the_limit_is_refused_before_its_end() -> None:
    with pytest.raises(BodyRefused) as caught:
        await read_body({}, _receive((b"01234", True), (b"567890", True)), LIMITS)
    assert (caught.value.status, caught.value.code) == (413, "body_too_large")
    assert "10 bytes" in caught.value.message


async def test_a_peer_that_leaves_is_gone() -> None:
    with pytest.raises(ClientGone):
        await read_body({}, _receive((b"01234", True), None), LIMITS)


async def test_a_body_that_stops_is_refused() -> None:
    with pytest.raises(BodyRefused) as caught:
        await read_body({}, _receive((b"01234", True), stalls=True), LIMITS)
    assert (caught.value.status, caught.value.code) == (408, "body_timeout")
    assert caught.value.message == "No more of the body came for 0.05 seconds."


async def test_a_body_that_drips_is_refused() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"", "more_body": True}

    with pytest.raises(BodyRefused) as caught:
        await read_body({}, receive, LIMITS)
    assert caught.value.message == "The body was not whole after 0.2 seconds."


async def test_a_timeout_of_the_caller_stays_the_callers() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await read_body({}, _receive(stalls=True), LIMITS)


def test_headers_are_found_by_name() -> None:
    scope = {"headers": [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]}
    assert header(scope, b"a") == b"1"
    assert header(scope, b"c") is None
    assert headers_all(scope, b"a") == [b"1", b"3"]
    assert headers_all(scope, b"c") == []


async def test_an_answer_is_json_with_a_length() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await respond(send, 202, b"{}", [(b"retry-after", b"1")])
    assert sent == [
        {
            "type": "http.response.start",
            "status": 202,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", b"2"),
                (b"x-content-type-options", b"nosniff"),
                (b"retry-after", b"1"),
            ],
        },
        {"type": "http.response.body", "body": b"{}"},
    ]


@pytest.mark.parametrize("name", CODED)
def test_a_body_is_inflated(name: str) -> None:
    assert decoded_body(CODED[name], f" {name.upper()} ", LIMIT) == TEXT
    assert decoded_body(CODED[name], name, len(TEXT)) == TEXT


def test_inflating_knows_the_names_senders_use() -> None:
    assert decoded_body(b"x", None, LIMIT) == b"x"
    assert decoded_body(b"", "", LIMIT) == b""
    assert decoded_body(CODED["gzip"], "x-gzip", LIMIT) == TEXT
    without_header = zlib.compressobj(wbits=-15)
    assert decoded_body(without_header.compress(TEXT) + without_header.flush(), "deflate", LIMIT) == TEXT


def test_incompressible_data_is_inflated() -> None:
    noise = b"".join(n.to_bytes(8, "big") for n in _noise(60_000))
    for name, compress in [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress),
    ]:
        assert decoded_body(compress(noise), name, LIMIT) == noise


def _noise(count: int) -> Iterable[int]:
    state = 1
    for _ in range(count):
        state = state * 6364136223846793005 + 1442695040888963407 & 0xFFFFFFFFFFFFFFFF
        yield state


@pytest.mark.parametrize("name", [*CODED, None])
def test_one_byte_over_the_limit_is_refused(name: str | None) -> None:
    with pytest.raises(BodyRefused) as caught:
        decoded_body(CODED[name or "identity"], name, len(TEXT) - 1)
    assert (caught.value.status, caught.value.code) == (413, "inflated_too_large")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_than_the_limit(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BodyRefused) as caught:
            decoded_body(BOMBS[name], name, LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (caught.value.status, caught.value.code) == (413, "inflated_too_large")
    assert peak < LIMIT + 64 * 1024 + 48 * 1024  # the last is what zlib itself works with


def test_a_zstd_frame_may_not_ask_for_a_huge_window() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True, write_content_size=False)
    frame = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    raw = frame.compress(TEXT) + frame.flush()
    with pytest.raises(BodyRefused) as caught:
        decoded_body(raw, "zstd", LIMIT)
    assert caught.value.code == "bad_encoding"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_damaged_data_is_refused(name: str) -> None:
    whole = CODED[name]
    cases = [b"", b"{}", whole[:-1], whole[:10], whole[: len(whole) // 2], whole + b"x", whole + whole]
    if name in {"gzip", "deflate"}:
        cases.append(whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:])
    for raw in cases:
        with pytest.raises(BodyRefused) as caught:
            decoded_body(raw, name, LIMIT)
        assert (caught.value.status, caught.value.code) == (400, "bad_encoding")


@pytest.mark.parametrize("name", ["identity, gzip", "gzip, gzip", "compress", "lz4", "gzip\x1b[31m"])
def test_unknown_or_stacked_encodings_are_refused(name: str) -> None:
    with pytest.raises(BodyRefused) as caught:
        decoded_body(b"x", name, LIMIT)
    assert (caught.value.status, caught.value.code) == (415, "unsupported_encoding")
    assert "\x1b" not in caught.value.message


def test_an_encoding_is_seen_in_the_first_bytes() -> None:
    assert sniff_encoding(CODED["gzip"]) == "gzip"
    assert sniff_encoding(CODED["zstd"]) == "zstd"
    assert sniff_encoding(TEXT) is None
    assert sniff_encoding(b"") is None
