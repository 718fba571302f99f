"""`sign` and `verify` as processes: what one makes the other accepts, and a mistake is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

if TYPE_CHECKING:
    from tests.contract.conftest import Spawn

BODY = b'{"data":[{"eventName":"a", "value":"1"}]}'
SECRET = "webhook-" + "s" * 43
Settings = Callable[[str], tuple[str, str]]
TWO = """
[[destinations]]
name = "mine"
url = "http://127.0.0.1:1/"
secret = { env = "MINE" }
[[destinations]]
name = "other"
url = "http://127.0.0.1:2/"
secret = { inline = "webhook-otherotherotherother" }
"""


async def test_what_sign_makes_verify_accepts(spawn: Spawn, settings: Settings, tmp_path: Path) -> None:
    chosen = settings(TWO)
    file = tmp_path / "body.json"
    file.write_bytes(BODY)
    code, out, err = await (
        await spawn("sign", *chosen, str(file), "--destination", "mine", MINE=SECRET)
    ).end()
    assert (code, err) == (0, "")
    headers = dict(line.split(": ") for line in out.splitlines())
    assert headers[SIGNATURE_HEADER] == sign(SECRET, headers[TIMESTAMP_HEADER], BODY)
    given = ("--signature", headers[SIGNATURE_HEADER], "--timestamp", headers[TIMESTAMP_HEADER])
    code, out, _ = await (await spawn("verify", *chosen, "-", *given, MINE=SECRET)).end(stdin=BODY)
    assert code == 0
    assert "✓ valid" in out
    assert "expected with webhook-…ssss" in out
    assert SECRET not in out


async def test_verify_names_the_mistake_in_words_and_as_json(spawn: Spawn) -> None:
    stamp = "1700000000000"
    wrong = sign(SECRET, stamp, BODY.replace(b" ", b""))
    request = (
        b"POST /hook HTTP/1.1\r\nHost: x\r\n"
        + f"{TIMESTAMP_HEADER}: {stamp}\r\n{SIGNATURE_HEADER}: {wrong}\r\n\r\n".encode()
        + BODY
    )
    for secret in ("--secret-env=GIVEN",), ():
        environment = {"GIVEN" if secret else "STATSIG_WEBHOOK_SECRET": SECRET}
        it = await spawn("verify", "-", "--request", *secret, **environment)
        code, out, err = await it.end(stdin=request)
        assert (code, err) == (1, "")
        assert "serialised again between signing and sending" in out
    it = await spawn("verify", "-", "--request", "--json", STATSIG_WEBHOOK_SECRET=SECRET)
    code, out, _ = await it.end(stdin=request)
    line = json.loads(out)
    assert (code, line["type"], line["signature"], line["code"]) == (
        1,
        "signature",
        "invalid",
        "bad_signature",
    )
    assert [mistake["what"] for mistake in line["mistakes"]] == [
        "the body was serialised again between signing and sending"
    ]


async def test_a_capture_is_verified_as_it_arrived(spawn: Spawn, settings: Settings) -> None:
    chosen = settings('[receiver]\nsecrets = [{ env = "MINE" }]\n')
    listen = await spawn("listen", *chosen, "--port", "0", "--json", MINE=SECRET)
    ready = await listen.line("ready")
    old = str(ready["at"] - 3_600_000)
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"Content-Type": "application/json", TIMESTAMP_HEADER: old}
        headers[SIGNATURE_HEADER] = sign(SECRET, old, BODY)
        await client.post(ready["receiver"], content=BODY, headers=headers)
    capture = await listen.line("capture")
    assert capture["signature"] == "stale"
    it = await spawn("verify", *chosen, "--capture", capture["id"], MINE=SECRET)
    code, out, err = await it.end()
    assert (code, err) == (1, "")
    assert "3600" in out
    assert "Set the clocks right" in out
    it = await spawn("verify", *chosen, "--capture", capture["id"], "--tolerance", "0", MINE=SECRET)
    assert (await it.end())[0] == 0


async def test_what_cannot_be_meant_says_how_to_mend_it(
    spawn: Spawn, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(BODY)
    empty = settings('[[destinations]]\nname = "unsigned"\nurl = "http://127.0.0.1:1/"\n')
    for arguments, said in (
        (("sign", *empty, str(file)), "No signing secret is known"),
        (("sign", *empty, str(file), "--secret-env", "NOT_THERE"), "NOT_THERE is not set"),
        (("sign", *empty, str(file), "--destination", "nobody"), "There is no destination nobody"),
        (("verify", *empty), "One thing is verified at a time"),
        (("verify", *empty, str(file), "--request"), "This is no HTTP request"),
        (("verify", *empty, "--capture", "d7"), "no capture's id"),
        (("verify", *empty, "--capture", "c7"), "no history yet"),
    ):
        code, out, err = await (await spawn(*arguments)).end()
        assert (code, out) == (2, ""), arguments
        assert said in err, arguments
    several = settings(TWO)
    code, _, err = await (await spawn("sign", *several, str(file), MINE=SECRET)).end()
    assert code == 2
    assert "Several signing secrets are known" in err


async def test_what_an_earlier_run_signed_is_verified_by_a_later_command(spawn: Spawn) -> None:
    serve = await spawn("serve", "--emulator-port", "0", "--receiver-port", "0", "--json")
    await serve.line("ready")
    await (await spawn("send", "-")).end(stdin=b'{"user":{"userID":"u"},"event":"e"}')
    capture = await serve.line("capture", signature="valid")
    await serve.end(15)
    code, out, _ = await (await spawn("verify", "--capture", capture["id"])).end()
    assert (code, out.splitlines()[0]) == (0, "✓ valid: the digest matches")
    kept = serve.data / "signing-secret"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text() not in out
