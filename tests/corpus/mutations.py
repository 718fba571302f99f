"""Good requests and bodies, and what a careless or hostile sender may do to their bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from hypothesis import strategies as st

from tests.corpus.wire import (
    BATCH,
    EVENT,
    HOOK,
    JSON_LINE,
    KEY_LINE,
    chunk,
    head,
    request,
    signature_lines,
    signed,
)

_CHUNKED = head(JSON_LINE, KEY_LINE, *signature_lines(BATCH), "Transfer-Encoding: chunked")
REQUESTS = [
    request(EVENT, JSON_LINE, KEY_LINE),
    signed(BATCH, JSON_LINE, "User-Agent: statsig"),
    request(b"", method="GET", path="/"),
    request(b"", "Origin: http://localhost:3000", "Access-Control-Request-Method: POST", method="OPTIONS"),
    head(f"Content-Length: {len(EVENT)}", KEY_LINE, request=f"POST {HOOK}?x=%20 HTTP/1.0") + EVENT,
    _CHUNKED + chunk(BATCH[:9]) + chunk(BATCH[9:]) + chunk(b""),
    head(JSON_LINE, "Content-Length: 11", "Expect: 100-continue") + b'{"data":[]}',
    head("Content-Length: 2") + b"[]" + _CHUNKED + chunk(BATCH) + b"0\r\nX: trailer\r\n\r\n",
]
WIRE_WORDS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b" ", b"\t", b"\0", b"\x1b", b"\xff", b";", b",", b"0", b"-1",
    b"1e9", b"9" * 20, b"GET / HTTP/1.1\r\n", b"HTTP/0.9", b"HTTP/2.0", b"Host: evil\r\n",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"X-Statsig-Signature: v0=\r\n",
    b"%00", b"../", b"a" * 9_000, b"Origin: \xff\r\n", b"\x16\x03\x01",
]  # fmt: skip

BODIES = [
    BATCH,
    b"[" + EVENT + b"," + BATCH + b"]",
    EVENT[:-1] + b',"value":1.5e3,"metadata":{"a":"\\u00e9","n":[1,-2,null,true]},"timestamp":1767225600000}',
    b'{"data":{"event":"url_verification","verification_code":"abc"}}',
    b'{"events":[{"eventName":"e","user":{"userID":"u","privateAttributes":{"x":1}},"value":1,"time":5}]}',
    b'{"events":[{"metadata":{"config":"c"},"statsigMetadata":{"sdkType":"py-server","sessionID":"s"}}]}',
    rb'{"user":{"userID":"\ud800"},"event":"e","\udfff":1.0}',
    rb'{"data":[{"eventName":"\udfff","\ud800":{"\ud800":[]}}],"\ud800":1}',
    '{"data":[{"eventName":"caf\u00e9 \u2615","timestamp":"2026-01-01T00:00:00Z","userID":5}]}'.encode(),
]
JSON_WORDS = [
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u", b"\\ud800", b"\\u0000", b"null", b"true", b"-0",
    b"1e400", b"1" * 4301, b"NaN", b"18446744073709551616", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\0",
    b"\n", b" ", b'"data"', b'"events"', b'"event"', b'"eventName"', b'"user"', b'"userID"', b'"timestamp"',
    b'"metadata"', b"{}", b"[]", b"[" * 250, b'"":', b'"\\u202e"', b"9" * 17, b'"99999-01-01"',
    b'"0001-01-01T00:00:00+23:59"',
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to some bytes; places wrap around."""

    kind: Literal["cut", "replace", "insert", "repeat"]
    after: bytes
    """Where the place is: behind one of these, the `at`-th of them, or with none of them at that byte."""
    at: int
    length: int
    word: bytes

    def __call__(self, raw: bytes) -> bytes:
        """The bytes changed."""
        places = [match.end() for match in re.finditer(re.escape(self.after), raw)] or [0]
        at = places[self.at % len(places)]
        end = at + self.length
        between = {
            "cut": b"",
            "replace": self.word,
            "insert": self.word + raw[at:end],
            "repeat": raw[at:end] * 2,
        }
        return raw[:at] + between[self.kind] + raw[end:]


def changes(words: Sequence[bytes], after: bytes) -> st.SearchStrategy[list[Change]]:
    """A few changes that know these words, many of them behind such bytes."""
    change = st.builds(
        Change,
        kind=st.sampled_from(["cut", "replace", "insert", "repeat"]),
        after=st.sampled_from([b"", after]),
        at=st.integers(0, 1_000),
        length=st.integers(1, 12) | st.integers(1, 400),
        word=st.sampled_from(words) | st.binary(min_size=1, max_size=3),
    )
    return st.lists(change, min_size=1, max_size=3)


def changed(raw: bytes, what: Sequence[Change]) -> bytes:
    """The bytes with every change made, one after the other."""
    for change in what:
        raw = change(raw)
    return raw


def pieces(raw: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The bytes in pieces, cut at these places, which wrap around."""
    places = sorted({cut % (len(raw) + 1) for cut in cuts} | {0, len(raw)})
    return [raw[start:end] for start, end in pairwise(places)] or [b""]
