"""What came of the engine since somebody looked: what the header shows of it, and what is said once.

It knows of the screens the header alone; who draws, and when, is not decided here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from statsig_tui.core.config import Config
from statsig_tui.core.health import Health
from statsig_tui.core.jumps import Jump
from statsig_tui.core.records import RefusedRecord, RequestRecord
from statsig_tui.core.timing import Rhythm
from statsig_tui.errors import StatsigTuiError, StoreBroken
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.commands import palette
from statsig_tui.tui.times import clock, moved
from statsig_tui.tui.widgets.status_line import Rates, StatusLine

HEALTH_SECONDS = 1.0
"""How often, at the most, it is looked how the endpoints do."""
NOTICE_SECONDS = 8
"""How long a warning stays."""
_TROUBLE_SECONDS = 15
"""The same of what keeps a listener from listening."""
_FLOOD = 20
"""Captures between two looks that are more than an eye can take in."""
_PAGE = 500
_JUMP_SECONDS = 600.0
"""How long the header names a jump of the clock."""
_TICKING_MS = 60_000
"""An age below this is shown in seconds and so needs a look every second."""


class News:
    """Counts what arrived, and remembers what was said already."""

    def __init__(
        self,
        bridge: Bridge,
        config: Callable[[], Config],
        *,
        say: Callable[[str], None],
        warn: Callable[[str, float], None],
        tell: Callable[[StatsigTuiError], None],
        look_in: Callable[[float, Callable[[], None]], object],
        look_soon: Callable[[], None],
    ) -> None:
        """`warn` takes a text and for how many seconds; `look_in` calls after so many seconds."""
        self._bridge = bridge
        self._config = config
        self._say = say
        self._warn = warn
        self._tell = tell
        self._look_in = look_in
        self._look_soon = look_soon
        self.rates = Rates()
        self.health: dict[str, Health] = {}
        """How the destinations' endpoints did when it was looked last."""
        self.is_private = False
        """Whether the screen masks what says who somebody is, and keys."""
        self.is_flooded = False
        """Whether more came than an eye can take in: the engine needs the processor then."""
        self.is_behind = False
        """Whether there is more than was looked at."""
        self._rhythm = Rhythm()
        self._rev: int | None = None
        """Up to here arrivals are counted; None before the first look."""
        self._last_capture_at: int | None = None
        self._health_at = float("-inf")
        self._is_health_due = False
        self._told_request = 0
        self._told_refusal: StoreBroken | None = None
        self._told_refused: RefusedRecord | None = None
        self._told_jump: Jump | None = None
        self._jump_ends = 0.0

    # Looking

    async def look(self, line: Callable[[], StatusLine | None]) -> bool:
        """Count what arrived and look how everything does; whether the header says something else now."""
        is_new = await self._count_arrivals() or self._ails_anew(line())
        engine = self._bridge.engine
        is_new = is_new or (engine is not None and engine.clock_jump() is not self._told_jump)
        return await self._look_at_health() or is_new

    async def _count_arrivals(self) -> bool:
        rev = self._rev
        self.is_behind = False
        if rev is None:
            counters = await self._bridge.ask(lambda archive: archive.counters())
            self._rev, self._last_capture_at = counters.rev, counters.last_capture_at
            known = await self._bridge.ask(lambda archive: archive.requests(1))
            self._told_request = known[0].id if known else 0
            return True
        newest, found = await self._bridge.ask(
            lambda archive: (archive.requests(1), archive.arrivals(rev, _PAGE))
        )
        self._tell_request(newest)
        self.is_flooded = len(found) > _FLOOD
        for arrival in found:
            self._rev = arrival.rev
            self._last_capture_at = arrival.at
            self.rates.add(arrival.at // 1000, arrival.events)
            self._rhythm.add(arrival.at)
        self.is_behind = len(found) == _PAGE
        return bool(found)

    async def _look_at_health(self) -> bool:
        """Whether others fail now; what is too early to look at is looked at later."""
        wait = self._health_at + HEALTH_SECONDS - time.monotonic()
        if wait > 0:
            if not self._is_health_due:
                self._is_health_due = True
                self._look_in(wait, self._health_is_due)
            return False
        self._health_at = time.monotonic()
        before = self._failing()
        names = [item.name for item in self._config().destinations]
        self.health = await self._bridge.ask(lambda archive: archive.health(names))
        return before != self._failing()

    def _health_is_due(self) -> None:
        self._is_health_due = False
        self._look_soon()

    def _failing(self) -> tuple[str, ...]:
        on = [item.name for item in self._config().destinations if item.enabled]
        return tuple(name for name in on if self.health.get(name, Health()).state == "failing")

    def _ails_anew(self, line: StatusLine | None) -> bool:
        """Whether other destinations are sent nothing than the header says."""
        engine = self._bridge.engine
        return engine is not None and line is not None and line.ailing != tuple(engine.ailing().items())

    # Saying

    def tell_refusals(self) -> bool:
        """Say what the store or a listener did not keep; whether the header says something else now."""
        engine = self._bridge.engine
        is_other = self._tell_store(engine.refusal if engine is not None else None)
        self._tell_refused(engine.refusals if engine is not None else ())
        return is_other

    def tell_troubles(self) -> None:
        """Say which listener does not listen where it was expected, and what to do."""
        engine = self._bridge.engine
        for listener, trouble in dict(engine.troubles if engine is not None else {}).items():
            deaf = engine is not None and getattr(engine.addresses, listener) is None
            hint = f" Or take any free port: {palette('app.ports')}." if deaf else ""
            self._warn(trouble + hint, _TROUBLE_SECONDS)

    def _tell_store(self, refusal: StoreBroken | None) -> bool:
        """Say that nothing can be stored, and when it can be again: meanwhile every sender gets a 503."""
        before, self._told_refusal = self._told_refusal, refusal
        if str(before or "") == str(refusal or ""):
            return False
        if refusal is not None:
            self._tell(refusal)
        else:
            self._say("The store takes events again.")
        return True

    def _tell_refused(self, refusals: Sequence[RefusedRecord]) -> None:
        """Say what a listener did not keep, the same reason not again while it can still be read."""
        if not refusals or refusals[-1].code == "not_stored":
            return
        newest, told = refusals[-1], self._told_refused
        soon = told is not None and 0 <= newest.at - told.at < NOTICE_SECONDS * 1000
        if told is newest or (told is not None and told.code == newest.code and soon):
            return
        self._told_refused = newest
        text = f"{newest.listener}: {newest.message} From {newest.peer}; see Requests and refusals."
        self._warn(text, NOTICE_SECONDS)

    def _tell_request(self, newest: Sequence[RequestRecord]) -> None:
        """Say what the emulator refused: an SDK's mistake shows nowhere else."""
        if not newest or newest[0].id == self._told_request:
            return
        self._told_request = newest[0].id
        request = newest[0]
        if request.fault is not None and request.status >= 400:
            text = f"emulator answered {request.status} to {request.method} {request.path}: {request.fault}"
            self._warn(text, NOTICE_SECONDS)

    # The header

    def show(self, line: StatusLine) -> None:
        """Bring the header up to date."""
        now, engine = time.time_ns() // 1_000_000, self._bridge.engine
        line.last_batch = self._age(now)
        line.quiet = self._rhythm.quiet(now)
        line.rates = self.rates.until(now // 1000)
        line.starting, line.is_private = engine is None, self.is_private
        if engine is None:
            return
        addresses = engine.addresses
        line.listeners = (("emulator", addresses.emulator), ("receiver", addresses.receiver))
        line.troubled = frozenset(engine.troubles)
        line.storing = engine.refusal is None
        line.speed = engine.speed
        line.ailing = tuple(engine.ailing().items())
        line.failing = self._failing()
        line.tunnel = urlsplit(self._config().receiver.public_url or "").netloc
        line.jumped = self._look_at_clock(engine.clock_jump())

    def stays(self) -> float | None:
        """Seconds until an age in the header is another; None: there is none."""
        age = self._age(time.time_ns() // 1_000_000)
        return None if age is None else 1.0 if age < _TICKING_MS else 60.0

    def _age(self, now: int) -> int | None:
        return None if self._last_capture_at is None else max(0, now - self._last_capture_at)

    def _look_at_clock(self, jump: Jump | None) -> Jump | None:
        """The clock's last jump, while it is worth the header's room; a new one is said."""
        passed = time.monotonic()
        if jump is not self._told_jump and jump is not None:
            self._told_jump, self._jump_ends = jump, passed + _JUMP_SECONDS
            when = f"{moved(jump.by)} at {clock(jump.at)[:5]}"
            self._warn(f"The clock moved {when}: the machine slept, or its time was set.", NOTICE_SECONDS)
        return jump if passed < self._jump_ends else None
