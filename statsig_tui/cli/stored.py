"""The commands about what is stored: `list`, `show`, `trace`, `export`, `import`, `replay`, `purge`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from statsig_tui.cli.options import Options, WhichSecret, common_options, failing_in_words, secret_options

_WORDS = "[captures|deliveries|events|history] [QUERY]"
_QUERYING = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
"""A word that begins with a minus sign is the query's."""


@click.command("list", context_settings=_QUERYING)
@common_options
@click.argument("words", metavar=_WORDS, nargs=-1)
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="At most so many; 0: all."
)
@click.option("--where", metavar="QUERY", help="The query, in one word; with others, both have to hold.")
@click.option("--follow", is_flag=True, help="Oldest first, and then each as it comes, until ctrl+c.")
@click.option("--wait", type=click.IntRange(1), help="With --follow: end with 0 after so many.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    help="With --follow: seconds; end with 4 then where --wait was given, else with 0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
@failing_in_words
def list_command(
    options: Options,
    words: tuple[str, ...],
    limit: int,
    where: str | None,
    follow: bool,
    wait: int | None,
    timeout: float | None,
    as_json: bool,
) -> int:
    """What is stored and fits a query, newest first; captures unless another kind is named.

    A query is words (anywhere in names, ids, path and body) and clauses, all of which have to hold, for one
    and the same event where they are about events. - negates, `or` and brackets join, quotes hold text
    together, * is any text, commas are *or*.

    \b
      event:checkout_*  user:u1  uuid:f4c4*  class:custom|gate|config|experiment|layer|holdout|
          exposure|change|internal|verification  dup:yes  drift:yes  lag:>5s  note:word
      status:5xx  sig:bad|good|valid|invalid|missing|stale|unchecked  path:/x  method:POST
          envelope:data|array|verification|none  fault:*  size:>10k  events:>1  took:>100ms
      since:10m  until:2026-01-31T12:00Z  dest:my-api  imported:yes  id:c57
      state:open|waiting|sending|delivered|retrying|failed|cancelled  attempts:>1  target:statsig
      note:tuesday
      metadata.plan=pro  user.country=KR,JP  value>10  metadata.plan!=free  metadata.plan  has:user.email

    \b
    Faults of a capture:
      not_a_batch  bad_verification  too_many_events  too_many_values  bad_json  bad_utf8  bad_number
      too_deep  not_json  unsupported_encoding  bad_encoding  inflated_too_large  missing_signature
      bad_signature  bad_signature_format  bad_timestamp  stale_timestamp  browser_request
      items that are no events: 0, 1, …

    An app or `serve` that is running is not disturbed. With --json the lines are those of `serve`. What is
    followed is printed once, as it comes: of a delivery, how it stood at that moment.

    \b
    Example:
      statsig-tui list --follow --limit 0 sig:bad
      statsig-tui list 'event:checkout_* sig:bad since:10m'
      statsig-tui list 'drift:yes or note:*'
      statsig-tui list deliveries state:failed dest:my-api --json
    """
    from statsig_tui.cli.listing import Following, run_list
    from statsig_tui.errors import UsageError

    if not follow and (wait is not None or timeout is not None):
        raise UsageError("--wait and --timeout are about what is still to come.", "Add --follow.")
    following = Following(wait, timeout) if follow else None
    return run_list(options, words, where, limit, following, as_json=as_json)


@click.command()
@common_options
@click.argument("of", metavar="ID")
@click.option("--raw", is_flag=True, help="The bytes of its body, exactly, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line, with headers, body and answer.")
@failing_in_words
def show(options: Options, of: str, raw: bool, as_json: bool) -> int:
    """All of one thing that is stored: head, body, answer, signature, attempts. Secrets are masked.

    Of a capture also what Live says of it: marks, events that came late, out of order or before, your note.

    ID is an event (e12), batch (b7), delivery (d7), capture (c57), trace (t…), a request (r3), or what
    Compose sent (s3). With --raw nothing is masked.

    \b
    Clauses of a verdict:
      exposures on  exposures off  kind of exposure off  config changes on  config changes off
      type of config change off  action of config change off  custom event tracked
      custom event not tracked  name pattern included  name pattern excluded
      new event included  new event not included  environment tier off  condition not met
      not in the sample  internal event  invalid event name  destination disabled
      demo event  test event
    A batch is closed by:
      full  bytes  timer  flush  stop  halved  isolating  replay

    \b
    Example:
      statsig-tui show c57
      statsig-tui show c57 --raw | statsig-tui lint
    """
    from statsig_tui.cli.showing import run_show

    return run_show(options, of, raw=raw, as_json=as_json)


@click.command("export", context_settings=_QUERYING)
@common_options
@click.argument("words", metavar=_WORDS, nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["ndjson", "har", "curl", "raw", "csv"]),
    default="ndjson",
    show_default=True,
    help="JSON lines, an HTTP archive, curl commands, HTTP itself, or a row an event.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A new file, for you alone; else stdout."
)
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--with-secrets", is_flag=True, help="Mask nothing that is stored.")
@failing_in_words
def export_command(
    options: Options,
    words: tuple[str, ...],
    form: str,
    out: Path | None,
    limit: int | None,
    with_secrets: bool,
) -> int:
    """Write what fits a query, newest first: see `list --help` for the language.

    Known secrets, keys, and headers that tell one are masked, in bodies, too, unless --with-secrets; what
    was masked before it was stored stays so. A masked body no longer fits its signature. CSV has one row
    for each event that fits.

    \b
    Example:
      statsig-tui export since:1h --format har --out captures.har
      statsig-tui export history status:4xx --format curl
    """
    from statsig_tui.cli.exporting import Wish, run_export
    from statsig_tui.core.exporting import FORMATS

    chosen = next(each for each in FORMATS if each == form)
    return run_export(options, words, Wish(chosen, out, limit, with_secrets))


