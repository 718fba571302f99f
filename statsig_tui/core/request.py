"""One HTTP request as it is to be sent, and what of an incoming event's request is shaped by hand. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote

from statsig_tui.core.records import Headers

POST = "POST"
_ORIGIN = re.compile(r"^[^:/?#]+://[^/?#]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VISIBLE = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")


@dataclass(frozen=True, slots=True)
class Request:
    """All that goes out. A header `Transfer-Encoding: chunked` makes the body chunked."""

    method: str
    url: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """What a draft asks for beside its body; plain where nothing was asked for."""

    method: str = ""
    """Empty: POST."""
    path: str = ""
    """Instead of the endpoint's; may hold a query."""
    headers: str = ""
    """Lines of `name: value`; `name:` leaves a header out, `name;` sends it empty."""


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """A line of a shape's headers as it is meant, and what is odd about it."""

    line: int
    """From 1."""
    name: str
    """Empty: the line says nothing that can be sent."""
    value: str | None
    """None: the header is left out."""
    note: str = ""
    is_wrong: bool = False
    """Nothing can be sent with it, or the line is not sent."""


def header_lines(text: str) -> list[HeaderLine]:
    """What every line that is not blank means."""
    found = [_line(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    often = Counter(item.name.lower() for item in found if item.name)
    return [
        replace(item, note="more than once: each is sent")
        if often[item.name.lower()] > 1 and not item.note
        else item
        for item in found
    ]


def with_lines(own: Iterable[tuple[str, str]], text: str) -> Headers:
    """The headers a request has by itself, overridden by what the lines say."""
    lines = [item for item in header_lines(text) if item.name]
    named = {item.name.lower() for item in lines}
    kept = [(name, value) for name, value in own if name.lower() not in named]
    return (*kept, *((item.name, item.value) for item in lines if item.value is not None))


def lines_of(headers: Iterable[tuple[str, str]]) -> str:
    """The lines that ask for these headers."""
    return "\n".join(f"{name}: {value}" if value else f"{name};" for name, value in headers)


def over(shape: Shape, other: Shape) -> Shape:
    """A shape with what another one asks for in place of what it says of the same thing."""
    named = {item.name.lower() for item in header_lines(other.headers)}
    replaced = {item.line for item in header_lines(shape.headers) if item.name.lower() in named}
    kept = [line for number, line in enumerate(shape.headers.split("\n"), 1) if number not in replaced]
    lines = [line for line in (*kept, *other.headers.split("\n")) if line.strip()]
    return Shape(other.method or shape.method, other.path or shape.path, "\n".join(lines))


def with_path(url: str, path: str) -> str:
    """The URL with another path and query, as they are written but for what no request line may hold."""
    origin = _ORIGIN.match(url)
    rest = quote(path if path.startswith("/") else f"/{path}", safe=_VISIBLE, errors="surrogateescape")
    return (origin[0] if origin is not None else "") + rest


def target_of(url: str) -> str:
    """What the request line asks for: path and query as they are written."""
    path = _ORIGIN.sub("", url).partition("#")[0]
    return path if path.startswith("/") else f"/{path}"


def is_token(name: str) -> bool:
    """Whether a method or a header can be called that."""
    return _TOKEN.fullmatch(name) is not None


def is_chunked(headers: Headers) -> bool:
    """Whether the headers ask for the body in chunks."""
    return any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers)


def _line(number: int, line: str) -> HeaderLine:
    name, colon, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not colon:
        if line.rstrip().endswith(";"):
            name = line.strip().removesuffix(";").strip()
            return _judged(HeaderLine(number, name, "", "sent empty"))
        return HeaderLine(number, "", None, "not sent: write name: value", is_wrong=True)
    if not name:
        return HeaderLine(number, "", None, "not sent: there is no name", is_wrong=True)
    if not value:
        return _judged(HeaderLine(number, name, None, "left out"))
    return _judged(HeaderLine(number, name, value, _doubt(name.lower(), value)))


def _judged(line: HeaderLine) -> HeaderLine:
    wrong = ""
    if not is_token(line.name):
        wrong = "no header can have this name: nothing will be sent"
    elif line.value and not all(character in "\t" or " " <= character <= "\xff" for character in line.value):
        wrong = "only Latin-1 can be sent in a header: nothing will be sent"
    return replace(line, note=wrong or line.note, is_wrong=bool(wrong))


def _doubt(name: str, value: str) -> str:
    kind = value.partition("-")[0]
    if name == "content-type" and value.partition(";")[0].strip().lower() != "application/json":
        return "Statsig documents application/json"
    if name == "statsig-api-key" and kind in ("client", "console"):
        return f"a {kind} key: this endpoint takes secret-…"
    if name == "content-length":
        return "sent as it is written; the body stays as long as it is"
    if name == "transfer-encoding":
        return "the body goes in chunks" if "chunked" in value.lower() else "only chunked can be sent"
    if name == "host":
        return "another name than the target's"
    if name == "content-encoding":
        return "only named: the body is not encoded"
    return ""
