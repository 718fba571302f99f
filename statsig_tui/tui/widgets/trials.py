"""What an endpoint did in the trials of its self-test, row by row as they are made, and the score."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from statsig_tui.core.selftest import Progress, score
from statsig_tui.tui import theme
from statsig_tui.tui.text import printable
from statsig_tui.tui.widgets.hanging import Hanging

_NAME = 20
"""Cells of a trial's mark and name."""


class Trials(Hanging):
    """Its last row stays in sight while it grows."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's name
        super().__init__(_NAME, id=id)
        self._progress: Progress | None = None

    def clear(self) -> None:
        """Show nothing."""
        self._progress = None
        self.show(())

    def begin(self) -> None:
        """Say that a test begins."""
        self._progress = None
        self.show([Content.styled("asking…", theme.QUIET)])

    def take(self, progress: Progress) -> None:
        """Show how far a test has come."""
        self._progress = progress
        lines, trial = _tried(progress), progress.under_way
        if trial is None:
            self.show([*lines, Content.styled(score(progress.done), theme.STRONG)])
            return
        asking = Content.styled(f"… {trial.name:<{_NAME - 2}}asking…", theme.QUIET)
        far = f"{len(progress.done)} of {progress.total} tried · esc cancels"
        self.show([*lines, asking, Content.styled(far, theme.QUIET)])

    def give_up(self) -> None:
        """Say that the test is cancelled."""
        done = self._progress.done if self._progress is not None else ()
        total = f" of {self._progress.total}" if self._progress is not None else ""
        words = Content.styled(f"cancelled: {len(done)}{total} were tried", theme.WARN)
        self.show([*(_tried(self._progress) if self._progress is not None else ()), words])
        self._progress = None

    def on_resize(self) -> None:
        """There is more room, or less, or another row."""
        super().on_resize()
        if self._progress is not None and isinstance(self.parent, Widget):
            last = Region(0, self.virtual_region.bottom - 1, 1, 1)
            self.parent.scroll_to_region(last, animate=False)


def _tried(progress: Progress) -> list[Content]:
    return [
        Content.assemble(
            ("✓ ", theme.GOOD) if result.passed else ("✗ ", theme.BAD),
            f"{result.trial.name:<{_NAME - 2}}",
            (printable(result.said), theme.QUIET if result.passed else ""),
        )
        for result in progress.done
    ]
