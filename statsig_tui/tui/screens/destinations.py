"""The Destinations screen: the list of webhook destinations and what is known about each."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from statsig_tui.tui.commands import bindings
from statsig_tui.tui.screens.mode import ModeScreen


class DestinationsScreen(ModeScreen):
    """Destinations, their filters, signing and deliveries."""

    MODE = "destinations"
    BINDINGS: ClassVar[list[BindingType]] = bindings("destinations")
