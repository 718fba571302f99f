"""A draft as it is kept from one run to the next: one line of text, without the headers that are secrets.

Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from statsig_tui.core import tables
from statsig_tui.core.draft import SAMPLE, Field
from statsig_tui.core.redact import is_secret
from statsig_tui.core.request import Shape, header_lines


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft, and whether it is kept nowhere else."""

    text: str
    shape: Shape
    is_changed: bool
    off: Mapping[Field, tables.Off] = field(default_factory=dict)
    """Rows of its tables that are not in the text."""


def dump(draft: Kept) -> str:
    """The draft as text; empty for the sample, of which there is nothing to keep."""
    shape = without_secrets(draft.shape)
    off = tables.dumped(draft.off)
    if (draft.text, shape, off) == (SAMPLE, Shape(), {}):
        return ""
    whole = [draft.text, shape.method, shape.path, shape.headers, draft.is_changed, off]
    # Escapes alone: what is no UTF-8 is a lone surrogate in it, which no database takes.
    return json.dumps(whole, ensure_ascii=True)


def without_secrets(shape: Shape) -> Shape:
    """A shape without the headers that are secrets."""
    secret = {item.line for item in header_lines(shape.headers) if is_secret(item.name, item.value or "")}
    lines = enumerate(shape.headers.split("\n"), 1)
    return replace(shape, headers="\n".join(line for number, line in lines if number not in secret))


def load(kept: str | None) -> Kept | None:
    """The draft that was kept; None where there is none."""
    try:
        text, method, path, headers, is_changed, *more = json.loads(kept or "")
    except (ValueError, TypeError):
        return None
    if not all(isinstance(part, str) for part in (text, method, path, headers)):
        return None
    return Kept(
        text, Shape(method, path, headers), bool(is_changed), tables.loaded(more[0] if more else None)
    )
