"""Destinations, driven by keys against a real engine on real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import string
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from textual.widgets import Button, Input

from statsig_tui.core.config import (
    DEFAULT_RECEIVER_URL,
    RECEIVER,
    BatchPolicy,
    CircuitPolicy,
    RetryPolicy,
    Secret,
)
from statsig_tui.core.records import DeliveryState
from statsig_tui.tui.screens.destinations import DestinationsScreen
from statsig_tui.tui.screens.dialogs import NewDestination
from statsig_tui.tui.widgets import signing
from statsig_tui.tui.widgets.destination_form import DestinationForm
from statsig_tui.tui.widgets.destination_list import DestinationList
from statsig_tui.tui.widgets.destination_panes import TABS
from statsig_tui.tui.widgets.fields import Field
from tests.ui.desk import DOWN, SECRET, Open, made

if TYPE_CHECKING:
    from tests.conftest import Got, StartEndpoint

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


async def test_the_list_names_state_place_and_counts(desk: Open, seen: Text) -> None:
    off = made("staging", "https://api.example.com/x", enabled=False)
    async with desk(made("my-api"), off) as at:
        await at.event()
        await at.until(at.pilot, lambda: "retrying 1" in seen(at.app))
        text = seen(at.app)
        assert "Destinations  3" in text
        assert "● receiver" in text
        assert "↻ my-api" in text
        assert "127.0.0.1:9" in text
        assert "○ staging" in text
        assert "api.example.com" in text
        assert "follows the receiver" in text
        await at.until(at.pilot, lambda: "○ 1" in seen(at.app))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_every_tab_is_whole_at_every_size(desk: Open, seen: Text, size: tuple[int, int]) -> None:
    marks = {
        "overview": ("Webhook URL", "Event Filtering", "emulated"),
        "filter": ("☑  Exposures", "☑  Configuration Changes", "Include new events by default", "Volume"),
        "delivery": ("Batch: events", "Rate limit", "emulated"),
        "signing": ("Generate New Key", "webhook-…a1b2", "v0=HMAC-SHA256"),
        "attempts": ("Timestamp", "Forwarded Filtered Rate Limited Failed  Error"),
    }
    async with desk(made("my-api"), size=size) as at:
        await at.event()
        await at.select("my-api")
        for tab, words in marks.items():
            await at.turn(tab)
            await at.until(at.pilot, lambda words=words: all(word in seen(at.app) for word in words))


async def test_what_follows_a_short_field_stands_on_its_line(desk: Open, seen: Text) -> None:
    async with desk(made("my-api"), size=(80, 50)) as at:
        await at.select("my-api")
        await at.turn("delivery")
        for words in (
            "failed in a row · 0: never · emulated",
            "in order until one fails · emulated",
            "halved after 400 or 422 to find the event",
        ):
            await at.until(at.pilot, lambda words=words: words in seen(at.app))


async def test_adding_one_by_keys_makes_it_deliver(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(200))
    async with desk() as at:
        await at.press("ctrl+n")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, NewDestination))
        await at.until(at.pilot, lambda: isinstance(at.app.screen.focused, Input))
        await at.paste("mine")
        await at.press("down")
        await at.paste(there.url)
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, DestinationsScreen))
        added = at.named("mine")
        assert added.url == there.url
        assert added.secret is not None
        assert added.secret.inline is not None
        prefix, _, rest = added.secret.inline.partition("-")
        assert prefix == "webhook"
        assert len(rest) == 43
        assert set(rest) <= set(string.ascii_letters + string.digits)
        assert at.saved[-1].destination("mine") == added
        await at.until(at.pilot, lambda: at.screen.query_one(DestinationList).selected == "mine")
        await at.event()
        got = await there.got(1)
        assert "x-statsig-signature" in got[0].headers


async def test_what_cannot_be_meant_is_said_at_its_field(desk: Open, seen: Text) -> None:
    async with desk() as at:
        port = str(at.engine.addresses.emulator).rpartition(":")[2]
        await at.press("ctrl+n")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, NewDestination))
        await at.until(at.pilot, lambda: isinstance(at.app.screen.focused, Input))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: "✗ is empty: enter a URL" in seen(at.app))
        assert "✗ is empty: any short name" in seen(at.app)
        await at.press("down")
        await at.paste(f"http://localhost:{port}/x")
        await at.until(at.pilot, lambda: "is the emulator's own address" in seen(at.app))
        await at.write("http://localhost:3000/")
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: "is the emulator's own address" not in seen(at.app))
        await at.paste(RECEIVER)
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: "another destination has this name" in seen(at.app))
        assert [item.name for item in at.app.config.destinations] == [RECEIVER]
        await at.press("escape")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, DestinationsScreen))
        assert not at.saved


async def test_letters_are_text_while_typing(desk: Open) -> None:
    async with desk(made("my-api")) as at:
        await at.select("my-api")
        await at.press("e")
        await at.press(*"queue fred")
        assert at.screen.query_one(DestinationForm).texts()["name"] == "queue fred"
        assert at.named("my-api").enabled
        assert len(at.app.config.destinations) == 2


async def test_renaming_keeps_what_was_done_and_what_waits(desk: Open, seen: Text) -> None:
    async with desk(made("my-api")) as at:
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        await at.select("my-api")
        await at.press("e")
        await at.write("orders")
        await at.until(at.pilot, lambda: "unsaved · ctrl+s save · esc cancel" in seen(at.app))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.app.config.destination("orders") is not None)
        assert at.app.config.destination("my-api") is None
        assert at.states("orders") == [DeliveryState.RETRYING]
        await at.until(at.pilot, lambda: "↻ orders" in seen(at.app))
        assert "unsaved" not in seen(at.app)


async def test_editing_one_field_changes_nothing_else(desk: Open, seen: Text) -> None:
    async with desk(made("my-api", headers={"X-Env": "test"})) as at:
        before = at.named("my-api")
        await at.select("my-api")
        await at.press("e", *["down"] * 5)
        await at.write("7")
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.named("my-api") != before)
        assert at.named("my-api") == replace(before, batch=replace(before.batch, max_events=7))


async def test_the_built_in_one_goes_on_following_the_receiver(desk: Open) -> None:
    async with desk() as at:
        await at.press("e", "down", "down", "down", "right", "ctrl+s")
        await at.until(at.pilot, lambda: at.named(RECEIVER).envelope == "array")
        assert at.named(RECEIVER).url == DEFAULT_RECEIVER_URL


async def test_a_failing_endpoint_shows_on_every_screen_until_it_is_off(desk: Open, seen: Text) -> None:
    async with desk(made("my-api", batch=BatchPolicy(max_events=1))) as at:
        for _ in range(3):
            await at.event()
        await at.until(at.pilot, lambda: "✗ my-api failing" in seen(at.app))
        await at.until(at.pilot, lambda: "127.0.0.1:9   ✗ failing" in seen(at.app))
        assert at.app.news.health[RECEIVER].state == "healthy"
        assert "3 of the last 3 attempts failed" not in seen(at.app)
        await at.until(at.pilot, lambda: "Latency           p50 " in seen(at.app))
        await at.select("my-api")
        await at.until(at.pilot, lambda: "3 of the last 3 attempts failed (100 %)" in seen(at.app))
        assert re.search(r"Last success +never", seen(at.app))
        assert "the oldest waits since " in seen(at.app)
        await at.press("f8")
        await at.until(at.pilot, lambda: "✗ my-api failing" in seen(at.app) and "FOLLOW" in seen(at.app))
        await at.press("f7", "space")
        await at.until(at.pilot, lambda: "my-api failing" not in seen(at.app))


async def test_deliveries_wait_for_no_screen(desk: Open) -> None:
    """Accepted, delivered and tried again while the screen's loop is stuck."""
    taken: Queue[dict[str, Any]] = Queue()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500 if taken.empty() else 200)
            self.end_headers()
            taken.put(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        async with desk(made("my-api", url, retry=RetryPolicy((0.05,)))) as at:
            accepted = httpx.post(
                f"{at.engine.addresses.emulator}/v1/webhooks/event_webhook",
                headers={"STATSIG-API-KEY": "secret-x"},
                json={"user": {"userID": "u1"}, "event": "checkout"},
            )
            assert accepted.status_code == 202
            # Nothing on the screen goes on until both attempts have come.
            first, second = taken.get(timeout=20), taken.get(timeout=20)
        server.shutdown()
    assert first == second


async def test_unverified_tls_is_said_loudly(desk: Open, seen: Text) -> None:
    async with desk(made("my-api", verify_tls=False)) as at:
        await at.until(at.pilot, lambda: "✗ TLS 127.0.0.1:9" in seen(at.app))
        await at.select("my-api")
        await at.until(at.pilot, lambda: "✗ TLS is not verified" in seen(at.app))
        await at.turn("delivery")
        await at.until(at.pilot, lambda: "OFF: anybody in between can read and change it" in seen(at.app))


async def test_the_form_sets_limits_and_shows_what_follows(desk: Open, seen: Text, tmp_path: Path) -> None:
    async with desk(made("my-api", batch=BatchPolicy(100, 0.01))) as at:
        await at.select("my-api")
        await at.turn("delivery")
        form = at.screen.query_one(DestinationForm)
        await at.until(at.pilot, lambda: "in order until one fails · emulated" in seen(at.app))

        async def fill(name: str, text: str) -> None:
            field = form.field(name)
            field.focus()
            await at.until(at.pilot, lambda: at.app.screen.focused is field)
            await at.write(text)

        await fill("concurrency", "4")
        await at.until(at.pilot, lambda: "in any order · 1 keeps it · emulated" in seen(at.app))
        await fill("max_bytes", "65536")
        await fill("cert", str(tmp_path / "none.pem"))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: "No such file or directory" in seen(at.app))
        assert at.named("my-api").concurrency == 1
        await at.press("home", "shift+end", "delete")
        form.field("allow_link_local").focus()
        await at.press("space")
        await at.until(at.pilot, lambda: "it may lead to a cloud's metadata and keys" in seen(at.app))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.named("my-api").concurrency == 4)
        saved = at.named("my-api")
        assert (saved.batch.max_bytes, saved.allow_link_local, saved.client_cert) == (65_536, True, None)


