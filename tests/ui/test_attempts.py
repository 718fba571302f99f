"""Attempts, driven by keys: from a minute to a request, and what is tried again by hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import BatchPolicy, RetryPolicy
from statsig_tui.core.records import DeliveryState
from statsig_tui.tui.screens.redeliver import RedeliverDialog
from statsig_tui.tui.widgets.attempt_detail import TIMING
from statsig_tui.tui.widgets.attempt_rows import MINUTE
from statsig_tui.tui.widgets.attempts import AttemptsPane
from statsig_tui.tui.widgets.destination_list import DestinationList
from statsig_tui.tui.widgets.fields import Choice
from tests.ui.desk import Open, made

if TYPE_CHECKING:
    from tests.conftest import Got, StartEndpoint

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


async def test_attempts_open_from_minute_to_request_and_back(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    body = b'{"oops":"[/x] \\u001b]0;X"}'
    hostile = b"HTTP/1.1 500 [/x] [@click=app.quit]q[/]\r\nX-Odd: [/y]\r\nContent-Length: %d\r\n\r\n%s"
    there = await endpoint(say(hostile % (len(body), body)))
    async with desk(made("my-api", there.url)) as at:
        await at.event("evil", note="[/oops] \x1b]0;X")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.select("my-api")
        await at.turn("attempts")
        pane = at.screen.query_one(AttemptsPane)
        await at.until(at.pilot, lambda: "HTTP 500" in seen(at.app) or "[/x]" in seen(at.app))
        await at.press("enter", "enter")
        await at.until(at.pilot, lambda: "next attempt in" in seen(at.app) and "attempt 1" in seen(at.app))
        assert "✗ 500" in seen(at.app)
        await at.press("enter")
        await at.until(
            at.pilot, lambda: "POST http" in seen(at.app) and r"[/oops] \u001b]0;X" in seen(at.app)
        )
        await at.until(at.pilot, lambda: "X-Statsig-Signature" in seen(at.app))
        await at.press("right")
        await at.until(at.pilot, lambda: "X-Odd" in seen(at.app) and "[/y]" in seen(at.app))
        assert "500 [/x] [@click=app.quit]q[/]" in seen(at.app)
        for step in ("deliveries", "minutes"):
            await at.press("escape")
            await at.until(at.pilot, lambda step=step: pane.step == step)
        await at.press("escape")
        await at.until(at.pilot, lambda: at.screen.query_one(DestinationList).has_focus)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids=str)
async def test_an_attempt_says_where_its_time_went(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any], size: tuple[int, int]
) -> None:
    there = await endpoint(say(200))
    async with desk(made("my-api", there.url), made("down"), size=size) as at:
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED])
        await at.until(at.pilot, lambda: at.states("down") == [DeliveryState.RETRYING])

        async def timing_of(name: str) -> None:
            await at.select(name)
            await at.turn("attempts")
            pane = at.screen.query_one(AttemptsPane)
            await at.until(at.pilot, lambda: "Rate Limited" in seen(at.app) or "Forwarded" in seen(at.app))
            await at.press("enter", "enter")
            await at.until(at.pilot, lambda: pane.step == "deliveries" and "attempt 1" in seen(at.app))
            await at.press("enter")
            await at.until(at.pilot, lambda: "attempt 1 of 1" in seen(at.app))
            while at.screen.query_one("#attempt-side", Choice).value != TIMING:
                await at.press("right")

        await timing_of("my-api")
        await at.until(at.pilot, lambda: "total" in seen(at.app))
        shown = seen(at.app)
        assert "◂ longest" in shown
        assert "http has none" in shown
        for words in ("connect", "request sent", "waiting", "answer's body"):
            assert re.search(rf"{words} +[\d.,]+ ms   .*[▏▎▍▌▋▊▉█]", shown), words
        await at.press("escape", "escape", "escape")
        await timing_of("down")
        await at.until(at.pilot, lambda: "✗ ended here" in seen(at.app))
        shown = seen(at.app)
        assert re.search(r"connect +[\d.,]+ ms .*✗ ended here", shown)
        assert "not come to: request sent" in shown
        assert "connecting" in shown


async def test_a_page_that_answered_like_a_webhook_is_flagged(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    """D10: in the list of attempts and in the attempt."""
    there = await endpoint(say(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<!doctype html>"))
    async with desk(made("my-api", there.url)) as at:
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED])
        await at.select("my-api")
        await at.turn("attempts")
        await at.press("enter")
        await at.until(at.pilot, lambda: " 1 " in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: "attempt 1" in seen(at.app) and "an HTML page" in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: "POST http" in seen(at.app) and "an HTML page" in seen(at.app))


async def test_retry_now_and_cancel_act_on_the_delivery_under_the_cursor(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(500, 500, 200))
    async with desk(made("my-api", there.url)) as at:
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.select("my-api")
        await at.turn("attempts")
        assert not at.screen.check_action("retry", ())
        await at.press("enter")
        await at.until(at.pilot, lambda: " 1 " in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: at.screen.check_action("retry", ()) is True)
        await at.press("r")
        await at.until(at.pilot, lambda: len(there.requests) == 2 and "attempt 2" in seen(at.app))
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.until(at.pilot, lambda: at.screen.check_action("cancel_delivery", ()) is True)
        await at.press("c")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.CANCELLED])
        await at.until(at.pilot, lambda: "cancelled by hand" in seen(at.app))
        await at.until(at.pilot, lambda: not at.screen.check_action("cancel_delivery", ()))
        await at.press("r")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED])
        await at.until(at.pilot, lambda: not at.screen.check_action("retry", ()))


async def test_cancel_ends_a_request_that_hangs_and_the_attempt_says_what_happened(
    desk: Open, seen: Text, endpoint: StartEndpoint
) -> None:
    there = await endpoint(say_nothing)
    async with desk(made("my-api", there.url, batch=BatchPolicy(1, 0), timeout_seconds=600)) as at:
        await at.event()
        await there.got(1)
        await at.select("my-api")
        await at.turn("attempts")
        await at.press("enter")
        await at.until(at.pilot, lambda: " 1 " in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: at.screen.check_action("cancel_delivery", ()) is True)
        await at.press("c")
        await there.until(lambda: there.closed == 1)
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.CANCELLED])
        await at.until(at.pilot, lambda: "cancelled by hand while waiting for the answer" in seen(at.app))
        await at.press("down", "enter")
        await at.until(at.pilot, lambda: "it may have arrived" in seen(at.app))
        assert "Retry now sends it after all" in seen(at.app)


async def say_nothing(got: Got, writer: asyncio.StreamWriter) -> None:
    """Leave a request without an answer."""


async def test_what_failed_is_redelivered_after_its_number_was_said(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(500, 500, 200))
    async with desk(made("my-api", there.url, batch=BatchPolicy(1, 0), retry=RetryPolicy("none"))) as at:
        await at.event()
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.FAILED] * 2)
        await at.select("my-api")
        assert not at.screen.check_action("redeliver", ())
        await at.turn("attempts")
        await at.until(at.pilot, lambda: at.screen.check_action("redeliver", ()) is True)
        await at.press("R")
        await at.until(
            at.pilot, lambda: "everything that failed         2 deliveries, 2 events" in seen(at.app)
        )
        await at.press("escape", "R")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, RedeliverDialog))
        assert at.states("my-api") == [DeliveryState.FAILED] * 2
        await at.press("end", "enter")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED] * 2)
        await at.until(at.pilot, lambda: "2 deliveries due now." in seen(at.app))
        await at.until(at.pilot, lambda: not at.screen.check_action("redeliver", ()))


async def test_marked_deliveries_alone_are_redelivered_at_once(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    """The marks stay while the list scrolls, is drawn anew and is left, and go with what arrives."""
    there = await endpoint(say(500))
    once = made("my-api", there.url, batch=BatchPolicy(1, 0), retry=RetryPolicy("none"))
    async with desk(once, size=(80, 24)) as at:
        await at.events("checkout", "refund", *"abcdefgh")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.FAILED] * 10)
        newest = at.deliveries("my-api")[0].created // MINUTE
        ids = [item.id for item in at.deliveries("my-api") if item.created // MINUTE == newest]
        await at.select("my-api")
        await at.turn("attempts")
        pane = at.screen.query_one(AttemptsPane)
        pane.open(at.deliveries("my-api")[0])
        await at.until(at.pilot, lambda: pane.can_mark())
        await at.until(at.pilot, lambda: f"d{ids[0]} " in seen(at.app))
        assert "◆" not in seen(at.app)
        await at.press("m")
        await at.until(at.pilot, lambda: f"◆d{ids[0]} " in seen(at.app) and "◆ 1 marked" in seen(at.app))
        await at.press("down", "down", "down", "m")
        assert pane.marked == set(ids[:2]), "an attempt's line marks its delivery"
        await at.press("m", "end", "m", "home")
        await at.until(at.pilot, lambda: "◆ 2 marked" in seen(at.app))

        await at.event("later")
        await at.until(at.pilot, lambda: len(at.deliveries("my-api")) == 11)
        await at.until(at.pilot, lambda: f"◆d{ids[0]} " in seen(at.app))
        await at.press("escape", "escape")
        await at.turn("attempts")
        await at.press("M")
        await at.until(at.pilot, lambda: "only marked   2 deliveries   ◆ 2 marked  M all" in seen(at.app))

        await at.press("R")
        await at.until(
            at.pilot, lambda: "the 2 marked ones              2 deliveries, 2 events" in seen(at.app)
        )
        there.answer = say(200)
        await at.press("enter")
        await at.until(at.pilot, lambda: "2 deliveries due now." in seen(at.app))
        await at.until(at.pilot, lambda: at.states("my-api").count(DeliveryState.DELIVERED) == 2)
        arrived = {item.id for item in at.deliveries("my-api") if item.state is DeliveryState.DELIVERED}
        assert arrived == {ids[0], ids[-1]}
        await at.until(at.pilot, lambda: "◆" not in seen(at.app) and "✓ delivered" in seen(at.app))
        await at.press("M")
        await at.until(at.pilot, lambda: pane.step == "minutes")


async def test_time_runs_fast_by_a_key_and_the_header_says_so(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(500, 200))
    async with desk(made("my-api", there.url)) as at:
        assert "TIME" not in seen(at.app)
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.press("s")
        await at.until(at.pilot, lambda: "» TIME ×60 " in seen(at.app))
        assert at.states("my-api") == [DeliveryState.RETRYING]
        await at.press("s")
        await at.until(at.pilot, lambda: "» TIME ×3,600 " in seen(at.app))
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED])
        await at.press("s")
        await at.until(at.pilot, lambda: "TIME" not in seen(at.app))


async def test_next_attempt_now_is_a_key_of_the_list(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(500, 200))
    async with desk(made("my-api", there.url)) as at:
        await at.select("my-api")
        assert not at.screen.check_action("hurry", ())
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.until(at.pilot, lambda: at.screen.check_action("hurry", ()) is True)
        await at.press("n")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED])
        await at.until(at.pilot, lambda: "1 delivery is due now." in seen(at.app))


async def test_next_attempt_now_sends_what_an_open_batch_holds_and_the_attempt_tells_why_it_was_closed(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(404))
    async with desk(made("my-api", there.url, batch=BatchPolicy(100, 3600))) as at:
        await at.select("my-api")
        await at.event()
        await at.until(at.pilot, lambda: at.screen.check_action("hurry", ()) is True)
        await at.press("n")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.turn("attempts")
        await at.press("enter")
        await at.until(at.pilot, lambda: "404 " in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: "closed: flush" in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: "check the path of the Webhook URL" in seen(at.app))
        text = seen(at.app)
        assert "closed: flush" in text
        sent = there.requests[0]
        for name in ("host", "user-agent", "accept-encoding", "content-length"):
            assert re.search(rf"(?i){name} +{re.escape(sent.headers[name])}", text), name


async def test_a_delivery_says_that_it_waits_for_the_rate_limit(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(200))
    slow = made("my-api", there.url, batch=BatchPolicy(1, 0), rate_limit=0.01)
    async with desk(slow) as at:
        await at.events("first", "second")
        await at.select("my-api")
        await at.turn("attempts")
        await at.until(at.pilot, lambda: at.screen.query_one(AttemptsPane).minute is not None)
        await at.press("enter")
        await at.press("enter")
        await at.until(at.pilot, lambda: "waits: rate limit" in seen(at.app))
        assert seen(at.app).count("rate limit") == 1, "the one that was sent had not waited"
        assert at.states("my-api") == [DeliveryState.WAITING, DeliveryState.DELIVERED]


async def test_a_delivery_of_one_that_is_off_says_that_it_waits(desk: Open, seen: Text) -> None:
    async with desk(made("my-api")) as at:
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.select("my-api")
        await at.press("space")
        await at.until(at.pilot, lambda: "○ my-api" in seen(at.app))
        await at.turn("attempts")
        await at.press("enter")
        await at.until(at.pilot, lambda: "connection refused" in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: "waits: off" in seen(at.app))
        assert "the destination is off; space in the list turns it on" in seen(at.app)
