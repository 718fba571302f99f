"""`list`, `show`, `export`, `import`, `replay`: beside a running engine, without secrets, and back again."""

from __future__ import annotations

import asyncio
import base64
import csv
import gzip
import io
import json
import signal
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from click.testing import CliRunner, Result

from statsig_tui.cli import cli
from statsig_tui.core.batch import ClosedBy
from statsig_tui.core.config import Config, Secret
from statsig_tui.core.curl import read as read_curl
from statsig_tui.core.filters import Clause
from statsig_tui.core.query import KEYS
from statsig_tui.core.records import ISOLATING, DeliveryState
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.corpus import bodies

if TYPE_CHECKING:
    from tests.conftest import Answer, Site, StartEndpoint, StartEngine
    from tests.contract.conftest import Spawn

SECRET = "webhook-Stored0123456789abcdefghijklmnopqrstuv"
BATCH = {
    "data": [
        {
            "eventName": "checkout",
            "userID": "u1",
            "metadata": {"plan": "pro", "note": SECRET},
            "value": "=1+1",
        },
        {"eventName": "page_view", "userID": "u2", "timeUUID": "x-1", "timestamp": 1_767_225_600_000},
    ]
}
Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command on the test's data directory, in this process, off its loop."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[receiver]\nsecrets = [{{ inline = "{SECRET}" }}]\n'
        '[[destinations]]\nname = "receiver"\nurl = "http://127.0.0.1:7829/"\n'
        f'secret = {{ inline = "{SECRET}" }}\n'
    )
    settings.chmod(0o600)

    async def invoke(command: str, *arguments: str, data: Path = tmp_path / "data") -> Result:
        words = [command, "--data", str(data), "--config", str(settings), *arguments]
        return await asyncio.to_thread(CliRunner().invoke, cli, words, catch_exceptions=False)

    return invoke


@pytest.fixture
async def running(engine: StartEngine, tmp_path: Path, config: Callable[..., Config]) -> AsyncIterator[Site]:
    """An engine that has taken three requests, the newest a fault."""
    (tmp_path / "data").mkdir()
    chosen = config(receiver={"secrets": (Secret.of(SECRET),)})
    async with engine(chosen, database=tmp_path / "data" / "statsig-tui.db") as site:
        await site.webhook(BATCH, "/hook?a=1", secret=SECRET, headers={"Authorization": "Bearer hush-hush-1"})
        await site.webhook(b'{"data":[\xff', "/broken", secret=None)
        yield site


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_what_is_stored_is_listed_beside_a_running_engine(running: Site, run: Run) -> None:
    await running.event("through")
    await running.delivery(DeliveryState.DELIVERED)
    for words, wanted in (
        ((), ["c3", "c2", "c1"]),
        (("-path:/broken", "-event:through"), ["c1"]),
        (("captures", "sig:bad", "or", "user:u2"), ["c2", "c1"]),
        (("--limit", "2"), ["c3", "c2"]),
        (("events", "event:through dest:receiver"), ["e1"]),
        (("deliveries", "state:delivered"), ["d1"]),
        (("history",), []),
    ):
        assert [line["id"] for line in lines(await run("list", "--json", *words))] == wanted, words
    text = (await run("list", "event:checkout")).stdout
    assert "c1  200  POST /hook?a=1  2 events  checkout, page_view" in text