async def test_a_certificate_without_its_key_is_told_though_it_is_saved_in_the_same_breath(
    desk: Open, seen: Text, tmp_path: Path
) -> None:
    """The last letters are judged after the key that saves: that must not wipe out what it said."""
    (tmp_path / "c.pem").write_text("nothing of the kind")
    async with desk(made("my-api"), size=(120, 50)) as at:
        await at.select("my-api")
        await at.turn("delivery")
        form = at.screen.query_one(DestinationForm)
        field = form.field("cert")
        field.focus()
        await at.until(at.pilot, lambda: at.app.screen.focused is field)
        await at.write(str(tmp_path / "c.pe"))
        await at.press("m", "ctrl+s")
        await at.until(at.pilot, lambda: "does not hold a certificate" in seen(at.app))
        assert isinstance(field, Input)
        form.post_message(Input.Changed(field, field.value))
        await at.pilot.pause()
        assert "does not hold a certificate" in seen(at.app)
        assert at.saved == []
        await at.press("x")
        await at.until(at.pilot, lambda: "does not hold a certificate" not in seen(at.app))


@pytest.mark.parametrize("tab", ["overview", "delivery"])
async def test_the_proxy_is_told_without_its_password(
    desk: Open, seen: Text, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:CanaryProxy0123@proxy.test:3128")
    async with desk(made("my-api", "http://hooks.example.test/in")) as at:
        await at.select("my-api")
        await at.turn(tab)
        await at.until(at.pilot, lambda: "http://proxy.test:3128" in seen(at.app))
        assert "CanaryProxy0123" not in seen(at.app)


async def test_a_copy_is_off_and_like_the_first(desk: Open) -> None:
    async with desk(made("my-api", headers={"X-Env": "test"})) as at:
        for name in ("my-api copy", "my-api copy 2"):
            await at.press("g")
            await at.select("my-api")
            await at.press("d")
            await at.until(at.pilot, lambda name=name: at.screen.query_one(DestinationList).selected == name)
            assert at.named(name) == replace(at.named("my-api"), name=name, enabled=False)
        await at.press("g")
        await at.select(RECEIVER)
        await at.press("d")
        await at.until(at.pilot, lambda: at.app.config.destination("receiver copy") is not None)
        assert at.named("receiver copy").url == f"{at.engine.addresses.receiver}/"


async def test_space_turns_it_off_and_on(desk: Open, seen: Text) -> None:
    async with desk() as at:
        await at.press("space")
        await at.until(at.pilot, lambda: "○ receiver" in seen(at.app))
        assert not at.named(RECEIVER).enabled
        assert at.saved[-1].destination(RECEIVER) == at.named(RECEIVER)
        await at.press("space")
        await at.until(at.pilot, lambda: "● receiver" in seen(at.app))


async def test_one_that_answered_410_is_resumed_by_space(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    gone = await endpoint(say(410, 200))
    async with desk(made("my-api", gone.url)) as at:
        await at.event()
        await at.until(at.pilot, lambda: "✗ my-api" in seen(at.app))
        await at.select("my-api")
        await at.until(at.pilot, lambda: "the endpoint answered 410 Gone" in seen(at.app))
        assert "space in the list resumes it" in seen(at.app)
        await at.press("space")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED])
        await at.until(at.pilot, lambda: "● my-api" in seen(at.app))


