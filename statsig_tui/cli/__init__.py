"""The commands: each wires its layer and imports it only when it runs (product.md §5)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from statsig_tui import __version__
from statsig_tui.cli.options import (
    Options,
    WhichSecret,
    common_options,
    failing_in_words,
    port_options,
    secret_options,
)
from statsig_tui.cli.stored import COMMANDS
from statsig_tui.core.printable import printable

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


@cli.command()
@common_options
@port_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
@click.option("--bodies", is_flag=True, help="With --json: add each capture's body.")
@click.option(
    "--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the ready line here, too."
)
@click.option(
    "--speed",
    type=click.FloatRange(1, 3600),
    default=1.0,
    help="Let waiting go so many times as fast, up to 3600.",
)
@click.option("--respond", metavar="TEXT", help="Answer by this response program: see `listen --help`.")
@failing_in_words
def serve(
    options: Options,
    as_json: bool,
    bodies: bool,
    ready_file: Path | None,
    speed: float,
    respond: str | None,
) -> int:
    """Emulator, forwarder and receiver without the app.

    The first line is JSON and tells the addresses; port 0 takes any free one. Ends on ctrl+c, SIGTERM or
    SIGHUP, after what is under way is done. --speed shortens what is waited for between batches and
    attempts, Retry-After and rate limits included; signatures, stored times and time-outs stay real.

    \b
    Example:
      statsig-tui serve --emulator-port 0 --receiver-port 0 --json
      statsig-tui serve --speed 3600
      statsig-tui serve --respond '500 x2 then 200'
      curl -H 'STATSIG-API-KEY: secret-x' -d '{"user":{"userID":"u"},"event":"hello"}' \\
        http://127.0.0.1:7828/v1/webhooks/event_webhook
    """
    from statsig_tui.cli.serve import Listening, Output, run_serve

    asked = Listening(speed=speed, respond=respond)
    return run_serve(options, Output(as_json, bodies, options.quiet, ready_file), asked)


@cli.command()
@common_options
@click.option("--port", type=click.IntRange(0, 65535), help="The receiver's port; 0: any free one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
@click.option("--bodies", is_flag=True, help="With --json: add each capture's body.")
@click.option(
    "--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the ready line here, too."
)
@click.option("--wait", type=click.IntRange(1), help="End with 0 after this many captures that fit.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    help="Seconds; with --wait or --expect end with 4 then, or with 1 where others came; else with 0.",
)
@click.option("--expect", metavar="QUERY", help="What has to come: see `list --help`. Once, without --wait.")
@click.option("--path", metavar="PATH", help="Show and count this path alone; * is any text.")
@click.option("--enforce", is_flag=True, help="Answer 401 where the signature is not valid.")
@click.option("--secret-env", metavar="NAME", help="Know the signing secret in this environment variable.")
@click.option("--forward-to", metavar="URL", help="Post each capture on, as it was received.")
@click.option("--respond", metavar="TEXT", help="Answer by this response program.")
@failing_in_words
def listen(
    options: Options,
    port: int | None,
    as_json: bool,
    bodies: bool,
    ready_file: Path | None,
    wait: int | None,
    timeout: float | None,
    expect: str | None,
    path: str | None,
    enforce: bool,
    secret_env: str | None,
    forward_to: str | None,
    respond: str | None,
) -> int:
    """The receiver alone: catch webhook deliveries, verify and show them.

    Without --data nothing is kept beyond the end. Any path is taken. What is forwarded keeps its bytes and
    its signature; headers whose secrets were masked are left out, and no answer is awaited to answer here.

    A response program is one or more answers with `then` between them: a status, `hang`, `cut`, or `usual`.
    Each is for one request, and the last for all that follow; xN behind it: for so many, after which all is
    as usual. Also behind it: N% of them (seed=N: which ones), name=value for a header, body=JSON or
    body="text"; before it: delay 2s. `/path:` in front is for that path alone, * is any text in it, and a
    semicolon ends it. A URL's verification is answered as usual, unless by path. In JSON the status is null
    where there was no answer.

    \b
    Example:
      statsig-tui listen --port 0 --json --wait 1 --timeout 30
      statsig-tui listen --respond '500 x2 then 200'
      statsig-tui listen --respond '/hook: delay 2s then 429 retry-after=5; 503 30% seed=7'
      statsig-tui listen --expect 'event:checkout_* user:u1 sig:valid' --timeout 30
      statsig-tui listen --forward-to http://localhost:3000/webhook
    """
    from statsig_tui.cli.queries import read_query
    from statsig_tui.cli.serve import Listening, Output, run_listen

    query = read_query(expect) if expect is not None else None
    asked = Listening(port, wait, timeout, query, path, enforce, secret_env, forward_to, respond=respond)
    return run_listen(options, Output(as_json, bodies, options.quiet, ready_file), asked)


@cli.command()
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


@cli.command()
@common_options
@click.argument("source", metavar="FILE|-")
@secret_options
@click.option("--timestamp", metavar="MS", help="Epoch milliseconds; now unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line instead of text.")
@failing_in_words
def sign(
    options: Options,
    source: str,
    which: WhichSecret,
    timestamp: str | None,
    as_json: bool,
) -> int:
    """Sign the bytes of FILE or, with -, of standard input: print the two headers.

    The secret is the only one of the settings, or STATSIG_WEBHOOK_SECRET, unless an option chooses.

    \b
    Example:
      statsig-tui sign batch.json --destination my-api
    """
    from statsig_tui.cli.signing import run_sign

    return run_sign(options, source, which, timestamp, as_json=as_json)


@cli.command()
@common_options
@click.argument("source", metavar="[FILE|-]", required=False)
@click.option("--capture", metavar="ID", help="Verify this capture, as it was when it arrived.")
@click.option("--request", "is_request", is_flag=True, help="FILE is a whole HTTP request, head and body.")
@click.option("--signature", metavar="TEXT", help="The X-Statsig-Signature header.")
@click.option("--timestamp", metavar="TEXT", help="The X-Statsig-Request-Timestamp header.")
@click.option("--tolerance", type=click.IntRange(0, 86_400), help="Seconds; 0: any age.")
@secret_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line instead of text.")
@failing_in_words
def verify(
    options: Options,
    source: str | None,
    capture: str | None,
    is_request: bool,
    signature: str | None,
    timestamp: str | None,
    tolerance: int | None,
    which: WhichSecret,
    as_json: bool,
) -> int:
    """Say whether a signature is right and, where it is not, which of the usual mistakes made it.

    Every signing secret of the settings is tried, and STATSIG_WEBHOOK_SECRET, unless an option chooses.
    Ends with 0 only if it is valid.

    \b
    Example:
      statsig-tui verify --capture c57
      statsig-tui verify body.json --signature v0=… --timestamp 1700000000000
    """
    from statsig_tui.cli.signing import run_verify
    from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER

    given = ((SIGNATURE_HEADER, signature), (TIMESTAMP_HEADER, timestamp))
    return run_verify(
        options,
        source,
        which,
        tuple((name, value) for name, value in given if value is not None),
        is_request=is_request,
        capture=capture,
        tolerance=tolerance,
        as_json=as_json,
    )


@cli.command()
@common_options
@click.option("--probe", "probes", is_flag=True, help="Send an event through listeners of its own, too.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each finding.")
@failing_in_words
def doctor(options: Options, probes: bool, as_json: bool) -> int:
    """Look at versions, places, settings, store, ports and clock, and change nothing.

    With --probe a marked event goes through emulator, filter, batch, delivery and receiver, on free ports
    and in a store of its own, as the settings have the destination `receiver`. Ends with 0 only if all is
    well.

    \b
    Example:
      statsig-tui doctor --probe
    """
    from statsig_tui.cli.doctor import run_doctor

    return run_doctor(options, probes=probes, as_json=as_json)


@cli.command()
@common_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@failing_in_words
def purge(options: Options, yes: bool) -> int:
    """Delete everything that is stored: events, captures, deliveries, drafts, the log. Asks twice.

    Settings and templates stay. Not while an app or `serve` uses the data directory.

    \b
    Example:
      statsig-tui purge --yes
    """
    from statsig_tui.cli.purge import run_purge

    return run_purge(options, yes=yes)


@cli.command()
@common_options
@click.argument("of", metavar="DESTINATION|URL")
@click.option("--verification", "verification_only", is_flag=True, help="Only the verification of the URL.")
@secret_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each trial.")
@failing_in_words
def selftest(options: Options, of: str, verification_only: bool, which: WhichSecret, as_json: bool) -> int:
    """Try an endpoint: the URL's verification, a good request, and six bad ones it must refuse.

    Ends with 0 only if it passes all of them. What is sent is a marked event, and is not stored here.

    \b
    Example:
      statsig-tui selftest my-api
      statsig-tui selftest http://localhost:3000/webhook --secret-env STATSIG_WEBHOOK_SECRET
    """
    from statsig_tui.cli.selftest import run_selftest

    return run_selftest(options, of, which, verification_only=verification_only, as_json=as_json)


@cli.command()
@common_options
@click.argument("of", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
@failing_in_words
def trace(options: Options, of: str, as_json: bool) -> int:
    """The way of an event: sent, verdicts, batches, attempts, captures, in the order of time.

    ID is any that belongs to it: a trace (t…), event (e12), batch (b7), delivery (d7), capture (c57),
    what Compose sent (s3), or a timeUUID. An app or `serve` that is running is not disturbed.

    \b
    Example:
      statsig-tui trace c57
    """
    from statsig_tui.cli.trace import run_trace

    return run_trace(options, of, as_json=as_json)


@cli.command()
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


@cli.group()
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


for command in COMMANDS:
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
