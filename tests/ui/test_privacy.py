"""f2: what says who somebody is, and keys, are not on the screen while others look at it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx

from statsig_tui.core.draft import Field
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.row_list import RowList
from tests.ui.conftest import draft_of, started

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]

USER, ACCOUNT, EMAIL = "karl-der-kunde", "acme-gmbh", "karl@firma.example"
WHO = (USER, ACCOUNT, EMAIL)


def an_event(name: str) -> dict[str, object]:
    return {
        "eventName": name,
        "user": {"userID": USER, "email": EMAIL, "customIDs": {"account": ACCOUNT}},
        "userID": USER,
        "timestamp": 1767225600001,
        "metadata": {"plan": "pro"},
    }


def told(shown: str) -> list[str]:
    """Which of the names can be read, whole or a good part of them."""
    return [who for who in WHO if who in shown or who[:6] in shown or who[-6:] in shown]


async def test_in_live_no_view_of_a_capture_says_who_it_was(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(170, 40), notifications=True) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None)
        engine = app.bridge.engine
        assert engine is not None
        body = json.dumps({"data": [an_event("first"), an_event("second")]})
        httpx.post(f"{engine.addresses.receiver}/hook", content=body)
        rows = app.screen.query_one("#captures", RowList)
        await ui(pilot, lambda: rows.cursor is not None and USER in seen(app))

        await pilot.press("f2")
        await ui(pilot, lambda: "PRIVATE" in seen(app) and not told(seen(app)))
        assert "pro" in seen(app)
        assert "first" in seen(app)
        view = app.screen.query_one(JsonView)
        for keys in (["right"], ["enter", "w"], ["h"], ["t", "y"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert not told(seen(app)), keys
        await ui(pilot, lambda: "Copy of" in seen(app))
        await pilot.press("escape", "escape", "left_square_bracket")
        await ui(pilot, lambda: "value     time" in seen(app))
        assert not told(seen(app))
        await pilot.press("escape", "f", *"user:karl-der-kunde", "enter")
        await ui(pilot, lambda: "user:•••" in seen(app))
        assert not told(seen(app))

        await pilot.press("f2")
        await ui(pilot, lambda: "PRIVATE" not in seen(app) and USER in seen(app))
        assert view.raw == body.encode()


async def test_in_compose_neither_form_nor_text_nor_preview_says_who_it_is(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    event = {"event": "x", "user": {"userID": USER, "email": EMAIL, "customIDs": {"account": ACCOUNT}}}
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await started(app, pilot, ui, seen)
        draft_of(app).become(json.dumps(event), draft_of(app).shape)
        await ui(pilot, lambda: USER in seen(app) and ACCOUNT in seen(app))
        app.screen.query_one(f"#field-{Field.USER_ID}").focus()
        # While something is typed, too.
        await pilot.press("f2")
        await ui(pilot, lambda: "PRIVATE" in seen(app) and not told(seen(app)))
        for keys in (["ctrl+g"], ["ctrl+r"], ["ctrl+r"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert not told(seen(app)), keys
        # In one line that is wrapped in the middle of a value as well.
        app.screen.query_one("#text").focus()
        for width in range(70, 100, 5):
            await pilot.resize_terminal(width, 40)
            await pilot.pause()
            assert not told(seen(app)), width
        assert json.loads(draft_of(app).text) == event
        # A value on the line below its name.
        broken = json.dumps(event).replace(": ", ":\n")
        draft_of(app).become(broken, draft_of(app).shape)
        await ui(pilot, lambda: '"account":' in seen(app))
        assert not told(seen(app))