async def test_one_that_is_paused_is_named_on_every_screen_and_resumed_by_space(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    there = await endpoint(say(500, 200))
    async with desk(made("my-api", there.url, circuit=CircuitPolicy(1, 3600))) as at:
        await at.event()
        await at.until(at.pilot, lambda: "✗ my-api paused" in seen(at.app))
        await at.select("my-api")
        await at.until(at.pilot, lambda: "‖ my-api" in seen(at.app))
        await at.until(at.pilot, lambda: "1 delivery failed in a row; the last one: 500" in seen(at.app))
        probe_at = at.engine.next_probe("my-api")
        assert probe_at is not None
        assert 0 < probe_at - time.time() * 1000 <= 3_600_000
        assert re.search(r"what waits is tried again at \d\d:\d\d:\d\d", seen(at.app))
        await at.press("f8")
        await at.until(at.pilot, lambda: "✗ my-api paused" in seen(at.app))
        await at.press("f7")
        await at.press("space")
        await at.until(at.pilot, lambda: "my-api paused" not in seen(at.app))
        await at.press("n")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.DELIVERED])


async def test_where_there_is_little_room_one_that_is_paused_says_that_and_how_to_resume_it(
    desk: Open, seen: Text, endpoint: StartEndpoint, say: Callable[..., Any]
) -> None:
    """That its endpoint fails as well is why; a row that only said so would hide that nothing is sent."""
    there = await endpoint(say(500))
    once = made("my-api", there.url, batch=BatchPolicy(1, 0), circuit=CircuitPolicy(3, 3600))
    async with desk(once, size=(80, 24)) as at:
        await at.events("a", "b", "c")
        await at.until(at.pilot, lambda: re.search(r"‖ my-api +paused ", seen(at.app)) is not None)
        await at.until(at.pilot, lambda: at.app.news.health["my-api"].state == "failing")
        await at.select("my-api")
        assert re.search(r"‖ my-api +paused ", seen(at.app))
        await at.turn("attempts")
        await at.press("enter")
        await at.until(at.pilot, lambda: "500 " in seen(at.app))
        await at.press("enter")
        await at.until(at.pilot, lambda: "waits: paused" in seen(at.app))
        words = " ".join(seen(at.app).replace("│", " ").split())
        assert "the destination is paused; space in the list resumes it" in words


