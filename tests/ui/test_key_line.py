"""The footer: the keys that act, pressed by a click, told about under the pointer, moved by the wheel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.key_line import KeyLine
from tests.ui.conftest import drawn

Until = Callable[..., Awaitable[None]]


class Bench(App[int]):
    """Keys of an app, one of them without effect now, and of a field while it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "first", "First thing", tooltip="Does the first thing"),
        Binding("b", "second", "Second", tooltip="Does the second"),
        Binding("c", "hidden", "Hidden", show=False),
        *(Binding(key, f"more('{key}')", f"And more of {key}") for key in "defg"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def compose(self) -> ComposeResult:
        yield Input()
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "second" else True

    def action_first(self) -> None:
        self.done.append("first")

    def action_second(self) -> None:
        self.done.append("second")


def footer(app: App[int]) -> str:
    """The last line."""
    return drawn(app).splitlines()[-1].rstrip()


async def test_a_click_presses_the_key_and_the_pointer_tells_what_it_does() -> None:
    app = Bench()
    async with app.run_test(size=(40, 6)) as pilot:
        app.set_focus(None)
        await pilot.pause()
        line = app.query_one(KeyLine)
        assert footer(app).startswith("a First thing b Second d And more of d")
        assert "Hidden" not in footer(app)
        await pilot.hover(KeyLine, offset=(4, 0))
        assert line.tooltip == "Does the first thing"
        await pilot.hover(KeyLine, offset=(16, 0))
        assert line.tooltip == "Does the second"
        await pilot.click(KeyLine, offset=(4, 0))
        assert app.done == ["first"]
        await pilot.click(KeyLine, offset=(16, 0))
        assert app.done == ["first"], "what cannot be done now is not done"


async def test_no_key_is_cut_and_the_ways_to_all_others_stay(later_app: StatsigApp, ui: Until) -> None:
    app = later_app
    async with app.run_test(size=(80, 24)) as pilot:
        await ui(pilot, lambda: footer(app).endswith("^p Palette f1 Help"))
        shown = footer(app).split("^p Palette")[0].split()
        assert shown[:2] == ["^j", "Send"]
        assert "Save" in shown
        await pilot.resize_terminal(120, 36)
        await ui(pilot, lambda: "^o Jump" in footer(app) and footer(app).endswith("f1 Help"))


async def test_what_finds_no_room_is_brought_by_the_wheel() -> None:
    app = Bench()
    async with app.run_test(size=(40, 6)) as pilot:
        app.set_focus(None)
        await pilot.pause()
        assert "of g" not in footer(app)
        line = app.query_one(KeyLine)
        for _ in range(20):
            line.on_mouse_scroll_down()
        await pilot.pause()
        assert footer(app).endswith("And more of g")
        for _ in range(20):
            line.on_mouse_scroll_up()
        await pilot.pause()
        assert footer(app).startswith("a First thing")


async def test_beneath_a_dialog_no_key_of_the_screen_is_named(app: StatsigApp, ui: Until) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await ui(pilot, lambda: "^j Send" in footer(app))
        for key in ("f1", "ctrl+p"):
            await pilot.press(key)
            await ui(pilot, lambda: footer(app) == "")
            await pilot.press("escape")
            await ui(pilot, lambda: "^j Send" in footer(app))
        await pilot.press("f7")
        await ui(pilot, lambda: "^n New" in footer(app) and "^j Send" not in footer(app))
