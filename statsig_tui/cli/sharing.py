"""`config export-destinations` and `import-destinations`: from one settings file to another."""

from __future__ import annotations

import click

from statsig_tui import settings
from statsig_tui.cli.options import Options
from statsig_tui.cli.source import read_source
from statsig_tui.core.printable import printable
from statsig_tui.engine.lock import locked
from statsig_tui.settings.sharing import exported, imported


def run_export_destinations(options: Options, names: tuple[str, ...]) -> int:
    """Print destinations as TOML; what is left out is said on stderr. Raises NotFound."""
    made = exported(options.load().config, names)
    click.echo(made.text, nl=False)
    for what in made.left_out:
        click.echo(f"left out: {printable(what)}", err=True)
    return 0


def run_import_destinations(options: Options, source: str, *, replaces: bool) -> int:
    """Put the destinations of a file into the settings. Raises SettingsError, or DataLocked."""
    data = read_source(source)
    places = options.places()
    places.prepare()
    # Who runs with these settings has read them already, and would find the file changed when it saves.
    with locked(places.lock):
        loaded = options.load()
        changed, warnings = imported(data, source, loaded.config, replaces=replaces)
        settings.save(places.config, changed, expected_digest=loaded.digest)
    for warning in warnings:
        click.echo(f"warning: {options.secrets(printable(warning))}", err=True)
    if not options.quiet:
        added = len(changed.destinations) - len(loaded.config.destinations)
        click.echo(f"{added:,} added; {len(changed.destinations):,} destinations now", err=True)
    return 0