async def test_deleting_and_undo_bring_back_place_and_work(desk: Open, seen: Text) -> None:
    async with desk(made("my-api"), made("last")) as at:
        before = at.named("my-api")
        await at.event()
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.RETRYING])
        assert not at.screen.check_action("undo", ())
        await at.select("my-api")
        await at.press("delete")
        await at.until(at.pilot, lambda: at.states("my-api") == [DeliveryState.CANCELLED])
        await at.until(at.pilot, lambda: "Destinations  2" in seen(at.app))
        await at.press("u")
        await at.until(at.pilot, lambda: at.states("my-api") != [DeliveryState.CANCELLED])
        assert at.app.config.destinations[1] == before
        assert at.screen.query_one(DestinationList).selected == "my-api"
        assert not at.screen.check_action("undo", ())


async def test_an_empty_list_says_which_key_adds_one(desk: Open, seen: Text) -> None:
    async with desk() as at:
        await at.press("delete")
        await at.until(at.pilot, lambda: "ctrl+n adds" in seen(at.app))
        await at.press("u")
        await at.until(at.pilot, lambda: "● receiver" in seen(at.app))


async def test_edits_wait_for_their_destination_until_escape(desk: Open, seen: Text) -> None:
    async with desk(made("my-api")) as at:
        await at.press("e", "down")
        await at.write("http://localhost:1/")
        await at.press("shift+tab", "shift+tab", "shift+tab")
        await at.until(at.pilot, lambda: at.screen.query_one(DestinationList).has_focus)
        await at.select("my-api")
        await at.until(at.pilot, lambda: DOWN in seen(at.app))
        assert "unsaved" not in seen(at.app)
        await at.press("up")
        await at.until(at.pilot, lambda: "http://localhost:1/" in seen(at.app))
        await at.press("escape")
        await at.until(at.pilot, lambda: "http://localhost:1/" not in seen(at.app))
        assert not at.saved


