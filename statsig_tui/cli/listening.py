"""What `listen` does with each capture beside printing it: compare it with what is expected, forward it.

Captures come from the writer's thread by number, and are worked off in order on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from statsig_tui.cli.lines import json_line
from statsig_tui.core.ids import tag
from statsig_tui.core.printable import printable
from statsig_tui.core.query import Clause, Query, Truth, Value
from statsig_tui.core.query import view as views
from statsig_tui.core.records import CaptureDetail, CaptureRecord, Record
from statsig_tui.core.replaying import end_to_end
from statsig_tui.engine.captures import plain
from statsig_tui.engine.engine import Engine
from statsig_tui.engine.sender import Sender
from statsig_tui.errors import StatsigTuiError, TimedOut, UsageError

FORWARD_SECONDS = 15.0
"""For all of a forwarded request and its answer."""
_LAST_SECONDS = 2.0
"""For what is not worked off when the command ends."""


def is_at(path: str) -> Callable[[Record], bool]:
    """Whether a record is no capture, or one at this path (`*`: any text)."""
    query = Query(Clause("path", "=", (Value(path),)))
    return lambda record: (
        not isinstance(record, CaptureRecord) or query.matches(views.of_capture(record, bytes), record.at)
    )


class Expected:
    """Counts captures until enough fit, and knows why the last one did not."""

    def __init__(self, count: int, query: Query | None, on_enough: Callable[[], None]) -> None:
        self.left = count
        self._count = count
        self._query = query
        self._on_enough = on_enough
        self._others = 0
        self._why = ""

    async def take(self, detail: CaptureDetail) -> None:
        """Look at one capture."""
        truths = await asyncio.to_thread(self._judge, detail) if self._query is not None else []
        if truths is None or self._query is None:
            self.left -= 1
            if self.left <= 0:
                self._on_enough()
        else:
            self._others += 1
            said = ", ".join(f"{truth.text} {'yes' if truth.holds else 'no'}" for truth in truths)
            self._why = f"{tag('c', detail.record.id)}: {said}"

    def settle(self, seconds: float | None) -> None:
        """Raise what is to be said where not enough came: TimedOut, or that others came instead."""
        if self.left <= 0:
            return
        came = self._count - self.left
        if not self._others:
            raise TimedOut(
                f"{self._count} captures were waited for, {came} came within {seconds or 0:g} s.",
                "See that the sender's URL is the receiver's, or give it longer with --timeout.",
            )
        raise StatsigTuiError(
            f"{self._count} captures were to fit, {came} did, and {self._others} others came."
            f" The last of these was {printable(self._why)}.",
            "See what came with --json --bodies, and mend the sender or --expect.",
        )

    def _judge(self, detail: CaptureDetail) -> list[Truth] | None:
        """None where it fits; else its clauses, for the event that comes nearest."""
        assert self._query is not None
        view = views.of_capture(detail.record, lambda: plain(detail.headers, detail.body))
        now = detail.record.at
        if self._query.matches(view, now):
            return None
        events = range(len(view.events)) if view.events else [None]
        return max(
            (self._query.explain(view, now, index) for index in events),
            key=lambda truths: sum(truth.holds for truth in truths),
        )


class Forwarding:
    """Posts each capture on to a URL as it was received: bytes, signature, and the answer is printed."""

    def __init__(self, url: str, *, as_json: bool, say: Callable[[str], None]) -> None:
        self._url = url
        self._as_json = as_json
        self._say = say
        self._sender = Sender(keep_alive=False)

    def check(self, receiver: str | None) -> None:
        """Raise UsageError where it would be forwarded to itself."""
        if receiver is not None and _place(receiver) == _place(self._url):
            raise UsageError(
                "--forward-to is the receiver itself: each request would come again without end.",
                "Name the URL of your own endpoint.",
            )

    async def take(self, detail: CaptureDetail) -> None:
        """Forward one capture, once."""
        record = detail.record
        at = time.time_ns() // 1_000_000
        outcome = await self._sender.send(
            record.method, self._url, end_to_end(detail.headers), detail.body, FORWARD_SECONDS
        )
        number = tag("c", record.id)
        if self._as_json:
            line = {
                "type": "forwarded",
                "at": at,
                "capture": number,
                "url": self._url,
                "status": outcome.status,
                "ms": round(outcome.ms, 3),
                "error": outcome.error,
            }
            self._say(json_line(line))
        else:
            answer = f"{outcome.status} in {outcome.ms:.0f} ms" if outcome.status else outcome.error
            self._say(printable(f"forwarded {number}  {self._url}: {answer}"))

    async def close(self) -> None:
        """Close its connections."""
        await self._sender.close()


Take = Callable[[CaptureDetail], Awaitable[None]]


class Feed:
    """Captures on their way from the writer's thread to those who work them off, each at its own pace."""

    def __init__(self, shows: Callable[[Record], bool], takers: Sequence[Take]) -> None:
        self._loop = asyncio.get_running_loop()
        self._shows = shows
        self._lanes: list[tuple[Take, asyncio.Queue[int]]] = [(take, asyncio.Queue()) for take in takers]

    def put(self, records: Sequence[Record]) -> None:
        """The observer."""
        for record in records:
            if isinstance(record, CaptureRecord) and self._shows(record):
                # All at once: whoever ends the command at a capture finds it with the others, too.
                self._loop.call_soon_threadsafe(self._give, record.id)

    @contextlib.asynccontextmanager
    async def worked_off(self, engine: Engine) -> AsyncIterator[None]:
        """Hand each capture on; what is left at the end has two seconds."""

        async def work(take: Take, numbers: asyncio.Queue[int]) -> None:
            while True:
                number = await numbers.get()
                try:
                    detail = await asyncio.to_thread(engine.archive.capture, number)
                    if detail is not None:
                        await take(detail)
                finally:
                    numbers.task_done()

        working = [asyncio.create_task(work(take, numbers), name="feed") for take, numbers in self._lanes]
        try:
            yield
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_SECONDS):
                    await asyncio.gather(*(numbers.join() for _, numbers in self._lanes))
        finally:
            for task in working:
                task.cancel()
            for task in working:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _give(self, number: int) -> None:
        for _, numbers in self._lanes:
            numbers.put_nowait(number)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return "127.0.0.1" if host == "localhost" else host, port
