"""A curl command as the request it makes; the bytes of files that it names are an argument. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote_plus

from statsig_tui.core.records import Headers
from statsig_tui.core.request import Request
from statsig_tui.core.shellwords import ShellError, output_of, pipeline, raw

_START = re.compile(r"(?:[$%#>]\s+)?(?:printf|echo|cat|(?:\S*/)?curl(?:\.exe)?)\s")
_SHORT = {
    "X": "request", "H": "header", "d": "data", "u": "user", "A": "user-agent", "e": "referer", "b": "cookie",
    "F": "form", "T": "upload-file", "G": "get", "I": "head", "k": "insecure", "L": "location", "x": "proxy",
    "E": "cert", "K": "config",
}  # fmt: skip
_SILENT_SHORT = "cCDmoPQrtUwyYz"
"""Take a value that matters to the answer or to the way only."""
_TAKES = {
    "request", "header", "url", "url-query", "request-target", "user", "user-agent", "referer", "cookie",
    "data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json", "form", "form-string",
    "upload-file", "oauth2-bearer", "proxy", "proxy-user", "cert", "key", "cacert", "capath", "ciphers",
    "config", "output", "write-out", "dump-header", "cookie-jar", "range", "max-time", "connect-timeout",
    "retry", "retry-delay", "retry-max-time", "limit-rate", "max-redirs", "resolve", "connect-to",
    "interface", "unix-socket",
}  # fmt: skip
"""Long options with a value."""
_DATA = {"data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json"}
_FORM = "-F makes a multipart form, which holds no event: give the JSON with --json instead."
_PIPED = "What is piped in is not known here: give the JSON with --json, or a file with --json @FILE."
_NO_FILES: Mapping[str, bytes] = MappingProxyType({})
_LEFT_OUT = {
    "insecure": "-k: certificates are verified",
    "location": "-L: redirects are never followed",
    "compressed": "--compressed: answers are asked for as they are",
    "proxy": "-x: the proxy is the environment's",
    "config": "-K: the file was not read",
    "cert": "-E: the certificate is not taken",
    "url-query": "--url-query is not taken",
    "request-target": "--request-target is not taken",
}


@dataclass(frozen=True, slots=True)
class Command:
    """What a command would send, and what of it was not taken."""

    request: Request
    left_out: tuple[str, ...]
    unread: tuple[str, ...] = ()
    """Files that are part of it and were not given."""
    cannot: str = ""
    """Why its body cannot be known, and what to write instead; empty: it is known, but for those files."""


@dataclass(slots=True)
class _Reading:
    fed: bytes | None
    files: Mapping[str, bytes]
    method: str = ""
    url: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    without: set[str] = field(default_factory=set)
    data: list[bytes] = field(default_factory=list)
    has_data: bool = False
    is_json: bool = False
    is_get: bool = False
    is_head: bool = False
    left_out: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    cannot: str = ""


def read(text: str, files: Mapping[str, bytes] = _NO_FILES) -> Command | None:
    """The command that a text is, with the bytes of its files by the names it gives them.

    None where it is none, or has no URL.
    """
    if _START.match(text.lstrip()) is None or "curl" not in text:
        return None
    try:
        commands = pipeline(re.sub(r"^[$%#>]\s+", "", text.strip()))
    except ShellError:
        return None
    words = commands[-1]
    if not words or re.fullmatch(r"(?:.*/)?curl(?:\.exe)?", words[0]) is None:
        return None
    reading = _Reading(output_of(commands[:-1]) if len(commands) > 1 else None, files)
    for name, value in _options(words[1:]):
        _take(reading, name, value)
    if not reading.url:
        return None
    left_out, unread = (tuple(dict.fromkeys(found)) for found in (reading.left_out, reading.unread))
    return Command(_request(reading), left_out, unread, reading.cannot)


def _options(words: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word.startswith("--") and len(word) > 2:
            name = word[2:]
            found.append((name, left.pop(0) if name in _TAKES and left else ""))
        elif word.startswith("-") and len(word) > 1:
            while word := word[1:]:
                name = _SHORT.get(word[0], "")
                if name in _TAKES or word[0] in _SILENT_SHORT:
                    value = word[1:] or (left.pop(0) if left else "")
                    found.append((name, value))
                    break
                found.append((name, ""))
        else:
            found.append(("url", word))
    return found


def _take(reading: _Reading, name: str, value: str) -> None:
    if name in _DATA:
        _take_data(reading, name, value)
    elif name == "header":
        _take_header(reading, value)
    elif name == "url":
        reading.url = reading.url or (value if "://" in value else f"http://{value}")
    elif name == "request":
        reading.method = value
    elif name == "user":
        reading.headers.append(("Authorization", f"Basic {b64encode(raw(value)).decode()}"))
    elif name == "oauth2-bearer":
        reading.headers.append(("Authorization", f"Bearer {value}"))
    elif name == "cookie" and "=" not in value:
        reading.left_out.append(f"-b: the file {value} was not read")
    elif name in ("user-agent", "referer", "cookie"):
        reading.headers.append((name.title(), _latin(value)))
    elif name == "upload-file":
        reading.method = reading.method or "PUT"
        reading.data.append(_from_file(reading, value, "-T", as_it_is=True))
    elif name in ("form", "form-string"):
        reading.cannot = _FORM
    elif name == "get":
        reading.is_get = True
    elif name == "head":
        reading.is_head = True
    elif name in _LEFT_OUT:
        reading.left_out.append(_LEFT_OUT[name])


def _take_data(reading: _Reading, name: str, value: str) -> None:
    reading.has_data = True
    reading.is_json = reading.is_json or name == "json"
    part = raw(value)
    if name == "data-urlencode":
        before, mark, after = value.partition("=")
        if not mark and "@" in value:
            label, _, file = value.partition("@")
            part = (f"{label}=" * bool(label)).encode() + _quoted(
                _from_file(reading, file, f"--{name}", as_it_is=True)
            )
        else:
            part = (f"{before}=" if before and mark else "").encode() + _quoted(raw(after if mark else value))
    elif name != "data-raw" and value.startswith("@"):
        # Only these keep the line ends of what they read.
        part = _from_file(reading, value[1:], f"--{name}", as_it_is=name in ("data-binary", "json"))
    if reading.data and name != "json":
        part = b"&" + part
    reading.data.append(part)


def _quoted(part: bytes) -> bytes:
    return quote_plus(part).replace("+", "%20").encode()


def _from_file(reading: _Reading, file: str, option: str, *, as_it_is: bool) -> bytes:
    found = reading.fed if file == "-" else reading.files.get(file)
    if found is not None:
        return found if as_it_is else re.sub(rb"[\r\n\0]", b"", found)
    what = "what is piped in" if file == "-" else f"the file {file}"
    reading.left_out.append(f"{option}: {what} was not read")
    if file == "-":
        reading.cannot = _PIPED
    else:
        reading.unread.append(file)
    return b""


def _take_header(reading: _Reading, line: str) -> None:
    if line.startswith("@"):
        for each in _from_file(reading, line[1:], "-H", as_it_is=True).decode("latin-1").splitlines():
            if not each.startswith("@"):
                _take_header(reading, each)
        return
    name, colon, value = line.partition(":")
    if colon and value.strip():
        reading.headers.append((name.strip(), _latin(value.strip())))
    elif colon:
        reading.without.add(name.strip().lower())
    elif line.endswith(";"):
        reading.headers.append((line[:-1].strip(), ""))


def _request(reading: _Reading) -> Request:
    body = b"".join(reading.data)
    method = reading.method or ("HEAD" if reading.is_head else "POST" if reading.has_data else "GET")
    url = reading.url
    if reading.is_get:
        method = reading.method or "GET"
        url += ("&" if "?" in url else "?") * bool(body) + body.decode("utf-8", "surrogateescape")
        body = b""
    return Request(method, url, _headers(reading), body)


def _headers(reading: _Reading) -> Headers:
    known = {name.lower() for name, _ in reading.headers} | reading.without
    if reading.is_json:
        own = [("Content-Type", "application/json"), ("Accept", "application/json")]
    elif reading.has_data and not reading.is_get:
        own = [("Content-Type", "application/x-www-form-urlencoded")]
    else:
        own = []
    return (*reading.headers, *(header for header in own if header[0].lower() not in known))


def _latin(value: str) -> str:
    """A header's value as HTTP has it: byte by byte."""
    return raw(value).decode("latin-1")
