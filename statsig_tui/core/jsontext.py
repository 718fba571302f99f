"""JSON as text: strict parsing with places, and splitting that keeps every member's own spelling.

Sizes are bytes. Depth, UTF-8 and numbers are judged here, the same for both endpoints
(reliability.md §2.3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in CPython, unknown to typeshed
from typing import Any, NoReturn

import msgspec

MAX_DEPTH = 200
MAX_DIGITS = 4300
MAX_CONTAINERS = 1 << 20
"""Objects and arrays: each takes some hundred bytes of memory, however short it is spelled."""
_BOM = b"\xef\xbb\xbf"
# Possessive, because every step that could be taken back costs memory: 1 GiB for a string of 10 MiB.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SPACE = re.compile(r"[ \t\n\r]*")
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raw_items = msgspec.json.Decoder(list[msgspec.Raw])


class JsonError(ValueError):
    """Text that is not acceptable JSON: a code, a sentence, and the byte offset where it breaks."""

    def __init__(self, code: str, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset


def parse(raw: bytes) -> Any:
    """The value of a JSON text; a BOM is passed over. Raises JsonError.

    Later duplicates of a key win. Lone surrogates are accepted as the escapes they are written as;
    NaN, infinities, numbers beyond a double, more than 4,300 digits and depth beyond 200 are not.
    """
    body = without_bom(raw)
    check_depth(body)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        # The second, exact parser accepts lone surrogates, and knows where and why the rest breaks.
        try:
            return _parse_exactly(body)
        except JsonError as error:
            if error.offset is not None:
                error.offset += len(raw) - len(body)
            raise


def members(raw: bytes) -> dict[str, bytes]:
    """The members of a JSON object, each value as it is spelled; raw must have passed parse()."""
    raw = without_bom(raw)
    try:
        return {name: bytes(value) for name, value in _raw_members.decode(raw).items()}
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return _split_object(raw.decode())


def items(raw: bytes) -> list[bytes]:
    """The items of a JSON array, each as it is spelled; raw must have passed parse()."""
    raw = without_bom(raw)
    try:
        return [bytes(value) for value in _raw_items.decode(raw)]
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return _split_array(raw.decode())


def join(parts: Mapping[str, bytes]) -> bytes:
    """The JSON object with these members, spelled as they are."""
    return b"{" + b",".join(dump(name) + b":" + value for name, value in parts.items()) + b"}"


def dump(value: object) -> bytes:
    """Compact JSON in UTF-8; lone surrogates stay escapes."""
    try:
        return _compact.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def without_bom(raw: bytes) -> bytes:
    """The text behind a UTF-8 byte order mark, if it has one."""
    return raw[len(_BOM) :] if raw.startswith(_BOM) else raw


def check_depth(raw: bytes) -> None:
    """Raise JsonError where containers are nested deeper than 200, or are over a million."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKET)
    if len(brackets) > 2 * MAX_CONTAINERS:
        raise JsonError("too_many_values", f"The JSON holds over {MAX_CONTAINERS:,} objects and arrays.")
    for bracket in brackets:
        if bracket in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise JsonError("too_deep", f"The JSON is nested more than {MAX_DEPTH} levels deep.")
        else:
            depth -= 1


def place(raw: bytes, offset: int) -> str:
    """An offset as `line L, column C` (both from 1, columns in bytes)."""
    line = raw.count(b"\n", 0, offset) + 1
    column = offset - (raw.rfind(b"\n", 0, offset) + 1) + 1
    return f"line {line}, column {column}"


def _parse_exactly(raw: bytes) -> Any:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        hint = " It looks like UTF-16: send UTF-8." if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise JsonError(
            "bad_utf8", f"The body is not UTF-8: bad byte at offset {error.start}.{hint}", error.start
        ) from None
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_bounded)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode(errors="surrogatepass"))
        reason = error.msg[0].lower() + error.msg[1:].removesuffix(" at")
        hint = ""
        if error.msg == "Extra data":
            reason = "something follows the end of the JSON value"
            hint = " One JSON document a request: NDJSON is not accepted."
        raise JsonError(
            "bad_json", f"The body is not JSON: {reason} at {place(raw, offset)}.{hint}", offset
        ) from None
    except RecursionError:
        raise JsonError("too_deep", f"The JSON is nested more than {MAX_DEPTH} levels deep.") from None


def _no_constant(name: str) -> NoReturn:
    raise JsonError("bad_number", f"{name} is not JSON: write a finite number, a string or null.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise JsonError("bad_number", "A number is beyond the range of a double.")
    return number


def _bounded(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise JsonError("bad_number", f"A number has more than {MAX_DIGITS:,} digits.")
    return int(text)


_decoder = json.JSONDecoder(parse_int=str, parse_float=str)


def _split_object(text: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1, True)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _decoder.raw_decode(text, start)
        found[name] = text[start:end].encode()
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _split_array(text: str) -> list[bytes]:
    found: list[bytes] = []
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        found.append(text[at:end].encode())
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
