"""What the library lists: templates by group, saved ones, what was sent; folded, or searched. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from statsig_tui.core.library import Template
from statsig_tui.core.records import SentRecord

Entry = Template | SentRecord
TEMPLATES, SAVED, HISTORY = "Templates", "Saved", "History"


@dataclass(frozen=True, slots=True)
class Row:
    """A heading, or an entry under one."""

    key: str
    depth: int
    title: str = ""
    """Of a heading."""
    count: int = 0
    """Entries under a heading that are not hidden."""
    total: int = 0
    is_open: bool = False
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything there is to list."""

    built_in: Sequence[Template] = ()
    saved: Sequence[Template] = ()
    sent: Sequence[SentRecord] = ()
    """The newest ones, or those that a search found; newest first."""
    sent_total: int = 0
    """How many there are."""


def rows(contents: Contents, opened: Collection[str], search: str = "") -> list[Row]:
    """The rows to show; a search unfolds what it finds and leaves out the rest."""
    words = search.casefold().split()
    found: list[Row] = []

    def section(title: str, entries: Sequence[Entry], kind: str, total: int = 0) -> None:
        shown = [entry for entry in entries if is_meant(entry, words)]
        if words and not shown:
            return
        is_open = bool(words) or title in opened
        total = max(total, len(entries))
        found.append(Row(f"section {title}", 0, title, len(shown), total, is_open))
        if not is_open:
            return
        groups = list(dict.fromkeys(_group(entry) for entry in entries))
        for group in groups:
            inside = [entry for entry in shown if _group(entry) == group]
            depth = 1
            if group and (inside or not words):
                members = sum(_group(entry) == group for entry in entries)
                group_open = bool(words) or group in opened
                found.append(Row(f"group {group}", 1, group, len(inside), members, group_open))
                depth = 2
                if not group_open:
                    continue
            found.extend(Row(f"{kind} {_name(entry)}", depth, entry=entry) for entry in inside)

    section(TEMPLATES, contents.built_in, "template")
    section(SAVED, contents.saved, "saved")
    section(HISTORY, contents.sent, "sent", contents.sent_total)
    return found


def is_meant(entry: Entry, words: Sequence[str]) -> bool:
    """Whether every word (casefolded) is in what is said of an entry."""
    return all(word in _haystack(entry) for word in words)


def likeliest(shown: Iterable[Row], search: str) -> str:
    """The key of the entry that a search means most likely: by its name before by its words; empty: none."""
    sought = search.strip().casefold()

    def distance(row: Row) -> tuple[bool, ...]:
        assert row.entry is not None
        entry = row.entry
        name = (entry.name if isinstance(entry, Template) else entry.event_name).casefold()
        return (name != sought, not name.startswith(sought), sought not in name)

    found = [row for row in shown if row.entry is not None]
    return min(found, key=distance).key if found else ""


def _group(entry: Entry) -> str:
    return entry.group if isinstance(entry, Template) else ""


def _name(entry: Entry) -> str:
    return entry.name if isinstance(entry, Template) else str(entry.id)


def _haystack(entry: Entry) -> str:
    if isinstance(entry, Template):
        return f"{entry.name} {entry.about} {entry.group}".casefold()
    return f"{entry.event_name} {entry.status or entry.certainty} {entry.target}".casefold()
