"""Templates at the limits of length, one below and one above, and large ones; made, not stored. Pure."""

from __future__ import annotations

from statsig_tui.core.library.model import Template

_GROUP = "QA: limits"
_USER = '"user":{"userID":"user-1042","statsigEnvironment":{"tier":"development"}}'
_STRING_LIMITS = {
    64: "Statsig documents at most 64 characters; what is longer may be cut.",
    128: "Statsig's Node SDK cuts at 128 characters.",
}
_OBJECT_LIMIT = 4096
_OBJECT_WORDS = "Statsig documents at most 4096 characters for an object as JSON; longer ones may be dropped."
_MEGABYTE = 1_000_000
_MANY = 10_000


def sizes() -> tuple[Template, ...]:
    """Names and values around 64 and 128, metadata around 4096, a megabyte, and ten thousand members."""
    found: list[Template] = []
    for limit, words in _STRING_LIMITS.items():
        for size in (limit - 1, limit, limit + 1):
            name = f"name-{size}-".ljust(size, "x")
            found.append(_sized(f"name-{size}", f"an event's name of {size} characters", name, "{}", words))
    for limit, words in _STRING_LIMITS.items():
        for size in (limit - 1, limit, limit + 1):
            metadata = f'{{"text":"{"x" * size}"}}'
            found.append(
                _sized(f"metadata-{size}", f"metadata text of {size} characters", "long", metadata, words)
            )
    for size in (_OBJECT_LIMIT - 1, _OBJECT_LIMIT, _OBJECT_LIMIT + 1):
        about = f"metadata of {size:,} characters as JSON"
        found.append(_sized(f"object-{size}", about, "long", _object(size), _OBJECT_WORDS))
    many = ",".join(f'"k{number}":{number}' for number in range(_MANY))
    return (
        *found,
        _sized("many-members", f"{_MANY:,} members of metadata", "many", f"{{{many}}}", _OBJECT_WORDS),
        _sized("megabyte", "1 MB of metadata", "large", _object(_MEGABYTE), _OBJECT_WORDS),
    )


def _sized(name: str, about: str, event: str, metadata: str, expect: str) -> Template:
    text = f'{{{_USER},"event":"{event}","metadata":{metadata}}}'
    return Template(name, text, _GROUP, about, expect, 202)


def _object(size: int) -> str:
    empty = '{"text":""}'
    return f'{{"text":"{"x" * (size - len(empty))}"}}'
