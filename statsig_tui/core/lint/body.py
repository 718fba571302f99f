"""What the rules on an event work on: its text, its objects, and the usual ways to mend them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statsig_tui.core import notation
from statsig_tui.core.lint.advice import Edit, Fix, Sheet, Span, Step, path_of
from statsig_tui.core.lint.strings import meant, respelled
from statsig_tui.core.printable import printable
from statsig_tui.core.spans import Member, Object, dump, object_at, removal

LONGEST_TEXT = 128
"""Characters at which Statsig's Node SDK cuts a text."""
_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the text, where it is, and the sheet for what there is to say about it."""

    sheet: Sheet
    holder: Object
    steps: tuple[Step, ...] = ()

    @property
    def text(self) -> str:
        """The whole text."""
        return self.sheet.text

    def path(self, member: Member) -> str:
        """A member's path."""
        return path_of((*self.steps, member.name))

    def kind(self, member: Member) -> str:
        """The word for a member's value."""
        return notation.kind(self.text[member.value])

    def string(self, member: Member) -> str | None:
        """A member's text; None where it is none."""
        return meant(member.raw(self.text)) if self.kind(member) == "text" else None

    def inner(self, member: Member) -> Part | None:
        """A member that is an object; None where it is none."""
        if self.text[member.value] != "{":
            return None
        return Part(self.sheet, object_at(self.text, member.value), (*self.steps, member.name))

    def has(self, name: str) -> bool:
        """Whether there is a member of that name."""
        return self.holder.last(name) is not None

    def removed(self, member: Member, title: str = "remove it") -> Fix:
        """The member gone, and its duplicates, which would count then."""
        gone = [item for item in self.holder.members if item.name == member.name]
        return Fix(title, tuple(Edit(*span, "") for span in removal(self.holder, gone)))

    def replaced(self, member: Member, spelled: str, title: str) -> Fix | None:
        """Another member in its place; None where duplicates of it would still be there."""
        if sum(item.name == member.name for item in self.holder.members) > 1:
            return None
        return Fix(title, (Edit(member.start, member.end, spelled),))

    def named(self, member: Member, name: str) -> Fix | None:
        """The member under another name; None where duplicates of it would still be there."""
        spelled = dump(name) + self.text[member.name_end : member.end]
        return self.replaced(member, spelled, f"call it {name}")

    def respelled(self, member: Member, change: Callable[[str], str], title: str) -> Fix | None:
        """Some characters of a string changed; None where nothing would be left, or there is too much."""
        spelled = respelled(member.raw(self.text), change)
        return valued(member, spelled, title) if spelled and spelled != '""' else None

    def quoted(self, member: Member) -> Fix | None:
        """A number or a boolean as text; None where that would be too long a text."""
        raw = member.raw(self.text)
        if len(raw) > LONGEST_TEXT:
            return None
        return valued(member, dump(raw), f"write {cut(dump(raw))}")


def valued(member: Member, value: str, title: str = "") -> Fix:
    """The member with another spelled value."""
    return Fix(title or f"write {cut(value)}", (Edit(member.value, member.end, value),))


def name_of(member: Member) -> Span:
    """Where a member's name is."""
    return member.start, member.name_end


def value_of(member: Member) -> Span:
    """Where a member's value is."""
    return member.value, member.end


def fold(name: str) -> str:
    """A name without what makes two spellings of one name differ."""
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def cut(text: str) -> str:
    """The beginning of a text, on one line, for the words of an advice."""
    return printable(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
