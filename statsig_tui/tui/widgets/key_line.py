"""The footer: the keys that act here and what they do, on one line; a click on one presses it.

One widget, where Textual's own footer is one a key, all made anew whenever the focus moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from statsig_tui.tui.text import content


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the line."""

    key: str
    shown: str
    title: str
    tooltip: str
    is_enabled: bool
    stays: bool = False
    """Whether it is shown where there is no room for all: it leads to the others."""

    @property
    def width(self) -> int:
        """Cells, with the one behind it."""
        return Content(f"{self.shown} {self.title} ").cell_length


_LEADS = ("command_palette", "help")


def fitting(keys: Sequence[Key], width: int) -> tuple[Key, ...]:
    """The keys that find room in so many cells, none of them cut; those that stay go before the others."""
    room = width + 1 - sum(each.width for each in keys if each.stays)
    found: list[Key] = []
    is_full = False
    for each in keys:
        if not each.stays:
            is_full = is_full or each.width > room
            room -= 0 if is_full else each.width
        if each.stays or not is_full:
            found.append(each)
    return tuple(found)


class KeyLine(Widget):
    """Dims what cannot be done now; the wheel moves what finds no room."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        background: $panel;
        color: $footer-description-foreground;
        text-wrap: nowrap;
        text-overflow: clip;
    }
    """
    keys: reactive[tuple[Key, ...]] = reactive(())
    hovered: reactive[Key | None] = reactive(None)
    shift: reactive[int] = reactive(0)
    """Cells that are out of sight on the left."""
    is_covered: reactive[bool] = reactive(False)
    """Whether something lies over the screen, which has the keys now and names its own."""

    def on_mount(self) -> None:
        """Follow the focus, and whatever else makes keys act."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if not screen.app.app_focus or screen is not self.screen:
            return
        found: dict[str, Key] = {}
        for _, binding, is_enabled, tooltip in screen.active_bindings.values():
            if binding.show and binding.action not in found:
                shown = screen.app.get_key_display(binding)
                about = tooltip or binding.description
                stays = binding.action.removeprefix("app.") in _LEADS
                key = Key(binding.key, shown, binding.description, about, is_enabled, stays)
                found[binding.action] = key
        self.keys = tuple(found.values())

    @property
    def _laid_out(self) -> Sequence[Key]:
        """What is drawn: all of them once the wheel has moved them."""
        return self.keys if self.shift else fitting(self.keys, self.size.width)

    def render(self) -> RenderResult:
        """As many as there is room for."""
        if self.is_covered:
            return Content()
        parts: list[Content] = []
        for each in self._laid_out:
            style = "" if each.is_enabled else "dim"
            hover = " on $block-hover-background" if each is self.hovered else ""
            key = Content.styled(each.shown, f"bold $footer-key-foreground {style}{hover}")
            parts.append(Content.assemble(key, (f" {each.title}", f"{style}{hover}".strip()), " "))
        return Content("").join(parts)[self.shift :]

    def _key_at(self, x: int) -> Key | None:
        at = x + self.shift
        for each in self._laid_out:
            if at < each.width:
                return each if at < each.width - 1 else None
            at -= each.width
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say what the key under the pointer does."""
        self.hovered = self._key_at(event.x)
        self.tooltip = content(self.hovered.tooltip) if self.hovered is not None else None

    def on_leave(self) -> None:
        """No key is under the pointer."""
        self.hovered = None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key under the pointer."""
        pressed = self._key_at(event.x)
        if pressed is None:
            return
        if pressed.is_enabled:
            self.app.simulate_key(pressed.key)
        else:
            self.app.bell()

    def on_mouse_scroll_down(self) -> None:
        """To the keys further right."""
        room = sum(each.width for each in self.keys) - self.size.width
        self.shift = max(0, min(self.shift + 8, room))

    def on_mouse_scroll_up(self) -> None:
        """Back to the left."""
        self.shift = max(0, self.shift - 8)
