"""The commands about incoming events: `send` and `lint` (product.md §5)."""

from __future__ import annotations

from collections.abc import Sequence

import click

from statsig_tui.cli.options import (
    Options,
    common_options,
    failing_in_words,
)


@click.command()
@common_options
@click.argument("source", metavar="TEMPLATE|FILE|-", required=False)
@click.option("--list", "lists", is_flag=True, help="Name every template, and send nothing.")
@click.option(
    "--set", "settings", metavar="PATH=VALUE", multiple=True, help="Change a member; +PATH adds it."
)
@click.option("--set-json", "json_settings", metavar="PATH=JSON", multiple=True, help="The same, with JSON.")
@click.option(
    "--var", "variables", metavar="NAME=VALUE", multiple=True, help="A variable, or a prompt's answer."
)
@click.option("--exact", is_flag=True, help="The bytes as they are: no variables, no `now`, one body.")
@click.option("--method", default="", help="Instead of POST.")
@click.option("--path", default="", help="Instead of the endpoint's; may hold a query.")
@click.option(
    "--header",
    "headers",
    metavar="LINE",
    multiple=True,
    help="`name: value`, in place of one of that name; `name:` leaves it out, `name;` sends it empty.",
)
@click.option(
    "--target", default="emulator", show_default=True, help="A target of the settings, or `emulator`."
)
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True, help="Send it so many times.")
@click.option("--rate", metavar="N[/s]", help="So many a second; elsewhere than here 10 by default.")
@click.option("--concurrency", type=click.IntRange(1, 200), help="So many at a time.")
@click.option(
    "--expect", metavar="status=N", multiple=True, help="End with 1 on any other answer; 4xx is allowed."
)
@click.option("--yes-really", metavar="HOST", help="Confirm a series to a host that is not this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
@click.option("--dry-run", is_flag=True, help="Print the bytes that would be sent, and send nothing.")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["curl", "httpie", "python", "raw"]),
    help="Print the request for that program, keys as variables, and send nothing.",
)
@failing_in_words
def send(
    options: Options,
    source: str | None,
    lists: bool,
    settings: tuple[str, ...],
    json_settings: tuple[str, ...],
    variables: tuple[str, ...],
    exact: bool,
    method: str,
    path: str,
    headers: tuple[str, ...],
    target: str,
    repeat: int,
    rate: str | None,
    concurrency: int | None,
    expect: tuple[str, ...],
    yes_really: str | None,
    as_json: bool,
    dry_run: bool,
    kind: str | None,
) -> int:
    """Post incoming events: a template, a file, or standard input.

    One JSON object a line is one request a line, read when it is its turn: any number of them, gzip as well.
    A line that is none is named on stderr with what is wrong; the others are sent, and it ends with 1. In
    a file named .ndjson or .jsonl every line is one; elsewhere JSON over several lines is one body. Of a
    curl command its body, method, path and headers are taken, and files that it names are read.

    Variables such as {{now_ms}} and {{uuid}} are resolved anew for each request. The built-in target
    `emulator` is the one that runs with the same --data, else the one at the default port. Nothing is ever
    sent twice by itself. Ends with 0 where every answer was a 2xx, or what --expect says. What Statsig
    would likely refuse, drop or misread of a single event is said on stderr first, and sent all the same.

    \b
    Example:
      statsig-tui send custom --set user.userID=u7 --set +metadata.plan=pro
      statsig-tui send varied --repeat 1000 --rate 50/s --expect status=202
      statsig-tui send seconds --dry-run
      statsig-tui send custom --set user.userID=u7 --header 'X-Run: 7' --as curl
      echo '{"user":{"userID":"u"},"event":"hello"}' | statsig-tui send -
      statsig-tui send events.ndjson.gz --rate 100/s --set +user.statsigEnvironment.tier=staging
    """
    from statsig_tui.cli.payload import Changes, shape_of
    from statsig_tui.cli.send import Plan, per_second, run_list, run_send

    if lists:
        return run_list(options, as_json=as_json)
    if source is None:
        raise click.UsageError(
            "Name a template, a file, or - for standard input; --list names the templates."
        )
    changes = Changes(settings, json_settings, variables, exact, shape_of(method, path, headers))
    plan = Plan(target, repeat, per_second(rate), concurrency, expect, yes_really, as_json, dry_run, kind)
    return run_send(options, source, changes, plan)


@click.command()
@common_options
@click.argument("source", metavar="[FILE|-]", default="-")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line for each advice.")
@click.option("--fix", is_flag=True, help="Print the event with every fix applied; advice goes to stderr.")
@failing_in_words
def lint(options: Options, source: str, as_json: bool, fix: bool) -> int:
    """Say what Statsig would likely refuse, drop or misread in an incoming event. Sends nothing.

    Reads FILE or standard input. Ends with 1 where something is an error, with 0 where all is a warning
    or a hint; with --fix only what is left counts.

    \b
    Example:
      echo '{"userID":"u","eventName":"hello"}' | statsig-tui lint
      statsig-tui lint --fix event.json > mended.json
    """
    from statsig_tui.cli.lint import run_lint

    return run_lint(options, source, as_json=as_json, fix=fix)


COMMANDS: Sequence[click.Command] = (
    send,
    lint,
)