@click.command("import")
@common_options
@click.argument("source", metavar="FILE|-")
@failing_in_words
def import_command(options: Options, source: str) -> int:
    """Take captures out of NDJSON that `export` wrote, or out of a HAR of any program, to look at them.

    They keep their time and are marked: `list imported:yes`. Nothing may be running on the same --data.
    Gzip is unpacked. What cannot be read is named, a line by its number; the rest is taken, and it ends
    with 1.

    \b
    Example:
      statsig-tui import captures.har --data ./look
    """
    from statsig_tui.cli.importing import run_import

    return run_import(options, source)


@click.command()
@common_options
@click.argument("ids", metavar="[ID…]", nargs=-1)
@click.option("--where", metavar="QUERY", help="Every capture that fits, too: see `list --help`.")
@click.option(
    "--to", multiple=True, metavar="DEST|URL", help="A destination or a URL; with --as events a target."
)
@click.option(
    "--as",
    "how",
    type=click.Choice(["received", "resigned", "events"]),
    default="received",
    show_default=True,
    help="The same bytes and signature, signed now, or each event posted in again.",
)
@click.option("--times", type=click.IntRange(1), default=1, show_default=True, help="So many times each.")
@click.option("--rate", metavar="N", help="Requests a second, such as 5 or 0.5/s.")
@secret_options
@click.option("--yes-really", metavar="HOST", help="Confirm many to a host that is not this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
@failing_in_words
def replay(
    options: Options,
    ids: tuple[str, ...],
    where: str | None,
    to: tuple[str, ...],
    how: str,
    times: int,
    rate: str | None,
    which: WhichSecret,
    yes_really: str | None,
    as_json: bool,
) -> int:
    """Post captures (c57, c57-c60) or deliveries (d7) again, from here: to `receiver` unless it is said.

    Beside an app or `serve` that is running, or without one. It is a POST to that URL alone, whatever the
    method and path of the capture were, with its head but for what is of one connection or was masked.
    With --as events each event is posted in again, to the emulator or another target, as a new one with a
    timeUUID of its own. To another machine many go at 10 a second, unless --rate says otherwise.

    Ends with 0 where every answer was a 2xx. It is never repeated by itself, and no delivery of its own is
    kept of it.

    \b
    Example:
      statsig-tui replay c57 --to my-api --as resigned
      statsig-tui replay c57-c60 --to http://localhost:3000/webhook --to my-api --rate 5
      statsig-tui replay --where 'status:5xx since:1h' --to my-api
    """
    from statsig_tui.cli.replaying import HOWS, Wish, run_replay
    from statsig_tui.cli.send import per_second

    chosen = next(each for each in HOWS if each == how)
    return run_replay(
        options, ids, where, Wish(to, chosen, times, which, yes_really, as_json, per_second(rate))
    )


@click.command()
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


@click.command()
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


COMMANDS: Sequence[click.Command] = (list_command, show, trace, export_command, import_command, replay, purge)
