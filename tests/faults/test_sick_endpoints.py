"""Promises 3, 7 and 19 at once: endpoints that fail in every way, and a sender that is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from tests.corpus.cases_d import head, reset

if TYPE_CHECKING:
    from tests.conftest import Got, StartEndpoint
    from tests.contract.conftest import Program, Spawn
    from tests.faults.conftest import Ask

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
NAMES = ("one", "two")
KILLS = 4
BATCHES = 5
"""Requests to the emulator in each life, of as many events as a batch has."""
EVENTS = 8
LARGEST = 6
"""Events in a request, above which it is too large."""
FAULTS = ("500", "429", "hang", "reset", "", "", "", "")
DESTINATION = """
[[destinations]]
name = "{name}"
url = "{url}"
secret = {{ inline = "webhook-{name:0>43}" }}
timeout_seconds = 0.2
batch = {{ max_events = 8, max_seconds = 0.05 }}
retry = {{ schedule = [{schedule}] }}
circuit = {{ failures = 3, probe_seconds = {probe} }}
"""
INTERRUPTED = "interrupted while waiting for the answer: it may have arrived"
OPEN = (
    "SELECT (SELECT count(*) FROM verdicts WHERE forwarded = 1 AND delivery IS NULL)"
    " + (SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'retrying', 'sending'))"
)
Settings = Callable[[str], tuple[str, str]]
Post = Callable[..., Awaitable[None]]
Told = tuple[str, list[str], int | None]
"""A request's signature, its events, and the status that it was answered; None: it was not."""


@dataclass
class Sick:
    """What an endpoint does, and what it was sent."""

    chance: random.Random
    faults: tuple[str, ...] = ("500",)
    told: list[Told] = field(default_factory=list)

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> None:
        """Refuse what is too large or poisonous, as it always is; to everything else anything may happen."""
        names = [event["eventName"] for event in json.loads(got.body)["data"]]
        fault = self.chance.choice(self.faults)
        if len(names) > LARGEST:
            fault = "413"
        elif "poison" in names:
            fault = "400"
        status = None if fault in ("hang", "reset") else int(fault or 200)
        self.told.append((got.headers["x-statsig-signature"], names, status))
        if fault == "hang":
            await asyncio.Event().wait()
        elif fault == "reset":
            reset(writer)
        else:
            assert status is not None
            writer.write(head(status, *(["Retry-After: 0.05"] if status == 429 else [])))


async def test_kills_among_faults_of_every_kind_lose_nothing_and_hide_nothing(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, ask: Ask
) -> None:
    chance = random.Random(20260101)
    sick = {name: Sick(chance) for name in NAMES}
    endpoints = {name: await endpoint(sick[name]) for name in NAMES}
    posted: list[str] = []

    async def begin(probe: float) -> tuple[Program, Post]:
        texts = [
            DESTINATION.format(name=name, url=site.url, probe=probe, schedule=", ".join(["0.01"] * 24))
            for name, site in endpoints.items()
        ]
        it = await spawn("serve", *PORTS, "--json", *settings("".join(texts)))
        emulator = (await it.line("ready"))["emulator"]

        async def post(*names: str) -> None:
            async with httpx.AsyncClient(trust_env=False, timeout=30, headers=KEY) as client:
                answer = await client.post(
                    f"{emulator}/v1/log_event", json={"events": [{"eventName": name} for name in names]}
                )
                answer.raise_for_status()
            posted.extend(names)

        return it, post

    # Both are paused: and still are after a kill, when one probe is all that goes out.
    it, post = await begin(3600)
    while ask("SELECT count(*) FROM circuits") != [2]:
        await post(f"unheard {len(posted)}")
        await it.line("delivery", destination="two", state="waiting")
    assert (await it.end(signal.SIGKILL))[0] == -signal.SIGKILL
    before = [len(site.requests) for site in endpoints.values()]
    it, post = await begin(3600)
    for site, count in zip(endpoints.values(), before, strict=True):
        await site.got(count + 1)
    for number in range(3):
        await post(f"held back {number}")
        await it.line("delivery", destination="two", state="waiting")
    assert (await it.end(signal.SIGKILL))[0] == -signal.SIGKILL
    assert [len(site.requests) for site in endpoints.values()] == [count + 1 for count in before]

    for one in sick.values():
        one.faults = FAULTS
    for life in range(KILLS):
        it, post = await begin(0.1)
        before = [len(site.requests) for site in endpoints.values()]
        for number in range(BATCHES):
            names = [f"event {life}-{number}-{place}" for place in range(EVENTS)]
            await post(*names, *(["poison"] if life == 0 and number == 1 else []))
        for site, count in zip(endpoints.values(), before, strict=True):
            await site.got(count + chance.randint(1, 2 * BATCHES))
        assert (await it.end(signal.SIGKILL))[0] == -signal.SIGKILL

    for one in sick.values():
        one.faults = ("",)
    it, post = await begin(0.1)
    while ask(OPEN) != [0]:
        # Each of them tells, by its coming, that time has gone by.
        await post(f"sign of life {len(posted)}")
        await it.line("delivery", destination="two", state="delivered")
    assert (await it.end(signal.SIGTERM))[0] == 143
    assert ask("PRAGMA integrity_check") == ["ok"]
    assert ask("SELECT count(*) FROM circuits") == [0]
    for name in NAMES:
        check(name, posted, sick[name].told, ask)


def check(name: str, posted: Sequence[str], told: Sequence[Told], ask: Ask) -> None:
    """That every event came to an end, and that the attempts tell of every request that was made."""
    ends = ask(
        "SELECT e.name, d.state FROM verdicts v JOIN events e ON e.id = v.event"
        f" JOIN deliveries d ON d.id = v.delivery WHERE v.destination = '{name}' ORDER BY e.id"
    )
    assert ends == [(event, "failed" if event == "poison" else "delivered") for event in posted]
    attempts = dict(
        ask(
            "SELECT a.signature, coalesce(a.status, a.error) FROM attempts a"
            f" JOIN deliveries d ON d.id = a.delivery WHERE d.destination = '{name}'"
        )
    )
    requests = Counter(signature for signature, _, _ in told)
    assert max(requests.values()) == 1
    assert set(requests) <= set(attempts), "each request stood in the store before it was made"
    noted: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for signature, events, status in told:
        outcome = attempts[signature]
        assert status is None or outcome == status or is_unheard(outcome), (status, outcome)
        assert (outcome == 200) <= (status == 200)
        for seen, is_so in ((taken, status == 200), (noted, outcome == 200), (lost, is_unheard(outcome))):
            seen.update(events if is_so else [])
    assert noted == Counter(event for event in posted if event != "poison"), (
        "nothing is sent again once it is"
    )
    for event, count in taken.items():
        assert count == 1 or count <= 1 + lost[event], f"{event} came {count} times for no reason"
    unmade = [outcome for signature, outcome in attempts.items() if signature not in requests]
    assert all(map(is_unheard, unmade)), unmade


def is_unheard(outcome: object) -> bool:
    """Whether an attempt ended before an answer: by the kill, or because one came too late."""
    return outcome == INTERRUPTED or str(outcome).startswith("timeout: ")
