"""What a query looks at: one capture, delivery, sent or accepted event; its body is read when asked for.

Pure: the parts are given as functions by whoever has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from statsig_tui.core import jsontext
from statsig_tui.core.envelope import Batch, decode, summary
from statsig_tui.core.event import Event, view
from statsig_tui.core.ids import tag
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, EventRecord, EventSummary, SentRecord

Document = Mapping[str, Any]
Found = TypeVar("Found")


class _Once(Generic[Found]):
    """What is worked out when it is asked for first; the standard library's locks before Python 3.12."""

    def __init__(self, find: Callable[[Any], Found]) -> None:
        self._find, self._name, self.__doc__ = find, find.__name__, find.__doc__

    @overload
    def __get__(self, of: None, owner: type) -> _Once[Found]: ...
    @overload
    def __get__(self, of: object, owner: type) -> Found: ...
    def __get__(self, of: object | None, owner: type) -> _Once[Found] | Found:
        if of is None:
            return self
        # Found in the instance from now on: this is asked only where that has nothing of the name.
        found = of.__dict__[self._name] = self._find(of)
        return found


# Not frozen: it is made once for each of a hundred thousand events, and that would take it most of its time.
@dataclass(eq=False)
class View:
    """One thing that is stored. What it does not have is None, and no clause about that holds."""

    id: str
    at: int
    """Epoch ms."""
    read_body: Callable[[], bytes]
    """The body without its Content-Encoding."""
    listed: tuple[EventSummary, ...] | None = None
    """Its events as far as they are known without the body."""
    path: str | None = None
    method: str | None = None
    envelope: str | None = None
    signature: str | None = None
    fault: str | None = None
    status: int | None = None
    has_answer: bool = True
    """Whether it is of a kind that is answered at all."""
    size: int | None = None
    count: int | None = None
    ms: float | None = None
    state: str | None = None
    attempts: int | None = None
    target: str | None = None
    is_imported: bool = False
    read_destinations: Callable[[], Sequence[str]] = tuple
    came_before: Callable[[int], bool] = lambda index: False
    """Whether an event was seen before."""
    read_note: Callable[[], str | None] = lambda: None

    @_Once
    def body(self) -> bytes:
        """The body without its Content-Encoding."""
        return self.read_body()

    @_Once
    def folded(self) -> bytes:
        """The body with A–Z in lower case."""
        return self.body.lower()

    @_Once
    def destinations(self) -> Sequence[str]:
        """Where it went to or came from."""
        return self.read_destinations()

    @_Once
    def documents(self) -> Sequence[Document]:
        """Its events in full, as many as it has events."""
        try:
            value = jsontext.parse(self.body)
        except jsontext.JsonError:
            return ()
        if isinstance(value, dict):
            value = value.get("data") if isinstance(value.get("data"), list) else [value]
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()

    @_Once
    def events(self) -> tuple[EventSummary, ...]:
        """Its events, as far as a line shows them."""
        if self.listed is not None:
            return self.listed
        content = decode(self.body)
        if isinstance(content, Batch):
            return content.events
        # One incoming event: what is eventName on the way out is event on the way in.
        return tuple(summary(view(b"", {"eventName": each.get("event"), **each})) for each in self.documents)

    def document(self, index: int) -> Document:
        """One event in full; empty where it cannot be read."""
        return self.documents[index] if index < len(self.documents) else {}


def of_capture(
    record: CaptureRecord,
    body: Callable[[], bytes],
    destinations: Callable[[], Sequence[str]] = tuple,
    came_before: Callable[[int], bool] = lambda index: False,
    note: Callable[[], str | None] = lambda: None,
) -> View:
    """A request that the receiver got."""
    return View(
        id=tag("c", record.id),
        at=record.at,
        read_body=body,
        listed=record.events,
        path=record.path,
        method=record.method,
        envelope=record.envelope or "none",
        signature=record.signature.value,
        fault=record.fault,
        status=record.status,
        size=record.size,
        count=len(record.events),
        ms=record.ms,
        is_imported=record.imported,
        read_destinations=destinations,
        came_before=came_before,
        read_note=note,
    )


def of_delivery(record: DeliveryRecord, body: Callable[[], bytes]) -> View:
    """A batch on its way; its time is when it was made."""
    return View(
        id=tag("d", record.id),
        at=record.created,
        read_body=body,
        fault=record.error,
        status=record.status,
        size=record.size,
        count=record.events,
        state=record.state.value,
        attempts=record.attempt,
        read_destinations=lambda: (record.destination,),
    )


def of_sent(record: SentRecord, body: Callable[[], bytes]) -> View:
    """What Compose or `send` posted."""
    return View(
        id=tag("s", record.id),
        at=record.at,
        read_body=body,
        fault=record.error,
        status=record.status,
        size=record.size,
        count=1,
        ms=record.ms,
        target=record.target,
    )


def of_accepted(
    record: EventRecord, body: Callable[[], bytes], destinations: Callable[[], Sequence[str]] = tuple
) -> View:
    """An event that the emulator accepted."""
    known = EventSummary(record.name, record.event_class, record.user_id, record.time_uuid, None)
    return View(
        id=tag("e", record.id),
        at=record.at,
        read_body=body,
        listed=(known,),
        has_answer=False,
        count=1,
        read_destinations=destinations,
    )


def of_event(event: Event, at: int) -> View:
    """An event on its way to a filter."""
    return View(
        id="",
        at=at,
        read_body=lambda: event.raw,
        listed=(summary(event),),
        has_answer=False,
        size=len(event.raw),
        count=1,
    )
