"""The group of all commands, which come by families; each imports its layer when it runs (product.md §5)."""

from __future__ import annotations

import os
import sys
from typing import Any

import click
from click.core import ParameterSource

from statsig_tui import __version__
from statsig_tui.cli import checking, composing, configuring, running, stored
from statsig_tui.cli.options import Options, common_options, failing_in_words, port_options

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(invoke_without_command=True, context_settings=CONTEXT)
@click.version_option(__version__, package_name="statsig-tui", prog_name="statsig-tui")
@common_options
@port_options
@click.pass_context
@failing_in_words
def cli(context: click.Context, options: Options) -> None:
    """See and drive both halves of Statsig's Event Webhook, on this machine.

    Without a command the app starts: Compose, Destinations and Live, with the emulator and the receiver
    listening. Everything it does can be done headless with the commands below.

    \b
    Example:
      statsig-tui                     # the app
      statsig-tui serve --json        # the same engine, for a script
    """
    if context.invoked_subcommand is None:
        from statsig_tui.cli.process import collect_nothing

        collect_nothing()
        from statsig_tui.cli.app import run_app

        context.exit(run_app(options))
    given = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    command = cli.commands.get(context.invoked_subcommand)
    if given and command is not None:
        context.default_map = {context.invoked_subcommand: _handed_on(command, given)}


def _handed_on(command: click.Command, given: dict[str, Any]) -> dict[str, Any]:
    """What was given before a command, for that command, which may be one of several families."""
    if isinstance(command, click.Group):
        return {name: _handed_on(each, given) for name, each in command.commands.items()}
    taken = {parameter.name for parameter in command.params}
    for name in given:
        if name not in taken:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{command.name} has no {option}; see statsig-tui {command.name} --help.")
    return given


for family in (running, composing, checking, stored, configuring):
    for command in family.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """The console script."""
    code = cli.main(standalone_mode=False) if "_STATSIG_TUI_COMPLETE" in os.environ else _run()
    sys.exit(code)


def _run() -> int:
    try:
        result = cli.main(prog_name="statsig-tui", standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return result if isinstance(result, int) else 0
