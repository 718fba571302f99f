"""`config` and its commands: where the settings are, what they are, and how they are shared."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from statsig_tui.cli.options import (
    Options,
    common_options,
    failing_in_words,
)
from statsig_tui.core.printable import printable


@click.group()
def config() -> None:
    """Where the settings are, what they are, and whether they are right."""


@config.command("path")
@common_options
@failing_in_words
def config_path(options: Options) -> int:
    """Print the settings file's path.

    \b
    Example:
      $EDITOR "$(statsig-tui config path)"
    """
    click.echo(options.places().config)
    return 0


@config.command("show")
@common_options
@failing_in_words
def config_show(options: Options) -> int:
    """Print the settings as TOML, secrets masked.

    \b
    Example:
      statsig-tui config show
    """
    from statsig_tui import settings

    click.echo(settings.show(options.load().config), nl=False)
    return 0


@config.command("check")
@common_options
@failing_in_words
def config_check(options: Options) -> int:
    """Check the settings file; ends with 1 where something is to be said about it.

    \b
    Example:
      statsig-tui config check --config staging.toml
    """
    from statsig_tui import settings

    problems = settings.check(options.places().config, os.environ)
    for problem in problems:
        click.echo(printable(str(problem)), err=True)
    if not problems and not options.quiet:
        click.echo(f"{options.places().config}: nothing to mend")
    return 1 if problems else 0


@config.command("export-destinations")
@common_options
@click.argument("names", metavar="[NAME]...", nargs=-1)
@failing_in_words
def config_export(options: Options, names: tuple[str, ...]) -> int:
    """Print destinations as TOML, all or those that are named. Secrets go along as references only.

    \b
    Example:
      statsig-tui config export-destinations my-api > destinations.toml
    """
    from statsig_tui.cli.sharing import run_export_destinations

    return run_export_destinations(options, names)


@config.command("import-destinations")
@common_options
@click.argument("source", metavar="[FILE|-]", default="-")
@click.option("--replace", "replaces", is_flag=True, help="Replace destinations of the same name.")
@failing_in_words
def config_import(options: Options, source: str, replaces: bool) -> int:
    """Put the destinations of a TOML file into the settings; nothing may run with them meanwhile.

    \b
    Example:
      statsig-tui config import-destinations destinations.toml
    """
    from statsig_tui.cli.sharing import run_import_destinations

    return run_import_destinations(options, source, replaces=replaces)


COMMANDS: Sequence[click.Command] = (config,)
