"""A request as somebody else would send it: curl, HTTPie, Python, or HTTP itself.

Secrets stand in it as variables. The body is reproduced byte for byte, whatever it holds. Pure.
"""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from typing import Literal, get_args
from urllib.parse import urlsplit

from statsig_tui.core.config import EMULATOR_KEY
from statsig_tui.core.records import Headers
from statsig_tui.core.redact import tells_secret
from statsig_tui.core.request import is_chunked, target_of

Kind = Literal["curl", "httpie", "python", "raw"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEY_HEADER = "STATSIG-API-KEY"
KEY_VARIABLE = "STATSIG_SERVER_SECRET"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""What a terminal acts on or changes when it is pasted; a line feed stays what it is in quotes."""
_LONGEST_WORD = 100_000
"""Bytes of one argument; Linux takes no more than 128 KiB."""
_MOST_LINES = 2_000
"""Of a body that Python gets line by line."""


def snippet(kind: Kind, method: str, url: str, headers: Headers, body: bytes) -> str:
    """A request in one of the kinds; a header `Transfer-Encoding: chunked` is obeyed, not only named.

    The text of `raw` holds bytes that are no UTF-8 as surrogates (surrogateescape).
    """
    return _WRITERS[kind](method, url, headers, body)


def variable(name: str, value: str) -> str | None:
    """The environment variable that stands for a header's value; None where it is no secret."""
    if not value or value == EMULATOR_KEY or not tells_secret(name):
        return None
    return KEY_VARIABLE if name.upper() == KEY_HEADER else re.sub(r"\W", "_", name.upper())


def _curl(method: str, url: str, headers: Headers, body: bytes) -> str:
    feed, takes = _fed(method, body, "--data-raw", "--data-binary @-")
    words = [f"curl -X {shlex.quote(method)} {shlex.quote(url)}"]
    if re.search(r"[][{}]", url):
        words.append("--globoff")
    words += [f"-H {_shell_header(name, value)}" for name, value in headers]
    if takes and not _has(headers, "content-type"):
        words.append("-H 'Content-Type:'")
    return feed + " \\\n  ".join([*words, *takes])


def _httpie(method: str, url: str, headers: Headers, body: bytes) -> str:
    feed, takes = _fed(method, body, "--raw", "")
    options = [*([] if feed else ["--ignore-stdin"]), *(["--chunked"] if is_chunked(headers) else [])]
    words = [" ".join(["http", *options, *takes]).rstrip(), f"{shlex.quote(method)} {shlex.quote(url)}"]
    # HTTPie reads `name:=…` and `name:@…` as something else: hence the space.
    words += [_shell_header(name, value) for name, value in headers if name.lower() != "transfer-encoding"]
    if takes and not _has(headers, "content-type"):
        words.append("'Content-Type:'")
    return feed + " \\\n  ".join(words)


def _python(method: str, url: str, headers: Headers, body: bytes) -> str:
    shown = [f"        ({name!r}, {_python_value(name, value)})," for name, value in headers]
    content = _python_bytes(body)
    lines = [
        "import os\n" * any(variable(*header) for header in headers) + "import httpx\n",
        "response = httpx.request(",
        f"    {method!r},",
        f"    {url!r},",
        *(["    headers=[", *shown, "    ],"] if shown else []),
        f"    content={f'iter([{content}])' if is_chunked(headers) else content},",
        ")",
        "print(response.status_code, response.text)",
    ]
    return "\n".join(lines)


def _raw(method: str, url: str, headers: Headers, body: bytes) -> str:
    lines = [f"{method} {target_of(url)} HTTP/1.1"]
    if not _has(headers, "host"):
        lines.append(f"Host: {urlsplit(url).netloc.rpartition('@')[2]}")
    for name, value in headers:
        secret = variable(name, value)
        lines.append(f"{name}: {f'${secret}' if secret else value}")
    text = body.decode("utf-8", "surrogateescape")
    if is_chunked(headers):
        text = f"{len(body):x}\r\n{text}\r\n0\r\n\r\n" if body else "0\r\n\r\n"
    elif _has_length(method, body) and not _has(headers, "content-length"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", text])


_WRITERS = {"curl": _curl, "httpie": _httpie, "python": _python, "raw": _raw}


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
    return None if _CONTROL.search(text) else text


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
    lines = text.splitlines(keepends=True)
    lines = lines if 0 < len(lines) < _MOST_LINES else [text]
    shown = [repr(line.encode()) if text.isascii() else repr(line) for line in lines]
    whole = shown[0] if len(shown) == 1 else "(" + "".join(f"\n        {line}" for line in shown) + "\n    )"
    return whole if text.isascii() else f"{whole}.encode()"
