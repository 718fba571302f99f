"""`send`, what every command makes of wrong input, and where the settings are (product.md §5)."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from statsig_tui import __version__

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint
    from tests.contract.conftest import Spawn

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
EVENT = b'{"user":{"userID":"u1"},"event":"checkout","value":1.50}'
Say = Callable[..., "Answer"]
Settings = Callable[[str], tuple[str, str]]
TARGET = '[[targets]]\nname = "mine"\nurl = "{url}"\nkey = {{ env = "MY_KEY" }}\n'
KEY = "secret-" + "m" * 43


async def test_send_finds_the_running_emulator(spawn: Spawn) -> None:
    serve = await spawn("serve", *PORTS, "--json")
    await serve.line("ready")
    code, (sent,), err = await (await spawn("send", "--json", "-")).lines(EVENT)
    assert (code, err) == (0, "")
    assert (sent["target"], sent["status"], sent["error"]) == ("emulator", 202, None)
    event = await serve.line("event")
    assert event["trace"] == sent["trace"]
    await serve.line("delivery", state="delivered")
    code, (sent,), _ = await (await spawn("send", "--json", "-")).lines(b'{"user":{}}')
    assert (code, sent["status"], sent["trace"], sent["error"]) == (1, 400, None, "400 Bad Request")
    request = await serve.line("request")
    assert "event: missing" in request["fault"]
    code, out, err = await (await spawn("send", "-")).end(stdin=EVENT)
    assert (code, err) == (0, "")
    assert out.startswith("202 ")


@pytest.mark.parametrize(
    "body",
    [EVENT, b"", b"\xef\xbb\xbf{} \r\n", b"\xff\xfe\x00\x01", b'{"a":1.0,"a":1e3}\n', b"x" * 3_000_000],
)
async def test_the_bytes_are_sent_as_they_are(
    spawn: Spawn, settings: Settings, tmp_path: Path, endpoint: StartEndpoint, say: Say, body: bytes
) -> None:
    mine = await endpoint(say(b"HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n" + b'{"success":true}'))
    chosen = settings(TARGET.format(url=mine.url.removesuffix("/hook")))
    file = tmp_path / "event.json"
    file.write_bytes(body)
    for source, stdin in (("-", body), (str(file), b"")):
        it = await spawn("send", *chosen, "--target", "mine", "--json", "--quiet", source, MY_KEY=KEY)
        code, (sent,), err = await it.lines(stdin)
        assert (code, sent["status"], err) == (0, 202, "")
    assert [got.body for got in mine.requests] == [body, body]
    assert {got.path for got in mine.requests} == {"/v1/webhooks/event_webhook"}
    assert {got.headers["statsig-api-key"] for got in mine.requests} == {KEY}


async def test_an_answer_is_shown_without_its_secrets_and_controls(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Say
) -> None:
    told = f"\x1b[2J you sent {KEY}".encode()
    mine = await endpoint(say(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told)))
    chosen = settings(TARGET.format(url=mine.url.removesuffix("/hook")))
    it = await spawn("send", *chosen, "--target", "mine", "-", MY_KEY=KEY)
    code, out, err = await it.end(stdin=EVENT)
    assert (code, err) == (1, "")
    assert "403" in out
    assert "you sent secret-…mmmm" in out
    assert "\x1b" not in out


async def test_dry_run_sends_nothing(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(202))
    chosen = settings(TARGET.format(url=mine.url.removesuffix("/hook")))
    it = await spawn("send", *chosen, "--target", "mine", "--dry-run", "-", MY_KEY=KEY)
    code, out, err = await it.end(stdin=EVENT)
    assert (code, out) == (0, EVENT.decode())
    assert f"{len(EVENT)} bytes to mine" in err
    assert mine.requests == []


async def test_no_answer_is_said_with_what_to_do(spawn: Spawn, settings: Settings) -> None:
    nobody = settings("[emulator]\nport = 9\n")
    code, (sent,), err = await (await spawn("send", *nobody, "--json", "-")).lines(EVENT)
    assert (code, err) == (1, "")
    assert (sent["status"], sent["trace"]) == (None, None)
    assert sent["error"] == "connection refused: is the endpoint running?"
    code, out, err = await (await spawn("send", *nobody, "-")).end(stdin=EVENT)
    assert (code, out) == (1, "")
    assert "statsig-tui serve" in err


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("", ("send", "-", "--target", "nobody"), "There is no target nobody."),
        ("", ("send", "/no/such/file"), "/no/such/file cannot be read"),
        (TARGET.format(url="http://127.0.0.1:9"), ("send", "-", "--target", "mine"), "env MY_KEY"),
        ('[[destinations]]\nname = "x"\nurl = "ftp://x"\n', ("serve", *PORTS), "url"),
        ("[emulator]\nport = \n", ("serve", *PORTS), "line 2"),
        ("[receiver]\nport = 70000\n", ("listen",), "70000"),
    ],
)
async def test_what_cannot_be_meant_ends_with_2(
    spawn: Spawn, settings: Settings, text: str, arguments: tuple[str, ...], says: str
) -> None:
    chosen = settings(text)
    code, (error,), err = await (await spawn(*arguments, *chosen, "--json", "--quiet")).lines(b"{}")
    assert (code, error["type"], err) == (2, "error", "")
    assert says in error["message"]
    assert error["hint"]
    code, out, err = await (await spawn(*arguments, *chosen)).end(stdin=b"{}")
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments", [("serve", "--nonsense"), ("send",), ("listen", "--wait", "0"), ("nonsense",)]
)
async def test_what_cannot_be_typed_ends_with_2(spawn: Spawn, arguments: tuple[str, ...]) -> None:
    code, out, err = await (await spawn(*arguments, data=None)).end()
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert err


async def test_a_data_directory_that_cannot_be_had_ends_with_3(spawn: Spawn, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    code, (error,), _ = await (await spawn("serve", *PORTS, "--json", data=file / "data")).lines()
    assert (code, str(file) in error["message"]) == (3, True)


async def test_the_app_without_a_terminal_says_so(spawn: Spawn) -> None:
    code, out, err = await (await spawn("--quiet", data=None)).end()
    assert (code, out) == (2, "")
    assert "needs a terminal" in err


async def test_the_version_and_the_settings_can_be_asked_for(
    spawn: Spawn, settings: Settings, own_home: Path
) -> None:
    assert (await (await spawn("--version", data=None)).end())[1] == f"statsig-tui, version {__version__}\n"
    code, out, err = await (await spawn("config", "path", data=None)).end()
    assert (code, err) == (0, "")
    assert out.startswith(str(own_home))
    chosen = settings(f'[receiver]\nsecrets = [{{ inline = "webhook-{"w" * 43}" }}]\n')
    code, out, err = await (await spawn("config", "show", *chosen, data=None)).end()
    assert (code, err) == (0, "")
    assert "webhook-…wwww" in out
    assert "w" * 10 not in out
    assert (await (await spawn("config", "check", *chosen, data=None)).end())[0] == 0
    wrong = settings("[emulater]\nport = 1\n")
    code, out, err = await (await spawn("config", "check", *wrong, data=None)).end()
    assert (code, out) == (1, "")
    assert "emulator" in err


async def test_queued_work_survives_the_end_of_the_program(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Say
) -> None:
    text = '[[destinations]]\nname = "mine"\nurl = "{}"\n'
    serve = await spawn("serve", *PORTS, "--json", *settings(text.format("http://127.0.0.1:9/")))
    await serve.line("ready")
    assert (await (await spawn("send", "-")).end(stdin=EVENT))[0] == 0
    await serve.line("delivery", state="retrying")
    assert (await serve.end(signal.SIGTERM))[0] == 143
    up = await endpoint(say(200))
    serve = await spawn("serve", *PORTS, "--json", *settings(text.format(up.url)))
    delivered = await serve.line("delivery", state="delivered")
    assert (delivered["destination"], delivered["attempt"]) == ("mine", 2)
    assert json.loads(up.requests[0].body)["data"][0]["eventName"] == "checkout"