async def test_what_cannot_be_meant_ends_with_2(running: Site, run: Run) -> None:
    for arguments, said in (
        (("list", "staus:5xx"), "character 1: there is no key staus; did you mean status?\n"),
        (("list", "a", "--jsno"), "no option --jsno"),
        (("export", "events", "--format", "har"), "no request"),
        (("show", "c99"), "Nothing is known of c99"),
        (("show", "nonsense"), "Nothing is known of nonsense"),
        (("show", "t0123456789abcdef", "--raw"), "no body"),
        (("replay", "e1"), "neither a capture nor a delivery"),
        (("replay", "c99"), "no request of c99"),
        (("replay", "c1", "--to", "reciever"), "Did you mean receiver?"),
        (("replay", "c1", "--to", "http://a b/"), "contains"),
        (("replay", "c1", "--to", "http://169.254.169.254/"), "link-local or metadata"),
        (("replay", "c1", "--to", "http://127.0.0.1:9/", "--as", "resigned"), "No signing secret"),
        (("listen", "--expect", "a or"), "or stands between two clauses"),
        (("listen", "--forward-to", "ftp://x"), "http://"),
        (("listen", "--secret-env", "NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE is not set"),
    ):
        result = await run(*arguments)
        assert (result.exit_code, result.stdout) == (2, ""), arguments
        assert said in result.stderr


async def test_all_of_one_thing_is_shown_without_secrets(running: Site, run: Run) -> None:
    trace = await running.event("through")
    await running.delivery(DeliveryState.DELIVERED)
    text = (await run("show", "c1")).stdout
    for part in ("POST /hook?a=1 HTTP/1.1", "signature valid", '"eventName": "page_view"', "answer: 200"):
        assert part in text
    assert "webhook-…" in text
    assert SECRET not in text
    assert "hush-hush" not in text
    stored = running.engine.archive.capture(1)
    assert stored is not None
    assert "hush-hush" not in str(stored.headers), "it is masked before it is stored"
    assert (await run("show", "c1", "--raw")).stdout_bytes == json.dumps(BATCH).encode()
    assert (await run("show", "c2", "--raw")).stdout_bytes == b'{"data":[\xff'
    assert "\\xff" in (await run("show", "c2")).stdout
    (whole,) = lines(await run("show", "c1", "--json"))
    assert {"type": "capture", "signature": "valid"}.items() <= whole.items()
    assert whole["answer"]["status"] == 200
    assert json.loads(whole["body"])["data"][1]["eventName"] == "page_view"
    assert SECRET not in json.dumps(whole)
    assert "receiver: forwarded" in (await run("show", "e1")).stdout
    assert whole["marks"] == []
    odd = {"data": [{"eventName": "odd", "timestamp": f"soon {SECRET}", "value": 2**60 + 1}]}
    await running.webhook(odd, secret=SECRET)
    text = (await run("show", "c4")).stdout
    assert f"mark      rounded: read as a double: {2**60 + 1} (beyond 2^53" in text
    assert 'mark      unparsed: timestamp "soon webhook-…' in text
    (whole,) = lines(await run("show", "c4", "--json"))
    assert [mark["mark"] for mark in whole["marks"]] == ["rounded", "unparsed", "new here"]
    assert SECRET[:20] not in json.dumps(whole)
    assert (whole["note"], whole["remarks"]) == (None, [])
    (whole,) = lines(await run("show", "d1", "--json"))
    (attempt,) = whole["attempts"]
    assert (attempt["number"], attempt["status"], attempt["error"]) == (1, 200, None)
    came_to = [name for name, ms in attempt["phases"].items() if ms is not None]
    assert came_to == ["connect", "send", "wait", "read", "reused"]
    assert attempt["phases"]["reused"] is False
    assert " · waiting " in (await run("show", "d1")).stdout
    for of in ("d1", "b1"):
        assert "attempt   d1  1: 200" in (await run("show", of)).stdout
    assert (await run("show", "b1", "--raw")).stdout_bytes == (await run("show", "d1", "--raw")).stdout_bytes
    assert b'"through"' in (await run("show", "e1", "--raw")).stdout_bytes
    assert "through" in (await run("show", trace)).stdout


async def test_what_live_says_of_a_capture_is_shown_too(running: Site, run: Run) -> None:
    now = running.engine.archive.captures([1])[0].at
    late = {"eventName": "late\x1b[2J", "timeUUID": "x-2", "timestamp": now - 40 * 60_000, "brandNew": 1}
    first = {"eventName": "statsig::nobody_knows", "timeUUID": "x-3", "timestamp": now}
    packed = gzip.compress(json.dumps({"data": [first, late, BATCH["data"][1]]}).encode())
    await running.webhook(packed, secret=SECRET, headers={"Content-Encoding": "gzip"})
    await running.engine.note(3, f"look at this\nand {SECRET} \x1b[2J")
    async with asyncio.timeout(10):
        while running.engine.archive.noted() < 3:
            await asyncio.sleep(0.01)
    text = (await run("show", "c3")).stdout
    assert "mark      dup: came before: event 2 in #1.\n" in text
    assert "mark      new here: eventName is a name of Statsig's that is not known; brandNew" in text
    assert "event 1   late␛[2J: 40 min late · out of order\n" in text
    assert "event 2   page_view: " in text
    assert "late · out of order" in text
    assert "dup of #1" in text
    assert "note      look at this\nnote      and webhook-…" in text
    assert SECRET not in text
    (whole,) = lines(await run("show", "c3", "--json"))
    assert [mark["mark"] for mark in whole["marks"]] == ["dup", "new here"]
    said = {each["event"]: each["said"] for each in whole["remarks"]}
    assert said[1] == ["40 min late", "out of order"]
    assert said[2][1] == "dup of #1 · out of order"
    assert whole["note"].startswith("look at this\nand webhook-…")
    assert [line["id"] for line in lines(await run("list", "--json", "note:look", "drift:yes"))] == ["c3"]


async def test_an_export_holds_no_secret_unless_it_is_asked_for(
    running: Site, run: Run, tmp_path: Path
) -> None:
    for form in ("ndjson", "har", "curl", "raw", "csv"):
        for more in ((), ("--with-secrets",)):
            result = await run("export", "path:/hook", "--format", form, *more)
            assert result.exit_code == 0, result.output
            assert "1 capture exported" in result.stderr
            assert (SECRET.encode() in result.stdout_bytes) == bool(more), (form, more)
    har = json.loads((await run("export", "--format", "har")).stdout)
    assert [entry["request"]["url"].partition("7829")[2] for entry in har["log"]["entries"]] == [
        "/broken",
        "/hook?a=1",
    ]
    command = read_curl((await run("export", "path:/hook", "--format", "curl", "--with-secrets")).stdout)
    assert command is not None
    assert command.request.body == json.dumps(BATCH).encode()
    raw = (await run("export", "path:/broken", "--format", "raw")).stdout_bytes
    assert raw.startswith(b"POST /broken HTTP/1.1\r\n")
    assert raw.endswith(b'\r\n\r\n{"data":[\xff')
    out = tmp_path / "new.csv"
    result = await run("export", "event:checkout", "--format", "csv", "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    (row,) = csv.DictReader(io.StringIO(out.read_text()))
    assert (row["event_name"], row["value"]) == ("checkout", "'=1+1")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    before = out.read_bytes()
    again = await run("export", "--out", str(out))
    assert again.exit_code == 3
    assert "is there already" in again.stderr
    assert out.read_bytes() == before


async def test_a_table_has_the_events_that_fit_what_only_the_store_knows(running: Site, run: Run) -> None:
    noted = asyncio.Event()
    running.engine.on_noted(noted.set)
    await running.webhook(BATCH, "/again", secret=SECRET)
    await running.event("through")
    through = await running.capture(lambda record: record.id > 3)
    while running.engine.archive.noted() < through.id:
        await noted.wait()
        noted.clear()
    await running.engine.note(1, "since tuesday")
    for query, names in (
        ("note:tuesday", ["checkout", "page_view"]),
        ("dup:yes", ["page_view"]),
        ("dest:receiver", ["through"]),
    ):
        result = await run("export", query, "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        assert [row["event_name"] for row in rows] == names, query
    result = await run("export", "events", "dest:receiver", "--format", "csv")
    assert [row["event_name"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["through"]
    result = await run("show", "c1")
    assert "note      since tuesday" in result.stdout
    (line,) = lines(await run("show", "c1", "--json"))
    assert line["note"] == "since tuesday"


async def test_a_packed_body_is_unpacked_to_be_masked(running: Site, run: Run) -> None:
    packed = gzip.compress(json.dumps(BATCH).encode())
    await running.webhook(packed, "/packed", secret=SECRET, headers={"Content-Encoding": "gzip"})
    (line,) = lines(await run("export", "path:/packed checkout"))
    assert json.loads(line["body"])["data"][0]["metadata"]["note"].startswith("webhook-…")
    assert "content-encoding" not in dict(line["headers"])
    assert '"eventName": "checkout"' in (await run("show", "c3")).stdout
    (line,) = lines(await run("export", "path:/packed", "--with-secrets"))
    assert base64.b64decode(line["body_base64"]) == packed


async def test_what_was_exported_comes_back_marked(running: Site, run: Run, tmp_path: Path) -> None:
    for form in ("ndjson", "har"):
        out, data = tmp_path / f"out.{form}", tmp_path / form
        assert (await run("export", "--format", form, "--with-secrets", "--out", str(out))).exit_code == 0
        result = await run("import", str(out), data=data)
        assert (result.exit_code, result.stderr) == (0, "2 captures imported\n")
        names = ("at", "method", "path", "size", "envelope", "events", "signature", "status", "fault")
        before, after = (
            lines(await run("list", "--json")),
            lines(await run("list", "--json", "imported:yes", data=data)),
        )
        assert [[line[name] for name in names] for line in after] == [
            [line[name] for name in names] for line in before
        ]
        for of in ("c1", "c2"):
            raw = (await run("show", of, "--raw", data=data)).stdout_bytes
            assert raw == (await run("show", of, "--raw")).stdout_bytes
    foreign = {"log": {"entries": [
        {"startedDateTime": "2026-01-01T00:00:00Z", "time": 3.5,
         "request": {"method": "POST", "url": "https://api.example.com/h?x", "httpVersion": "HTTP/2",
                     "headers": [{"name": "Authorization", "value": SECRET}],
                     "postData": {"text": json.dumps(BATCH)}},
         "response": {"status": 204, "content": {}}},
        {"startedDateTime": "yesterday", "request": {}}, 7,
    ]}}  # fmt: skip
    (tmp_path / "foreign.har").write_text(json.dumps(foreign, indent=1))
    result = await run("import", str(tmp_path / "foreign.har"), data=tmp_path / "foreign")
    assert result.exit_code == 1
    assert "1 captures imported\nerror: entry 1: startedDateTime is no time\nerror: entry 2" in result.stderr
    (line,) = lines(await run("list", "--json", "event:checkout", data=tmp_path / "foreign"))
    assert (line["path"], line["status"], line["at"]) == ("/h?x", 204, 1_767_225_600_000)
    assert SECRET not in json.dumps(lines(await run("show", "c1", "--json", data=tmp_path / "foreign")))
    (tmp_path / "no").write_text("nothing of the kind")
    result = await run("import", str(tmp_path / "no"), data=tmp_path / "no-data")
    assert (result.exit_code, "neither NDJSON" in result.stderr) == (2, True)


async def test_it_is_replayed_as_received_resigned_and_as_events(
    running: Site, run: Run, endpoint: StartEndpoint, say: Callable[..., Answer]
) -> None:
    here, bad = await endpoint(say(200)), await endpoint(say(500))
    original = running.engine.archive.capture(1)
    assert original is not None
    kept = dict(original.headers)
    result = await run("replay", "c1", "--to", here.url, "--to", bad.url, "--json")
    assert result.exit_code == 1
    said = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["type"], line["id"], line["as"], line["status"]) for line in said] == [
        ("replayed", "c1", "received", 200),
        ("replayed", "c1", "received", 500),
    ]
    (got,) = here.requests
    assert got.body == original.body
    assert got.headers[SIGNATURE_HEADER.lower()] == kept[SIGNATURE_HEADER.lower()]
    assert "authorization" not in got.headers
    result = await run(
        "replay", "c1", "--to", here.url, "--as", "resigned", "--destination", "receiver", "--times", "2"
    )
    assert result.exit_code == 0, result.output
    (_, *again) = await here.got(3)
    for got in again:
        stamp = got.headers[TIMESTAMP_HEADER.lower()]
        assert int(stamp) > int(kept[TIMESTAMP_HEADER.lower()])
        assert got.headers[SIGNATURE_HEADER.lower()] == sign(SECRET, stamp, original.body)
    for words in (["c1-c2"], ["--where", "-path:/nowhere", "c1"], ["c1-2", "--where", "path:/broken"]):
        result = await run("replay", *words, "--to", here.url, "--json", "--rate", "1000")
        assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["c1", "c2"], words
    assert [got.path for got in here.requests] == ["/hook"] * 9
    for asked, why in (
        ([], "Nothing was named"),
        (["--where", "path:/nowhere"], "No capture fits"),
        (["c1-c99999"], "10,000 are the most"),
        (["c1-d2"], "neither a capture nor a delivery"),
    ):
        result = await run("replay", *asked, "--to", here.url)
        assert (result.exit_code, why in result.stderr) == (2, True), result.output
    assert len(here.requests) == 9
    result = await run("replay", "c1", "--to", "http://127.0.0.1:9/")
    assert (result.exit_code, result.stdout) == (1, "")
    result = await run("replay", *["c1"] * 11, "--to", "http://far.example/hook")
    assert result.exit_code == 2
    assert "--yes-really far.example" in result.stderr


async def test_a_running_serve_is_found_for_what_is_replayed(spawn: Spawn) -> None:
    serve = await spawn("serve", "--emulator-port", "0", "--receiver-port", "0", "--json")
    await serve.line("ready")
    await (await spawn("send", "-")).end(stdin=b'{"user":{"userID":"u1"},"event":"checkout"}')
    await serve.line("delivery", state="delivered")
    code, (line,), err = await (await spawn("replay", "c1", "--as", "resigned", "--json")).lines()
    assert (code, line["to"], line["status"], err) == (0, "receiver", 200, "")
    assert (await serve.line("capture", id="c2"))["signature"] == "valid"
    code, (line,), err = await (await spawn("replay", "c1", "--as", "events", "--json")).lines()
    assert (code, line["to"], line["status"], err) == (0, "emulator", 202, "")
    assert (await serve.line("event", id="e2"))["event_name"] == "checkout"
    await serve.line("delivery", id="d2", state="delivered")
    code, out, err = await (await spawn("import", "-")).end(stdin=b"")
    assert (code, out) == (3, "")
    assert "is in use by statsig-tui with pid" in err


async def test_what_comes_is_followed_beside_a_running_serve(spawn: Spawn) -> None:
    serve = await spawn("serve", "--emulator-port", "0", "--receiver-port", "0", "--json")
    await serve.line("ready")

    async def sent(name: str) -> None:
        body = json.dumps({"user": {"userID": "u1"}, "event": name}).encode()
        assert (await (await spawn("send", "-")).end(stdin=body))[0] == 0
        await serve.line("capture")

    for name in ("one", "two", "three"):
        await sent(name)
    follow = await spawn("list", "--follow", "--limit", "2", "--json", "--where", "-event:other")
    assert [(await follow.line("capture"))["id"] for _ in range(2)] == ["c2", "c3"], "oldest first"
    events = await spawn("list", "events", "--follow", "--limit", "0", "--wait", "5", "--json")
    assert [(await events.line("event"))["id"] for _ in range(3)] == ["e1", "e2", "e3"]
    await sent("other")
    await sent("four")
    line = await follow.line("capture")
    assert (line["id"], line["events"][0]["event_name"]) == ("c5", "four")
    code, found, err = await events.lines()
    assert (code, [each["id"] for each in found], err) == (0, ["e4", "e5"], "")
    assert await follow.end(signal.SIGINT) == (0, "", "")


async def test_a_store_that_is_purged_is_followed_no_longer(spawn: Spawn) -> None:
    serve = await spawn("serve", "--emulator-port", "0", "--receiver-port", "0", "--json")
    await serve.line("ready")
    await (await spawn("send", "-")).end(stdin=b'{"user":{"userID":"u1"},"event":"checkout"}')
    await serve.line("capture")
    assert (await serve.end(signal.SIGINT))[0] == 130
    follow = await spawn("list", "--follow", "--json")
    await follow.line("capture")
    assert (await (await spawn("purge", "--yes")).end())[0] == 0
    code, (line,), _ = await follow.lines()
    assert (code, line["type"]) == (3, "error")
    assert "was deleted, moved or replaced meanwhile" in line["message"]


async def test_following_ends_with_4_where_not_enough_came(running: Site, run: Run) -> None:
    result = await run("list", "--follow", "--limit", "1", "--wait", "9", "--timeout", "0.3")
    assert result.exit_code == 4
    assert "capture   c2" in result.stdout
    assert "9 were waited for, 1 came within 0.3 s" in result.stderr
    result = await run("list", "--follow", "--limit", "1", "--timeout", "0.3")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
    result = await run("list", "--wait", "1")
    assert (result.exit_code, "--follow" in result.stderr) == (2, True)


def test_every_clause_and_reason_is_in_the_help() -> None:
    said = CliRunner().invoke(cli, ["show", "--help"]).output
    words = {word.strip() for line in said.splitlines() for word in line.split("  ")}
    assert {*Clause, *get_args(ClosedBy), "halved", ISOLATING, "replay"} <= words


def test_every_key_of_a_query_and_every_fault_of_a_body_is_in_the_help() -> None:
    said = CliRunner().invoke(cli, ["list", "--help"]).output
    assert [key for key in KEYS if f" {key}:" not in said] == []
    words = said.split()
    assert {case.code for case in bodies.CASES if case.code} <= set(words)
