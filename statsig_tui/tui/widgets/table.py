"""A list whose cursor starts on the first row and follows nothing: for what is read from the top."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.rows import Rows


class Table(RowList):
    """Rows with their first on top; keys ascend downwards."""

    def __init__(
        self,
        rows: Rows,
        *,
        header: Callable[[int], Content] | None = None,
        empty: Content | None = None,
        id: str | None = None,  # noqa: A002 Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(rows, header=header, empty=empty, id=id, classes=classes)
        self.set_reactive(RowList.follow, False)

    def validate_follow(self, follow: bool) -> bool:
        """It never follows."""
        return False

    def refresh_rows(self, keep_cursor: bool = True) -> None:
        """The rows are others now: stay on the same key; without keep_cursor go to the first."""
        was_empty = self.cursor is None
        super().refresh_rows()
        if was_empty or not keep_cursor:
            self.go(0)
