"""`selftest` as a process: against our own receiver, in words and as JSON, and what it is not given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, StartEndpoint, StartEngine
    from tests.contract.conftest import Spawn

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
SECRET = "webhook-" + "s" * 43


async def test_a_receiver_that_enforces_passes_and_one_that_takes_all_is_told_why(
    spawn: Spawn, engine: StartEngine, config: Make, endpoint: StartEndpoint, say: Say
) -> None:
    settings = config()
    enforcing = replace(settings, receiver=replace(settings.receiver, signature="enforce"))
    async with engine(enforcing) as site:
        given = ("--secret-env", "GIVEN")
        code, out, err = await (await spawn("selftest", site.receiver, *given, GIVEN=SECRET)).end()
        assert (code, err) == (0, ""), out
        assert "8 of 8 passed" in out
    careless = await endpoint(say(200))
    code, out, _ = await (await spawn("selftest", careless.url, *given, "--json", GIVEN=SECRET)).end()
    lines = {line["name"]: line for line in map(json.loads, out.splitlines())}
    assert code == 1
    assert [name for name, line in lines.items() if line["passed"]] == ["good request"]
    assert "anybody can post events" in lines["flipped byte"]["said"]
    assert SECRET not in out
    code, out, _ = await (await spawn("selftest", careless.url, "--verification")).end()
    assert code == 1
    assert "0 of 1 passed" in out
    # Where nothing answers twice, nobody waits for six time-outs more.
    code, out, _ = await (await spawn("selftest", "http://127.0.0.1:9/", *given, GIVEN=SECRET)).end()
    assert code == 1
    assert (out.count("connection refused"), out.count("not tried: nothing answers")) == (2, 6)
    code, _, err = await (await spawn("selftest", "nowhere")).end()
    assert code == 2
    assert "There is no destination nowhere" in err


@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_a_line_comes_as_soon_as_its_request_is_answered(
    spawn: Spawn, endpoint: StartEndpoint, form: tuple[str, ...]
) -> None:
    free = asyncio.Semaphore(0)

    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        await free.acquire()
        writer.write(b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n")

    site = await endpoint(answer)
    process = await spawn("selftest", site.url, "--secret-env", "GIVEN", *form, GIVEN=SECRET)
    for name in ("url verification", "good request", "flipped byte"):
        free.release()
        # Nothing else is answered yet: a program that says all in the end would never say this.
        assert process.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await process.process.stdout.readline()
        assert name in line.decode()
    for _ in range(5):
        free.release()
    code, out, _ = await process.end()
    assert code == 1
    assert [name in out for name in ("good request", "stale")] == [False, True]
