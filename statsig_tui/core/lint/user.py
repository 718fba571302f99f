"""Advice on the user: who it is, and what each part of a StatsigUser may be (statsig-wire.md §2). Pure."""

from __future__ import annotations

import re

from statsig_tui.core import notation
from statsig_tui.core.lint.body import Part, cut, fold, name_of, value_of, valued
from statsig_tui.core.lint.strings import trimmed
from statsig_tui.core.nearest import nearest
from statsig_tui.core.spans import Member, counting, dump, items_at

_PRIVATE = "privateAttributes"
_TEXTS = (
    "userID", "email", "ip", "userAgent", "country", "locale", "appVersion", "stableID", "systemName",
    "systemVersion", "browserName", "browserVersion", "os_name",
)  # fmt: skip
_OBJECTS = ("custom", "customIDs", "statsigEnvironment", _PRIVATE)
KNOWN = (*_TEXTS, *_OBJECTS)
_TIERS = {
    "prod": "production", "live": "production", "stage": "staging", "stg": "staging",
    "dev": "development", "develop": "development", "local": "development",
} | {tier: tier for tier in ("production", "staging", "development")}  # fmt: skip
_NOBODY = ("undefined", "null", "none", "nan", "nil", "[object object]", "0", "-1")
"""What a missing id becomes when it is made a text, folded."""
_UNKNOWN = "user-unknown"
_COUNTRY = re.compile(r"[A-Z]{2}")
_LOCALE = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_([A-Z]{2}|\d{3}))?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")


def advise(part: Part) -> None:
    """Note what there is to say about a user that is an object."""
    members = {member.name: member for member in counting(part.holder)}
    _identity(part, members)
    for name, member in members.items():
        if fold(name) == fold(_PRIVATE):
            _private(part, member)
        elif name in _TEXTS:
            _text(part, member)
        elif name in _OBJECTS:
            _object(part, member)
        else:
            _unknown(part, member, members)
    if (custom := _inner(part, members.get("custom"))) is not None:
        _custom(custom)
    if (ids := _inner(part, members.get("customIDs"))) is not None:
        _custom_ids(ids)
    if (environment := _inner(part, members.get("statsigEnvironment"))) is not None:
        _environment(environment)


def _inner(part: Part, member: Member | None) -> Part | None:
    return part.inner(member) if member is not None else None


def _identity(part: Part, members: dict[str, Member]) -> None:
    ids = _inner(part, members.get("customIDs"))
    user_id = members.get("userID")
    is_known = user_id is not None and part.text[user_id.value : user_id.end] not in ('""', "null")
    if is_known or (ids is not None and ids.holder.members) or "stableID" in members:
        return
    if any(fold(name) == "userid" for name in members if name != "userID"):
        return  # said at that name
    start = part.holder.start
    at = value_of(user_id) if user_id is not None else (start, start + 1)
    words = "nobody: server SDKs need a userID or one of customIDs"
    part.sheet.warning("no-id", "user", words, at)


def _private(part: Part, member: Member) -> None:
    raw = member.raw(part.text)
    if raw in ("null", "{}"):
        return
    words = "for evaluation only, and must never be logged"
    part.sheet.error("private", part.path(member), words, name_of(member), part.removed(member))


def _text(part: Part, member: Member) -> None:
    kind, path, at = part.kind(member), part.path(member), value_of(member)
    if kind == "null":
        return
    text = part.string(member)
    if text is None:
        fix = part.quoted(member) if kind in ("number", "boolean") else None
        part.sheet.warning("user-kind", path, f"{notation.a(kind)}: must be text", at, fix)
        return
    if not text:
        return
    if text != text.strip():
        spelled = trimmed(member.raw(part.text))
        fix = valued(member, spelled, "cut it off") if spelled != '""' else None
        part.sheet.warning("user-space", path, "has white space around it", at, fix)
        return
    if member.name in ("userID", "stableID") and text.casefold() in _NOBODY:
        part.sheet.hint("no-one", path, f"{cut(text)}, which is what a missing id turns into", at)
    _shape(part, member, text)


