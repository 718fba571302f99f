"""The line for a query: completed by keys, its error at its place, and what was asked before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual import on
from textual.app import App, ComposeResult
from textual.widgets import Input

from statsig_tui.core.query import KEYS, parse
from statsig_tui.tui.screens.help import LANGUAGE
from statsig_tui.tui.widgets.query_line import QueryLine

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
SEEN = {"event": ("checkout_completed", "checkout_started", "odd name"), "metadata.plan": ("pro",)}


class Bench(App[int]):
    """A line, and what came out of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield QueryLine()

    def on_mount(self) -> None:
        self.query_one(QueryLine).seen = SEEN
        self.open("f")

    def open(self, purpose: str, text: str = "") -> None:
        self.query_one(QueryLine).open(purpose, text, "an example")

    @on(QueryLine.Asked)
    def _asked(self, event: QueryLine.Asked) -> None:
        assert (event.query is None) == (not event.text)
        self.asked.append((event.purpose, event.text))


def value(app: Bench) -> str:
    return app.query_one(Input).value


def typed(text: str) -> Sequence[str]:
    names = {":": "colon", " ": "space", "_": "underscore", ".": "full_stop", "=": "equals_sign"}
    return [names.get(character, character) for character in text]


async def test_tab_completes_keys_and_seen_values_in_turn(ui: Until, seen: Text) -> None:
    app = Bench()
    async with app.run_test(size=(70, 6)) as pilot:
        await ui(pilot, lambda: "event:  user:  class:" in seen(app))
        await pilot.press(*typed("sig:b"), "tab")
        assert value(app) == "sig:bad"
        await pilot.press(*typed(" event:"))
        await ui(pilot, lambda: "checkout_completed  checkout_started" in seen(app))
        await pilot.press("tab", "tab")
        assert value(app) == "sig:bad event:checkout_started"
        await pilot.press("tab")
        assert value(app) == 'sig:bad event:"odd name"', "quoted where that is needed"
        await pilot.press("shift+tab", "shift+tab")
        assert value(app) == "sig:bad event:checkout_completed"
        await pilot.press(*typed(" metadata."))
        await ui(pilot, lambda: "metadata.plan=" in seen(app))
        await pilot.press("right", *typed("p"))
        await ui(pilot, lambda: value(app).endswith("metadata.plan=p") and "plan=pro" in seen(app))
        await pilot.press("right", "enter")
        assert app.asked == [("f", "sig:bad event:checkout_completed metadata.plan=pro")]
        assert not app.query_one(QueryLine).is_open


async def test_an_error_stands_at_its_place_and_asks_nothing(ui: Until, seen: Text) -> None:
    app = Bench()
    async with app.run_test(size=(70, 6)) as pilot:
        app.open("f", "user:u1 sig:bax")
        await ui(pilot, lambda: "did you mean bad?" in seen(app))
        line, message = seen(app).split("\n")[:2]
        assert message.index("▲") == line.index("bax")
        await pilot.press("enter")
        assert app.asked == []
        assert app.query_one(Input).cursor_position == len("user:u1 sig:")
        app.open("f", f"{'x' * 50} (word")
        await ui(pilot, lambda: "▲" in seen(app))


async def test_what_was_asked_before_comes_back_by_purpose(ui: Until) -> None:
    app = Bench()
    async with app.run_test(size=(70, 6)) as pilot:
        for purpose, text in (("f", "one"), ("f", "two"), ("/", "other"), ("f", "one"), ("f", "")):
            app.open(purpose, text)
            await pilot.press("enter")
        assert app.asked == [("f", "one"), ("f", "two"), ("/", "other"), ("f", "one"), ("f", "")]
        app.open("f", "begun")
        await pilot.press("up")
        assert value(app) == "one"
        await pilot.press("up", "up")
        assert value(app) == "two", "the oldest, and each once"
        await pilot.press("down", "down")
        assert value(app) == "begun"
        await pilot.press("up", "escape")
        assert len(app.asked) == 5
        assert not app.query_one(QueryLine).is_open


def test_the_help_names_every_key_of_the_language_in_examples_that_are_queries() -> None:
    for example, _ in LANGUAGE:
        assert parse(example).to_text()
    told = " ".join(f"{example} {words}" for example, words in LANGUAGE)
    of_captures = set(KEYS) - {"state", "attempts", "target", "imported"}
    assert {key for key in of_captures if f"{key}:" not in told} == set()
