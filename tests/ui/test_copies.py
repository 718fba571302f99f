"""From Live to Compose: a received event as the draft, and as a template of one's own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from statsig_tui.settings.templates import Shelf
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.live import LiveScreen
from statsig_tui.tui.screens.paste import PasteDialog
from statsig_tui.tui.screens.questions import NameDialog
from statsig_tui.tui.widgets.row_list import RowList
from tests.ui.conftest import draft_of

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]


async def test_a_received_event_becomes_the_draft_and_a_template(
    later_app: StatsigApp, ui: Until, seen: Text, data: Callable[[str], bytes], tmp_path: Path
) -> None:
    app, shelf = later_app, Shelf(tmp_path / "templates")
    raw = data("batch-data-envelope.json")
    first, second = json.loads(raw)["data"][:2]

    def post(body: bytes) -> None:
        assert app.bridge.engine is not None
        httpx.post(f"{app.bridge.engine.addresses.receiver}/hook", content=body)

    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: app.bridge.engine is not None and isinstance(app.screen, LiveScreen))
        post(raw)
        rows = app.screen.query_one("#captures", RowList)
        await ui(pilot, lambda: rows.cursor is not None and "e Edit a copy" in seen(app))

        # Every event of the batch can be chosen; what will be different is said before.
        await pilot.press("e")
        await ui(pilot, lambda: "eventName is called event here" in seen(app))
        assert "enter opens it in Compose · esc cancels" in seen(app)
        await pilot.press("down", "enter")
        await ui(pilot, lambda: "Event · statsig-gate_exposure" in seen(app))
        draft = json.loads(draft_of(app).text)
        assert (draft["event"], draft["user"], draft["timestamp"]) == (
            second["eventName"],
            second["user"],
            second["timestamp"],
        )
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "202 accepted" in seen(app))

        # The event under the cursor alone; what was typed meanwhile is not lost unasked.
        draft_of(app).become('{"event": "typed"}', draft_of(app).shape)
        await pilot.press("f8", "g", "right", "down", "e")
        await ui(pilot, lambda: isinstance(app.screen, PasteDialog) and first["eventName"] in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog) and "Leave this event?" in seen(app))
        await pilot.press("escape")
        await ui(pilot, lambda: isinstance(app.screen, ComposeScreen))
        assert draft_of(app).text == '{"event": "typed"}'

        # Kept under a free name, with variables, and sent from the library.
        for name in (first["eventName"], f"{first['eventName']} 2"):
            await pilot.press("f8", "ctrl+s")
            await ui(pilot, lambda: "user.userID is {{userID}}" in seen(app))
            await pilot.press("enter")
            await ui(pilot, lambda: isinstance(app.screen, NameDialog))
            await pilot.press("enter")
            await ui(pilot, lambda name=name: f"Saved as {name}:" in seen(app))
        kept = shelf.load().templates[0]
        assert kept.variables["userID"] == first["userID"]
        assert '"timestamp": {{now_ms}}' in kept.text
        await pilot.press("f6", "f12", "slash", *kept.name[:4], "enter")
        await ui(pilot, lambda: "r Send as it is" in seen(app))
        await pilot.press("r")

        def sent() -> list[str]:
            assert app.bridge.engine is not None
            return [record.event_name for record in app.bridge.engine.archive.sent(10)]

        await ui(pilot, lambda: sent() == [kept.name, second["eventName"]])

        # What holds no event says so.
        await pilot.press("f8")
        post(b"not an event")
        await pilot.press("G", "e")
        await ui(pilot, lambda: "There is no event in this capture." in seen(app))
