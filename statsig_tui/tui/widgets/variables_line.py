"""One line under the draft: each of its variables with what it would resolve to now, or why it cannot."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from statsig_tui.core.template import Shown
from statsig_tui.tui import theme
from statsig_tui.tui.text import content, fit

_NAME, _VALUE = 30, 20
"""Cells of a name, and of a value."""
_MOST = 12
"""Variables that are shown."""


class VariablesLine(Static):
    """Hidden where the draft has no variables."""

    def __init__(self) -> None:
        super().__init__(id="variables")
        self.display = False

    def show(self, shown: Sequence[Shown]) -> None:
        """Show these, those without a value first."""
        ordered = sorted(shown, key=lambda each: each.value is not None or _is_asked(each))
        parts = [_part(each) for each in ordered[:_MOST]]
        if len(ordered) > _MOST:
            parts.append(Content.styled(f"and {len(ordered) - _MOST} more", theme.QUIET))
        self.update(Content("  ").join(parts))
        self.display = bool(parts)


def _part(each: Shown) -> Content:
    name = content(fit(each.spelled, _NAME), theme.ACCENT)
    if _is_asked(each):
        return Content.assemble(name, (" asked when sent", theme.QUIET))
    if each.problem is not None:
        return Content.assemble(name, " ", content(each.problem.why, theme.WARN))
    value = each.value or ""
    if each.name == "env":
        # It may be a secret, and the screen may be shared.
        value = f"set, {len(value):,} characters"
    return Content.assemble(name, " ", content(fit(value, _VALUE), theme.QUIET))


def _is_asked(each: Shown) -> bool:
    return each.name == "prompt" and each.value is None and bool(each.argument)
