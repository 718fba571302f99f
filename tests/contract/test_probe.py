"""A probe and a tunnel, over real sockets: who gets them, what is seen of them, what is wrong in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core.config import (
    RECEIVER,
    BatchPolicy,
    CircuitPolicy,
    Config,
    Destination,
    Filter,
    RetryPolicy,
)
from statsig_tui.core.probe import NAME, Hop, Passing, is_settled
from statsig_tui.core.records import CaptureRecord, VerdictRecord
from statsig_tui.engine import probe
from statsig_tui.errors import NotFound
from tests.conftest import KEY

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, Site, StartEndpoint, StartEngine

Make = Callable[..., Config]
Name = Callable[..., Destination]
Say = Callable[..., "Answer"]
Tunnel = Callable[..., Awaitable[str]]
P, L, F, U, S = (Passing.PASSED, Passing.LATE, Passing.FAILED, Passing.UNSEEN, Passing.SKIPPED)


def passings(found: tuple[Hop, ...]) -> list[Passing]:
    return [hop.passing for hop in found]


async def settled(
    site: Site, destination: str, is_it: Callable[[tuple[Hop, ...]], bool] = is_settled, *, late: bool = False
) -> tuple[Hop, ...]:
    """Send a probe, and see how it fares once that is final, or as it is meant."""
    sent = await site.engine.probe(destination)
    async with asyncio.timeout(20):
        while not is_it(found := probe.look(site.engine, destination, sent, late=late)):
            await asyncio.sleep(0.01)
    return found


async def test_a_destination_that_is_gone_meanwhile_is_named(
    engine: StartEngine, config: Make, destination: Name
) -> None:
    async with engine(config(destination(), destination("mine", "http://127.0.0.1:9/"))) as site:
        sent = await site.engine.probe("mine")
        await site.engine.apply(config(destination()))
        with pytest.raises(NotFound, match="There is no destination mine"):
            probe.look(site.engine, "mine", sent, late=False)


async def test_a_probe_goes_to_the_one_destination_and_is_known_there(
    engine: StartEngine, config: Make, destination: Name, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    async with engine(config(destination(), destination("mine", mine.url))) as site:
        here = await settled(site, RECEIVER)
        assert passings(here) == [P] * 5
        assert [hop.ms is not None for hop in here] == [True] * 5
        assert here[4].said == "c1, signature valid"
        assert mine.requests == []
        there = await settled(site, "mine")
        assert passings(there) == [P, P, P, P, U]
        [got] = mine.requests
        [event] = json.loads(got.body)["data"]
        assert event["eventName"] == NAME
        assert "sent by statsig-tui" in event["metadata"]["probe"]
        assert len(site.journal.of(CaptureRecord)) == 1


async def test_nobody_else_can_say_whom_an_event_is_for(
    engine: StartEngine, config: Make, destination: Name, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    async with engine(config(destination(), destination("mine", mine.url))) as site:
        event = {"user": {"userID": "u"}, "event": "e"}
        answer = await site.post(event, key=KEY, headers={"X-Statsig-Tui-Pass": "receiver"})
        assert answer.status_code == 202
        await mine.got(1)
        await site.capture()


async def test_a_probe_that_arrives_after_it_was_given_up_is_for_the_one_destination_alone(
    engine: StartEngine, config: Make, destination: Name, endpoint: StartEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    async def cut(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.close()

    late = await endpoint(cut)
    async with engine(config(destination(), destination("mine", late.url))) as site:
        (emulator, *_) = site.engine.targets()
        with monkeypatch.context() as patched:
            patched.setattr(site.engine, "targets", lambda: (replace(emulator, url=late.url),))
            assert (await site.engine.probe("mine")).status is None
        (got,) = late.requests
        given = {"X-Statsig-Tui-Pass": got.headers["x-statsig-tui-pass"]}
        assert (await site.post(got.body, key=KEY, headers=given)).status_code == 202
        verdicts = await site.journal.wait(VerdictRecord)
        assert {verdict.destination for verdict in verdicts} == {"mine"}


@pytest.mark.parametrize(
    ("changes", "hop", "said", "mend"),
    [
        ({"enabled": False}, 1, "destination disabled", "space in 2 Destinations turns it on"),
        ({"filter": Filter(include_new_events=False)}, 1, "new event not included", f"track {NAME}"),
        ({"filter": Filter(tiers={"none": False})}, 1, "environment tier off", "Details (o)"),
        (
            {"batch": BatchPolicy(100, 3600)},
            2,
            "it closes after 3600 s or 100 events",
            "lets waiting go faster",
        ),
        ({"url": "http://127.0.0.1:9/"}, 3, "connection refused", "Is anything there?"),
    ],
)
async def test_what_holds_a_probe_up_is_named_with_what_to_do(
    engine: StartEngine, config: Make, destination: Name, changes: dict[str, object],
    hop: int, said: str, mend: str,
) -> None:  # fmt: skip
    url = changes.pop("url", "http://127.0.0.1:9/hook")
    async with engine(config(destination("mine", url, **changes))) as site:
        found = await settled(site, "mine", lambda found: said in found[hop].said, late=hop == 2)
        assert said in found[hop].said
        assert mend in found[hop].mend
        assert passings(found)[:hop] == [P] * hop
        assert found[hop].passing is (L if hop == 2 else F)
        assert passings(found)[hop + 1 :] == [S] * (4 - hop)


async def test_a_paused_circuit_and_a_410_are_named(
    engine: StartEngine, config: Make, destination: Name, endpoint: StartEndpoint, say: Say
) -> None:
    sick, gone = await endpoint(say(500)), await endpoint(say(410))
    none = RetryPolicy(())
    circuit = CircuitPolicy(failures=1, probe_seconds=3600)
    to = (
        destination("sick", sick.url, retry=none, circuit=circuit),
        destination("gone", gone.url, retry=none),
    )
    async with engine(config(*to)) as site:
        await site.event()
        async with asyncio.timeout(20):
            while site.engine.ailing() != {"sick": "paused", "gone": "disabled"}:
                await asyncio.sleep(0.01)
        paused = (await settled(site, "sick"))[3]
        assert "the circuit is paused" in paused.said
        assert "resumes it" in paused.mend
        assert "It was disabled: " in (await settled(site, "gone"))[1].mend


# The tunnel


@pytest.fixture
def tunnel(endpoint: StartEndpoint) -> Tunnel:
    """Start a reverse proxy that adds headers and a path, as a tunnel does: `await tunnel(base)`."""

    async def start(base: str, *, swallows: bool = False) -> str:
        host, _, port = base.removeprefix("http://").partition(":")

        async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
            try:
                reader, onward = await asyncio.open_connection(host, int(port))
            except OSError:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            kept = {**got.headers, "host": "tunnel.example", "x-forwarded-for": "203.0.113.7"}
            lines = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
            onward.write(f"POST /by-tunnel HTTP/1.1\r\n{lines}\r\n".encode() + got.body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            onward.close()
            other = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
            writer.write(other if swallows else head + body)

        return (await endpoint(answer)).url

    return start


async def test_a_tunnel_that_leads_here_is_seen_from_both_ends(site: Site, tunnel: Tunnel) -> None:
    url = await tunnel(site.receiver)
    report = await site.engine.check_tunnel(url)
    assert (report.is_well, report.said) == (True, "arrived, and the answer came back")
    assert report.path == "/by-tunnel"
    assert report.added == (("x-forwarded-for", "203.0.113.7"),)
    assert report.ms is not None
    [record] = site.journal.of(CaptureRecord)
    assert (record.id, record.envelope, record.status) == (report.capture, "verification", 200)
    swallowing = await tunnel(site.receiver, swallows=True)
    report = await site.engine.check_tunnel(swallowing)
    assert (report.is_well, report.capture) == (False, 2)
    assert "not the receiver's answer: answered 200" in report.said


async def test_a_tunnel_that_leads_elsewhere_is_told_by_what_answers(
    site: Site, engine: StartEngine, config: Make, tunnel: Tunnel,
    endpoint: StartEndpoint, say: Say, tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    async def tried(url: str) -> tuple[str, str]:
        report = await site.engine.check_tunnel(url, 0.5)
        assert not report.is_well
        assert report.capture is None
        return report.said, report.mend

    page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    away = b"HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n"
    here = f"oint it at {site.receiver}"
    deaf = await tunnel("http://127.0.0.1:9")
    assert await tried(deaf) == (
        "the tunnel answers 502: it runs, but does not reach the receiver",
        f"P{here}.",
    )
    said, mend = await tried((await endpoint(say(page))).url)
    assert (said, "warning" in mend) == ("something else answered 200 with an HTML page", True)
    said, mend = await tried((await endpoint(say(away))).url)
    assert (said, mend) == (
        "answered 302: a redirect to https://other.example/",
        "Enter the URL it leads to.",
    )
    said, mend = await tried((await endpoint(say(403))).url)
    assert (said, "login" in mend) == ("the tunnel answers 403", True)
    said, mend = await tried((await endpoint(say(b""))).url)
    assert ("no answer within 0.5 s" in said, "run" in mend) == (True, True)
    said, mend = await tried("http://127.0.0.1:9/")
    assert "connection refused" in said
    said, mend = await tried("http://gone.example/")
    assert ("does not resolve" in said, "mistyped" in mend) == (True, True)
    assert "link-local" in (await tried("http://169.254.169.254/"))[0]
    async with engine(config(), database=tmp_path_factory.mktemp("other") / "store.db") as other:
        said, mend = await tried(other.receiver)
        assert (said, here in mend) == ("somebody else's receiver answered", True)
    assert site.journal.of(CaptureRecord) == []


def test_a_public_url_that_is_none_is_an_error_of_the_settings() -> None:
    from statsig_tui.core.config import ReceiverConfig
    from statsig_tui.settings.document import parse, to_config

    for url, fits in (("https://a.example/hook", True), ("ftp://a.example", False), ("a.example", False)):
        report = parse(f'[receiver]\npublic_url = "{url}"\n'.encode(), "config.toml")
        made = to_config(report, Config)
        assert (made is not None) is fits, url
        if made is not None:
            assert made.receiver.public_url == replace(ReceiverConfig(), public_url=url).public_url
