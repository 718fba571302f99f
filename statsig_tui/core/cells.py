"""One spelled value as a table's cell: its type, how it is written there, and the same value in another type.

Whatever content() shows typed() reads back as the very spelling it came from. Pure.
"""

from __future__ import annotations

import json
from enum import StrEnum

from statsig_tui.core import notation, template
from statsig_tui.core.notation import FieldError
from statsig_tui.core.spans import dump

LONGEST = 10_000
"""Characters of a value; a longer one is edited as JSON."""


class Kind(StrEnum):
    """What a value is."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    LIST = "list"
    NULL = "null"
    JSON = "JSON"
    """An object, spelled out."""
    VARIABLE = "variable"
    """A variable where JSON wants a value; in a string it is a part of the string."""


TYPES = (Kind.STRING, Kind.NUMBER, Kind.BOOL, Kind.LIST, Kind.NULL, Kind.JSON)
"""Those that can be chosen, in the order they are stepped through."""
_KINDS = {
    "text": Kind.STRING,
    "number": Kind.NUMBER,
    "boolean": Kind.BOOL,
    "array": Kind.LIST,
    "null": Kind.NULL,
    "object": Kind.JSON,
    "variable": Kind.VARIABLE,
}


def kind(raw: str) -> Kind:
    """The type of a spelled value."""
    return _KINDS[notation.kind(raw)]


def content(raw: str) -> str:
    """A spelled value as it is edited: strings without quotes, the rest as JSON on one line."""
    if kind(raw) is Kind.STRING:
        return "" if raw == '""' else notation.shown_text(raw)
    return notation.shown(raw, bare=False)


def typed(raw: str, content: str) -> str:
    """What was typed over a value, spelled; the value keeps its type. Raises FieldError."""
    found = kind(raw)
    if found is Kind.STRING:
        return notation.read_text(content)
    if found is Kind.LIST and content.strip() and not content.strip().startswith("["):
        items = [item.strip() for item in content.split(",")]
        return f"[{', '.join(notation.read(item) for item in items if item)}]"
    if not content.strip():
        raise FieldError(f"{notation.a(_word(found))} is expected: t changes the type")
    value = notation.read(content)
    if found not in (kind(value), Kind.JSON, Kind.VARIABLE) and template.alone(content) is None:
        raise FieldError(f"{notation.a(_word(found))} is expected: t changes the type")
    if found is Kind.JSON and kind(value) is Kind.STRING and not content.strip().startswith('"'):
        raise FieldError("JSON is expected: t changes the type")
    return value


def guessed(content: str) -> str:
    """What was typed into a new cell, spelled: JSON where it reads as JSON, else a string.

    Raises FieldError.
    """
    return notation.read(content) if content.strip() else notation.read_text(content)


def retyped(raw: str, wanted: Kind) -> str:
    """The value in another type, nearest to what it was; its own type leaves it as it is spelled."""
    found = kind(raw)
    if wanted is found:
        return raw
    inner = json.loads(raw) if found is Kind.STRING else raw
    # The JSON that a string holds, if it does: "3" becomes 3, and {"a":1} in quotes an object.
    held = inner.strip() if found is Kind.STRING and _is_json(inner.strip()) else raw
    match wanted:
        case Kind.STRING:
            return dump(notation.shown(raw, bare=False)) if found is not Kind.STRING else raw
        case Kind.NUMBER:
            return held if kind(held) is Kind.NUMBER else "1" if held == "true" else "0"
        case Kind.BOOL:
            return held if kind(held) is Kind.BOOL else "false" if held in ("0", "null", '""') else "true"
        case Kind.LIST:
            return held if kind(held) is Kind.LIST else "[]" if held == "null" else f"[{raw}]"
        case Kind.NULL:
            return "null"
        case _:
            return held if kind(held) is Kind.JSON else "{}"


def next_kind(found: Kind, by: int = 1) -> Kind:
    """The type that comes after one."""
    return TYPES[(TYPES.index(found) + by) % len(TYPES)] if found in TYPES else TYPES[0]


def flipped(raw: str) -> str:
    """The other truth value."""
    return "false" if raw == "true" else "true"


def _word(found: Kind) -> str:
    return {Kind.BOOL: "boolean (true or false)", Kind.LIST: "array"}.get(found, str(found))


def _is_json(text: str) -> bool:
    if not notation.is_spelled(text):
        return False
    try:
        notation.read(text)
    except FieldError:
        return False
    return True
