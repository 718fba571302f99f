"""Web pages and hosts that the settings allow; what is refused without them is in the corpus."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import StartEngine

GOOD = {"user": {"userID": "u1"}, "event": "checkout"}
Make = Callable[..., Any]


async def test_origins_and_hosts_can_be_allowed(engine: StartEngine, config: Make) -> None:
    allowed = {"cors_origins": ("https://app.example",), "allowed_hosts": ("tui.example", "lan.example:9")}
    async with engine(config(emulator=allowed)) as site:
        answer = await site.post(GOOD, headers={"Origin": "https://app.example"})
        assert answer.status_code == 202
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert (await site.post(GOOD, headers={"Origin": "http://app.example"})).status_code == 403
        for host, status in (
            ("tui.example", 202),
            ("TUI.example:1234", 202),
            ("lan.example:9", 202),
            ("lan.example:8", 403),
            ("evil.example", 403),
        ):
            assert (await site.post(GOOD, headers={"Host": host})).status_code == status


async def test_browsers_can_be_allowed_at_the_receiver(engine: StartEngine, config: Make) -> None:
    async with engine(config(receiver={"allow_browsers": True})) as site:
        answer = await site.webhook({"data": []}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 200
