"""What holds on every screen: the keys of the screens, and an end at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from textual import events
from textual.command import CommandList, Hit
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider
from textual.widgets import TabPane, TextArea

from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.dialogs import NewDestination
from statsig_tui.tui.screens.help import HelpScreen
from statsig_tui.tui.screens.modal import Palette
from statsig_tui.tui.screens.redeliver import Lot, RedeliverDialog
from statsig_tui.tui.screens.replay import Place, Plan, ReplayDialog, Selection
from statsig_tui.tui.widgets.destination_list import DestinationList

Until = Callable[..., Awaitable[None]]
SCREENS = {"f6": "compose", "f7": "destinations", "f8": "live"}
VIEWS = {"f6": ("ctrl+g", "ctrl+r", "ctrl+r"), "f7": ("right_square_bracket",) * 4, "f8": ()}
"""What goes through the views of a screen that are not shown at first."""


def filled(app: StatsigApp) -> list[TabPane]:
    """The tabs that have something in them."""
    return [pane for pane in app.screen.query(TabPane) if pane.children]


async def to(app: StatsigApp, pilot: Pilot[int], ui: Until, key: str) -> None:
    """Show a screen."""
    await pilot.press(key)
    await ui(pilot, lambda: app.current_mode == SCREENS[key] and app.screen.is_mounted)


async def test_the_keys_of_screens_and_help_act_wherever_the_focus_is(app: StatsigApp, ui: Until) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        tried = 0
        for key in SCREENS:
            await to(app, pilot, ui, key)
            for view, turn in enumerate(VIEWS[key]):
                # What is in a view is there once it was shown.
                await pilot.press(turn)
                await ui(pilot, lambda shown=view + 1: len(filled(app)) > shown)
            for widget in app.screen.query("*"):
                if widget.can_focus:
                    app.screen.set_focus(widget)
                    acting = app.screen.active_bindings
                    actions = {name: acting[name].binding.action for name in (*SCREENS, "f1")}
                    assert actions == {f: f"mode('{mode}')" for f, mode in SCREENS.items()} | {"f1": "help"}
                    tried += 1
        assert tried > 30


async def test_what_is_around_the_focus_is_told_apart_and_no_longer_when_it_moves(
    app: StatsigApp, ui: Until
) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        library, answer = app.screen.query_one("#library"), app.screen.query_one("#answer")
        app.screen.query_one("#library-list").focus()
        await ui(pilot, lambda: library.styles.border_top != answer.styles.border_top)
        around, without = library.styles.border_top, answer.styles.border_top
        answer.focus()
        await ui(pilot, lambda: (answer.styles.border_top, library.styles.border_top) == (around, without))
        await to(app, pilot, ui, "f7")
        await pilot.press("e")
        await ui(pilot, lambda: len(app.screen.query("Field .label")) > 1)
        first, second = list(app.screen.query("Field .label"))[:2]
        await ui(pilot, lambda: first.styles.color != second.styles.color)
        lit, dim = first.styles.color, second.styles.color
        await pilot.press("tab")
        await ui(pilot, lambda: (first.styles.color, second.styles.color) == (dim, lit))


async def test_a_dialog_is_answered_before_another_screen_is_shown(app: StatsigApp, ui: Until) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await to(app, pilot, ui, "f7")
        await pilot.press("ctrl+n")
        await ui(pilot, lambda: isinstance(app.screen, NewDestination))
        headers = app.screen.query_one("#own-headers", TextArea)
        headers.focus()
        await pilot.press("a", *SCREENS, "f1", "b")
        assert isinstance(app.screen, NewDestination)
        assert app.current_mode == "destinations"
        assert headers.text == "ab", "what was typed is not selected and overwritten"
        await pilot.press("escape", "f8")
        await ui(pilot, lambda: app.current_mode == "live")


def titles(found: CommandList) -> list[str]:
    """What the palette offers."""
    return [str(option.prompt).partition("\n")[0] for option in found.options]


OVER: dict[str, Callable[[], Screen[Any]]] = {
    "palette": Palette,
    "confirm": lambda: ConfirmDialog("Title", Content("words"), "Yes"),
    "redeliver": lambda: RedeliverDialog("receiver", [Lot("everything", 0, 1, None, 2, 3)]),
    "replay": lambda: ReplayDialog(
        [Selection("#1", [(1, None)])], [Place("receiver", "http://127.0.0.1/", True)], Plan(to=("receiver",))
    ),
}


@pytest.mark.parametrize("second", ["escape", "enter"])
@pytest.mark.parametrize("name", OVER)
async def test_what_lies_over_a_screen_goes_away_once(
    name: str, second: str, app: StatsigApp, ui: Until
) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        # The second key comes at whatever moment of the first one's being worked on.
        for turns in range(0, 12, 2):
            await app.push_screen(OVER[name]())
            if name == "palette":
                found = app.screen.query_one(CommandList)
                await ui(pilot, lambda found=found: found.option_count > 3)
                await pilot.press(*"target")
                # Before the last letter has been searched for, the list is that of the letters before.
                await ui(pilot, lambda found=found: titles(found) == ["Target"])
            app.post_message(events.Key("enter", "\r"))
            for _ in range(turns):
                await asyncio.sleep(0)
            app.post_message(events.Key(second, None))
            await ui(pilot, lambda: len(app.screen_stack) == 1)
        await to(app, pilot, ui, "f8")


async def test_the_palette_takes_what_fits_the_text_however_fast_it_is_entered(
    app: StatsigApp, ui: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = asyncio.Event()
    search = SystemCommandsProvider.search

    async def slow(self: SystemCommandsProvider, query: str) -> AsyncIterator[Hit]:
        await entered.wait()
        async for hit in search(self, query):
            assert isinstance(hit, Hit)
            yield hit

    monkeypatch.setattr(SystemCommandsProvider, "search", slow)
    async with app.run_test(size=(120, 36)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await pilot.press("ctrl+p")
        await ui(pilot, lambda: isinstance(app.screen, Palette))
        palette = app.screen
        found = palette.query_one(CommandList)
        await ui(pilot, lambda: found.option_count > 3)
        await pilot.press(*"privacy", "enter")
        await ui(pilot, lambda: any(each.group == "choose" for each in palette.workers))
        assert app.screen is palette
        entered.set()
        await ui(pilot, lambda: app.is_private and len(app.screen_stack) == 1)


async def test_a_scrollbar_is_dragged_and_pressed(app: StatsigApp, ui: Until) -> None:
    async with app.run_test(size=(140, 24)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await to(app, pilot, ui, "f8")
        await pilot.press("f1")
        await ui(pilot, lambda: isinstance(app.screen, HelpScreen))
        scroll = app.screen.query_one("#help")
        await ui(pilot, lambda: scroll.max_scroll_y > 0)
        bar = scroll.vertical_scrollbar.region
        top, bottom = (bar.x, bar.y), (bar.x, bar.bottom - 1)
        await pilot.mouse_down(offset=top)
        await pilot.hover(offset=bottom)
        await pilot.mouse_up(offset=bottom)
        await ui(pilot, lambda: scroll.scroll_y == scroll.max_scroll_y)
        await pilot.mouse_down(offset=top)
        await pilot.mouse_up(offset=top)
        await ui(pilot, lambda: scroll.scroll_y < scroll.max_scroll_y)


async def test_an_end_while_the_store_is_being_read_is_no_crash(
    app: StatsigApp, ui: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await to(app, pilot, ui, "f7")
        found = app.screen.query_one(DestinationList)
        ask = app.bridge.ask

        async def late(question: Callable[[Any], Any]) -> Any:
            """Answer when the widgets are gone, as a slow disk may."""
            asked.set()
            while found.is_attached:
                await asyncio.sleep(0)
            return await ask(question)

        monkeypatch.setattr(app.bridge, "ask", late)
        app.pull_soon()
        await asked.wait()
    assert app.return_code in (None, 0)


async def test_a_look_that_begins_while_the_widgets_go_is_no_crash(
    app: StatsigApp, ui: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer may ring at any moment of an end."""
    async with app.run_test(size=(140, 40)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        await to(app, pilot, ui, "f7")
        screen, close = app.screen, app._close_all

        async def pull() -> None:
            screen.query_one(DestinationList).focus()

        async def closing() -> None:
            await close()
            app._work_on_pull(pull)

        monkeypatch.setattr(app, "_close_all", closing)
    assert app.return_code in (None, 0)
