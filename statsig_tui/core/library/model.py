"""A template: an incoming event to start from, with what it is for and what to expect of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Template:
    """A named payload; its text may hold variables (core/template.py)."""

    name: str
    text: str
    """As draft.decode() gives it: bytes that are not UTF-8 survive."""
    group: str = ""
    about: str = ""
    """One line."""
    expect: str = ""
    """What Statsig does with it, as far as that is known."""
    answer: int | None = None
    """The status the emulator answers; None: not known."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent instead of those of the same name, or beside the others."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of its user variables where nothing else gives one."""
