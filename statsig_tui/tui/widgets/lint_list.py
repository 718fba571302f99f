"""The advice on a draft, the worst first: severity, reason, place and fix; one line where room is scarce.

It shows what it is given and tells what is chosen; the rules are elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from statsig_tui.core.lint import Advice, Severity
from statsig_tui.tui import theme
from statsig_tui.tui.text import content, fit

_LEAD = 10
"""Cells of symbol and word."""


class LintList(OptionList):
    """Advice to move through; enter goes to the place, u takes the last edit back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "cursor_up", "Up", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
        Binding("u,ctrl+z", "undo", "Undo", show=False),
    ]

    class Chosen(Message):
        """Somebody wants to see the place of an advice."""

        def __init__(self, advice: Advice) -> None:
            super().__init__()
            self.advice = advice

    class Undone(Message):
        """The last edit of the draft is to be taken back."""

    def __init__(self) -> None:
        super().__init__(id="lint", markup=False, compact=True)
        self.found: Sequence[Advice] = ()
        self._drawn: tuple[object, ...] = ()

    @property
    def can_fix(self) -> bool:
        """Whether some advice has a fix."""
        return any(item.fix is not None for item in self.found)

    @property
    def chosen(self) -> Advice | None:
        """The advice under the cursor."""
        at = self.highlighted
        return self.found[at] if at is not None and at < len(self.found) else None

    def show(self, found: Sequence[Advice]) -> None:
        """Show these; the cursor stays on what it is on, or takes the next one's place."""
        self.found = found
        self._fill()

    def on_resize(self) -> None:
        """The words take the width there is."""
        self._fill()

    def on_focus(self) -> None:
        """Show all of it where there was one line."""
        self.call_after_refresh(self._fill)

    def on_blur(self) -> None:
        """Back to one line where there is room for no more."""
        self.call_after_refresh(self._fill)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Tell which place is wanted."""
        event.stop()
        if (chosen := self.chosen) is not None:
            self.post_message(self.Chosen(chosen))

    def action_undo(self) -> None:
        """Take the last edit of the draft back."""
        self.post_message(self.Undone())

    def _fill(self) -> None:
        width = self.scrollable_content_region.width - 2
        is_one_line = self.screen.has_class("-low") and not self.has_focus
        drawn = (self.found, width, is_one_line, self.has_focus)
        if width <= _LEAD or drawn == self._drawn:
            return
        self._drawn = drawn
        kept = self.highlighted
        self.clear_options()
        self.border_title = Content.assemble(" Lint ", _counts(self.found), " " * bool(self.found))
        if not self.found:
            self.add_option(Option(Content.styled("✓ Nothing to advise.", theme.QUIET), disabled=True))
        elif is_one_line:
            self.add_option(Option(_one_line(self.found, width)))
        else:
            self.add_options([Option(_wrapped(item, width)) for item in self.found])
            if self.has_focus:
                self.highlighted = min(kept or 0, len(self.found) - 1)


def _wrapped(item: Advice, width: int) -> Content:
    """Severity on the left, the words beside it on as many lines as they need."""
    symbol, style = theme.severity(item.severity)
    words = _words(item).wrap(width - _LEAD)
    lead = (f"{symbol} {item.severity}".ljust(_LEAD), style)
    lines = [Content.assemble(lead, words[0]), *(Content(" " * _LEAD) + line for line in words[1:])]
    return Content("\n").join(lines)


def _one_line(found: Sequence[Advice], width: int) -> Content:
    """The worst, and how many more there are."""
    worst = found[0]
    symbol, style = theme.severity(worst.severity)
    lead = Content.assemble((f"{symbol} ", style), _counts(found), "  ")
    fix = Content.styled("  fix", theme.ACCENT) if worst.fix is not None else Content()
    room = max(0, width - lead.cell_length - fix.cell_length)
    return Content.assemble(lead, content(fit(str(worst), room)), fix)


def _words(item: Advice) -> Content:
    place = f"  {item.line}:{item.column}" if item.line else ""
    fix = f"  fix: {item.fix.title}" if item.fix is not None else ""
    return Content.assemble(
        content(item.path, theme.STRONG),
        ": " if item.path else "",
        content(item.message),
        (place, theme.QUIET),
        content(fix, theme.ACCENT),
    )


def _counts(found: Sequence[Advice]) -> Content:
    counts = Counter(item.severity for item in found)
    parts = [
        Content.styled(f"{count} {severity}{'s' * (count != 1)}", theme.severity(severity)[1])
        for severity in Severity
        if (count := counts[severity])
    ]
    return Content(" · ").join(parts)
