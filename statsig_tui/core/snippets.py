"""A request as somebody else would send it: curl, HTTPie, Python, or HTTP itself.

Secrets stand in it as variables. The body is reproduced byte for byte, whatever it holds. Pure.
"""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Sequence
from typing import Literal, get_args
from urllib.parse import urlsplit

from statsig_tui.core.config import EMULATOR_KEY
from statsig_tui.core.printable import lines
from statsig_tui.core.records import Headers
from statsig_tui.core.redact import is_secret
from statsig_tui.core.request import Request, is_chunked, target_of

Kind = Literal["curl", "httpie", "python", "raw"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEY_HEADER = "STATSIG-API-KEY"
KEY_VARIABLE = "STATSIG_SERVER_SECRET"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""What a terminal acts on or changes when it is pasted; a line feed stays what it is in quotes."""
_REWRITTEN = re.compile(r"[^A-Za-z0-9/?&=%._~:@!$()*,;+-]|%(?![0-9A-F]{2})|/\.")
"""What requests and httpx may write in another way in a path or a query."""
_LONGEST_WORD = 100_000
"""Bytes of one argument; Linux takes no more than 128 KiB."""
_MOST_LINES = 2_000
"""Of a body that Python gets line by line."""


class Unwritable(ValueError):
    """A request that a program cannot be made to send exactly; says why."""


def snippet(kind: Kind, request: Request, left_out: Sequence[str] = ()) -> str:
    """A request in one of the kinds; a header `Transfer-Encoding: chunked` is obeyed, not only named.

    `left_out` are headers that the program must not send of itself. The text of `raw` holds bytes that are
    no UTF-8 as surrogates (surrogateescape). Raises Unwritable rather than writing something similar.
    """
    return _WRITERS[kind](request, left_out)


def variable(name: str, value: str) -> str | None:
    """The environment variable that stands for a header's value; None where it is no secret."""
    if value == EMULATOR_KEY or not is_secret(name, value):
        return None
    return KEY_VARIABLE if name.upper() == KEY_HEADER else re.sub(r"\W", "_", name.upper())


def _curl(request: Request, left_out: Sequence[str]) -> str:
    method, url, headers, body = request.method, request.url, request.headers, request.body
    feed, takes = _fed(method, body, "--data-raw", "--data-binary @-")
    if method == "HEAD" and takes:
        raise Unwritable("curl waits for ever after a HEAD with a body: take raw.")
    words = [f"curl {'-I' if method == 'HEAD' else f'-X {shlex.quote(method)}'} {shlex.quote(url)}"]
    if re.search(r"[][{}]", url):
        words.append("--globoff")
    if "/." in target_of(url):
        words.append("--path-as-is")
    words += [f"-H {_shell_header(name, value)}" for name, value in headers]
    words += [f"-H '{name}:'" for name in _unwanted(headers, left_out, takes=bool(takes))]
    return feed + " \\\n  ".join([*words, *takes])


def _httpie(request: Request, left_out: Sequence[str]) -> str:
    method, url, headers, body = request.method, request.url, request.headers, request.body
    fault = _httpie_fault(request)
    if fault:
        raise Unwritable(f"HTTPie {fault}: take curl.")
    feed, takes = _fed(method, body, "--raw", "")
    options = [
        *([] if feed else ["--ignore-stdin"]),
        *(["--chunked"] if is_chunked(headers) else []),
        *(["--path-as-is"] if "/." in target_of(url) else []),
    ]
    words = [" ".join(["http", *options, *takes]).rstrip(), f"{shlex.quote(method)} {shlex.quote(url)}"]
    # HTTPie reads `name:=…` and `name:@…` as something else: hence the space.
    words += [_shell_header(name, value) for name, value in headers if name.lower() != "transfer-encoding"]
    words += [f"'{name}:'" for name in _unwanted(headers, left_out, takes=bool(takes))]
    return feed + " \\\n  ".join(words)


def _httpie_fault(request: Request) -> str:
    """What HTTPie would send differently; empty: nothing."""
    if not request.method.isalpha():
        return f"takes no method {request.method}"
    if _REWRITTEN.search(target_of(request.url)):
        return "writes this path in another way"
    for name, value in request.headers:
        if not value.isascii():
            return f"sends {name} as UTF-8, which is other bytes"
        if re.search(r"\\[:=@;\\]", value):
            return f"takes a backslash out of {name}"
    return _length_fault(request)


def _python(request: Request, left_out: Sequence[str]) -> str:
    headers, body = request.headers, request.body
    fault = _length_fault(request)
    if fault:
        raise Unwritable(f"httpx {fault}: take curl.")
    shown = [f"        ({name!r}, {_python_value(name, value)})," for name, value in headers]
    content = _python_bytes(body)
    # Left to itself httpx writes such a path in another way, and sends headers of its own.
    target = target_of(request.url)
    is_exact = bool(left_out) or _REWRITTEN.search(target) is not None
    script = [
        "import os\n" * any(variable(*header) for header in headers) + "import httpx\n",
        "request = httpx.Request(" if is_exact else "response = httpx.request(",
        f"    {request.method!r},",
        f"    {request.url!r},",
        *(["    headers=[", *shown, "    ],"] if shown else []),
        f"    content={f'iter([{content}])' if is_chunked(headers) else content},",
        *([f"    extensions={{'target': {target.encode()!r}}},"] if is_exact else []),
        ")",
        *(["with httpx.Client() as client:", "    response = client.send(request)"] if is_exact else []),
        "print(response.status_code, response.text)",
    ]
    return "\n".join(script)


def _length_fault(request: Request) -> str:
    lengths = {value for name, value in request.headers if name.lower() == "content-length"}
    return "sends no Content-Length but the body's" if lengths - {str(len(request.body))} else ""


def _raw(request: Request, left_out: Sequence[str]) -> str:
    method, url, headers, body = request.method, request.url, request.headers, request.body
    head = [f"{method} {target_of(url)} HTTP/1.1"]
    if not _has(headers, "host"):
        head.append(f"Host: {urlsplit(url).netloc.rpartition('@')[2]}")
    # h11 writes Host before all others.
    for name, value in sorted(headers, key=lambda header: header[0].lower() != "host"):
        secret = variable(name, value)
        latin = value.encode("latin-1", "backslashreplace").decode("utf-8", "surrogateescape")
        head.append(f"{name}: {f'${secret}' if secret else latin}")
    text = body.decode("utf-8", "surrogateescape")
    if is_chunked(headers):
        text = f"{len(body):x}\r\n{text}\r\n0\r\n\r\n" if body else "0\r\n\r\n"
    elif _has_length(method, body) and not _has(headers, "content-length"):
        # Where httpx has it: behind all others, but for a body of nothing.
        head.insert(len(head) if body else 2, f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", text])


_WRITERS = {"curl": _curl, "httpie": _httpie, "python": _python, "raw": _raw}


def _unwanted(headers: Headers, left_out: Sequence[str], *, takes: bool) -> list[str]:
    """What a program is told not to send of itself."""
    typeless = takes and not _has(headers, "content-type")
    return [*(["Content-Type"] if typeless else []), *left_out]


def _has_length(method: str, body: bytes) -> bool:
    return bool(body) or method.upper() in ("POST", "PUT", "PATCH")


def _has(headers: Headers, name: str) -> bool:
    return any(given.lower() == name for given, _ in headers)


def _fed(method: str, body: bytes, option: str, fed_option: str) -> tuple[str, list[str]]:
    """What stands before a command to feed it its body, and the option with which it takes it."""
    if not _has_length(method, body):
        return "", []
    text = _pastable(body)
    if text is None:
        return f"printf %s {b64encode(body).decode()} | base64 --decode | ", [fed_option]
    if len(body) > _LONGEST_WORD:
        # printf is the shell's own, and takes an argument of any length.
        return f"printf %s {shlex.quote(text)} | ", [fed_option]
    return "", [f"{option} {shlex.quote(text)}"]


def _pastable(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    # What a terminal shows in another way is not what comes of copying it.
    return text if lines(text) == text.split("\n") else None


def _shell_header(name: str, value: str) -> str:
    secret = variable(name, value)
    if secret is not None:
        return f'"{name}: ${secret}"'
    if not value:
        return shlex.quote(f"{name};")
    whole = f"{name}: {value}"
    if whole.isascii() and not _CONTROL.search(whole):
        return shlex.quote(whole)
    # Beyond ASCII a header is Latin-1, which a terminal may not type.
    return "$'" + "".join(map(_escaped, whole.encode("latin-1", "backslashreplace"))) + "'"


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in "\\'":
        return f"\\{character}"
    return character if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"


def _python_value(name: str, value: str) -> str:
    secret = variable(name, value)
    if secret is not None:
        return f"os.environ[{secret!r}]"
    # httpx takes text of ASCII alone.
    return repr(value) if value.isascii() else repr(value.encode("latin-1", "backslashreplace"))


def _python_bytes(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return repr(body)
    parts = text.splitlines(keepends=True)
    parts = parts if 0 < len(parts) < _MOST_LINES else [text]
    shown = [repr(line.encode()) if text.isascii() else repr(line) for line in parts]
    whole = shown[0] if len(shown) == 1 else "(" + "".join(f"\n        {line}" for line in shown) + "\n    )"
    return whole if text.isascii() else f"{whole}.encode()"
