"""What a sent request asked for beside its body, from what was kept of it: all but its secrets. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from statsig_tui.core.records import Headers, SentDetail
from statsig_tui.core.request import POST, Request, Shape, lines_of, target_of

_MASK = "…"
"""Stands in what was kept in place of a secret; no header and no path can hold it."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The shape that makes the same request again, and what of it was not kept."""

    shape: Shape
    missing: tuple[str, ...] = ()
    """Names of headers, or `the path`."""


def restored(sent: SentDetail, usual: Request, program: str) -> Restored:
    """Compare what was sent with the usual request to its target, masked in the same way.

    `program` begins the User-Agent of every version of this program, which is never asked for.
    """
    went, known = _by_name(sent.request_headers), _by_name(usual.headers)
    asked: list[tuple[str, str]] = []
    missing: list[str] = []
    for name, value in sent.request_headers:
        if went[name.lower()] == known.get(name.lower()) or _is_own(name, value, program):
            continue
        if _MASK in value:
            missing.append(name)
        else:
            asked.append((name, value))
    left_out = [f"{name}:" for name, _ in usual.headers if name.lower() not in went]
    path = target_of(sent.record.url)
    if path == target_of(usual.url):
        path = ""
    elif _MASK in path:
        missing.append("the path")
        path = ""
    method = "" if sent.method == POST else sent.method
    lines = "\n".join([*left_out, *([lines_of(asked)] if asked else [])])
    return Restored(Shape(method, path, lines), tuple(dict.fromkeys(missing)))


def _by_name(headers: Headers) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in headers:
        found[name.lower()].append(value)
    return found


def _is_own(name: str, value: str, program: str) -> bool:
    return name.lower() == "user-agent" and value.startswith(program)