async def test_settings_that_cannot_be_saved_keep_the_edits(desk: Open, seen: Text) -> None:
    async with desk(made("my-api"), refuses=True) as at:
        await at.select("my-api")
        await at.press("e")
        await at.write("orders")
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: "The settings cannot be written" in seen(at.app))
        assert at.app.config.destination("orders") is None
        assert at.screen.query_one(DestinationForm).texts()["name"] == "orders"
        assert at.screen.check_action("save", ()) is True


async def test_a_new_signing_secret_is_used_once_saved(desk: Open, seen: Text) -> None:
    async with desk() as at:
        before = at.named(RECEIVER).secret
        await at.turn("signing")
        await at.press("enter", "tab", "enter")
        await at.until(at.pilot, lambda: "not saved yet" in seen(at.app))
        assert at.named(RECEIVER).secret == before
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.named(RECEIVER).secret != before)
        secret = at.named(RECEIVER).secret
        [old] = at.named(RECEIVER).old_secrets
        assert old.secret == before
        assert 86_000_000 < old.until - time.time() * 1000 <= 86_400_000
        await at.until(at.pilot, lambda: "the receiver accepts webhook-…a1b2 as well until" in seen(at.app))
        assert secret is not None
        assert secret.inline is not None
        assert len(secret.inline) == len("webhook-") + 43
        assert secret.inline not in seen(at.app)
        assert f"webhook-…{secret.inline[-4:]}" in seen(at.app)
        await at.press("shift+tab", "enter")
        await at.until(at.pilot, lambda: at.app.clipboard == secret.inline)
        await at.until(at.pilot, lambda: "by the terminal (OSC 52)" in seen(at.app))
        # A secret that was told to the wrong people takes every older one with it.
        await at.press("tab", "enter")
        await at.until(at.pilot, lambda: "the old one ends in 24 h" in seen(at.app))
        at.screen.query_one("#grace").focus()
        await at.press("left")
        await at.until(at.pilot, lambda: "the old one ends now" in seen(at.app))
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.named(RECEIVER).secret != secret)
        assert at.named(RECEIVER).old_secrets == ()


