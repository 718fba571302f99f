"""Advice on an incoming event's own members: their names, kinds and sizes (statsig-wire.md §1). Pure."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from statsig_tui.core import incoming, jsontext, notation
from statsig_tui.core.event import forbidden_in
from statsig_tui.core.incoming import Problem
from statsig_tui.core.lint import metadata, timestamp, user
from statsig_tui.core.lint.advice import Edit, Fix, Sheet, Span
from statsig_tui.core.lint.body import Part, cut, fold, name_of, value_of, valued
from statsig_tui.core.lint.sizes import advise_sizes
from statsig_tui.core.lint.strings import latin, latinised, look_alikes_in, trimmed
from statsig_tui.core.nearest import nearest
from statsig_tui.core.spans import Member, Object, counting, new_member, object_at

KNOWN = ("user", "event", "value", "metadata", "timestamp")
_MEANT = {
    "eventname": "event", "name": "event", "eventtype": "event", "time": "timestamp", "ts": "timestamp",
    "createdat": "timestamp", "date": "timestamp", "properties": "metadata", "props": "metadata",
    "meta": "metadata", "attributes": "metadata", "eventmetadata": "metadata", "statsiguser": "user",
    "eventvalue": "value",
}  # fmt: skip
"""Names of other endpoints and services, folded."""
_OUTGOING = ("timeUUID", "unitID", "companyID", "statsigMetadata", "secondaryExposures")
_USER_IDS = ("userid", "uid", "user.id")
_MOST_OTHERS = 100
"""Unknown members whose names are compared with the known ones."""
_RESERVED = "statsig::"
_BLANK = "\ufeff \t\r\n"


def refuse(sheet: Sheet, body: Any) -> None:
    """Note what a body is that is no object."""
    whole = (0, len(sheet.text))
    for problem in incoming.problems(body):
        words = problem.message
        if isinstance(body, list):
            first = body[0] if body else None
            if isinstance(first, dict) and ("eventName" in first or "timeUUID" in first):
                words += "; this one looks like a batch that a webhook delivers"
            elif not body:
                words += "; this one is empty"
        else:
            words += f": it is {notation.a(notation.kind(sheet.text.lstrip(_BLANK)))}"
        sheet.error("body", "", words, whole)


def advise(part: Part, body: dict[str, Any], now: int, *, is_draft: bool) -> None:
    """Note what there is to say about an event; `body` is what its text means."""
    members = {member.name: member for member in counting(part.holder)}
    found = {name: member for name in KNOWN if (member := members.get(name)) is not None}
    others = islice((name for name in members if name not in KNOWN), _MOST_OTHERS)
    meanings = {name: meaning for name in others if (meaning := _meant(name)) is not None}
    strays = _strays(members, meanings)
    # What stands under a wrong name is looked at as what it is meant to be.
    meant = {name: strays.get(name) for name in KNOWN} | found
    for problem in incoming.problems(body):
        if problem.field == "timestamp":
            continue  # all about it is said at once below
        _refused(part, problem, found, meant)
    _name(part, meant["event"])
    _value(part, found.get("value"))
    timestamp.advise(part, found.get("timestamp"), strays.get("timestamp"), now, is_draft=is_draft)
    if (inner := _inner(part, meant["metadata"])) is not None:
        metadata.advise(inner)
    if (inner := _inner(part, meant["user"])) is not None:
        user.advise(inner)
    for member in members.values():
        if member.name not in KNOWN:
            _stray(part, member, meanings.get(member.name), found, strays)
    advise_sizes(part)


def _strays(members: dict[str, Member], meanings: dict[str, str]) -> dict[str, Member]:
    """Known name -> the first member that is likely meant by it."""
    strays: dict[str, Member] = {}
    for name, meaning in meanings.items():
        if meaning not in members:
            strays.setdefault(meaning, members[name])
    return strays


def _meant(name: str) -> str | None:
    folded = fold(name)
    exact = next((known for known in KNOWN if fold(known) == folded), None)
    if exact is not None or folded in _MEANT:
        return exact or _MEANT[folded]
    if folded in _USER_IDS or len(name) < 4 or name in (*_OUTGOING, "events", "data"):
        return None
    # A name that is longer by more, event_id say, is another one.
    return nearest(name, [known for known in KNOWN if abs(len(known) - len(name)) <= 1])


def _inner(part: Part, member: Member | None) -> Part | None:
    return part.inner(member) if member is not None else None


# What strict mode refuses


def _refused(part: Part, problem: Problem, found: dict[str, Member], meant: dict[str, Member | None]) -> None:
    """Note a refusal in its own words, at the member that it is about."""
    field = problem.field
    at: Span = part.holder.start, part.holder.start + 1
    fix = None
    member = found.get(field) or part.holder.last(field)
    if member is not None:
        at = value_of(member)
        fix = _mending(part, field, member)
    elif (stray := meant.get(field)) is not None:
        at = name_of(stray)
        fix = part.named(stray, field) if _suits(part, field, stray) else None
    elif field == "user" and (stray := _top_level_id(part)) is not None:
        at = name_of(stray)
        if part.kind(stray) in ("text", "number"):
            wrapped = f'"user": {{"userID": {stray.raw(part.text)}}}'
            fix = part.replaced(stray, wrapped, "put it into user")
    part.sheet.error(field, field, problem.message.removeprefix(f"{field}: "), at, fix)


def _suits(part: Part, field: str, stray: Member) -> bool:
    kind = part.kind(stray)
    if field == "event":
        return kind == "text" and bool(part.string(stray))
    return kind == "object"


def _mending(part: Part, field: str, member: Member) -> Fix | None:
    raw, kind = member.raw(part.text), part.kind(member)
    if field in ("event", "value") and kind in ("number", "boolean"):
        return part.quoted(member)
    if field == "user" and kind in ("text", "number") and raw != '""':
        return valued(member, f'{{"userID": {raw}}}')
    if field == "metadata" and kind == "text":
        inside = part.string(member) or ""
        return valued(member, inside.strip(), "write the object itself") if _is_object(inside) else None
    if field == "metadata" and kind == "array" and not json.loads(raw):
        return valued(member, "{}")
    return None


def _is_object(text: str) -> bool:
    try:
        return isinstance(jsontext.parse(text.encode(errors="surrogatepass")), dict)
    except jsontext.JsonError:
        return False


# The name


def _name(part: Part, member: Member | None) -> None:
    name = part.string(member) if member is not None else None
    if member is None or not name:
        return
    path, at, raw = part.path(member), value_of(member), member.raw(part.text)
    if forbidden := forbidden_in(name):
        words = f"holds {' '.join(cut(item) for item in forbidden)}: Statsig drops events with such a name"
        fix = part.respelled(member, lambda item: "_" if item in forbidden else item, "put _ instead")
        part.sheet.error("name-forbidden", path, words, at, fix)
    if name != name.strip():
        rest = trimmed(raw)
        where = " and ".join(
            word for word, is_so in (("begins", name[0].isspace()), ("ends", name[-1].isspace())) if is_so
        )
        words = f"{where} with white space, which makes another event of it"
        fix = valued(member, rest, "cut it off") if rest != '""' else None
        part.sheet.warning("name-space", path, words, at, fix)
    if alike := look_alikes_in(name):
        first = alike[0]
        words = f"holds {cut(first)} (U+{ord(first):04X}), which only looks like {latin(first)}"
        spelled = latinised(raw)
        fix = valued(member, spelled, "write Latin letters") if spelled else None
        part.sheet.warning("name-look-alike", path, words, at, fix)
    if name.casefold().startswith(_RESERVED):
        words = "a name of Statsig's own: exposures are logged by SDKs, changes by the console"
        part.sheet.warning("name-reserved", path, words, at)


def _value(part: Part, member: Member | None) -> None:
    text = part.string(member) if member is not None else None
    if member is None or not text:
        return
    if notation.is_spelled(text) and notation.kind(text) == "number" and _is_finite(text):
        words = "text that reads as a number: without the quotes it is one"
        part.sheet.hint("value-number", "value", words, value_of(member), valued(member, text))


def _is_finite(spelled: str) -> bool:
    try:
        jsontext.parse(spelled.encode())
    except jsontext.JsonError:
        return False
    return True


# Members that are none of this endpoint's


def _top_level_id(part: Part) -> Member | None:
    return next((item for item in counting(part.holder) if fold(item.name) in _USER_IDS), None)


def _stray(
    part: Part,
    member: Member,
    meant: str | None,
    found: dict[str, Member],
    strays: dict[str, Member],
) -> None:
    name, path = member.name, part.path(member)
    note = part.sheet.warning
    at = name_of(member)
    if fold(name) in _USER_IDS:
        _stray_id(part, member, found)
    elif name in ("events", "data"):
        if part.has("event"):  # or it was refused as a batch
            note("batch", path, "no member of one event: batches are posted to /v1/log_event", at)
    elif name in _OUTGOING:
        words = "Statsig's to set: it belongs to outgoing events and SDK batches, and is not read here"
        part.sheet.hint("outgoing-member", path, words, at, part.removed(member))
    elif meant is None:
        part.sheet.hint("unknown-member", path, f"no member of an event, which has {_listed(KNOWN)}", at)
    elif strays.get(meant) is member:
        if meant in ("event", "user", "timestamp"):
            return  # said where they are missed
        suits = meant == "value" or part.kind(member) == "object"
        fix = part.named(member, meant) if suits else None
        note("misnamed", path, f"not read here: this endpoint calls it {meant}", at, fix)
    else:
        note("misnamed", path, f"not read here: {meant} is", at)


def _stray_id(part: Part, member: Member, found: dict[str, Member]) -> None:
    holder = found.get("user")
    if holder is None:
        return  # said by the refusal
    fix = None
    if part.text[holder.value] == "{" and part.kind(member) in ("text", "number"):
        fix = _moved(part, member, object_at(part.text, holder.value))
    words = "not read here: it belongs into user as userID"
    part.sheet.warning("misplaced-id", part.path(member), words, name_of(member), fix)


def _moved(part: Part, member: Member, user: Object) -> Fix | None:
    """The id in the user instead; gone where the user has it; None where the user has another one."""
    there = user.last("userID")
    if there is not None:
        same = there.raw(part.text) == member.raw(part.text)
        return part.removed(member, "remove it: user has it") if same else None
    spelled = new_member(part.text, user, "userID", member.raw(part.text))
    first = user.members[0].start if user.members else user.end - 1
    lead = Edit(first, first, spelled + (", " if user.members else ""))
    return Fix("move it into user", (lead, *part.removed(member).edits))


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
