"""Editing keys act in the order in which they come, however fast that is.

Textual inserts a letter at once but lets a key with a binding, such as backspace, bubble up first: in a burst
the letters behind it overtake it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

# Textual takes bindings and styles from the first widget among the bases, which is to be its own.
if TYPE_CHECKING:
    _Base = Widget
else:
    _Base = object


class AtOnce(_Base):
    """What a field of text has before Textual's own in its bases."""

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            is_own = not binding.priority and "." not in binding.action
            # An action that has nothing to do here, such as scrolling, leaves the key to those around.
            if is_own and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return


class LineInput(AtOnce, Input):
    """A field of one line; all fields here are one. Its cursor never blinks."""

    cursor_blink = reactive(False, init=False)
