"""A template: an incoming event to start from, with what it is for and what to expect of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from statsig_tui.core.destination import is_control
from statsig_tui.core.request import Shape
from statsig_tui.errors import SettingsError

_LONGEST_NAME = 100
"""Characters; as a file's name it must fit every file system."""


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
    shape: Shape = field(default_factory=Shape)
    """What its request asks for beside the body."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of its user variables where nothing else gives one."""
    fault: str = ""
    """Why its file is not understood, and where; the text is the file itself then."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a directory of templates holds, and what is wrong or doubtful about files of it."""

    templates: tuple[Template, ...] = ()
    broken: tuple[Template, ...] = ()
    """Those whose file can be read and is not understood: each is among the errors, too."""
    errors: tuple[SettingsError, ...] = ()
    warnings: tuple[str, ...] = ()


def name_for(event_name: str) -> str:
    """A name for the template of an event."""
    name = event_name.replace("::", "-").replace("/", "-")
    return name if name_fault(name) is None else "event"


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or the first numbered one that is not taken."""
    names = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def name_fault(name: str) -> str | None:
    """Why a name cannot be a template's, in words; None where it can."""
    if not name:
        return "it is empty"
    if len(name) > _LONGEST_NAME or len(name.encode(errors="replace")) > 2 * _LONGEST_NAME:
        return f"it is longer than {_LONGEST_NAME} characters"
    if name.startswith((".", "-")):
        return "it begins with a dot or a dash"
    if name != name.strip() or any(is_control(char) for char in name):
        return "it has a space at an end, or a character that cannot be shown"
    if "/" in name or "\\" in name:
        return "it holds a slash"
    return None
