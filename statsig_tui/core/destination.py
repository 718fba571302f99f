"""The rules for what a user enters about targets and destinations, alike for the file and the screens.

Each `validate_…` returns None or raises `Invalid` at the first thing that cannot be meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from fnmatch import translate
from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from pathlib import PurePosixPath, PureWindowsPath
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from unicodedata import category
from urllib.parse import urlsplit

from annotated_types import Ge, Le, Len

from statsig_tui.core.config import EMULATOR, EXPOSURE_KINDS, ClientCert, Destination, Filter, Secret, Target
from statsig_tui.core.link_local import ALLOWING, LINK_LOCAL, is_link_local

LONGEST_URL = 8_192
LONGEST_HEADER = 8_192
"""Characters of a header's value."""
KEY_PREFIXES = ("secret-", "client-")
SIGNING_PREFIXES = ("webhook-",)

_PORTS = {"http": 80, "https": 443}
_LONGEST_HOST = 253
_LONGEST_LABEL = 63
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LABEL = re.compile(r"[0-9A-Za-z_-]+")
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNSEEN = _CONTROL | {"Cf", "Zs"}
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RESERVED_HEADERS = frozenset({"host", "content-length", "transfer-encoding"})
_RESERVED_HEADER_PREFIX = "x-statsig-"


class Invalid(ValueError):
    """A value that cannot be meant: its field (dotted, "" for a bare value), why, and how to mend it."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message
        self.hint = hint


def validate_destination(destination: Destination, taken: Collection[str] = ()) -> None:
    """Check every field of a destination; `taken` are the names of the others."""
    _validate_name(destination.name, taken, "destination")
    _within("url", validate_url, destination.url)
    if not destination.allow_link_local and is_link_local(urlsplit(destination.url).hostname or ""):
        raise Invalid("url", LINK_LOCAL, ALLOWING)
    validate_headers(destination.headers)
    if destination.secret is not None:
        _within("secret", validate_secret, destination.secret)
    for old in destination.old_secrets:
        _within("old_secrets", validate_secret, old.secret)
        _validate_bounds(old, "old_secrets.")
    if destination.client_cert is not None:
        validate_client_cert(destination.client_cert)
    validate_filter(destination.filter)
    _validate_bounds(destination)


def check_not_emulator(url: str, emulator: str) -> None:
    """Check that a destination's URL does not lead to the emulator, whose base URL that is."""
    if is_same_place(url, emulator):
        raise Invalid(
            "url", "is the emulator's own address", "events would go round in circles; choose another port"
        )


def is_same_place(url: str, other: str) -> bool:
    """Whether two URLs lead to the same port of the same machine; loopback has many names."""
    try:
        one, two = urlsplit(url), urlsplit(other)
        ports = [part.port or _PORTS.get(part.scheme, 0) for part in (one, two)]
        hosts = [(part.hostname or "").rstrip(".") for part in (one, two)]
    except ValueError:
        return False
    return ports[0] == ports[1] and (hosts[0] == hosts[1] or all(_is_here(host) for host in hosts))


def validate_filter(chosen: Filter) -> None:
    """Check what a filter names."""
    for kind in chosen.exposure_kinds:
        if kind not in EXPOSURE_KINDS:
            known = ", ".join(EXPOSURE_KINDS)
            raise Invalid("filter.exposure_kinds", f'"{kind}" is no kind of exposure', f"known are {known}")
    for pattern in chosen.patterns:
        _validate_pattern(pattern)
    if not chosen.where.strip():
        return
    # Imported here: the language is not needed for the first paint.
    from statsig_tui.core.query import QueryError, parse_condition

    try:
        parse_condition(chosen.where)
    except QueryError as error:
        what = f"is wrong at character {error.position + 1}: {error.message}"
        # A hint of ours goes on a sentence, one of the language begins one.
        hint = error.hint[:1].lower() + error.hint[1:]
        raise Invalid("filter.where", what, hint or "for example metadata.plan=pro") from None


def validate_target(target: Target, taken: Collection[str] = ()) -> None:
    """Check every field of a target; `taken` are the names of the others."""
    _validate_name(target.name, taken, "target")
    if target.name.casefold() == EMULATOR:
        raise Invalid("name", f'"{EMULATOR}" is the built-in target', "choose another name")
    _within("url", validate_url, target.url)
    if "?" in target.url:
        raise Invalid("url", "a base URL has no query", "remove everything from the question mark on")
    validate_headers(target.headers)
    if target.key is not None:
        _within("key", validate_secret, target.key)
        # Unlike a signing secret, which is only hashed, a key travels in a header.
        if target.key.inline is not None and not target.key.inline.isascii():
            raise Invalid("key", "has characters that no HTTP header can carry", "copy the key again")
    _validate_bounds(target)


