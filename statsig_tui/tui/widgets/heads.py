"""The head of a request or an answer as lines: the first one, then every header in two columns."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from statsig_tui.core.records import Headers
from statsig_tui.tui import theme
from statsig_tui.tui.text import printable

_LONGEST_NAME = 32
_LONGEST_VALUE = 8_192


def head(first: str, headers: Headers, redact: Callable[[str], str], width: int) -> Content:
    """A head at a width in cells; values are foreign text, and masked by `redact`."""
    return Content("\n").join(
        [Content.styled(printable(redact(first)), theme.STRONG), *header_lines(headers, redact, width)]
    )


def header_lines(headers: Headers, redact: Callable[[str], str], width: int) -> list[Content]:
    """The headers alone."""
    longest = max((len(name) for name, _ in headers), default=0)
    column = min(longest, _LONGEST_NAME) + 2
    room = max(8, width - column)
    lines: list[Content] = []
    for name, value in headers:
        shown = printable(redact(value[:_LONGEST_VALUE]))
        # Broken by hand, so that what is broken stays in its column.
        parts = [shown[at : at + room] for at in range(0, len(shown), room)] or [""]
        lines.append(
            Content.assemble((f"{printable(name):<{column}}", theme.ACCENT), (parts[0], "$foreground"))
        )
        lines += [Content.styled(" " * column + part, "$foreground") for part in parts[1:]]
    return lines