def _shape(part: Part, member: Member, text: str) -> None:
    path, at, note = part.path(member), value_of(member), part.sheet.hint
    match member.name:
        case "country" if not _COUNTRY.fullmatch(text):
            upper = text.upper()
            fix = valued(member, dump(upper)) if _COUNTRY.fullmatch(upper) else None
            note("shape", path, "no ISO code of two capitals, such as KR", at, fix)
        case "locale" if not _LOCALE.fullmatch(text):
            other = _locale(text)
            fix = valued(member, dump(other)) if _LOCALE.fullmatch(other) else None
            note("shape", path, "not of the shape en_US", at, fix)
        case "email" if not _EMAIL.fullmatch(text):
            note("shape", path, "no e-mail address", at)
        case "ip" if not _ADDRESS.fullmatch(text):
            note("shape", path, "no IP address", at)


def _locale(text: str) -> str:
    language, *rest = text.replace("-", "_").split("_")
    return "_".join([language.lower(), *(item.title() if len(item) == 4 else item.upper() for item in rest)])


def _object(part: Part, member: Member) -> None:
    kind, path, at = part.kind(member), part.path(member), value_of(member)
    if kind in ("object", "null"):
        return
    fix = None
    if member.name == "statsigEnvironment" and part.string(member):
        fix = valued(member, f'{{"tier": {member.raw(part.text)}}}')
    part.sheet.warning("user-kind", path, f"{notation.a(kind)}: must be an object", at, fix)


def _unknown(part: Part, member: Member, members: dict[str, Member]) -> None:
    name, path, at = member.name, part.path(member), name_of(member)
    exact = next((known for known in KNOWN if fold(known) == fold(name)), None)
    if exact is not None:
        fix = part.named(member, exact) if exact not in members and _is_first(part, member, exact) else None
        part.sheet.warning("user-misnamed", path, f"not the name that Statsig knows: {exact}", at, fix)
        return
    near = nearest(name, KNOWN) if 2 < len(name) < 30 and part.sheet.lists(_UNKNOWN) else None
    words = "no field of a StatsigUser" + (
        f"; did you mean {near}?" if near else ": kept, as one in custom would be"
    )
    part.sheet.hint(_UNKNOWN, path, words, at)


def _is_first(part: Part, member: Member, exact: str) -> bool:
    same = (
        item for item in counting(part.holder) if item.name not in KNOWN and fold(item.name) == fold(exact)
    )
    return next(same) is member


def _custom(part: Part) -> None:
    for member in counting(part.holder):
        kind, path, at = part.kind(member), part.path(member), value_of(member)
        if kind in ("object", "null"):
            words = f"{notation.a(kind)}: custom holds text, numbers, booleans and lists of text"
            part.sheet.warning("custom-kind", path, words, at)
        elif kind == "array" and not all(
            part.text[start] == '"' for start, _ in items_at(part.text, member.value)
        ):
            part.sheet.warning(
                "custom-kind", path, "a list of other than text: custom takes lists of text", at
            )


def _custom_ids(part: Part) -> None:
    for member in counting(part.holder):
        kind, path, at = part.kind(member), part.path(member), value_of(member)
        if kind != "text":
            fix = part.quoted(member) if kind in ("number", "boolean") else None
            part.sheet.warning("user-kind", path, f"{notation.a(kind)}: must be text", at, fix)
        elif not part.string(member):
            part.sheet.hint("no-one", path, "empty: it identifies nobody", at, part.removed(member))


def _environment(part: Part) -> None:
    tier = next((member for member in counting(part.holder) if member.name == "tier"), None)
    if tier is None:
        start = part.holder.start
        words = "without a tier: it counts as production"
        part.sheet.hint("tier", "user.statsigEnvironment", words, (start, part.holder.end))
        return
    path, at, text = part.path(tier), value_of(tier), part.string(tier)
    if text is None:
        part.sheet.warning("tier", path, f"{notation.a(part.kind(tier))}: must be text, such as staging", at)
    elif text not in _TIERS.values():
        meant = _TIERS.get(text.strip().casefold()) or nearest(text.casefold(), tuple(_TIERS.values()))
        words = "none of production, staging and development"
        fix = valued(tier, dump(meant)) if meant else None
        note = part.sheet.warning if meant else part.sheet.hint
        note("tier", path, words, at, fix)
