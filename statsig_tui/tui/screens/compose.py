"""The Compose screen: an incoming event, where it goes, and what happened next."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from statsig_tui.tui.commands import bindings
from statsig_tui.tui.screens.mode import ModeScreen


class ComposeScreen(ModeScreen):
    """Craft an incoming event, send it, watch it arrive."""

    MODE = "compose"
    BINDINGS: ClassVar[list[BindingType]] = bindings("compose")
