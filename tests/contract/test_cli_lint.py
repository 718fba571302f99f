"""`lint`, and what `send` says of an event before it goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint
    from tests.contract.conftest import Spawn

GOOD = b'{"user":{"userID":"u1"},"event":"checkout"}'
ODD = b'{"user":{"userID":"u1"},\n "event":"checkout","metadata":{"items":3}}'
BAD = b'{"userID":"u1","eventName":"a#[2J \\u001b","foo":"secret-kkkkkkkkkkkkkkk"}'
WARNED = 'warning: metadata.items: a number: Statsig stores text (line 2, column 41; fix: write "3")\n'


@pytest.mark.parametrize(
    ("body", "code", "out", "err"),
    [
        (GOOD, 0, "", "nothing to say\n"),
        (ODD, 0, WARNED, "1 warning; --fix mends 1\n"),
        (b"", 1, "error: empty: an event is a JSON object (line 1, column 1)\n", "1 error\n"),
        (b"\xff", 1, "error: The body is not UTF-8: bad byte (line 1, column 1)\n", "1 error\n"),
    ],
)
async def test_advice_is_printed_and_errors_end_with_1(
    spawn: Spawn, tmp_path: Path, body: bytes, code: int, out: str, err: str
) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(body)
    assert await (await spawn("lint", str(file), data=None)).end() == (code, out, err)
    assert await (await spawn("lint", data=None)).end(stdin=body) == (code, out, err)
    assert await (await spawn("lint", "--quiet", "-", data=None)).end(stdin=body) == (code, out, "")
    assert file.read_bytes() == body


async def test_advice_as_json_lines(spawn: Spawn) -> None:
    code, lines, err = await (await spawn("lint", "--json", data=None)).lines(ODD)
    assert (code, err) == (0, "")
    (line,) = lines
    assert line | {"at": 0} == {
        "type": "advice",
        "at": 0,
        "severity": "warning",
        "rule": "metadata-kind",
        "path": "metadata.items",
        "message": "a number: Statsig stores text",
        "line": 2,
        "column": 41,
        "fix": True,
    }


async def test_fix_prints_the_event_mended_and_what_is_left(spawn: Spawn) -> None:
    code, out, err = await (await spawn("lint", "--fix", data=None)).end(stdin=BAD)
    assert (code, json.loads(out)) == (
        0,
        {"user": {"userID": "u1"}, "event": "a__2J", "foo": "secret-kkkkkkkkkkkkkkk"},
    )
    assert err.startswith("hint: foo: no member of an event")
    assert err.endswith("1 hint\n")
    code, out, _ = await (await spawn("lint", "--fix", data=None)).end(stdin=GOOD + b"\r\n")
    assert (code, out.encode()) == (0, GOOD + b"\r\n")
    code, out, err = await (await spawn("lint", "--fix", data=None)).end(stdin=b'{"event":7,"user":5.0}')
    assert (code, out) == (0, '{"event":"7","user":{"userID": "5.0"}}')


async def test_what_is_printed_can_do_nothing_and_tells_no_key(spawn: Spawn) -> None:
    key = "secret-" + "k" * 43
    body = json.dumps({"event": "e", "user": {"userID": "u", "country": key}, "\x1b]0;t\x07": 1}).encode()
    _, out, _ = await (await spawn("lint", data=None)).end(stdin=body)
    assert "\x1b" not in out
    assert "u001b]0;t" in out
    body = json.dumps({"event": "e", "user": key}).encode()
    for extra in ((), ("--json",)):
        _, out, _ = await (await spawn("lint", *extra, data=None)).end(stdin=body)
        assert "kkkkk" not in out


async def test_send_says_what_is_odd_and_sends_it_all_the_same(
    spawn: Spawn,
    settings: Callable[[str], tuple[str, str]],
    endpoint: StartEndpoint,
    say: Callable[..., Answer],
) -> None:
    mine = await endpoint(say(202))
    chosen = settings(
        f'[[targets]]\nname = "mine"\nurl = "{mine.url.removesuffix("/hook")}"\nkey = {{ env = "MY_KEY" }}\n'
    )
    it = await spawn("send", *chosen, "--target", "mine", "-", MY_KEY="client-" + "m" * 43)
    code, out, err = await it.end(stdin=ODD)
    assert (code, out[:4]) == (0, "202 ")
    assert err.splitlines(keepends=True) == [
        "error: STATSIG-API-KEY: a client key: this endpoint takes a server secret key (secret-…)\n",
        WARNED,
    ]
    assert [got.body for got in mine.requests] == [ODD]
    it = await spawn("send", *chosen, "--target", "mine", "--json", "-", MY_KEY="secret-" + "m" * 43)
    code, (sent,), err = await it.lines(ODD)
    assert (code, sent["type"], json.loads(err)["path"]) == (0, "sent", "metadata.items")
    it = await spawn("send", *chosen, "--target", "mine", "--dry-run", "-", MY_KEY="secret-" + "m" * 43)
    said = (await it.end(stdin=ODD))[2]
    assert said.startswith(WARNED)
    (posted,) = said.splitlines()[1:]
    assert posted.startswith(f"would post {len(ODD)} bytes to mine, {mine.url.removesuffix('/hook')}")
    it = await spawn("send", *chosen, "--target", "mine", "--dry-run", "-", MY_KEY="secret-" + "m" * 43)
    said = (await it.end(stdin=ODD + b" " * 1_100_000))[2]
    assert said.startswith("would post 1,100,0")
    assert len(mine.requests) == 2
