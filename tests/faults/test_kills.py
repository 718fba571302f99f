"""Promises 1 and 3: `kill -9` at every boundary of a delivery; what follows is what the attempts explain."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from statsig_tui.core.envelope import encode
from statsig_tui.engine import outbox
from statsig_tui.engine.line import MOST_AHEAD
from statsig_tui.engine.store import Store, Tx

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, StartEndpoint
    from tests.contract.conftest import Program, Spawn
    from tests.faults.conftest import Ask

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
KEY = {"STATSIG-API-KEY": "secret-" + "k" * 43}
PAIR = {"events": [{"eventName": "one", "user": {"userID": "u"}}, {"eventName": "two", "user": {}}]}
SETTINGS = """
[[destinations]]
name = "mine"
url = "{}"
[destinations.batch]
max_events = 2
[destinations.retry]
schedule = [0.01, 0.01, 0.01]
"""
AT_ONCE = "concurrency = 4\n[destinations.batch]"
INTERRUPTED = "interrupted while waiting for the answer: it may have arrived"


Settings = Callable[[str], tuple[str, str]]
Kill = Callable[..., Awaitable["Program"]]


@pytest.fixture
def kill(spawn: Spawn) -> Kill:
    """Start the program so that it ends at a boundary."""
    dying = str(Path(__file__).with_name("dying.py"))

    async def start(boundary: str, *options: str) -> Program:
        return await spawn("serve", *PORTS, "--json", *options, runs=(dying, boundary))

    return start


CASES: list[tuple[list[str], list[int], list[str], list[int | str]]] = [
    (["accepting"], [200], [], []),
    (["accepted"], [200], ["one two"], [200]),
    (["opening"], [200], ["one two"], [200]),
    (["opened"], [200], ["one two"], [200]),
    (["beginning"], [200], ["one two"], [200]),
    (["begun"], [200], ["one two"], [INTERRUPTED, 200]),
    (["posted"], [200], ["one two", "one two"], [INTERRUPTED, 200]),
    (["ending"], [200], ["one two", "one two"], [INTERRUPTED, 200]),
    (["ended"], [200], ["one two"], [200]),
    (["ended"], [500, 200], ["one two", "one two"], [500, 200]),
    (["halving"], [413, 413, 200], ["one two", "one two", "one", "two"], [INTERRUPTED, 413, 200, 200]),
    (["halved"], [413, 200], ["one two", "one", "two"], [413, 200, 200]),
    (["begun", "recovering"], [200], ["one two"], [INTERRUPTED, 200]),
    (["posted", "recovered"], [200], ["one two", "one two"], [INTERRUPTED, 200]),
    (["posted", "posted"], [200], ["one two"] * 3, [INTERRUPTED, INTERRUPTED, 200]),
]
"""Where it is killed, what the endpoint answers, what it gets, and what the attempts tell of it."""


@pytest.mark.parametrize(
    ("boundaries", "answers", "names", "attempts"), CASES, ids=["-then-".join(case[0]) for case in CASES]
)
async def test_a_kill_at_a_boundary_loses_nothing_and_every_repetition_is_explained(
    spawn: Spawn,
    kill: Kill,
    settings: Settings,
    endpoint: StartEndpoint,
    say: Callable[..., Answer],
    ask: Ask,
    boundaries: Sequence[str],
    answers: Sequence[int],
    names: Sequence[str],
    attempts: Sequence[int | str],
) -> None:
    mine = await endpoint(say(*answers))
    chosen = settings(SETTINGS.format(mine.url))
    for number, boundary in enumerate(boundaries):
        it = await kill(boundary, *chosen)
        if number == 0:
            await post_pair((await it.line("ready"))["emulator"])
        assert (await it.end())[0] == -signal.SIGKILL
    it = await spawn("serve", *PORTS, "--json", *chosen)
    await it.line("ready")
    await mine.got(len(names))
    assert (await it.end(signal.SIGTERM))[0] == 143
    assert [contents(got) for got in mine.requests] == names
    # Which is what a destination tells a repetition by.
    uuids = {event["timeUUID"] for got in mine.requests for event in json.loads(got.body)["data"]}
    assert len(uuids) == (2 if names else 0)
    assert ask("SELECT coalesce(status, error) FROM attempts ORDER BY delivery, number") == attempts
    assert set(
        ask("SELECT state FROM deliveries WHERE coalesce(error, '') NOT LIKE 'too large: halved%'")
    ) <= {"delivered"}
    assert ask("SELECT count(*) FROM events") == ask(
        "SELECT count(*) FROM verdicts WHERE delivery IS NOT NULL"
    )
    assert ask("PRAGMA integrity_check") == ["ok"]


@pytest.mark.parametrize(
    ("boundary", "names", "attempts"),
    [
        ("ending", ["one", "one", "two"], [INTERRUPTED, 200, 200]),
        ("turned", ["one", "two"], [200, INTERRUPTED, 200]),
    ],
)
async def test_an_end_and_the_next_beginning_are_kept_together_or_not_at_all(
    spawn: Spawn, kill: Kill, settings: Settings, endpoint: StartEndpoint, say: Callable[..., Answer],
    ask: Ask, tmp_path: Path, boundary: str, names: Sequence[str], attempts: Sequence[int | str],
) -> None:  # fmt: skip
    mine = await endpoint(say(200))
    chosen = settings(SETTINGS.format(mine.url))
    await keep_waiting(tmp_path / "data", "one", "two")
    it = await kill(boundary, *chosen)
    assert (await it.end())[0] == -signal.SIGKILL
    assert [contents(got) for got in mine.requests] == ["one"]
    it = await spawn("serve", *PORTS, "--json", *chosen)
    await mine.got(len(names))
    assert (await it.end(signal.SIGTERM))[0] == 143
    assert [contents(got) for got in mine.requests] == names
    assert ask("SELECT coalesce(status, error) FROM attempts ORDER BY delivery, number") == attempts
    assert set(ask("SELECT state FROM deliveries")) == {"delivered"}


@pytest.mark.parametrize("boundary", ["ending*9", "turned*5", "turned*9"])
async def test_what_was_begun_ahead_arrives_in_its_order_and_every_repetition_is_explained(
    spawn: Spawn, kill: Kill, settings: Settings, endpoint: StartEndpoint, say: Callable[..., Answer],
    ask: Ask, tmp_path: Path, boundary: str,
) -> None:  # fmt: skip
    mine = await endpoint(say(200))
    chosen = settings(SETTINGS.format(mine.url))
    names = [f"e{number:02}" for number in range(30)]
    await keep_waiting(tmp_path / "data", *names)
    it = await kill(boundary, *chosen)
    assert (await it.end())[0] == -signal.SIGKILL
    begun = ask("SELECT count(*) FROM deliveries WHERE state = 'sending'")[0]
    assert 1 < begun <= 2 * MOST_AHEAD, "several were begun, and no more than a crash may leave in doubt"
    before = len(mine.requests)
    assert [contents(got) for got in mine.requests] == names[:before], "and sent one by one"
    noted = ask("SELECT count(*) FROM attempts WHERE status = 200")[0]
    assert noted <= before, "what is noted as arrived has arrived"
    it = await spawn("serve", *PORTS, "--json", *chosen)
    await it.line("ready")
    await mine.got(before + len(names) - noted)
    assert (await it.end(signal.SIGTERM))[0] == 143
    assert [contents(got) for got in mine.requests[before:]] == names[noted:]
    assert set(ask("SELECT state FROM deliveries")) == {"delivered"}
    attempts = ask("SELECT coalesce(status, error) FROM attempts ORDER BY delivery, number")
    assert attempts == [200] * noted + [INTERRUPTED, 200] * begun + [200] * (len(names) - noted - begun)


async def test_however_often_it_is_killed_what_was_begun_ahead_keeps_its_order(
    spawn: Spawn, kill: Kill, settings: Settings, endpoint: StartEndpoint, say: Callable[..., Answer],
    ask: Ask, tmp_path: Path,
) -> None:  # fmt: skip
    mine = await endpoint(say(200))
    chosen = settings(SETTINGS.format(mine.url))
    names = [f"e{number:02}" for number in range(30)]
    await keep_waiting(tmp_path / "data", *names)
    for boundary in ("turned*6", "turned*3", "begun"):
        before = len(mine.requests)
        (noted,) = ask("SELECT count(*) FROM attempts WHERE status = 200")
        assert (await (await kill(boundary, *chosen)).end())[0] == -signal.SIGKILL
        got = [contents(one) for one in mine.requests[before:]]
        assert got == names[noted : noted + len(got)]
    before = len(mine.requests)
    (noted,) = ask("SELECT count(*) FROM attempts WHERE status = 200")
    it = await spawn("serve", *PORTS, "--json", *chosen)
    await mine.got(before + len(names) - noted)
    assert (await it.end(signal.SIGTERM))[0] == 143
    assert [contents(got) for got in mine.requests[before:]] == names[noted:]
    assert set(ask("SELECT state FROM deliveries")) == {"delivered"}


@pytest.mark.parametrize("boundary", ["begun", "posted", "ending", "ended"])
async def test_of_several_that_are_under_way_none_is_lost_and_every_repetition_is_explained(
    spawn: Spawn, kill: Kill, settings: Settings, endpoint: StartEndpoint, say: Callable[..., Answer],
    ask: Ask, tmp_path: Path, boundary: str,
) -> None:  # fmt: skip
    mine = await endpoint(say(200))
    chosen = settings(SETTINGS.format(mine.url).replace("[destinations.batch]", AT_ONCE, 1))
    names = [f"e{number}" for number in range(9)]
    await keep_waiting(tmp_path / "data", *names)
    for _ in range(2):
        it = await kill(boundary, *chosen)
        assert (await it.end())[0] == -signal.SIGKILL
    it = await spawn("serve", *PORTS, "--json", *chosen)
    await mine.until(lambda: {contents(got) for got in mine.requests} == set(names))
    assert (await it.end(signal.SIGTERM))[0] == 143
    outcomes = ask("SELECT coalesce(status, error) FROM attempts")
    assert set(outcomes) <= {200, INTERRUPTED}
    assert outcomes.count(200) == len(names)
    # No request without its attempt, and no event more than once without one that was interrupted.
    assert len(names) <= len(mine.requests) <= len(outcomes)
    assert set(ask("SELECT state FROM deliveries")) == {"delivered"}
    assert ask("PRAGMA integrity_check") == ["ok"]


@pytest.mark.parametrize(("boundary", "captures"), [("capturing", 1), ("captured", 2)])
async def test_a_capture_is_kept_before_it_is_acknowledged(
    spawn: Spawn, kill: Kill, ask: Ask, boundary: str, captures: int
) -> None:
    it = await kill(boundary)
    await post_pair((await it.line("ready"))["emulator"])
    assert (await it.end())[0] == -signal.SIGKILL
    again = await spawn("serve", *PORTS, "--json")
    await again.line("delivery", state="delivered")
    await again.end(signal.SIGTERM)
    assert ask("SELECT events FROM captures") == [2] * captures
    assert ask("SELECT coalesce(status, error) FROM attempts") == [INTERRUPTED, 200]


async def keep_waiting(data: Path, *names: str) -> None:
    """Deliveries that wait already when the program starts, each of one event."""
    data.mkdir(mode=0o700)
    store = await Store.open(data / "statsig-tui.db")

    def keep(tx: Tx) -> None:
        for name in names:
            body = encode([json.dumps({"eventName": name}).encode()], "data", "number")
            outbox.open_delivery(tx, 1, "mine", body, (), "full", count=1)

    await store.write(keep)
    await store.close()


async def post_pair(emulator: str) -> None:
    """Two events in one request; whoever is killed before the answer leaves it without one."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        with contextlib.suppress(httpx.HTTPError):
            await client.post(f"{emulator}/v1/log_event", json=PAIR, headers=KEY)


def contents(got: Got) -> str:
    return " ".join(event["eventName"] for event in json.loads(got.body)["data"])
