"""What a message's handler is refused is told, and ends nothing: as with what a key asks for.

Textual ends the app, or for good the handling of messages, wherever one of them raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.message import Message
from textual.message_pump import MessagePump

from statsig_tui.errors import StatsigTuiError

if TYPE_CHECKING:
    from statsig_tui.tui.app import StatsigApp

    _Base = MessagePump
else:
    # Textual takes bindings and styles from the first widget among the bases, which is to be its own.
    _Base = object


class ToldRefusals(_Base):
    """What the app and its screens have before Textual's own in their bases."""

    async def _on_message(self, message: Message) -> None:
        try:
            await super()._on_message(message)
        except StatsigTuiError as error:
            cast("StatsigApp", self.app).tell(error)