def validate_url(url: str) -> None:
    """Check that a URL is http(s), names one host without doubt, and carries no credentials."""
    if not url:
        raise Invalid("", "is empty", "enter a URL such as http://localhost:3000/webhook")
    if len(url) > LONGEST_URL:
        raise Invalid("", f"is too long ({len(url):,} characters; {LONGEST_URL:,} at most)", "shorten it")
    if bad := next((char for char in url if category(char) in _UNSEEN), None):
        raise Invalid("", f"contains {_character(bad)}", "remove it, or write it as %20 and the like")
    if "\\" in url:
        raise Invalid("", "contains a backslash, which programs read differently", "use / instead")
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.lower() not in {"http", "https"}:
        raise Invalid("", "must start with http:// or https://", "for example http://localhost:3000/webhook")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise Invalid(
            "", "must not contain a user name or password", 'send an "Authorization" header instead'
        )
    if "#" in url:
        raise Invalid("", "has a fragment, which is never sent", "remove everything from the # on")
    try:
        urlsplit(url)
    except ValueError as error:
        raise Invalid("", f"cannot be read: {error}", "check the brackets and the host") from None
    host, port = _split_authority(authority)
    validate_host(host)
    if port is not None and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65_535):
        raise Invalid("", "has a port that is not a number from 1 to 65535", "mend or remove the port")


def validate_host(host: str) -> None:
    """Check a host name or address (IPv6 without brackets), as in a URL or for listening."""
    if not host:
        raise Invalid("", "names no host", "for example localhost or 127.0.0.1")
    if ":" in host:
        try:
            IPv6Address(host)
        except AddressValueError:
            raise Invalid("", "is not a valid IPv6 address", "for example ::1, in a URL [::1]") from None
        if "%" in host:
            raise Invalid("", "names a network interface (%…)", "use the address alone")
        return
    if len(host) > _LONGEST_HOST:
        raise Invalid("", f"has a host of {len(host)} characters ({_LONGEST_HOST} at most)", "shorten it")
    # The form that goes to the resolver is the one to judge: "①②⑦.1" and "127。1" turn into digits there.
    ascii_host = _ascii(host)
    labels = ascii_host.removesuffix(".").split(".")
    for label in labels:
        if not label or len(label) > _LONGEST_LABEL:
            what = f"longer than {_LONGEST_LABEL} characters" if label else "that is empty"
            raise Invalid("", f"has a part between the dots of its host {what}", "check the host name")
        if not _LABEL.fullmatch(label):
            raise Invalid("", "has a character in its host that no host name has", "check the host name")
        if label.lower().startswith("xn--"):
            _validate_punycode(label[4:])
    if _NUMERIC.fullmatch(labels[-1]):
        try:
            IPv4Address(ascii_host)
        except AddressValueError:
            raise Invalid(
                "", "has an ambiguous address", "write all four numbers in decimal, such as 127.0.0.1"
            ) from None


def validate_headers(headers: Mapping[str, str]) -> None:
    """Check names and values of headers a user adds."""
    seen: set[str] = set()
    for name, value in headers.items():
        field = f"headers.{name}"
        lower = name.lower()
        if not _HEADER_NAME.fullmatch(name):
            raise Invalid(field, "is not a valid header name", "use letters, digits and hyphens")
        if lower in _RESERVED_HEADERS or lower.startswith(_RESERVED_HEADER_PREFIX):
            raise Invalid(field, "is set by the sender itself", "remove it")
        if lower in seen:
            raise Invalid(field, "is there twice (case does not count)", "remove one")
        seen.add(lower)
        if len(value) > LONGEST_HEADER:
            raise Invalid(field, f"is too long ({LONGEST_HEADER:,} characters at most)", "shorten it")
        if bad := next((char for char in value if is_control(char) and char != "\t"), None):
            raise Invalid(field, f"contains {_character(bad)}", "remove it")
        if not value.isascii():
            raise Invalid(field, "contains characters beyond ASCII", "encode them, for example as %C3%A9")
        if value != value.strip():
            raise Invalid(field, "begins or ends with a space", "remove the space")


def validate_secret(secret: Secret) -> None:
    """Check that a secret has exactly one source and, where it stands inline, can be a secret at all."""
    sources = [text for text in (secret.env, secret.keyring, secret.file, secret.inline) if text is not None]
    example = 'write { env = "NAME" }, { keyring = "…" }, { file = "…" } or { inline = "…" }'
    if len(sources) != 1:
        raise Invalid("", f"must have exactly one source ({len(sources)} given)", example)
    if not sources[0].strip():
        raise Invalid("", "is empty", "enter the secret or its place, or remove the whole field")
    if sources[0] != sources[0].strip():
        raise Invalid("", "begins or ends with a space or line break", "remove it")
    if any(is_control(char) for char in sources[0]):
        raise Invalid("", "contains a control character or a line break", "copy the secret again")


