"""A destination as the texts of a form, and back. Pure; the rules are core/destination.py's."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Set
from dataclasses import replace
from typing import Literal, TypeVar, cast

from statsig_tui.core.config import (
    DEFAULT_RECEIVER_URL,
    RECEIVER,
    ClientCert,
    Destination,
    RetryPolicy,
    ScheduleName,
)
from statsig_tui.core.destination import Invalid, check_not_emulator, validate_destination
from statsig_tui.core.redact import mask_secret, tells_secret
from statsig_tui.core.retry import SCHEDULES, delays, spread

OWN = "own"
SCHEDULE_OPTIONS = (*SCHEDULES, OWN)
ON, OFF = "on", "off"
Texts = dict[str, str]
"""Field -> text. Fields: name url enabled envelope timestamps max_events max_bytes max_seconds timeout
concurrency rate_limit schedule own jitter isolate pause_after probe verify_tls verify_on_save cert key
allow_link_local headers."""
_FIELDS = {
    "batch.max_events": "max_events",
    "batch.max_seconds": "max_seconds",
    "timeout_seconds": "timeout",
    "batch.max_bytes": "max_bytes",
    "retry.schedule": "own",
    "retry.jitter": "jitter",
    "circuit.failures": "pause_after",
    "circuit.probe_seconds": "probe",
    "client_cert.cert": "cert",
    "client_cert.key": "key",
}
_TOGETHER: tuple[set[str], ...] = ({"schedule", "own"}, {"cert", "key"}, {"url", "allow_link_local"})
"""Fields of which one cannot be judged without the other."""
_RIGHT = Destination("right", "http://localhost/")
N = TypeVar("N", int, float)


def follows_receiver(destination: Destination) -> bool:
    """Whether the engine puts the receiver's real address in the place of the URL."""
    return destination.name == RECEIVER and destination.url == DEFAULT_RECEIVER_URL


def to_texts(destination: Destination, url: str | None = None) -> Texts:
    """The texts of a destination; `url` is shown instead of its own."""
    schedule = destination.retry.schedule
    own = () if isinstance(schedule, str) else schedule
    return {
        "name": destination.name,
        "url": destination.url if url is None else url,
        "enabled": ON if destination.enabled else OFF,
        "max_events": str(destination.batch.max_events),
        "max_bytes": "" if destination.batch.max_bytes is None else str(destination.batch.max_bytes),
        "max_seconds": plain(destination.batch.max_seconds),
        "timeout": plain(destination.timeout_seconds),
        "schedule": schedule if isinstance(schedule, str) else OWN,
        "own": ", ".join(plain(seconds) for seconds in own),
        "jitter": plain(destination.retry.jitter),
        "envelope": destination.envelope,
        "timestamps": destination.timestamps,
        "concurrency": str(destination.concurrency),
        "rate_limit": "" if destination.rate_limit is None else plain(destination.rate_limit),
        "isolate": ON if destination.retry.isolate else OFF,
        "pause_after": str(destination.circuit.failures),
        "probe": plain(destination.circuit.probe_seconds),
        "verify_tls": ON if destination.verify_tls else OFF,
        "verify_on_save": ON if destination.verify_on_save else OFF,
        "cert": "" if destination.client_cert is None else destination.client_cert.cert,
        "key": (destination.client_cert.key or "") if destination.client_cert is not None else "",
        "allow_link_local": ON if destination.allow_link_local else OFF,
        "headers": "\n".join(f"{name}: {_shown(name, value)}" for name, value in destination.headers.items()),
    }


def complaints(
    texts: Texts, taken: Collection[str], emulator: str | None, saved: Destination
) -> dict[str, str]:
    """What is wrong, by field; empty where from_texts() gives a destination."""
    wrong: dict[str, str] = {}
    right = replace(_RIGHT, headers=saved.headers)
    for field in texts:
        # Each field by itself, on a destination that is right otherwise: all that is wrong is said at once.
        edits = next((each for each in _TOGETHER if field in each), {field})
        try:
            from_texts(texts, edits, right, taken if field == "name" else (), emulator)
        except Invalid as error:
            wrong[_field(error)] = _words(error)
    return wrong


