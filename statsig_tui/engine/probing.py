"""Asks an endpoint what it does with good and bad requests; nothing of it is stored or tried again."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from anyio import CancelScope

from statsig_tui.core import selftest
from statsig_tui.core.config import Destination
from statsig_tui.core.records import Headers
from statsig_tui.core.selftest import Progress, Result, Trial
from statsig_tui.engine.connecting import LinkLocalRefused, check_not_link_local
from statsig_tui.engine.sender import Sender

_SILENCES = 2
"""Trials at the beginning without an answer after which the others are not waited for."""


async def self_test(
    destination: Destination,
    now: int,
    *,
    verification_only: bool = False,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> list[Result]:
    """Every trial at a destination's endpoint, one after the other; `now` in epoch ms.

    Its own headers go along. With `verification_only` the URL's verification alone is tried. `tell` hears
    of each trial when it begins, and in the end.
    """
    secret = destination.secret.value if destination.secret is not None else None
    trials = selftest.trials(
        secret, now=now, code=secrets.token_hex(8), other_secret="webhook-" + secrets.token_hex(20)
    )
    if not destination.allow_link_local:
        try:
            await check_not_link_local(destination.url)
        except LinkLocalRefused as error:
            refused = selftest.judge(trials[0], None, b"", str(error))
            tell(Progress((refused,), None, 1))
            return [refused]
    sender = Sender(
        keep_alive=False,
        verify_tls=destination.verify_tls,
        client_cert=destination.client_cert,
        allow_link_local=destination.allow_link_local,
        credential="signing secret",
    )
    try:
        results: list[Result] = []
        chosen = trials[:1] if verification_only else trials
        for trial in chosen:
            tell(Progress(tuple(results), trial, len(chosen)))
            is_mute = len(results) >= _SILENCES and all(item.status is None for item in results)
            results.append(selftest.untried(trial) if is_mute else await _try(sender, destination, trial))
            results = selftest.together(results)
        tell(Progress(tuple(results), None, len(chosen)))
        return results
    finally:
        # Who gives the test up waits no longer, and leaves no connection behind all the same.
        with CancelScope(shield=True):
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