def validate_client_cert(chosen: ClientCert) -> None:
    """Check what a client certificate names; whether the files are there is another matter."""
    for name, path in (("cert", chosen.cert), ("key", chosen.key)):
        if path is None:
            continue
        field = f"client_cert.{name}"
        if not path.strip():
            raise Invalid(field, "is empty", "name a PEM file, or remove the whole field")
        if any(is_control(char) for char in path):
            raise Invalid(field, "contains a character that cannot be shown", "write the path again")
        if "-----BEGIN" in path:
            raise Invalid(field, "is the certificate or key itself", "name the file it stands in")
        is_whole = PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
        if not (is_whole or path.startswith("~")):
            raise Invalid(field, "is not a whole path", "begin it with / or ~/")


def doubt_secret(value: str, prefixes: Collection[str]) -> str | None:
    """What speaks against a secret's being one, in words without its value; never a reason to refuse it."""
    if value.startswith("op://"):
        return "is a 1Password reference, not the secret behind it"
    if not value.startswith(tuple(prefixes)):
        return f"does not start with {' or '.join(prefixes)}"
    if not 20 <= len(value) <= 100:
        return f"has {len(value):,} characters; Statsig's have about 50"
    return None


def out_of_bounds(constraint: object, value: Any) -> str | None:
    """Why a value breaks a bound of config.py's annotations, in words; None where it keeps it."""
    match constraint:
        case Ge(ge=bound) if not value >= bound:
            return f"must be at least {_number(bound)} (got {_number(value)})"
        case Le(le=bound) if not value <= bound:
            return f"must be at most {_number(bound)} (got {_number(value)})"
        case Len(min_length=least) if len(value) < least:
            return "must not be empty"
        case Len(max_length=most) if most is not None and len(value) > most:
            return f"must have at most {most} characters (has {len(value):,})"
    return None


def is_control(char: str) -> bool:
    """Whether a character drives a terminal, turns text around, or is half of one (a lone surrogate)."""
    return category(char) in _CONTROL or char in _BIDI


def _validate_pattern(pattern: str) -> None:
    field, such = "filter.patterns", "write one such as checkout_*"
    if not pattern.strip():
        raise Invalid(field, "has an empty pattern, which no name fits", such)
    if bad := next((char for char in pattern if is_control(char)), None):
        raise Invalid(field, f"has a pattern no name fits: it contains {_character(bad)}", such)
    meant = translate(pattern)
    for sign, fault, mend in (
        ("\\[", "its [ is never closed", "close it, as in [a-z]*"),
        ("(?!)", "a range in it runs backwards", "write it as in [a-z]*"),
    ):
        if sign in meant:
            raise Invalid(field, f'has the pattern "{pattern}", which no name fits: {fault}', mend)


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _validate_name(name: str, taken: Collection[str], kind: str) -> None:
    if name != name.strip() or any(is_control(char) for char in name):
        raise Invalid("name", "has a space at an end, or a character that cannot be shown", "rename it")
    if name in taken:
        raise Invalid("name", f"another {kind} has this name", "give each its own name")


def _validate_bounds(item: Any, path: str = "") -> None:
    cls: type = type(item)
    for name, hint in _hints(cls).items():
        value = getattr(item, name)
        if is_dataclass(value):
            _validate_bounds(value, f"{path}{name}.")
        elif complaint := _complaint(hint, value):
            raise Invalid(f"{path}{name}", complaint, "choose a value within the bounds")


@cache
def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


def _complaint(hint: Any, value: Any) -> str | None:
    origin, arguments = get_origin(hint), get_args(hint)
    if value is None:
        return None
    if origin is Annotated:
        return next((words for item in hint.__metadata__ if (words := out_of_bounds(item, value))), None)
    if origin is Literal:
        known = ", ".join(f'"{item}"' for item in arguments)
        return None if value in arguments else f"must be one of {known}"
    if origin is tuple:
        return next((words for item in value if (words := _complaint(arguments[0], item))), None)
    if origin in {Union, UnionType}:
        fitting = [item for item in arguments if (get_origin(item) is tuple) == isinstance(value, tuple)]
        return next((words for item in fitting if (words := _complaint(item, value))), None)
    return None


def _within(field: str, validate: Callable[[Any], None], value: object) -> None:
    try:
        validate(value)
    except Invalid as error:
        raise Invalid(field, error.message, error.hint) from None


def _split_authority(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        if ":" not in host or (rest and not rest.startswith(":")):
            raise Invalid("", "has brackets around no IPv6 address", "for example http://[::1]:3000/")
        return host, rest[1:] if rest else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        raise Invalid("", "has a host that is no valid international name", "check the host name") from None


def _validate_punycode(text: str) -> None:
    try:
        plain = text.encode("ascii").decode("punycode")
    except UnicodeError:
        plain = ""
    if not plain or plain.isascii():
        raise Invalid("", "has a broken international host name (xn--)", "check the host name")


def _character(char: str) -> str:
    names = {" ": "a space", "\n": "a line break", "\r": "a line break", "\t": "a tab", "\0": "a NUL"}
    return names.get(char, f"the character U+{ord(char):04X}, which cannot be shown")


def _number(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 10**15 else str(value)
    # A number of thousands of digits is an error of its own to write out.
    return str(value) if abs(value) < 10**20 else "a number far beyond"
