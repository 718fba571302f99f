"""`sign` and `verify`: signatures of a file, of standard input or of a capture, made and explained."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import click

from statsig_tui.cli.lines import json_line
from statsig_tui.cli.options import Options, WhichSecret
from statsig_tui.cli.source import read_source
from statsig_tui.core.diagnosis import Diagnosis
from statsig_tui.core.ids import numbered
from statsig_tui.core.printable import from_bytes, printable
from statsig_tui.core.records import Headers
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, SignatureState, sign
from statsig_tui.engine.examination import examine, examine_request
from statsig_tui.engine.reading import reading
from statsig_tui.errors import NotFound, UsageError

DEFAULT_ENV = "STATSIG_WEBHOOK_SECRET"


def run_sign(
    options: Options, source: str, which: WhichSecret, timestamp: str | None, *, as_json: bool
) -> int:
    """Print the two headers for a body."""
    options.places().prepare()
    secret = chosen_secret(options, which)
    body = read_source(source)
    now = time.time_ns() // 1_000_000
    stamp = timestamp if timestamp is not None else str(now)
    signature = sign(secret, stamp, body)
    if as_json:
        fields = {"type": "signature", "at": now, "timestamp": stamp, "signature": signature}
        click.echo(json_line(fields))
    else:
        click.echo(f"{TIMESTAMP_HEADER}: {stamp}\n{SIGNATURE_HEADER}: {signature}")
    return 0


def run_verify(
    options: Options,
    source: str | None,
    which: WhichSecret,
    headers: Headers,
    *,
    is_request: bool,
    capture: str | None,
    tolerance: int | None,
    as_json: bool,
) -> int:
    """Say whether a signature is right and, where it is not, which mistake made it; 0 only if valid."""
    if (source is None) == (capture is None):
        raise UsageError(
            "One thing is verified at a time.", "Name a FILE, - for standard input, or --capture."
        )
    # As they would be read from the wire: each byte a character.
    headers = tuple((name, os.fsencode(value).decode("latin-1")) for name, value in headers)
    known = signing_secrets(options, which, at=time.time_ns() // 1_000_000)
    seconds = options.load().config.receiver.tolerance_seconds if tolerance is None else tolerance
    if capture is not None:
        diagnosis = _of_capture(options, capture, known, seconds)
    else:
        body = read_source(source or "-")
        if is_request:
            given, body = _split_request(body)
            headers = (*headers, *given)
        now = time.time_ns() // 1_000_000
        diagnosis = examine_request(headers, body, known, now, seconds)
    click.echo(_json(diagnosis) if as_json else _text(diagnosis))
    return 0 if diagnosis.verdict.state is SignatureState.VALID else 1


def chosen_secret(options: Options, which: WhichSecret) -> str:
    """The one secret that was chosen, or is the only one known; raises UsageError."""
    known = signing_secrets(options, which)
    if len(known) != 1:
        many = "Several signing secrets are known" if known else "No signing secret is known"
        raise UsageError(f"{many}.", "Choose one with --destination, --secret-env or --secret-file.")
    return known[0]


def _of_capture(options: Options, capture: str, known: Sequence[str], seconds: int) -> Diagnosis:
    of = numbered(capture)
    if of is None or of[0] != "c":
        raise UsageError(f"{printable(capture)} is no capture's id.", "Capture ids look like c57.")
    with reading(options.places().database) as archive:
        detail = archive.capture(of[1])
    if detail is None:
        raise NotFound(f"There is no capture {capture}.", "It may have been forgotten: see [retention].")
    return examine(detail, known, seconds)


def signing_secrets(options: Options, which: WhichSecret, *, at: int | None = None) -> tuple[str, ...]:
    """The secret that was chosen, or every signing secret of the settings and the environment.

    With a time (epoch ms) those that were replaced and are still accepted then as well.
    """
    if which.env is not None:
        value = os.environ.get(which.env, "").strip()
        if not value:
            raise UsageError(f"{which.env} is not set.", "Set it, or name another variable.")
        return (value,)
    if which.file is not None:
        value = read_source(str(which.file)).decode(errors="replace").strip()
        if not value:
            raise UsageError(f"{which.file} is empty.", "It must hold the signing secret.")
        return (value,)
    config = options.load().config
    if which.destination is not None:
        destination = config.destination(which.destination)
        if destination is None:
            names = ", ".join(item.name for item in config.destinations)
            raise NotFound(f"There is no destination {which.destination}.", f"Known are: {names}.")
        if destination.secret is None or not destination.secret.value:
            raise UsageError(f"Destination {which.destination} has no signing secret.", "Give it one.")
        return (destination.secret.value,)
    own = os.environ.get(DEFAULT_ENV, "").strip()
    return tuple(dict.fromkeys([*config.signing_secrets(at), *([own] if own else [])]))


def _split_request(raw: bytes) -> tuple[Headers, bytes]:
    """Headers and body of an HTTP request as it is on the wire."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    if not gap:
        head, gap, body = raw.partition(b"\n\n")
    first, *rest = head.decode("latin-1").splitlines() or [""]
    if not gap or "HTTP/" not in first:
        raise UsageError(
            "This is no HTTP request.", "With --request it begins with `POST /path HTTP/1.1` and its headers."
        )
    pairs = (line.partition(":") for line in rest)
    return tuple((name.strip(), value.strip(" \t")) for name, _, value in pairs), body


def _text(diagnosis: Diagnosis) -> str:
    verdict = diagnosis.verdict
    mark = "✓" if verdict.state is SignatureState.VALID else "✗"
    lines = [f"{mark} {verdict.state}: {verdict.reason}"]
    for mistake in diagnosis.mistakes:
        lines += [f"  {mistake.what[:1].upper()}{mistake.what[1:]}.", f"    mend: {mistake.mend}"]
    if diagnosis.mend:
        lines.append(f"    mend: {diagnosis.mend}")
    cut = "…" if diagnosis.base_size > len(diagnosis.base) else ""
    lines.append(f"to be signed, {diagnosis.base_size:,} bytes: {from_bytes(diagnosis.base)}{cut}")
    for expected in diagnosis.expected:
        match = "  matches" if expected.matches else ""
        lines.append(f"expected with {expected.secret}: {expected.signature}{match}")
    return "\n".join(printable(line) for line in lines)


def _json(diagnosis: Diagnosis) -> str:
    return json_line(
        {
            "type": "signature",
            "at": time.time_ns() // 1_000_000,
            "signature": diagnosis.verdict.state,
            "code": diagnosis.verdict.code,
            "reason": diagnosis.verdict.reason,
            "mistakes": [{"what": item.what, "mend": item.mend} for item in diagnosis.mistakes],
            "mend": diagnosis.mend or None,
            "base": from_bytes(diagnosis.base),
            "base_size": diagnosis.base_size,
            "expected": [
                {"secret": item.secret, "signature": item.signature, "matches": item.matches}
                for item in diagnosis.expected
            ],
        }
    )
