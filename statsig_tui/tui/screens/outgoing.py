"""From a text with variables to the bytes that are sent: what resolves them, and what is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, repeat

from statsig_tui.core import draft, template
from statsig_tui.core.library import Template
from statsig_tui.core.records import SentDetail
from statsig_tui.core.request import Shape
from statsig_tui.core.template import Sources
from statsig_tui.engine.sources import real_sources

Ask = Callable[[Sequence[str], Mapping[str, str]], Awaitable[Mapping[str, str] | None]]
"""Asks for answers by label, given the former ones; None: not answered."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A body as it is to be sent, with its event's name and what its request asks for beside it."""

    body: bytes
    name: str
    shape: Shape = field(default_factory=Shape)
    text: str | None = None
    """The draft it was made of; None: it was not the draft."""


@dataclass(slots=True)
class Renderer:
    """Remembers what was answered, and counts what is sent."""

    answers: dict[str, str] = field(default_factory=dict)
    seq: int = 1

    def sources(self, origin: Template) -> Sources:
        """What the variables of a text that comes from a template would be resolved with now."""
        return real_sources(self.seq, {**origin.variables, **self.answers})

    async def render(self, text: str, origin: Template, ask: Ask) -> Outgoing | None:
        """The text with its variables resolved; None where a prompt is not answered. Raises Unresolved."""
        if not await self._answer(text, origin, ask):
            return None
        body = _body(text, self.sources(origin))
        self.seq += 1
        return Outgoing(body, draft.event_name(draft.decode(body)), origin.shape)

    async def render_many(self, text: str, origin: Template, ask: Ask) -> Iterator[bytes] | None:
        """Bodies without end, each with variables of its own when it is taken; prompts are asked once.

        None where a prompt is not answered. Raises Unresolved before there is any.
        """
        if not await self._answer(text, origin, ask):
            return None
        values = {**origin.variables, **self.answers}
        first = _body(text, real_sources(1, values))
        if not template.variables(text) and first == draft.encode(text):
            return repeat(first)
        return (_body(text, real_sources(seq, values)) for seq in count(1))

    async def _answer(self, text: str, origin: Template, ask: Ask) -> bool:
        labels = template.prompts(text)
        answered = await ask(labels, {**origin.variables, **self.answers}) if labels else {}
        self.answers |= answered or {}
        return answered is not None


def _body(text: str, sources: Sources) -> bytes:
    return draft.encode(draft.resolved(template.render(text, sources), sources.now))


def sent_again(detail: SentDetail, shape: Shape) -> Outgoing:
    """What was sent, once more and to the byte."""
    return Outgoing(detail.body, detail.record.event_name, shape)
