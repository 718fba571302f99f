"""The program itself, with two signals for the canary run: a picture of the screen, and an error of ours.

The arguments are the directory for pictures, and then the program's own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Any

from textual.pilot import Pilot

from statsig_tui import cli
from statsig_tui.tui.app import StatsigApp

directory = sys.argv.pop(1)
program: Any = StatsigApp
load = program.on_load


def on_load(app: Any) -> None:
    """Listen to the two signals as well."""
    load(app)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: app.run_worker(take_picture(app)))
    loop.add_signal_handler(signal.SIGUSR2, app.call_later, break_down, app)


async def take_picture(app: Any) -> None:
    """Save the screen as an SVG once every key has had its effect; say so, and where the focus is."""
    await Pilot(app).pause(0)
    number = len(os.listdir(directory)) + 1
    app.save_screenshot(f"{number}.svg", directory)
    app._driver.write(f"\x1b]7;picture {number} at {getattr(app.focused, 'id', None)}\x07")


def break_down(app: StatsigApp) -> None:
    """Fail with every secret in the log, in a local variable and in the exception."""
    found = [*app.config.secret_values(), *filter(None, [os.environ.get("STATSIG_SERVER_SECRET")])]
    logging.getLogger("canary").error("logged: %s", found)
    raise RuntimeError(f"broken by {found}")


program.on_load = on_load
cli.main()
