"""The commands that run until they are stopped: `serve` and `listen` (product.md §5)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from statsig_tui.cli.options import (
    Options,
    common_options,
    failing_in_words,
    port_options,
)


@click.command()
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


@click.command()
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


COMMANDS: Sequence[click.Command] = (
    serve,
    listen,
)
