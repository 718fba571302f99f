"""The built-in templates, by group: every class of event, and payloads that are wrong on purpose. Pure."""

from __future__ import annotations

from functools import cache

from statsig_tui.core.library.model import Found, Template, free_name, name_fault, name_for

__all__ = ["Found", "Template", "built_in", "free_name", "name_fault", "name_for"]


@cache
def built_in() -> tuple[Template, ...]:
    """All of them, in the order they are listed."""
    # Imported here: some are large, and the first paint waits for none.
    from statsig_tui.core.library.characters import CHARACTERS
    from statsig_tui.core.library.events import EVENTS
    from statsig_tui.core.library.mistakes import MISTAKES
    from statsig_tui.core.library.sizes import sizes

    return (*EVENTS, *MISTAKES, *CHARACTERS, *sizes())
