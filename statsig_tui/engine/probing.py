"""Asks an endpoint what it does with good and bad requests; nothing of it is stored or tried again."""

from __future__ import annotations

import secrets

from statsig_tui.core import selftest
from statsig_tui.core.config import Destination
from statsig_tui.core.records import Headers
from statsig_tui.core.selftest import Result, Trial
from statsig_tui.engine.connecting import LinkLocalRefused, check_not_link_local
from statsig_tui.engine.sender import Sender

_SILENCES = 2
"""Trials at the beginning without an answer after which the others are not waited for."""


async def self_test(destination: Destination, now: int, *, verification_only: bool = False) -> list[Result]:
    """Every trial at a destination's endpoint, one after the other; `now` in epoch ms.

    Its own headers go along. With `verification_only` the URL's verification alone is tried.
    """
    secret = destination.secret.value if destination.secret is not None else None
    trials = selftest.trials(
        secret, now=now, code=secrets.token_hex(8), other_secret="webhook-" + secrets.token_hex(20)
    )
    if not destination.allow_link_local:
        try:
            await check_not_link_local(destination.url)
        except LinkLocalRefused as error:
            return [selftest.judge(trials[0], None, b"", str(error))]
    sender = Sender(
        keep_alive=False,
        verify_tls=destination.verify_tls,
        client_cert=destination.client_cert,
        allow_link_local=destination.allow_link_local,
        credential="signing secret",
    )
    try:
        results: list[Result] = []
        for trial in trials[:1] if verification_only else trials:
            is_mute = len(results) >= _SILENCES and all(item.status is None for item in results)
            results.append(selftest.untried(trial) if is_mute else await _try(sender, destination, trial))
        return selftest.together(results)
    finally:
        await sender.close()


async def _try(sender: Sender, destination: Destination, trial: Trial) -> Result:
    given = {name.lower() for name, _ in trial.headers}
    own: Headers = tuple(
        (name, value) for name, value in destination.headers.items() if name.lower() not in given
    )
    outcome = await sender.send(
        "POST", destination.url, (*trial.headers, *own), trial.body, destination.timeout_seconds
    )
    return selftest.judge(trial, outcome.status, outcome.body, outcome.error)
