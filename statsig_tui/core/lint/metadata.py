"""Advice on metadata: a flat object whose values Statsig stores as text (statsig-wire.md §1). Pure."""

from __future__ import annotations

from statsig_tui.core import notation
from statsig_tui.core.lint.advice import Fix
from statsig_tui.core.lint.body import Part, value_of, valued
from statsig_tui.core.lint.sizes import advise_length
from statsig_tui.core.spans import Member, counting, dump

_KIND = "metadata-kind"
_NULL = "metadata-null"
_NESTED = "metadata-nested"


def advise(part: Part) -> None:
    """Note every value that will not be what it is here."""
    for member in counting(part.holder):
        kind, path, at = part.kind(member), part.path(member), value_of(member)
        if kind == "text":
            advise_length(part, member, is_kept=True)
        elif kind in ("number", "boolean"):
            words = f"{notation.a(kind)}: Statsig stores text"
            part.sheet.warning(_KIND, path, words, at, _as_text(part, member, _KIND))
        elif kind == "null":
            fix = part.removed(member) if part.sheet.lists(_NULL) else None
            part.sheet.hint(_NULL, path, "null: Statsig stores text, or leave it out", at, fix)
        else:
            words = f"{notation.a(kind)}: metadata is flat, and Statsig stores text"
            part.sheet.warning(_NESTED, path, words, at, _as_text(part, member, _NESTED))


def _as_text(part: Part, member: Member, rule: str) -> Fix | None:
    return valued(member, dump(member.raw(part.text))) if part.sheet.lists(rule) else None
