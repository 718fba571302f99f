"""What there is to know of a destination at a glance, in the console's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from textual.containers import VerticalScroll
from textual.content import Content

from statsig_tui.core.config import Destination, Filter, Secret
from statsig_tui.core.health import Health
from statsig_tui.core.records import DestinationCounters
from statsig_tui.core.redact import mask_secret
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.spark import spark
from statsig_tui.tui.text import printable
from statsig_tui.tui.times import day_and_clock
from statsig_tui.tui.widgets.destination_list import health_words
from statsig_tui.tui.widgets.destination_text import plain, retry_words, span
from statsig_tui.tui.widgets.filter_text import detail_words
from statsig_tui.tui.widgets.hanging import Hanging

Part = str | tuple[str, str] | Content
_LABEL = 18
_BARS = 20


class Overview(VerticalScroll):
    """One destination, as it is set and what became of its events."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id, classes="text")
        self._facts = Hanging(_LABEL)

    def compose(self) -> Iterator[Hanging]:
        """One text."""
        yield self._facts

    def show(
        self,
        destination: Destination,
        url: str,
        counts: DestinationCounters,
        health: Health,
        *,
        follows: bool,
        proxy: str | None = None,
        probe_at: int | None = None,
    ) -> None:
        """Show a destination, its real URL masked; `follows`: it is the receiver's, wherever that is.

        `proxy` is what it is reached by, `probe_at` when it is tried again while it is paused (epoch ms).
        """
        shown = replace(destination, url=url)
        self._facts.show(tuple(_lines(shown, counts, health, follows, proxy, probe_at)))


def _lines(
    destination: Destination,
    counts: DestinationCounters,
    health: Health,
    follows: bool,
    proxy: str | None,
    probe_at: int | None,
) -> Iterator[Content]:
    yield _line("Webhook URL", (destination.url, theme.STRONG))
    if follows:
        yield _line("", ("follows the receiver", theme.QUIET))
    if not destination.verify_tls:
        yield _line("", ("✗ TLS is not verified", theme.BAD))
    if destination.allow_link_local:
        yield _line("", ("✗ link-local and metadata addresses are allowed", theme.BAD))
    if proxy is not None:
        yield _line("Proxy", proxy, ("   the environment's", theme.QUIET))
    if destination.client_cert is not None:
        yield _line("Client cert", destination.client_cert.cert)
    yield _status(destination, counts)
    if probe_at is not None and counts.paused is not None and destination.enabled:
        yield _line("", (f"what waits is tried again at {day_and_clock(probe_at)[11:]}", theme.QUIET))
    yield from _health(health)
    yield _line("Signing Secret", *_secret(destination.secret))
    yield _line("Event Filtering", filter_words(destination.filter))
    yield Content()
    emulated = ("   emulated", theme.QUIET)
    batch = destination.batch
    yield _line("Envelope", '{"data":[…]}' if destination.envelope == "data" else "[…]")
    yield _line("Timestamps", f"{destination.timestamps}s")
    events = "one event" if batch.max_events == 1 else f"at most {batch.max_events:,} events"
    size = f" or {batch.max_bytes:,} bytes" if batch.max_bytes is not None else ""
    yield _line("Batch", f"{events}{size}, or {span(batch.max_seconds)}", emulated)
    schedule = destination.retry.schedule
    name = schedule if isinstance(schedule, str) else "own"
    yield _line("Retry", f"{name}: {retry_words(destination.retry)}", emulated)
    halved = "halved until it fails alone" if destination.retry.isolate else "fails with its batch"
    yield _line("Refused event", halved, emulated)
    circuit = destination.circuit
    paused = f"after {circuit.failures:,} failed in a row, probed every {span(circuit.probe_seconds)}"
    yield _line("Paused", paused if circuit.failures else "never", emulated)
    yield _line("Timeout", span(destination.timeout_seconds), emulated)
    if destination.concurrency > 1:
        yield _line("At once", f"{destination.concurrency} deliveries, in any order", emulated)
    if destination.rate_limit is not None:
        yield _line("Rate limit", f"{plain(destination.rate_limit)} requests a second", emulated)
    if destination.headers:
        count = len(destination.headers)
        yield _line("Headers", f"{count} of your own")
    yield Content()
    yield from _totals(counts)


