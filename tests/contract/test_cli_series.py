"""`send` with templates and series, as a process: against a real `serve`, and against endpoints that fail."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core import draft
from statsig_tui.core.library import built_in

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint
    from tests.contract.conftest import Spawn

PORTS = ("--emulator-port", "0", "--receiver-port", "0")
Say = Callable[..., "Answer"]
Settings = Callable[[str], tuple[str, str]]
TARGET = '[[targets]]\nname = "mine"\nurl = "{url}"\n'
LINES = b"".join(b'{"user":{"userID":"u"},"event":"e%d","value":"{{seq}}"}\n' % number for number in range(3))


async def test_templates_and_lines_go_to_the_running_emulator(spawn: Spawn) -> None:
    serve = await spawn("serve", *PORTS, "--json")
    await serve.line("ready")
    one = await spawn(
        "send", "gate-exposure", "--set", "user.userID=u7", "--set", "+metadata.plan=pro", "--json", "--quiet"
    )
    code, (sent,), err = await one.lines()
    assert (code, sent["status"], err) == (0, 202, "")
    event = await serve.line("event", trace=sent["trace"])
    assert (event["event_class"], event["user_id"]) == ("gate_exposure", "u7")

    series = await spawn(
        "send", "-", "--repeat", "2", "--concurrency", "3", "--json", "--expect", "status=202"
    )
    code, lines, err = await series.lines(LINES)
    assert (code, err) == (0, "")
    summary = lines.pop()
    assert {line["type"] for line in lines} == {"sent"}
    assert len({line["trace"] for line in lines}) == 6
    assert (summary["type"], summary["count"], summary["statuses"]) == ("summary", 6, {"202": 6})
    assert (summary["not_sent"], summary["unknown"]) == (0, 0)
    assert 0 < summary["ms"]["p50"] <= summary["ms"]["p95"] <= summary["ms"]["p99"]
    names = Counter([(await serve.line("event"))["event_name"] for _ in range(6)])
    assert names == {"e0": 2, "e1": 2, "e2": 2}

    wrong = await spawn("send", "missing-event", "--expect", "status=4xx")
    code, out, err = await wrong.end()
    assert code == 0
    assert "error: event: missing" in err
    assert out.startswith("400 ")


@pytest.mark.parametrize(
    ("answers", "arguments", "code", "statuses"),
    [
        ((202, 500, 202), (), 1, {"202": 2, "500": 1}),
        ((202, 500, 202), ("--expect", "status=202", "--expect", "status=5xx"), 0, {"202": 2, "500": 1}),
        ((202,), ("--expect", "status=200", "--rate", "200/s"), 1, {"202": 3}),
    ],
)
async def test_a_series_ends_with_what_was_expected(
    spawn: Spawn,
    settings: Settings,
    endpoint: StartEndpoint,
    say: Say,
    answers: tuple[int, ...],
    arguments: tuple[str, ...],
    code: int,
    statuses: dict[str, int],
) -> None:
    mine = await endpoint(say(*answers))
    chosen = settings(TARGET.format(url=mine.url.removesuffix("/hook")))
    it = await spawn("send", "varied", *chosen, "--target", "mine", "--repeat", "3", "--json", *arguments)
    ended, lines, err = await it.lines()
    assert (ended, err) == (code, "")
    assert lines[-1]["statuses"] == statuses
    users = [json.loads(got.body)["user"]["userID"] for got in mine.requests]
    assert sorted(users) == ["user-1", "user-2", "user-3"]


async def test_a_series_is_told_in_words(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(202, b"nonsense\r\n\r\n", 500, 202))
    chosen = settings(TARGET.format(url=mine.url.removesuffix("/hook")))
    code, out, err = await (
        await spawn("send", "minimal", *chosen, "--target", "mine", "--repeat", "12")
    ).end()
    assert code == 1
    assert "it may have arrived: sending again may count it twice" in err
    shown, summary = out.splitlines()
    assert shown.startswith("500 ")
    assert summary.startswith("12 in ")
    assert "202 ×10, 500 ×1, unknown ×1  p50 " in summary
    assert len(mine.requests) == 12, "what has no answer is not sent again"


async def test_a_series_that_leaves_the_machine_has_to_be_confirmed(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(202))
    # An address that is this machine's and does not look like it.
    far = f"http://0.0.0.0:{mine.url.rpartition(':')[2].removesuffix('/hook')}"
    chosen = settings(TARGET.format(url=far))
    series = ("send", "minimal", *chosen, "--target", "mine", "--repeat", "11", "--rate", "500", "--json")
    code, (error,), _ = await (await spawn(*series)).lines()
    assert (code, error["hint"]) == (2, "Add --yes-really 0.0.0.0")
    code, (error,), _ = await (await spawn(*series, "--yes-really", "api.statsig.com")).lines()
    assert (code, "the host's name is 0.0.0.0" in error["message"]) == (2, True)
    assert mine.requests == []
    code, lines, _ = await (await spawn(*series, "--yes-really", "0.0.0.0")).lines()
    assert (code, lines[-1]["statuses"]) == (0, {"202": 11})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_a_series_at_once_with_its_summary(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, number: int
) -> None:
    async def answer_three(got: object, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) <= 3:
            writer.write(b"HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n")

    mine = await endpoint(answer_three)
    chosen = settings(TARGET.format(url=mine.url.removesuffix("/hook")))
    it = await spawn("send", "minimal", *chosen, "--target", "mine", "--repeat", "1000000", "--json")
    await mine.got(4)
    code, out, err = await it.end(number)
    assert (code, err) == (128 + number, "")
    summary = json.loads(out.splitlines()[-1])
    assert (summary["type"], summary["count"], summary["statuses"]) == ("summary", 4, {"202": 3})
    assert summary["unknown"] == 1
    assert len(mine.requests) == 4


async def test_a_dry_run_prints_the_exact_bytes(spawn: Spawn, tmp_path: Path) -> None:
    body = b'{"event":"caf\xe9 \x1b[2J","n":1.0}\r\n'
    file = tmp_path / "event.json"
    file.write_bytes(body)
    code, (line,), err = await (await spawn("send", str(file), "--dry-run", "--json", "--quiet")).lines()
    assert (code, err, line["size"]) == (0, "", len(body))
    assert base64.b64decode(line["body_base64"]) == body
    with (tmp_path / "out").open("wb") as out:
        code, _, err = await (await spawn("send", str(file), "--dry-run", stdout=out.fileno())).end()
    assert (code, (tmp_path / "out").read_bytes()) == (0, body)
    assert f"would post {len(body)} bytes to emulator" in err


async def test_every_template_is_listed_and_broken_ones_are_said(spawn: Spawn, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "mine.toml").write_text('about = "A \\u001b[2J"\nbody = "{}"\n')
    (tmp_path / "templates" / "broken.toml").write_text("nonsense\n")
    places = {"STATSIG_TUI_TEMPLATES": str(tmp_path / "templates")}
    code, lines, err = await (await spawn("send", "--list", "--json", **places)).lines()
    assert (code, [line["name"] for line in lines]) == (0, ["mine", *(each.name for each in built_in())])
    assert "broken.toml line 1" in err
    code, out, _ = await (await spawn("send", "--list", **places)).end()
    assert out.startswith("Saved\n  mine")
    assert "A ␛[2J" in out
    assert "QA: mistakes\n  seconds" in out


async def test_a_template_is_sent_with_its_headers_and_bytes(
    spawn: Spawn, settings: Settings, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(202))
    chosen = settings(TARGET.format(url=mine.url.removesuffix("/hook")))
    for name in ("content-type", "invalid-utf-8"):
        code, _, err = await (await spawn("send", name, *chosen, "--target", "mine", "--quiet")).end()
        assert (code, err) == (0, "")
    typed, invalid = mine.requests
    assert typed.headers["content-type"] == "text/plain"
    wanted = next(each for each in built_in() if each.name == "invalid-utf-8")
    assert invalid.body == draft.encode(wanted.text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("send", "custom", "--target", "emulater"), "Did you mean emulator?"),
        (("send", "custom", "--rate", "fast"), "--rate fast"),
        (("send", "custom", "--expect", "status=20"), "--expect status=20"),
    ],
)
async def test_what_cannot_be_meant_is_an_error(spawn: Spawn, arguments: tuple[str, ...], says: str) -> None:
    code, (error,), err = await (await spawn(*arguments, "--json")).lines()
    assert (code, err) == (2, "")
    assert says in error["message"]
