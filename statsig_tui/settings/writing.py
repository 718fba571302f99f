"""Config -> TOML: what a file must say, what it said beyond that, and the text of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from statsig_tui.core.config import ClientCert, Config, ReceiverConfig, Secret
from statsig_tui.core.printable import escaped
from statsig_tui.settings.document import DEFAULT_SECRETS, Table, leaves, nested_fields
from statsig_tui.settings.lines import Route
from statsig_tui.settings.references import strip_secret


def to_document(config: Config, *, full: bool = False, over: Table | None = None) -> Table:
    """What a file must say to mean this configuration; with `full` the defaults as well.

    `over` is what it says now: the receiver's secrets stay in it, though they be the default ones.
    """
    document = _table(config, full)
    # Always written: their absence means the built-in ones, of which one has a new secret each time.
    document["targets"] = _plain(config.targets, full)
    document["destinations"] = _plain(config.destinations, full)
    receiver = document.get("receiver", {})
    spelt_out = over is not None and "secrets" in over.get("receiver", {})
    if full or spelt_out or config.receiver.secrets != DEFAULT_SECRETS:
        receiver = receiver | {"secrets": _plain(config.receiver.secrets, full)}
        document["receiver"] = _in_order(receiver, ReceiverConfig)
    elif receiver:
        del receiver["secrets"]
        document = {name: value for name, value in document.items() if value != {}}
    return _in_order(document, Config)


def merged(old: Table, new: Table, cls: type = Config) -> Table:
    """The new document with what the old one says beyond the known fields, at any depth."""
    result: Table = {}
    nested = nested_fields(cls)
    for name, (inner, _) in nested.items():
        before, after = old.get(name), new.get(name)
        if inner is None or before is None:
            if after is not None:
                result[name] = after
        elif isinstance(before, dict) and isinstance(after, dict):
            result[name] = merged(before, after, inner)
        elif isinstance(before, dict) and after is None and inner not in (Secret, ClientCert):
            # All its known fields are defaults now.
            if kept := merged(before, {}, inner):
                result[name] = kept
        elif isinstance(before, list) and isinstance(after, list):
            result[name] = [merged(former, entry, inner) for former, entry in _paired(before, after)]
        elif after is not None:
            result[name] = after
    return result | {name: value for name, value in old.items() if name not in nested}


def to_text(document: Table) -> str:
    """The document as TOML, its lists of tables in the form that is easy to add to by hand."""
    import tomli_w

    lists = {name: entries for name in ("targets", "destinations") if (entries := document.get(name))}
    parts = [tomli_w.dumps({name: value for name, value in document.items() if name not in lists})]
    for name, entries in lists.items():
        # tomli-w would write short entries as inline tables, after which no [[name]] may follow.
        parts += [
            tomli_w.dumps({name: entry}).replace("[", "[[", 1).replace("]", "]]", 1) for entry in entries
        ]
    # A file is read in a terminal, too; these characters stand in quotes only.
    return escaped("\n".join(part for part in parts if part))


def unwritable(document: Table) -> Route | None:
    """The field that holds half of a character (a lone surrogate), which no file can."""
    for route, value in leaves(document):
        texts = [step for step in route if isinstance(step, str)]
        if isinstance(value, str):
            texts.append(value)
        if any("\ud800" <= char <= "\udfff" for text in texts for char in text):
            return route
    return None


def _table(item: Any, full: bool) -> Table:
    """A dataclass as a table, without what is None and, unless full, what is the default."""
    table: Table = {}
    for entry in fields(item):
        value = getattr(item, entry.name)
        resolved = isinstance(item, Secret) and entry.name == "value"
        if value is not None and not resolved and (full or value != _default(entry)):
            table[entry.name] = _plain(value, full)
    return table


def _in_order(table: Table, cls: type) -> Table:
    """As merged() orders it: or the next save would move what nobody changed."""
    return {name: table[name] for name in nested_fields(cls) if name in table}


def _plain(value: Any, full: bool) -> Any:
    if is_dataclass(value):
        return _table(value, full)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(item, full) for item in value]
    return value


def _default(entry: Field[Any]) -> object:
    if entry.default_factory is not MISSING:
        return entry.default_factory()
    return entry.default


def _paired(before: list[Any], after: list[Table]) -> Iterator[tuple[Table, Table]]:
    """Each entry of a list behind what it was before; an empty table where it is new."""
    left = [entry for entry in before if isinstance(entry, dict)]
    former: dict[int, Table] = {}
    # Names first: what has a new one is known by its URL.
    for mark in (_identity, lambda entry: entry.get("url")):
        for index, entry in enumerate(after):
            here = mark(entry)
            found = next((old for old in left if here is not None and mark(old) == here), None)
            if index not in former and found is not None:
                left.remove(found)
                former[index] = found
    for index, entry in enumerate(after):
        yield former.get(index, {}), entry


def _identity(entry: Table) -> object:
    """What makes entries of a list the same one: the name, or where a secret comes from."""
    if name := entry.get("name"):
        return name
    inline = entry.get("inline")
    return (
        *(entry.get(kind) for kind in ("env", "keyring", "file")),
        strip_secret(inline) if isinstance(inline, str) else None,
    )
