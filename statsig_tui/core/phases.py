"""Where the time of a delivery's attempt went: its phases in their order, kept and told. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

import msgspec

Phase = Literal["resolve", "connect", "tls", "send", "wait", "read"]
_DOING: dict[str, str] = {
    "resolve": "looking up the name",
    "connect": "connecting",
    "tls": "in the TLS handshake",
    "send": "sending the request",
    "wait": "waiting for the answer",
    "read": "reading the answer",
}
LABELS: dict[str, str] = {
    "resolve": "name resolution",
    "connect": "connect",
    "tls": "TLS handshake",
    "send": "request sent",
    "wait": "waiting",
    "read": "answer's body",
}
REUSED = "reused connection"
OPENING = ("resolve", "connect", "tls")
"""What a connection that stands needs no more."""


class Took(NamedTuple):
    """A phase that was come to, and for how many ms."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True)
class Phases:
    """How long the phases took, in ms, as far as it came; None: it never came to one, or had no need of it.

    What is missing to the whole is what came before them: the trusted certificates are read once.
    """

    resolve: float | None = None
    """None as well where the host is an address."""
    connect: float | None = None
    tls: float | None = None
    send: float | None = None
    """Until all of it, but for what fits into buffers, was taken by the system."""
    wait: float | None = None
    """Until the answer's first byte."""
    read: float | None = None
    """From its first byte to its end."""

    @property
    def is_reused(self) -> bool:
        """Whether the connection stood already."""
        return self.connect is None and self.send is not None

    def __iter__(self) -> Iterator[Took]:
        """The phases that were come to."""
        for field in fields(self):
            ms = getattr(self, field.name)
            if ms is not None:
                yield Took(field.name, ms)


def as_fields(phases: Phases | None) -> dict[str, float | bool | None] | None:
    """The phases as they stand in a JSON line, every one of them; None: they were not measured."""
    if phases is None:
        return None
    took = {name: round(ms, 3) for name, ms in phases}
    return {name: took.get(name) for name in LABELS} | {"reused": phases.is_reused}


def pack(phases: Phases | None) -> str | None:
    """The phases as they are kept: microseconds, in their order."""
    if phases is None:
        return None
    took = (phases.resolve, phases.connect, phases.tls, phases.send, phases.wait, phases.read)
    return msgspec.json.encode([ms if ms is None else round(ms * 1000) for ms in took]).decode()


def unpack(kept: str | None) -> Phases | None:
    """What was packed; None: nothing was."""
    if kept is None:
        return None
    return Phases(*(us if us is None else us / 1000 for us in msgspec.json.decode(kept)))


def amount(ms: float) -> str:
    """Milliseconds for a person: `0.03`, `0.4`, `12`, `10,000`."""
    return f"{ms:,.{0 if ms >= 9.95 else 1 if ms >= 0.095 else 2}f}"


def listed(phases: Phases) -> str:
    """On one line: `connect 0.3 · request sent 0.1 · waiting 12 · answer's body 0.2 ms`."""
    known = [f"{LABELS[name]} {amount(ms)}" for name, ms in phases]
    return " · ".join([REUSED] * phases.is_reused + known) + (" ms" if known else "")


def ended(phases: Phases) -> str:
    """Where an attempt without an answer ended: `10,000 ms waiting for the answer, connected in 3.0 ms`."""
    took = list(phases)
    if not took:
        return ""
    last = took.pop()
    opening = [ms for name, ms in took if name in OPENING]
    before = f"connected in {amount(sum(opening))} ms" if opening else REUSED if phases.is_reused else ""
    if last.name == "connect" and opening:
        before = f"name found in {amount(sum(opening))} ms"
    return f"{amount(last.ms)} ms {_DOING[last.name]}" + (f", {before}" if before else "")