def from_texts(
    texts: Texts, edits: Set[str], base: Destination, taken: Collection[str], emulator: str | None
) -> Destination:
    """The destination with what the edited fields say; raises Invalid at the first thing wrong.

    `taken` are the names of the others, `emulator` is the address that must not be pointed at.
    """
    made = base
    if "name" in edits:
        made = replace(made, name=texts["name"].strip())
        if not made.name:
            raise Invalid("name", "is empty", "any short name will do")
        if follows_receiver(base) and "url" not in edits:
            # Under another name it does not follow the receiver any more: it keeps today's address.
            made = replace(made, url=texts["url"])
    if "url" in edits:
        made = replace(made, url=texts["url"].strip())
    if edits & {"schedule", "own"}:
        made = replace(made, retry=replace(made.retry, schedule=_schedule(texts)))
    if "jitter" in edits:
        made = replace(made, retry=replace(made.retry, jitter=_number(texts, "jitter", float)))
    if "isolate" in edits:
        made = replace(made, retry=replace(made.retry, isolate=texts["isolate"] == ON))
    if "pause_after" in edits:
        made = replace(made, circuit=replace(made.circuit, failures=_number(texts, "pause_after", int)))
    if "probe" in edits:
        made = replace(made, circuit=replace(made.circuit, probe_seconds=_number(texts, "probe", float)))
    if "max_events" in edits:
        made = replace(made, batch=replace(made.batch, max_events=_number(texts, "max_events", int)))
    if "max_bytes" in edits:
        most = _optional(texts, "max_bytes", int)
        made = replace(made, batch=replace(made.batch, max_bytes=most))
    if "max_seconds" in edits:
        made = replace(made, batch=replace(made.batch, max_seconds=_number(texts, "max_seconds", float)))
    if "timeout" in edits:
        made = replace(made, timeout_seconds=_number(texts, "timeout", float))
    if "rate_limit" in edits:
        made = replace(made, rate_limit=_optional(texts, "rate_limit", float))
    if "concurrency" in edits:
        made = replace(made, concurrency=_number(texts, "concurrency", int))
    if edits & {"cert", "key"}:
        made = replace(made, client_cert=_client_cert(texts))
    if "allow_link_local" in edits:
        made = replace(made, allow_link_local=texts["allow_link_local"] == ON)
    if "headers" in edits:
        made = replace(made, headers=_headers(texts, base.headers))
    if "enabled" in edits:
        made = replace(made, enabled=texts["enabled"] == ON)
    if "verify_tls" in edits:
        made = replace(made, verify_tls=texts["verify_tls"] == ON)
    if "verify_on_save" in edits:
        made = replace(made, verify_on_save=texts["verify_on_save"] == ON)
    if "envelope" in edits:
        made = replace(made, envelope=cast('Literal["data", "array"]', texts["envelope"]))
    if "timestamps" in edits:
        made = replace(made, timestamps=cast('Literal["number", "string"]', texts["timestamps"]))
    validate_destination(made, taken)
    if emulator is not None and not follows_receiver(made):
        check_not_emulator(made.url, emulator)
    return made


def schedule_words(texts: Texts) -> str:
    """The delays of the chosen schedule, in words."""
    try:
        chosen = _schedule(texts)
    except Invalid:
        return "seconds between the attempts, such as 1, 5, 30"
    try:
        return retry_words(RetryPolicy(chosen, jitter=_number(texts, "jitter", float)))
    except Invalid:
        return retry_words(RetryPolicy(chosen))


def retry_words(policy: RetryPolicy) -> str:
    """`1 s, 5 s, 30 s, 2 m, 10 m, each ±20 %`."""
    if not delays(policy):
        return "no retries"
    share = f", each ±{plain(round(spread(policy) * 100, 3))} %" if spread(policy) else ""
    return ", ".join(map(span, delays(policy))) + share


def span(seconds: float) -> str:
    """`30 s`, `2 m`, `10 h`: in the largest unit that leaves no rest."""
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{plain(seconds)} s"


def plain(number: float) -> str:
    """A number without a needless fraction."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _schedule(texts: Texts) -> ScheduleName | tuple[float, ...]:
    if texts["schedule"] != OWN:
        return cast("ScheduleName", texts["schedule"])
    parts = [part.strip() for part in texts["own"].split(",")]
    if parts == [""]:
        raise Invalid("own", "is empty", "write seconds with commas between them, such as 1, 5, 30")
    return tuple(_parsed(part, "own", float) for part in parts)


def _client_cert(texts: Texts) -> ClientCert | None:
    cert, key = texts["cert"].strip(), texts["key"].strip()
    if not cert and key:
        raise Invalid("cert", "is empty, though there is a key for it", "name the file with the certificate")
    return ClientCert(cert, key or None) if cert else None


def _optional(texts: Texts, field: str, kind: type[N]) -> N | None:
    return _number(texts, field, kind) if texts[field].strip() else None


def _number(texts: Mapping[str, str], field: str, kind: type[N]) -> N:
    return _parsed(texts[field].strip(), field, kind)


def _parsed(text: str, field: str, kind: type[N]) -> N:
    what = "a whole number" if kind is int else "a number"
    try:
        number = kind(text)
    except ValueError:
        raise Invalid(field, f"must be {what}", "digits only") from None
    if not math.isfinite(number) or "_" in text:
        raise Invalid(field, f"must be {what}", "digits only")
    return number


def _shown(name: str, value: str) -> str:
    """A header's value for the screen: masked where it may be a credential."""
    return mask_secret(value) if tells_secret(name) and value else value


def _headers(texts: Texts, saved: Mapping[str, str]) -> dict[str, str]:
    """The headers as they stand there; a value that is left masked is the saved one."""
    found: dict[str, str] = {}
    for number, line in enumerate(texts["headers"].split("\n"), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon:
            raise Invalid("headers", f"line {number} has no colon", "write Name: value")
        if name in found:
            raise Invalid("headers", f"{name} is there twice", "remove one")
        value = value.strip()
        former = saved.get(name)
        found[name] = former if former is not None and value == _shown(name, former) else value
    return found


def _field(error: Invalid) -> str:
    head = error.field.partition(".")[0]
    return _FIELDS.get(error.field, "headers" if head == "headers" else head)


def _words(error: Invalid) -> str:
    what = error.field.partition("headers.")[2]
    message = f"{what} {error.message}" if what else error.message
    return f"{message}: {error.hint}" if error.hint else message
