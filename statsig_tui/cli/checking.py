"""The commands that say what is right and what is not: `sign`, `verify`, `selftest`, `doctor`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from statsig_tui.cli.options import (
    Options,
    WhichSecret,
    common_options,
    failing_in_words,
    secret_options,
)


@click.command()
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


@click.command()
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


@click.command()
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


@click.command()
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


COMMANDS: Sequence[click.Command] = (
    sign,
    verify,
    selftest,
    doctor,
)
