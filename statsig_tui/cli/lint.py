"""`lint`: say what Statsig would likely refuse, drop or misread in an event, and mend it. Sends nothing."""

from __future__ import annotations

import sys
import time

import click

from statsig_tui.cli.advice import summary, tell_advice
from statsig_tui.cli.options import Options
from statsig_tui.cli.source import read_source
from statsig_tui.core import draft
from statsig_tui.core.lint import Severity, advise, mended
from statsig_tui.core.redact import Redactor


def run_lint(options: Options, source: str, *, as_json: bool, fix: bool) -> int:
    """Judge the bytes of a file or of standard input; 1 where there are errors, with `fix` errors left."""
    text = draft.decode(read_source(source))
    now = time.time_ns() // 1_000_000
    if fix:
        text = mended(text, now=now)
        sys.stdout.buffer.write(draft.encode(text))
        sys.stdout.buffer.flush()
    found = advise(text, now=now)
    tell_advice(found, Redactor(), as_json=as_json, to_stderr=fix)
    if not options.quiet and not as_json:
        click.echo(summary(found), err=True)
    return 1 if any(item.severity is Severity.ERROR for item in found) else 0
