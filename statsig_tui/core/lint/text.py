"""Advice on a text as a whole: whether it is JSON, one event, and small enough; then on all that is in it."""

from __future__ import annotations

from collections.abc import Sequence

from statsig_tui.core import draft, jsontext
from statsig_tui.core.lint import broken, event, everywhere
from statsig_tui.core.lint.advice import Advice, Edit, Fix, Sheet, Span
from statsig_tui.core.lint.body import Part
from statsig_tui.core.spans import top

LARGEST = 10 * 1024 * 1024
"""Bytes of a body; emulated, Statsig does not publish its own."""
_BOM = "\ufeff"
_ROUNDS = 50


def advise(
    text: str, *, now: int, is_draft: bool = False, variables: Sequence[Span] = ()
) -> tuple[Advice, ...]:
    """What there is to say about the text of an incoming event at `now` (epoch ms), the worst first.

    In a draft a timestamp of `now` is one. `variables` are places where something else will stand:
    nothing is said about them.
    """
    sheet = Sheet(text)
    raw = draft.encode(text)
    if len(raw) > LARGEST:
        words = f"{len(raw):,} bytes: the emulator refuses more than {LARGEST:,}"
        sheet.error("size", "", words, (0, len(text)))
    if text.startswith(_BOM):
        fix = Fix("remove it", (Edit(0, 1, ""),))
        sheet.warning("bom", "", "begins with a byte order mark, which JSON must not have", (0, 1), fix)
    try:
        body = jsontext.parse(raw)
    except jsontext.JsonError as error:
        broken.advise(sheet, raw, error)
    else:
        if isinstance(body, dict):
            event.advise(Part(sheet, top(text)), body, now, is_draft=is_draft)
        else:
            event.refuse(sheet, body)
        everywhere.advise(sheet)
    return tuple(item for item in sheet.advice() if not _touches(item, variables))


def mended(text: str, *, now: int) -> str:
    """The text with every fix applied that there is."""
    for _ in range(_ROUNDS):
        edits: list[Edit] = []
        for item in advise(text, now=now):
            if item.fix is not None and not any(
                _overlap(one, two) for one in item.fix.edits for two in edits
            ):
                edits += item.fix.edits
        if not edits:
            break
        text = Fix("", tuple(edits)).applied(text)
    return text


def _overlap(one: Edit, two: Edit) -> bool:
    # Touching counts: two edits at one place have no order.
    return one.start <= two.end and two.start <= one.end


def _touches(item: Advice, variables: Sequence[Span]) -> bool:
    spans = [(edit.start, edit.end) for edit in item.fix.edits] if item.fix is not None else []
    return any(
        start < end_of and start_of < end
        for start, end in variables
        for start_of, end_of in [*spans, (item.start, item.end)]
    )
