"""`listen` for scripts: what is expected, what is enforced, and what is forwarded as it was received."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint
    from tests.contract.conftest import Spawn

from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

SECRET = "webhook-Listen0123456789abcdefghijklmnopqrstuv"
STAMP = "1700000000000"


async def post(url: str, name: str, **headers: str) -> int:
    body = json.dumps({"data": [{"eventName": name, "userID": "u1"}]}).encode()
    async with httpx.AsyncClient(trust_env=False) as client:
        given = {"Content-Type": "application/json", **headers}
        return (await client.post(url, content=body, headers=given)).status_code


async def test_what_is_expected_ends_it_and_what_is_forwarded_is_as_it_was(
    spawn: Spawn, endpoint: StartEndpoint, say: Callable[..., Answer]
) -> None:
    app = await endpoint(say(503, 200))
    it = await spawn(
        *(
            "listen",
            "--port",
            "0",
            "--json",
            "--path",
            "/hook*",
            "--expect",
            "event:check* user:u1 sig:stale",
        ),
        *("--timeout", "600", "--forward-to", app.url, "--secret-env", "WEBHOOK", "--enforce"),
        data=None,
        WEBHOOK=SECRET,
    )
    url = (await it.line("ready"))["receiver"]
    body = json.dumps({"data": [{"eventName": "checkout", "userID": "u1"}]}).encode()
    signed = {TIMESTAMP_HEADER: STAMP, SIGNATURE_HEADER: sign(SECRET, STAMP, body)}
    assert await post(f"{url}/elsewhere", "checkout", **signed) == 401
    assert await post(f"{url}/hook", "checkout") == 401
    assert (await it.line("capture"))["path"] == "/hook"
    forwarded = await it.line("forwarded")
    assert (forwarded["capture"], forwarded["status"], forwarded["url"]) == ("c2", 503, app.url)
    secret = {
        "Authorization": "Bearer hush-hush-123",
        "X-Own": "kept",
        "Connection": "close, X-Hop",
        "X-Hop": "1",
    }
    assert await post(f"{url}/hook?x=1", "checkout", **signed, **secret) == 401
    assert (await it.line("forwarded"))["status"] == 200
    assert (await it.end())[0] == 0
    first, second = app.requests
    assert (first.body, second.body) == (body, body)
    assert {name: second.headers[name.lower()] for name in signed} == signed
    assert second.headers["x-own"] == "kept"
    assert not {"authorization", "x-hop"} & set(second.headers)


async def test_others_that_came_instead_end_it_with_1_and_a_reason(spawn: Spawn) -> None:
    it = await spawn(
        *("listen", "--port", "0", "--json", "--expect", "event:a user:u1 -metadata.plan=pro", "--wait", "2"),
        *("--timeout", "3"),
        data=None,
    )
    url = (await it.line("ready"))["receiver"]
    await post(url, "a")
    await post(url, "b")
    error = await it.line("error")
    assert error["message"] == (
        "2 captures were to fit, 1 did, and 1 others came. The last of these was"
        " c2: event:a no, user:u1 yes, metadata.plan=pro no."
    )
    assert (await it.end())[0] == 1


async def test_what_cannot_be_enforced_or_forwarded_is_refused(
    spawn: Spawn, settings: Callable[[str], tuple[str, str]]
) -> None:
    without = settings('[[destinations]]\nname = "receiver"\nurl = "http://127.0.0.1:7829/"\n')
    code, _, err = await (await spawn("listen", *without, "--port", "0", "--enforce", data=None)).end()
    assert code == 2
    assert "no signing secret to judge by" in err
    first = await spawn("listen", "--port", "0", "--json", "--forward-to", "http://127.0.0.1:9/", data=None)
    url = (await first.line("ready"))["receiver"]
    await post(url, "a")
    forwarded = await first.line("forwarded")
    assert forwarded["status"] is None
    assert "refused" in forwarded["error"]
    assert (await first.end(signal.SIGTERM))[0] == 143
    port = url.rpartition(":")[2]
    code, _, err = await (
        await spawn("listen", "--port", port, "--forward-to", f"http://localhost:{port}/x", data=None)
    ).end()
    assert (code, "the receiver itself" in err) == (2, True)
