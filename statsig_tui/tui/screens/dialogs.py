"""Dialogs of the Destinations screen: a new destination."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from statsig_tui.core.config import Destination
from statsig_tui.core.destination import Invalid
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.widgets.destination_form import DestinationForm
from statsig_tui.tui.widgets.key_line import KeyLine
from statsig_tui.tui.widgets.signing import new_secret

Add = Callable[[Destination], Awaitable[bool]]
"""Adds a destination; False where that failed, which was said."""


class NewDestination(Dialog[str | None]):
    """The same form as Delivery, on an empty destination; dismissed with the name of what was added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+j", "save", "Add", priority=True),
        Binding("escape", "dismiss_none", "Cancel"),
    ]

    def __init__(self, add: Add, taken: Collection[str], emulator: str | None) -> None:
        super().__init__()
        self._add = add
        self._taken = taken
        self._emulator = emulator

    def compose(self) -> ComposeResult:
        """Form, what else will be set, buttons."""
        with Vertical(classes="dialog", id="new-destination") as box:
            box.border_title = "New destination"
            box.border_subtitle = "ctrl+s add · esc cancel"
            form = DestinationForm()
            form.taken, form.emulator = self._taken, self._emulator
            yield form
            yield Static(
                "A signing secret is generated, and all events are forwarded: see Signing, Event Filtering.",
                id="new-note",
                markup=False,
            )
            with Horizontal(id="new-keys"):
                yield Button("Cancel", id="new-cancel", compact=True)
                yield Button("Add", id="new-add", variant="primary", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin with the name."""
        form = self.query_one(DestinationForm)
        form.show(Destination("", "", secret=new_secret()))
        form.first().focus()

    @on(Button.Pressed, "#new-add")
    async def action_save(self) -> None:
        """Add it; what is wrong is said at its field."""
        form = self.query_one(DestinationForm)
        if form.shown is None:
            return
        try:
            made = form.edited(form.shown)
        except Invalid:
            return
        if await self._add(made):
            self.dismiss(made.name)

    @on(Button.Pressed, "#new-cancel")
    def action_dismiss_none(self) -> None:
        """Add nothing."""
        self.dismiss(None)
