"""Destinations from one settings file into another: references go along, secrets do not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contract.conftest import Spawn

HERE = """
[[destinations]]
name = "mine"
url = "http://127.0.0.1:1/hook"
secret = { env = "MINE" }
old_secrets = [{ secret = { inline = "webhook-oldoldoldoldoldold" }, until = 4000000000000 }]
headers = { Authorization = "Bearer abcdefgh", X-Team = "shop", X-Odd = "a webhook-otherotherother b" }
[destinations.batch]
max_events = 7
[[destinations]]
name = "other"
url = "http://127.0.0.1:2/"
secret = { inline = "webhook-otherotherother" }
[[destinations]]
name = "told"
url = "http://127.0.0.1:3/?k=webhook-otherotherother"
"""
THERE = """
[interface]
theme = "light"
[[destinations]]
name = "other"
url = "http://127.0.0.1:9/"
secret = { env = "OTHER" }
"""
SECRETS = ("oldoldold", "otherother", "abcdefgh")


async def test_destinations_move_without_their_secrets(spawn: Spawn, tmp_path: Path) -> None:
    here, there, shared = tmp_path / "here.toml", tmp_path / "there.toml", tmp_path / "shared.toml"
    here.write_text(HERE)
    there.write_text(THERE)
    export = await spawn("config", "export-destinations", "--config", str(here), data=None)
    code, out, err = await export.end()
    assert code == 0
    assert not [secret for secret in SECRETS if secret in out + err]
    assert [line for line in err.splitlines() if line.startswith("left out")] == [
        "left out: mine: the header Authorization",
        "left out: mine: the header X-Odd",
        "left out: mine: an old signing secret, which stands in the settings",
        "left out: other: its signing secret, which stands in the settings",
        "left out: told: all of it, for its URL holds a secret",
    ]
    shared.write_text(out)

    load = ("config", "import-destinations", str(shared), "--config", str(there))
    code, out, err = await (await spawn(*load, data=None)).end()
    assert (code, out) == (2, "")
    assert '"other" is the name of a destination already' in err
    assert there.read_text() == THERE
    code, out, err = await (await spawn(*load, "--replace", data=None)).end()
    assert (code, out) == (0, ""), err
    assert "other: has no signing secret" in err
    written = tomllib.loads(there.read_text())
    assert written["interface"] == {"theme": "light"}
    assert written["destinations"] == [
        {"name": "other", "url": "http://127.0.0.1:2/"},
        {
            "name": "mine",
            "url": "http://127.0.0.1:1/hook",
            "secret": {"env": "MINE"},
            "headers": {"X-Team": "shop"},
            "batch": {"max_events": 7},
        },
    ]


async def test_every_limit_and_the_certificate_of_a_destination_move(spawn: Spawn, tmp_path: Path) -> None:
    """A certificate is named by its place, which the other machine may not have: that is said."""
    here, there, shared = tmp_path / "here.toml", tmp_path / "there.toml", tmp_path / "shared.toml"
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"
    cert.write_text("")
    key.write_text("")
    here.write_text(f"""
[[destinations]]
name = "mine"
url = "https://169.254.10.10/hook"
secret = {{ env = "MINE" }}
concurrency = 4
allow_link_local = true
[destinations.batch]
max_bytes = 65536
[destinations.retry]
schedule = [1.0, 60.0]
jitter = 0.25
[destinations.client_cert]
cert = "{cert}"
key = "{key}"
""")
    there.write_text("")
    code, out, err = await (
        await spawn("config", "export-destinations", "--config", str(here), data=None)
    ).end()
    assert (code, err) == (0, "")
    shared.write_text(out)
    key.unlink()
    load = ("config", "import-destinations", str(shared), "--config", str(there))
    code, out, err = await (await spawn(*load, data=None)).end()
    assert (code, out) == (0, ""), err
    missing = f"destinations[mine].client_cert.key: {key} cannot be read: No such file or directory"
    assert missing in err
    assert "client_cert.cert" not in err
    assert (
        tomllib.loads(there.read_text())["destinations"][-1:]
        == tomllib.loads(here.read_text())["destinations"]
    )

    code, _, err = await (await spawn("config", "check", "--config", str(there), data=None)).end()
    assert code == 1
    assert re.search(r"there\.toml line \d+: " + re.escape(missing), err)
    key.write_text("")
    code, out, err = await (await spawn("config", "check", "--config", str(there), data=None)).end()
    assert (code, err) == (0, "")


async def test_a_condition_that_could_never_fit_comes_from_no_file(spawn: Spawn, tmp_path: Path) -> None:
    there, shared = tmp_path / "there.toml", tmp_path / "shared.toml"
    there.write_text(THERE)
    shared.write_text(
        "[[destinations]]\nname = 'mine'\nurl = 'http://127.0.0.1:1/'\nfilter = { where = 'dup:no' }\n"
    )
    place = "line 4: destinations[mine].filter.where: is wrong at character 1: dup says nothing of an event"
    load = ("config", "import-destinations", str(shared), "--config", str(there))
    code, out, err = await (await spawn(*load, data=None)).end()
    assert (code, out) == (2, "")
    assert f"shared.toml {place}" in err
    assert "use event, user" in err
    assert there.read_text() == THERE
    code, _, err = await (await spawn("config", "check", "--config", str(shared), data=None)).end()
    assert code != 0
    assert f"shared.toml {place}" in err
