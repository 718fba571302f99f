"""The library of Compose by keyboard and mouse: what is opened, sent, kept, brought back, and asked for."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from statsig_tui.core import draft
from statsig_tui.core.library import Template
from statsig_tui.core.records import SentDetail, SentRecord
from statsig_tui.core.request import Shape
from statsig_tui.engine.history import insert_sent
from statsig_tui.engine.store import Store, Tx
from statsig_tui.settings.templates import Shelf
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.screens.compose import ComposeScreen
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.questions import NameDialog, PromptDialog
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.library import LibraryList
from tests.ui.conftest import draft_of

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
ORDER = Template(
    "order",
    '{"user": {"userID": "u{{seq}}"}, "event": "{{prompt Event [/name]}}", "metadata": {"id": "{{uuid}}"}}',
    about="An order [/b]",
    shape=Shape(headers="X-Kind: order"),
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "templates")


def text(app: StatsigApp) -> str:
    """The draft."""
    return app.mode_screens()[0].query_one(DraftPane).text


def sent(app: StatsigApp) -> list[SentDetail]:
    """What was sent so far, newest first."""
    assert app.bridge.engine is not None
    archive = app.bridge.engine.archive
    found = (archive.sent_detail(record.id) for record in archive.sent(100))
    return [detail for detail in found if detail is not None]


async def in_library(app: StatsigApp, pilot: Pilot[int], ui: Until) -> None:
    """Start, and go to the tree."""
    await ui(pilot, lambda: app.bridge.engine is not None and bool(app.screen.query(LibraryList)))
    await pilot.press("f12")
    await ui(pilot, lambda: isinstance(app.focused, LibraryList))


async def search(app: StatsigApp, pilot: Pilot[int], ui: Until, words: str) -> None:
    """Find something; the cursor is on the first thing found."""
    await pilot.press("slash")
    await ui(pilot, lambda: isinstance(app.focused, Input))
    app.post_message(events.Paste(words))
    await pilot.press("enter")
    await ui(pilot, lambda: isinstance(app.focused, LibraryList))


async def at_compose(app: StatsigApp, pilot: Pilot[int], ui: Until) -> None:
    await ui(pilot, lambda: isinstance(app.screen, ComposeScreen))


async def test_a_template_is_found_opened_and_sent(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await search(app, pilot, ui, "stableid alone")
        await ui(pilot, lambda: "The emulator answers 202." in seen(app))
        assert "missing-user" not in seen(app)
        await pilot.press("enter")
        await ui(pilot, lambda: "Event · anonymous" in seen(app))
        await ui(pilot, lambda: "{{uuid}} " in seen(app) and "{{now_ms}} 1" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "captured" in seen(app))
        body = json.loads(sent(app)[0].body)
        assert len(body["user"]["customIDs"]["stableID"]) == 36
        assert abs(body["timestamp"] - sent(app)[0].record.at) < 60_000
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: len(sent(app)) == 2)
        assert json.loads(sent(app)[0].body)["user"] != body["user"]


async def test_bytes_that_are_no_text_are_opened_and_sent_as_they_are(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await search(app, pilot, ui, "invalid-utf-8")
        await pilot.press("enter")
        await ui(pilot, lambda: "Event · invalid-utf-8" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "✗ 400 bad request" in seen(app))
        assert b"caf\xe9 \xff\xfe" in sent(app)[0].body


async def test_what_is_unresolved_stops_the_send_and_is_named(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2hunter2")
    body = '{"user": {"userID": "{{env MY_TOKEN}}"}, "event": "{{plan}}"}'
    shelf.save(Template("mine", body))
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await search(app, pilot, ui, "mine")
        await pilot.press("enter")
        await ui(pilot, lambda: "{{plan}} has no value" in seen(app))
        assert "{{env MY_TOKEN}} set, 14" in seen(app)
        assert "hunter2" not in seen(app)
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "Not sent" in seen(app) and "line 1, column 52: {{plan}}" in seen(app))
        assert sent(app) == []
        shelf.save(Template("mine", body, about="Mended", variables={"plan": "pro"}), replace=True)
        await pilot.press("f8", "f6", "f12")
        await ui(pilot, lambda: isinstance(app.focused, LibraryList) and "Mended" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: "{{plan}} pro" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: "202 accepted" in seen(app))
        assert json.loads(sent(app)[0].body) == {"user": {"userID": "hunter2hunter2"}, "event": "pro"}


async def test_a_prompt_asks_and_headers_go_along(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf
) -> None:
    shelf.save(ORDER)
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await search(app, pilot, ui, "order")
        await ui(pilot, lambda: "An order [/b]" in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: "asked when sent" in seen(app))
        await ui(pilot, lambda: "Event · order" in seen(app) and "Headers •" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: isinstance(app.screen, PromptDialog))
        await ui(pilot, lambda: "Event [/name]" in seen(app))
        await pilot.press("escape")
        await at_compose(app, pilot, ui)
        assert sent(app) == []
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: isinstance(app.screen, PromptDialog))
        await pilot.press(*'a"b', "enter")
        await ui(pilot, lambda: "202 accepted" in seen(app))
        [detail] = sent(app)
        assert json.loads(detail.body)["event"] == 'a"b'
        assert json.loads(detail.body)["user"]["userID"] == "u1"
        assert ("X-Kind", "order") in detail.request_headers


async def test_the_draft_is_kept_under_a_name_and_changed_in_the_library(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf
) -> None:
    app = later_app

    def names() -> list[str]:
        return [each.name for each in shelf.load().templates]

    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await pilot.press("escape", "ctrl+s")
        await ui(pilot, lambda: isinstance(app.screen, NameDialog))
        await pilot.press("end", *"/x")
        await ui(pilot, lambda: "it holds a slash" in seen(app))
        await pilot.press("enter")
        assert isinstance(app.screen, NameDialog)
        await pilot.press("backspace", "backspace", "enter")
        await ui(pilot, lambda: "Event · checkout_completed" in seen(app))
        assert [each.text for each in shelf.load().templates] == [draft.SAMPLE]

        await pilot.press("f12")
        await ui(pilot, lambda: isinstance(app.focused, LibraryList) and "Duplicate" in seen(app))
        await pilot.press("d")
        await ui(pilot, lambda: isinstance(app.screen, NameDialog))
        await pilot.press("enter")
        await at_compose(app, pilot, ui)
        await ui(pilot, lambda: names() == ["checkout_completed", "checkout_completed 2"])
        await ui(pilot, lambda: "checkout_completed 2" in seen(app))
        await pilot.press("e")
        await ui(pilot, lambda: isinstance(app.screen, NameDialog))
        await pilot.press("ctrl+u", *"copy", "enter")
        await at_compose(app, pilot, ui)
        await ui(pilot, lambda: names() == ["checkout_completed", "copy"])
        await ui(pilot, lambda: "  copy" in seen(app))

        await pilot.press("delete")
        await ui(pilot, lambda: names() == ["checkout_completed"] and "u Undo" in seen(app))
        await pilot.press("u")
        await ui(pilot, lambda: names() == ["checkout_completed", "copy"])


async def test_what_is_replaced_is_said_before_and_brought_back_after(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf
) -> None:
    shelf.save(Template("mine", '{"event":"former"}'))
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await pilot.press("ctrl+s")
        await ui(pilot, lambda: isinstance(app.screen, NameDialog))
        await pilot.press("ctrl+u", *"mine")
        await ui(pilot, lambda: "Replaces the template of that name." in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: [each.text for each in shelf.load().templates] == [draft.SAMPLE])
        await at_compose(app, pilot, ui)
        await ui(pilot, lambda: "u Undo" in seen(app))
        await pilot.press("u")
        await ui(pilot, lambda: [each.text for each in shelf.load().templates] == ['{"event":"former"}'])


async def test_what_was_sent_is_sent_again_to_the_byte_opened_and_kept(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf
) -> None:
    shape = Shape("PUT", "/v1/x?y=[1]", "Content-Type:\nX-A: 1\nX-A: 2")
    shelf.save(Template("odd", '{"event": "{{{{}}name}}"}', shape=shape))
    app = later_app

    def request(detail: SentDetail) -> tuple[object, ...]:
        return detail.method, detail.record.url, detail.request_headers, detail.body

    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await in_library(app, pilot, ui)
        await search(app, pilot, ui, "odd")
        await pilot.press("r")
        await ui(pilot, lambda: len(sent(app)) == 1 and "404 not found" in seen(app))
        assert sent(app)[0].body == b'{"event": "{{name}}"}'
        assert [value for name, value in sent(app)[0].request_headers if name == "X-A"] == ["1", "2"]
        assert text(app) == draft.SAMPLE
        await pilot.press("escape", "G", "r")
        await ui(pilot, lambda: len(sent(app)) == 2)
        await pilot.press("enter")
        await ui(pilot, lambda: "{{{{}}name}}" in text(app) and "Headers •" in seen(app))
        await pilot.press("ctrl+j")
        await ui(pilot, lambda: len(sent(app)) == 3)
        assert {request(detail) for detail in sent(app)} == {request(sent(app)[0])}

        pane = draft_of(app)
        pane.become(pane.text, Shape("PUT", "/v1/x?y=[1]", f"{shape.headers}\nCookie: canary"))
        await pilot.press("ctrl+s")
        await ui(pilot, lambda: isinstance(app.screen, NameDialog))
        await pilot.press("ctrl+u", *"kept", "enter")
        await ui(pilot, lambda: "Saved as kept, without the headers that are secrets." in seen(app))
        await pilot.press("f12", "d")
        await ui(pilot, lambda: isinstance(app.screen, NameDialog))
        await pilot.press("enter")
        await ui(pilot, lambda: len(shelf.load().templates) == 3)
        assert {each.shape for each in shelf.load().templates} == {shape}


async def test_changes_are_not_lost_by_opening_a_template(
    later_app: StatsigApp, ui: Until, seen: Text
) -> None:
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await pilot.press("escape")
        await ui(pilot, lambda: isinstance(app.focused, Input) and app.focused.id == "field-event")
        await pilot.press("end", "x", "f12")
        await ui(pilot, lambda: isinstance(app.focused, LibraryList))
        await search(app, pilot, ui, "minimal")
        await pilot.press("enter")
        await ui(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("escape")
        await at_compose(app, pilot, ui)
        assert "completedx" in text(app)


async def test_groups_fold_and_the_footer_names_what_acts(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf
) -> None:
    shelf.save(Template("mine", "{}"))
    shelf.directory.joinpath("broken.toml").write_text("[nonsense\n")
    app = later_app
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await ui(pilot, lambda: "broken.toml line 1" in seen(app))
        await in_library(app, pilot, ui)
        await pilot.press("g", "right")
        await ui(pilot, lambda: "gate-exposure" in seen(app) and "Send as it is" not in seen(app))
        await pilot.press("down", "down")
        await ui(pilot, lambda: "r Send as it is" in seen(app) and "d Duplicate" in seen(app))
        assert "del Delete" not in seen(app)
        await pilot.press("left", "left")
        await ui(pilot, lambda: "gate-exposure" not in seen(app) and "QA: mistakes" in seen(app))
        await pilot.press("left", "g", "left")
        await ui(pilot, lambda: "QA: mistakes" not in seen(app))
        await pilot.press("down", "down")
        await ui(pilot, lambda: "del Delete" in seen(app) and "e Rename" in seen(app))
        row = next(at for at, line in enumerate(seen(app).split("\n")) if "▸ Templates" in line)
        await pilot.click(offset=(5, row))
        await ui(pilot, lambda: "QA: mistakes" in seen(app))


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_in_a_small_terminal_the_library_takes_the_drafts_place(
    later_app: StatsigApp, ui: Until, seen: Text, size: tuple[int, int]
) -> None:
    app = later_app
    async with app.run_test(size=size) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None and "local" in seen(app))
        assert "Library ─" not in seen(app)
        await pilot.press("f12")
        await ui(pilot, lambda: isinstance(app.focused, LibraryList) and "▸ Templates" in seen(app))
        assert "Form" not in seen(app)
        await pilot.press("f12")
        await ui(pilot, lambda: "checkout_completed" in seen(app) and "Library ─" not in seen(app))
        await pilot.press("f12")
        await ui(pilot, lambda: isinstance(app.focused, LibraryList))
        await search(app, pilot, ui, "smallest")
        await pilot.press("enter")
        await ui(pilot, lambda: "Event · minimal" in seen(app))
        assert app.focused is not None
        assert app.focused.id == "field-event"


async def test_a_broken_file_opens_as_text_and_is_mended_by_saving(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf
) -> None:
    shelf.save(Template("whole", '{"event": "whole"}'))
    shelf.save(Template("half", '{"event": '))
    file = shelf.directory / "broken.toml"
    file.write_text('about = "mine"\nbody = {"event": "x"}\n')
    app = later_app
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await in_library(app, pilot, ui)
        await search(app, pilot, ui, "broken")
        await ui(pilot, lambda: "✗ broken" in seen(app) and "d Duplicate" not in seen(app))
        await pilot.press("r")
        await ui(pilot, lambda: "Open it," in seen(app))
        assert sent(app) == []
        await pilot.press("enter")
        await ui(pilot, lambda: "Event · broken" in seen(app))
        assert text(app) == file.read_text()
        await ui(pilot, lambda: "text is open" in seen(app))

        await pilot.press("ctrl+s")
        await ui(pilot, lambda: "what precedes it" in seen(app))
        assert 'body = {"event"' in file.read_text(), "what is not understood either is not written"
        pane = draft_of(app)
        pane.become('body = \'{"event": "mended"}\'\n', pane.shape)
        await pilot.press("ctrl+s")
        await ui(pilot, lambda: text(app) == '{"event": "mended"}')
        assert {each.name for each in shelf.load().templates} == {"broken", "half", "whole"}

        await pilot.press("f12")
        await ui(pilot, lambda: isinstance(app.focused, LibraryList) and "✗ broken" not in seen(app))
        await pilot.press("escape")
        await search(app, pilot, ui, "half")
        await pilot.press("enter")
        await ui(pilot, lambda: text(app) == '{"event": ' and "line 1" in seen(app))


async def test_a_file_that_is_deleted_under_the_app_is_said(
    later_app: StatsigApp, ui: Until, seen: Text, shelf: Shelf
) -> None:
    for name in ("first", "second"):
        shelf.save(Template(name, f'{{"event": "{name}"}}'))
    app = later_app
    async with app.run_test(size=(160, 40), notifications=True) as pilot:
        await in_library(app, pilot, ui)
        await search(app, pilot, ui, "first")
        (shelf.directory / "first.toml").unlink()
        await pilot.press("r")
        await ui(pilot, lambda: "There is no template first any more." in seen(app))
        assert sent(app) == []
        await pilot.press("escape")
        await search(app, pilot, ui, "second")
        (shelf.directory / "second.toml").unlink()
        await pilot.press("enter")
        await ui(pilot, lambda: "second was deleted: this is how it was." in seen(app))
        assert text(app) == '{"event": "second"}'
        await pilot.press("ctrl+s")
        await ui(pilot, lambda: isinstance(app.screen, NameDialog))
        await pilot.press("enter")
        await ui(pilot, lambda: [each.name for each in shelf.load().templates] == ["second"])


async def test_ten_thousand_sent_events_are_counted_and_all_of_them_searched(
    later_app: StatsigApp, ui: Until, seen: Text, tmp_path: Path
) -> None:
    def fill(tx: Tx) -> None:
        for number in range(1, 10_001):
            record = SentRecord(
                0, 0, number, "emulator", "http://h/", f"event {number}", 2, 202, None, "answered", 1.0, None
            )
            insert_sent(tx, SentDetail(record, (), b"{}", (), b"", False))

    store = await Store.open(tmp_path / "statsig-tui.db")
    await store.write(fill)
    await store.close()
    app = later_app
    async with app.run_test(size=(160, 40)) as pilot:
        await in_library(app, pilot, ui)
        await ui(pilot, lambda: "event 10000" in seen(app) and "200 of 10,000" in seen(app))
        shown = app.screen.query_one(LibraryList)
        assert shown.option_count < 300, "the tree holds a page, however much was sent"
        await search(app, pilot, ui, "event 1077")
        await ui(pilot, lambda: "1 of 10,000" in seen(app) and "event 1077 " in seen(app))
        await pilot.press("enter")
        await ui(pilot, lambda: text(app) == "{}")
        assert shown.option_count < 300
