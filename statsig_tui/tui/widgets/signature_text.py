"""The Signature tab of a capture: the verdict, what went wrong, what was received and what was expected."""

from __future__ import annotations

from textual.content import Content

from statsig_tui.core.diagnosis import Diagnosis
from statsig_tui.core.records import CaptureDetail
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, SignatureState
from statsig_tui.tui import theme
from statsig_tui.tui.text import from_bytes, printable
from statsig_tui.tui.times import clock

_MS_DIGITS = 13
_KNOWN = 5
"""Known secrets whose expected signatures are shown."""


def signature_text(detail: CaptureDetail, diagnosis: Diagnosis | None) -> Content:
    """All of it; without a diagnosis, which takes a moment, what is known at once."""
    mark, style = theme.signature(detail.record.signature)
    given = {name.lower(): value for name, value in reversed(detail.headers)}
    signature, stamp = given.get(SIGNATURE_HEADER.lower()), given.get(TIMESTAMP_HEADER.lower())
    lines = [
        Content.assemble(
            (f"{mark} {detail.record.signature}", style), f"  {printable(detail.signature_reason)}"
        )
    ]
    if diagnosis is not None:
        lines += _what_went_wrong(diagnosis)
    lines += [Content(), _fact(TIMESTAMP_HEADER, stamp), *_skew(detail, stamp)]
    lines += [_fact(SIGNATURE_HEADER, signature)]
    if diagnosis is not None:
        lines += _what_was_expected(diagnosis)
    return Content("\n").join(lines)


def _what_went_wrong(diagnosis: Diagnosis) -> list[Content]:
    lines: list[Content] = []
    for mistake in diagnosis.mistakes:
        what = mistake.what[:1].upper() + mistake.what[1:]
        lines += [
            Content(),
            Content.styled(printable(f"{what}."), f"bold {theme.WARN}"),
            Content.assemble(("Mend  ", theme.QUIET), printable(mistake.mend)),
        ]
    if diagnosis.mend:
        lines += [Content(), Content.assemble(("Mend  ", theme.QUIET), printable(diagnosis.mend))]
    return lines


def _what_was_expected(diagnosis: Diagnosis) -> list[Content]:
    cut = "…" if diagnosis.base_size > len(diagnosis.base) else ""
    lines = [
        Content(),
        Content.styled(f"To be signed, {diagnosis.base_size:,} bytes", theme.QUIET),
        Content(from_bytes(diagnosis.base) + cut),
    ]
    for expected in diagnosis.expected[:_KNOWN]:
        style = theme.GOOD if expected.matches else ""
        match = "  ✓ matches" if expected.matches else ""
        lines += [
            Content(),
            Content.assemble(
                ("Expected with ", theme.QUIET), printable(expected.secret), (match, theme.GOOD)
            ),
            Content.styled(expected.signature, style),
        ]
    if more := len(diagnosis.expected) - _KNOWN:
        lines += [Content.styled(f"and {more:,} more known secrets", theme.QUIET)] if more > 0 else []
    return lines


def _fact(name: str, value: str | None) -> Content:
    shown = (printable(value), "") if value is not None else ("not sent", theme.WARN)
    return Content.assemble((f"{name}\n", theme.QUIET), shown)


def _skew(detail: CaptureDetail, stamp: str | None) -> list[Content]:
    if stamp is None or not (stamp.isascii() and stamp.isdigit() and len(stamp) == _MS_DIGITS):
        return []
    skew = detail.record.at - int(stamp)
    side = "before" if skew >= 0 else "after"
    words = f"signed at {clock(int(stamp))}, {abs(skew):,} ms {side} it arrived"
    style = theme.WARN if detail.record.signature is SignatureState.STALE else theme.QUIET
    return [Content.styled(words, style)]
