"""Where the screens keep the user's own templates; they never learn that these are files."""

from __future__ import annotations

from typing import Protocol

from statsig_tui.core.library import Found, Template


class Shelf(Protocol):
    """Own templates by name. Everything may raise StatsigTuiError."""

    def load(self) -> Found:
        """All of them, and what is wrong with others."""

    def save(self, template: Template, *, replace: bool = False) -> bytes | None:
        """Keep a template, over one of that name only with `replace`; what was replaced."""

    def mend(self, name: str, data: bytes) -> tuple[Template, bytes]:
        """Write a broken one as it is; the template it is then, and what was replaced."""

    def rename(self, old: str, new: str) -> None:
        """Give a template another name."""

    def delete(self, name: str) -> bytes:
        """Remove a template; what restore() takes."""

    def restore(self, name: str, data: bytes, *, replace: bool = False) -> None:
        """Bring back what delete() removed, or save() replaced."""