def _status(destination: Destination, counts: DestinationCounters) -> Content:
    turns = f"{key('destinations.toggle')} in the list"
    if not destination.enabled:
        return _line(
            "Status",
            ("○ off", theme.QUIET),
            (f"   {turns} turns it on", theme.QUIET),
        )
    for word, why in (("✗ disabled", counts.disabled), ("‖ paused", counts.paused)):
        if why is not None:
            resumes = (f"   {turns} resumes it", theme.ACCENT)
            return _line("Status", (word, theme.BAD), f": {why}", resumes)
    if counts.retrying:
        return _line("Status", ("● on", theme.GOOD), "   ", (f"↻ retrying {counts.retrying:,}", theme.WARN))
    return _line("Status", ("● on", theme.GOOD))


def _health(health: Health) -> Iterator[Content]:
    """Of the newest attempts; times of day, because an age would go wrong while nothing happens."""
    if health.tries:
        last = day_and_clock(health.last_success_at) if health.last_success_at is not None else "never"
        tries = len(health.tries)
        rate = f"{health.failures:,} of the last {tries:,} attempts failed"
        if tries == 1:
            rate = f"the only attempt {'failed' if health.failures else 'arrived'}"
        rate += f" ({health.failure_rate:.0%})".replace("%", " %") if health.failures and tries > 1 else ""
        yield _line("Health", health_words(health.state), f"   {rate}")
        yield _line("Last success", last)
    if latencies := health.latencies:
        shares = [f"p{share:.0f} {_ms(health.percentile(share / 100))}" for share in (50.0, 95.0, 99.0)]
        bars = spark(latencies[-_BARS:])
        yield _line("Latency", " · ".join(shares), ("   " + bars, theme.ACCENT))
    if health.waiting_since is not None:
        yield _line("Queue", f"the oldest waits since {day_and_clock(health.waiting_since)}")


def _ms(ms: float) -> str:
    return f"{ms:.1f} ms" if ms < 10 else f"{ms:,.0f} ms"


def _secret(secret: Secret | None) -> Iterator[Part]:
    if secret is None:
        yield "none: nothing is signed", theme.WARN
    elif secret.value is None:
        yield f"{secret.source} leads nowhere: nothing is signed", theme.WARN
    else:
        yield mask_secret(secret.value)
        yield f"   {secret.source}", theme.QUIET


def filter_words(chosen: Filter) -> str:
    """What a filter lets through, in a line."""
    kinds = [
        name
        for name, is_on in (("Exposures", chosen.exposures), ("Configuration Changes", chosen.config_changes))
        if is_on
    ]
    kinds.append("new Custom Events" if chosen.include_new_events else "no new Custom Events")
    on = sum(chosen.events.values())
    if on:
        kinds.append(f"{on:,} chosen")
    if len(chosen.events) > on:
        kinds.append(f"{len(chosen.events) - on:,} not tracked")
    details = detail_words(chosen)
    return " · ".join([*kinds, details.plain] if details else kinds)


def _totals(counts: DestinationCounters) -> Iterator[Content]:
    rows = (
        ("✓", "Forwarded", counts.forwarded, theme.GOOD, "by the filter"),
        ("–", "Filtered", counts.filtered, theme.WARN, ""),
        ("~", "Rate Limited", counts.rate_limited, theme.WARN, "deliveries that waited"),
        ("✗", "Failed", counts.failed, theme.BAD, "given up"),
        ("→", "Delivered", counts.delivered, theme.GOOD, "answered 2xx"),
        ("○", "Queued", counts.queued, theme.QUIET, "not delivered yet"),
    )
    for mark, word, count, style, note in rows:
        yield Content.assemble(
            (f"{mark} ", style if count else theme.QUIET),
            (f"{word:<{_LABEL - 2}}", theme.QUIET),
            (f"{count:>9,}", theme.STRONG if count else theme.QUIET),
            (f"   {note}", theme.QUIET),
        )


def _line(label: str, *parts: Part) -> Content:
    return Content.assemble((f"{label:<{_LABEL}}", theme.QUIET), *map(_shown, parts))


def _shown(part: Part) -> Content | tuple[str, str]:
    if isinstance(part, Content):
        return part
    return (printable(part), "") if isinstance(part, str) else (printable(part[0]), part[1])
