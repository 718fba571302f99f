"""A probe without the screens: an engine on free ports, in a store that is gone afterwards."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from statsig_tui.core.config import DEFAULT_RECEIVER_URL, RECEIVER, Config, Destination
from statsig_tui.core.probe import Hop, is_settled
from statsig_tui.core.records import Record
from statsig_tui.engine import probe
from statsig_tui.engine.engine import running


def probed(config: Config, seconds: float = probe.SECONDS) -> tuple[Hop, ...]:
    """Every hop of a probe to a receiver of its own; the destination is as the settings have it."""
    return asyncio.run(_probed(config, seconds))


async def _probed(config: Config, seconds: float) -> tuple[Hop, ...]:
    usual = config.destination(RECEIVER) or Destination(RECEIVER, DEFAULT_RECEIVER_URL)
    own = replace(
        config,
        emulator=replace(config.emulator, host="127.0.0.1", port=0),
        receiver=replace(config.receiver, host="127.0.0.1", port=0),
        destinations=(replace(usual, url=DEFAULT_RECEIVER_URL),),
    )
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def committed(records: Sequence[Record]) -> None:
        loop.call_soon_threadsafe(changed.set)

    with tempfile.TemporaryDirectory(prefix="statsig-tui-") as place:
        async with running(own, Path(place) / "probe.db") as engine:
            engine.on_commit(committed)
            sent = await engine.probe(RECEIVER)
            try:
                async with asyncio.timeout(seconds):
                    while not is_settled(found := probe.look(engine, RECEIVER, sent, late=False)):
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                found = probe.look(engine, RECEIVER, sent, late=True)
    return found
