"""Knocks at a tunnel's public URL and looks whether that arrives at our own receiver."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from statsig_tui.core.envelope import verification
from statsig_tui.core.records import CaptureDetail
from statsig_tui.core.redact import Redactor
from statsig_tui.core.tunnel import Answered, Report, judge
from statsig_tui.engine import captures
from statsig_tui.engine.connecting import LinkLocalRefused, check_not_link_local
from statsig_tui.engine.schema import last_revision
from statsig_tui.engine.sender import Sender

SECONDS = 8.0
"""For the knock and its answer."""
_PAGE = 500
T = TypeVar("T")
Question = Callable[[sqlite3.Connection], CaptureDetail | int | None]


async def check(
    url: str,
    seconds: float,
    redact: Redactor,
    receiver: str | None,
    read: Callable[[Question], Awaitable[CaptureDetail | int | None]],
) -> Report:
    """Post a verification with a code of its own, as Statsig does when a URL is saved; what became of it.

    `read` asks the store. Nothing is sent to a link-local or metadata address.
    """
    code = f"statsig-tui-{secrets.token_hex(12)}"
    before = await read(last_revision)
    assert isinstance(before, int)
    sender = Sender(keep_alive=False, allow_link_local=False, credential="tunnel")
    try:
        await check_not_link_local(url)
        headers = (("Content-Type", "application/json"),)
        outcome = await sender.send("POST", url, headers, verification(code), seconds)
    except LinkLocalRefused as error:
        return Report(False, str(error), "Enter the tunnel's public URL.")
    finally:
        await sender.close()
    location = next((value for name, value in outcome.headers if name.lower() == "location"), "")
    answer = Answered(
        outcome.status, outcome.body, redact(outcome.error or "") or None, outcome.ms, redact(location)
    )
    # What arrived was committed before it was answered.
    arrived = await read(lambda db: _arrived(db, before, code.encode()))
    assert not isinstance(arrived, int)
    return judge(code, answer, arrived, receiver)


def _arrived(db: sqlite3.Connection, rev: int, code: bytes) -> CaptureDetail | None:
    while page := captures.since(db, rev, _PAGE):
        for record in page:
            if record.envelope == "verification":
                detail = captures.detail(db, record.id)
                if detail is not None and code in detail.body:
                    return detail
        rev = page[-1].rev
    return None
