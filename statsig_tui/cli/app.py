"""The app's composition root: settings, lock, engine and screens meet here."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from statsig_tui import settings
from statsig_tui.cli.log import log_to
from statsig_tui.cli.mounts import cautions
from statsig_tui.cli.options import Options
from statsig_tui.cli.process import hard_stop, keep_loaded, raise_descriptor_limit
from statsig_tui.cli.terminal import on_hang_up, restorer
from statsig_tui.core.config import Config
from statsig_tui.engine.lock import locked
from statsig_tui.errors import SettingsError, UsageError
from statsig_tui.settings.templates import Shelf
from statsig_tui.tui.app import Reread, StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.commands import palette

if TYPE_CHECKING:
    from statsig_tui.engine.engine import Engine

_SWITCH_SECONDS = 0.0005
"""How long one thread may hold the interpreter: an acknowledgement must not wait for a drawing."""


def run_app(options: Options) -> int:
    """Run the app until it is quit; the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The app needs a terminal.", "Without one use `statsig-tui serve`, `listen` or `send`."
        )
    places = options.places()
    places.prepare()
    loaded = options.load()
    digest = loaded.digest
    config = options.over(loaded.config)

    def reread() -> Reread:
        # Said in the app: a line on stderr would be drawn over.
        found = replace(options, quiet=True).load()
        if loaded.existed and not found.existed:
            raise SettingsError(
                f"{places.config.name} is not there any more; nothing was changed.",
                "The next save writes it anew.",
            )

        def accept() -> None:
            nonlocal loaded, digest
            loaded, digest = found, found.digest

        return Reread(options.over(found.config), found.warnings, accept)

    def save(config: Config) -> None:
        nonlocal digest
        options.secrets.learn(config)
        # What the command line said for this run is not written into the settings.
        written = options.without(config, loaded.config)
        try:
            digest = settings.save(places.config, written, expected_digest=digest)
        except settings.SettingsChanged as error:
            # Told once, the user may replace that file; one that is changed yet again is told anew.
            digest = error.digest
            hint = f"Save once more to write over that, or use it: {palette('app.reload')}."
            raise settings.SettingsChanged(error.message, hint, error.digest) from None

    notices = [*cautions(places.data), *loaded.warnings]
    if loaded.comments:
        notices.append(f"{places.config.name} holds comments: they are lost when the app saves.")
    log_to(places.log, options.secrets)

    with locked(places.lock) as publish:

        def open_engine() -> AbstractAsyncContextManager[Engine]:
            from statsig_tui.engine.engine import running

            raise_descriptor_limit()
            return running(config, places.database, fall_back=True, on_listening=publish)

        sys.setswitchinterval(_SWITCH_SECONDS)
        restore = restorer(sys.stdin.fileno())

        def end_now(code: int) -> None:
            restore()
            os._exit(code)

        def on_exit(code: int) -> None:
            hard_stop(code, end_now)

        shelf = Shelf(places.templates)
        app = StatsigApp(
            Bridge(open_engine), config, save, notices, on_exit, keep_loaded, end_now, shelf, reread
        )
        on_hang_up(sys.stdin.fileno(), app.hang_up)
        app.run()
    app.print_crash()
    code = app.return_code or 0
    if app.ended_by is not None:
        code = 128 + app.ended_by
    sys.stdout.flush()
    if code:
        click.get_current_context().exit(code)
    return code