async def test_a_secret_is_in_clear_for_a_while_and_nowhere_else(
    desk: Open, seen: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk(made("my-api", secret=Secret.of("webhook-" + "q" * 43))) as at:
        await at.turn("signing")
        await at.press("enter", *["tab"] * 3)
        await at.press("enter")
        await at.until(at.pilot, lambda: SECRET in seen(at.app))
        # Another destination, and it is masked again.
        await at.press("escape", "down")
        await at.until(at.pilot, lambda: "webhook-…qqqq" in seen(at.app))
        await at.press("up")
        await at.until(at.pilot, lambda: "webhook-…a1b2" in seen(at.app))
        assert SECRET not in seen(at.app)
        monkeypatch.setattr(signing, "REVEALED_SECONDS", 0.05)
        at.screen.query_one("#reveal-secret", Button).press()
        await at.until(at.pilot, lambda: SECRET in seen(at.app))
        await at.until(at.pilot, lambda: SECRET not in seen(at.app))
        assert at.app.clipboard == ""


async def test_an_own_secret_may_be_a_reference(
    desk: Open, seen: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_HOOK_SECRET", "webhook-" + "e" * 39 + "wxyz")
    async with desk() as at:
        await at.turn("signing")
        await at.press("enter", *["tab"] * 4)
        await at.paste("env:MY_HOOK_SECRET")
        await at.until(at.pilot, lambda: "webhook-…wxyz" in seen(at.app))
        assert "env MY_HOOK_SECRET" in seen(at.app)
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.named(RECEIVER).secret == Secret(env="MY_HOOK_SECRET"))
        assert "e" * 39 not in seen(at.app)


async def test_what_is_typed_as_a_secret_cannot_be_copied(desk: Open) -> None:
    async with desk() as at:
        await at.turn("signing")
        await at.press("enter", *["tab"] * 4, *"webhook-typed", "home", "shift+end")
        field = at.screen.query_one("#own-secret", Input)
        assert field.has_focus
        assert field.selection.end - field.selection.start == len("webhook-typed")
        await at.press("ctrl+c", "ctrl+x")
        assert at.app.clipboard == ""
        assert field.value == ""


async def test_hostile_names_of_destinations_are_shown_as_they_are_spelled(desk: Open, seen: Text) -> None:
    async with desk(made("x [/oops] [@click=app.quit]q")) as at:
        await at.select("x [/oops] [@click=app.quit]q")
        await at.until(at.pilot, lambda: seen(at.app).count("x [/oops] [") == 2)
        await at.press("delete")
        await at.until(at.pilot, lambda: "Deleted x [/oops] [@click=app.quit]q." in seen(at.app))


def test_every_tab_has_the_consoles_name() -> None:
    assert list(TABS.values()) == ["Overview", "Event Filtering", "Delivery", "Signing", "Attempts"]


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_a_new_url_is_verified_when_it_is_saved_where_that_is_wanted(
    desk: Open, seen: Text, endpoint: StartEndpoint, is_wanted: bool
) -> None:
    async def repeats(got: Got, writer: asyncio.StreamWriter) -> None:
        body = json.dumps({"verification_code": json.loads(got.body)["data"]["verification_code"]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    there = await endpoint(repeats)
    async with desk() as at:
        await at.press("ctrl+n")
        await at.until(at.pilot, lambda: isinstance(at.app.screen, NewDestination))
        await at.until(at.pilot, lambda: isinstance(at.app.screen.focused, Input))
        await at.paste("mine")
        await at.press("down")
        await at.paste(there.url)
        if is_wanted:
            ticks = {field.name: field.field for field in at.app.screen.query(Field)}
            at.app.screen.set_focus(ticks["verify_on_save"])
            await at.press("space")
        await at.press("ctrl+s")
        await at.until(at.pilot, lambda: at.app.config.destination("mine") is not None)
        assert at.named("mine").verify_on_save is is_wanted
        if is_wanted:
            await at.until(at.pilot, lambda: "mine: url verification passed" in seen(at.app))
        asked = [json.loads(got.body)["data"]["event"] for got in there.requests]
        assert asked == ["url_verification"] * is_wanted
