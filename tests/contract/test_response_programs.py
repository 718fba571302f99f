"""Response programs over real sockets: what the sender gets, what is kept of it, and that it is live."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from statsig_tui.core.config import ReceiverConfig
from statsig_tui.core.programs import Course, parse
from statsig_tui.core.records import Captured, CaptureRecord, DeliveryState
from statsig_tui.core.redact import Redactor
from statsig_tui.engine.clock import SystemClock
from statsig_tui.engine.receiver import receiver
from statsig_tui.engine.server import Limits, address, bind, serving
from statsig_tui.errors import UsageError
from tests.faults.test_store_refuses import locked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Site, StartEngine
    from tests.contract.conftest import Spawn

BATCH = {"data": [{"eventName": "checkout", "userID": "u1"}]}
VERIFICATION = {"data": {"event": "url_verification", "verification_code": "abc"}}
STUCK = 20.0
Make = Callable[..., Any]


def answered(site: Site) -> list[tuple[int, str | None]]:
    """What was answered to each capture, and the step that did."""
    return [(record.status, record.program) for record in site.journal.of(CaptureRecord)]


async def test_our_own_forwarder_retries_until_the_program_lets_it_through(
    engine: StartEngine, config: Make
) -> None:
    async with engine(config(receiver={"respond": "500 x2 then 200"})) as site:
        await site.event()
        (delivery,) = await site.delivery(DeliveryState.DELIVERED)
        await site.journal.wait(CaptureRecord, count=3)
        assert answered(site) == [(500, "500 x2"), (500, "500 x2"), (200, "200")]
        attempts = site.engine.archive.attempts(delivery.id)
        assert [attempt.status for attempt in attempts] == [500, 500, 200]
        bodies = [site.engine.archive.capture(number) for number in (1, 2, 3)]
        assert len({detail.body for detail in bodies if detail is not None}) == 1
        assert [attempt.response_body for attempt in attempts] == [
            detail.answer_body for detail in bodies if detail is not None
        ]


async def test_a_cut_or_left_open_connection_is_an_attempt_that_failed(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    receiver = {"respond": "cut then hang then 200"}
    async with engine(config(destination(timeout_seconds=0.3), receiver=receiver)) as site:
        await site.event()
        (delivery,) = await site.delivery(DeliveryState.DELIVERED)
        assert answered(site) == [(0, "cut x1"), (0, "hang x1"), (200, "200")]
        attempts = site.engine.archive.attempts(delivery.id)
        assert [attempt.status for attempt in attempts] == [None, None, 200]
        errors = [attempt.error or "" for attempt in attempts]
        assert ["0.3" in error for error in errors] == [False, True, False], "a cut is no time-out"
        assert errors[0]


async def test_headers_body_and_delay_are_as_they_were_said(site: Site) -> None:
    await site.engine.respond('/a: 429 retry-after=5; /b: delay 1ms then 201 body={"ok": 1}; /c: 204')
    first, second, third = [await site.webhook(BATCH, path) for path in ("/a", "/b?q=1", "/c")]
    assert (first.status_code, first.headers["retry-after"]) == (429, "5")
    assert (second.status_code, second.content) == (201, b'{"ok": 1}')
    assert second.headers["content-type"] == "application/json"
    assert (third.status_code, third.content) == (204, b"")
    usual = await site.webhook(BATCH, "/d")
    assert (usual.status_code, usual.json()) == (200, {"success": True, "stored": 1})
    steps = ["429", "delay 1ms then 201", "204", None]
    assert answered(site) == list(zip((429, 201, 204, 200), steps, strict=True))
    details = [site.engine.archive.capture(number) for number in (1, 2, 3)]
    assert [detail and detail.answer_body for detail in details] == [first.content, second.content, b""]
    assert details[0] is not None
    assert ("retry-after", "5") in details[0].answer_headers


async def test_a_fault_is_told_all_the_same_and_a_web_page_is_still_refused(site: Site) -> None:
    await site.engine.respond("200")
    assert (await site.webhook(b"{")).status_code == 200
    assert (await site.webhook(BATCH, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    records = site.journal.of(CaptureRecord)
    assert [(record.fault, record.program) for record in records] == [
        ("bad_json", "200"),
        ("browser_request", None),
    ]


async def test_a_verification_is_answered_unless_the_program_names_its_path(site: Site) -> None:
    await site.engine.respond("500; /hook: 404")
    usual = await site.webhook(VERIFICATION, "/other", secret=None)
    assert (usual.status_code, usual.json()) == (200, {"verification_code": "abc"})
    assert (await site.webhook(VERIFICATION, "/hook", secret=None)).status_code == 404


async def test_a_change_is_live_and_begins_at_the_first_step(engine: StartEngine, config: Make) -> None:
    settings = config(receiver={"respond": "500 then 501"})
    async with engine(settings) as site:
        assert [(await site.webhook(BATCH)).status_code for _ in range(2)] == [500, 501]
        await site.engine.apply(settings)
        assert (await site.webhook(BATCH)).status_code == 501, "the same settings begin nothing anew"
        await site.engine.respond("500 then 501")
        assert (await site.webhook(BATCH)).status_code == 500
        await site.engine.apply(config())
        assert (await site.webhook(BATCH)).status_code == 200
        with pytest.raises(UsageError, match="character 5"):
            await site.engine.respond("500 hten 200")
        assert (await site.webhook(BATCH)).status_code == 200


async def test_a_capture_is_committed_before_its_answer_is_acted_out(
    engine: StartEngine, tmp_path: Path
) -> None:
    """While the sender still waits it can be looked at; and what is not kept is not answered by program."""
    async with engine(busy_seconds=0.05) as site:
        await site.engine.respond("/wait: hang; 200")
        waiting = asyncio.create_task(site.webhook(BATCH, "/wait"))
        record = await site.capture()
        assert (record.status, record.program) == (0, "hang")
        assert not waiting.done()
        with locked(tmp_path / "store.db"):
            assert (await site.webhook(BATCH)).status_code == 503
        waiting.cancel()


@pytest.mark.parametrize("text", ["hang", "delay 60m then 200"])
async def test_who_is_kept_waiting_holds_up_no_stop(text: str) -> None:
    limits = Limits(stop_seconds=3600)
    came = asyncio.Event()

    async def record(captured: Captured) -> None:
        came.set()

    app = receiver(
        clock=SystemClock(), settings=ReceiverConfig, secrets=tuple, redact=Redactor, record=record,
        refused=lambda code: None, limits=limits, course=lambda: Course(parse(text)),
    )  # fmt: skip
    sock = bind("127.0.0.1", 0)
    url = address(sock)
    async with asyncio.timeout(STUCK), httpx.AsyncClient(trust_env=False, timeout=None) as client:
        async with serving(app, sock, limits):
            waiting = asyncio.create_task(client.post(url, json=BATCH))
            await came.wait()
        with pytest.raises(httpx.TransportError):
            await waiting


async def test_listen_answers_by_program_and_its_lines_say_what(spawn: Spawn) -> None:
    it = await spawn("listen", "--port", "0", "--json", "--respond", "cut then 418 then usual", data=None)
    url = (await it.line("ready"))["receiver"]
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post(url, json=BATCH)
        assert (await client.post(url, json=BATCH)).status_code == 418
        assert (await client.post(url, json=BATCH)).json()["stored"] == 1
    lines = [await it.line("capture") for _ in range(3)]
    assert [(line["status"], line["program"]) for line in lines] == [
        (None, "cut x1"),
        (418, "418 x1"),
        (200, None),
    ]
    await it.end(signal.SIGTERM)


@pytest.mark.parametrize("command", ["listen", "serve"])
async def test_a_program_that_is_none_is_refused_with_its_place(spawn: Spawn, command: str) -> None:
    it = await spawn(command, "--respond", "500 x2 hten 200")
    code, out, err = await it.end()
    assert (code, out) == (2, "")
    assert 'character 8: "hten"' in err
    assert "did you mean then?" in err


async def test_settings_keep_a_program_and_a_wrong_one_is_named_with_its_line(
    spawn: Spawn, settings: Callable[[str], tuple[str, str]]
) -> None:
    it = await spawn("serve", *settings('[receiver]\nport = 0\nrespond = "410"'), "--emulator-port", "0")
    url = (await it.line("ready"))["receiver"]
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(url, json=BATCH)).status_code == 410
    await it.end(signal.SIGTERM)
    it = await spawn("config", "check", *settings('[receiver]\nrespond = "410 x"'), data=None)
    code, out, err = await it.end()
    assert code
    assert "line 2: receiver.respond: at character 5" in out + err
