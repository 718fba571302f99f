"""Every text of the corpus in every place of the screens: literal, harmless, and one row high.

The net that every drawn line passes is taken away here: the gate alone must hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.filter import LineFilter
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static, TabbedContent

from statsig_tui.cli.lines import as_json, as_text
from statsig_tui.core import draft
from statsig_tui.core.config import Config, Filter
from statsig_tui.core.event import EventClass
from statsig_tui.core.health import Health
from statsig_tui.core.judgements import Judged
from statsig_tui.core.marks import Mark, Oddity
from statsig_tui.core.probe import Hop, Passing
from statsig_tui.core.records import (
    DeliveryState,
    DestinationCounters,
    DiagnosticsRow,
    Record,
    RefusedRecord,
    SentDetail,
)
from statsig_tui.core.redact import Redactor
from statsig_tui.core.repeats import NameCount, Names
from statsig_tui.core.replaying import Replayed
from statsig_tui.core.tunnel import Report
from statsig_tui.engine.archive import SeenEvent
from statsig_tui.engine.sources import real_sources
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui import theme
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.bridge import Bridge
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.exporting import ProgressDialog
from statsig_tui.tui.screens.filter_details import FilterDetails
from statsig_tui.tui.screens.matrix import MatrixScreen
from statsig_tui.tui.screens.probe import hop_lines
from statsig_tui.tui.screens.redeliver import Lot, RedeliverDialog
from statsig_tui.tui.screens.replay import Place, Plan, ReplayDialog, Selection
from statsig_tui.tui.screens.requests import RequestsScreen
from statsig_tui.tui.screens.respond import RespondDialog
from statsig_tui.tui.screens.send_test import SendTestDialog
from statsig_tui.tui.screens.taking import CopyMenu, Piece
from statsig_tui.tui.screens.tunnel import report_lines
from statsig_tui.tui.text import TerminalNet, content, printable
from statsig_tui.tui.widgets.attempt_detail import RESPONSE, AttemptDetail
from statsig_tui.tui.widgets.attempt_rows import DeliveryRows, MinuteRows
from statsig_tui.tui.widgets.capture_detail import Detail
from statsig_tui.tui.widgets.capture_rows import CaptureRows
from statsig_tui.tui.widgets.destination_form import DestinationForm
from statsig_tui.tui.widgets.destination_list import DestinationList, card
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.events_table import EventRows
from statsig_tui.tui.widgets.fields import Choice
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.library import Library
from statsig_tui.tui.widgets.matrix_rows import MatrixRows
from statsig_tui.tui.widgets.names_panel import NamesPanel
from statsig_tui.tui.widgets.notes import Note
from statsig_tui.tui.widgets.outcome import answer
from statsig_tui.tui.widgets.overview import Overview
from statsig_tui.tui.widgets.replay_line import ReplayLine
from statsig_tui.tui.widgets.signing import SigningPane
from statsig_tui.tui.widgets.target_bar import Goal, TargetBar
from statsig_tui.tui.widgets.trace_view import trace_content
from statsig_tui.tui.widgets.tracked_rows import TrackedRows
from tests.corpus import foreign
from tests.corpus.cases_t import LEAK, TEXTS

WIDTH, HEIGHT = 100, 60
SCROLLBAR = {"@mouse.down", "@mouse.up"}
"""Actions that Textual's scrollbars have."""
NONE = DestinationCounters()
DRIVING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
Put = Callable[[Any, str], object]


def beginning(text: str) -> str:
    """How a text begins wherever it is shown: behind something, in a narrow cell, broken at a blank."""
    return printable(text).removeprefix("◌").partition("‹")[0][:3].rstrip()


def check(app: App[Any], text: str, *, whole: bool = True) -> None:
    """What is drawn is harmless, as wide as the screen, and (`whole`) shows how the text begins."""
    strips = app.screen._compositor.render_strips(app.size)
    drawn = "\n".join(strip.text for strip in strips)
    assert not LEAK.search(drawn.replace("\n", ""))
    assert {strip.cell_length for strip in strips} == {WIDTH}
    for strip in strips:
        for _, style, _ in strip:
            assert style is None or not style.link
            live = {name for name in (style.meta if style is not None else ()) if name.startswith("@")}
            assert live <= SCROLLBAR
    if whole:
        begins = beginning(text)
        assert begins in drawn, f"{begins!r} is not shown literally in\n{drawn}"


class NoNet(StatsigApp):
    """The app without its net."""

    def get_line_filters(self) -> list[LineFilter]:
        return [*App.get_line_filters(self)]


def never() -> Any:
    """An engine that cannot be started."""
    raise StatsigTuiError("not in this test")


class Bench(App[None]):
    """One widget at a time, in the app's colours and without its net."""

    CSS = "Vertical { height: 1fr; }"

    def __init__(self, net: bool = False) -> None:
        super().__init__()
        self._net = net

    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), *([TerminalNet()] if self._net else [])]

    def on_mount(self) -> None:
        for chosen in theme.THEMES:
            self.register_theme(chosen)
        self.theme = "dark"

    def compose(self) -> ComposeResult:
        yield Vertical()

    async def put(self, widget: Widget) -> None:
        place = self.screen_stack[0].query_one(Vertical)
        await place.remove_children()
        await place.mount(widget)


def overview(pane: Overview, text: str) -> None:
    counts = DestinationCounters(retrying=1, disabled=text)
    pane.show(foreign.destination(text), f"http://{text}/", counts, Health(), follows=False)


def both_sides(detail: AttemptDetail, text: str) -> None:
    detail.show(foreign.attempt(text), foreign.body(text))
    detail.recount(foreign.delivery(text), 1, text)


def goal(text: str) -> Goal:
    return Goal(text, text, text, text, text, text, True, text, False)


def response(detail: AttemptDetail, text: str) -> None:
    detail.query_one(Choice).value = RESPONSE
    both_sides(detail, text)


def capture_tab(tab: str) -> Put:
    def put(detail: Detail, text: str) -> None:
        detail.query_one(TabbedContent).active = tab
        marks = [Mark(Oddity.TWICE, text)]
        detail.show(foreign.capture_detail(text), 0, foreign.body(text), marks)

    return put


def draft_in(tab: str) -> Put:
    def put(pane: DraftPane, text: str) -> None:
        pane.query_one(TabbedContent).active = tab
        pane.open(json.dumps({"event": text, "user": {"userID": text, text: text}}, ensure_ascii=False))

    return put


def capture_rows(text: str) -> CaptureRows:
    rows = CaptureRows(lambda ids: [foreign.capture(text)])
    rows.append(foreign.capture(text))
    return rows


def minutes(text: str) -> list[Content]:
    rows = MinuteRows()
    rows.minutes = [DiagnosticsRow(1, 1, 1, 1, 1, 1, text)]
    return [rows.line(0, WIDTH)]


def deliveries(text: str) -> list[Content]:
    rows = DeliveryRows()
    rows.deliveries = [foreign.delivery(text, state=DeliveryState.CANCELLED)]
    rows.attempts = {1: [foreign.attempt(text)]}
    return [rows.line(0, WIDTH), rows.child(0, 0, WIDTH)]


def tracked(text: str) -> list[Content]:
    rows = TrackedRows()
    rows.load(Filter(), {text: 3})
    return [rows.line(0, WIDTH)]


def judged(text: str) -> list[Content]:
    rows = MatrixRows([text], [Judged(text, text, 3, 1, "demo event")])
    return [rows.header(WIDTH), rows.line(0, WIDTH), rows.child(0, 0, WIDTH)]


def answered(sent: SentDetail) -> Content:
    """All that Compose shows of an answer."""
    return answer(sent, Redactor(), 90, unfolded=True)


def packed(detail: Detail, text: str) -> None:
    came = foreign.capture_detail(text)
    detail.show(replace(came, headers=(("Content-Encoding", text),)), None, b"{}")


def names(panel: NamesPanel, text: str) -> None:
    panel.load(Names((NameCount(EventClass.CUSTOM, text, 3),), {EventClass.CUSTOM: 3}))


def replayed(line: ReplayLine, text: str) -> None:
    line.show(text, Replayed(2, 0, {text: 1}, 1), is_done=False, note=text)


def event_rows(text: str) -> list[Content]:
    rows, record = EventRows(), foreign.capture(text)
    rows.load(1, record.events, [json.dumps({"value": text}).encode()] * len(record.events))
    return [rows.line(0, WIDTH)]


def came_back(text: str) -> Content:
    return report_lines(Report(False, text, text, 1.0, 1, text, text, ((text, text),)))


PLACES: list[tuple[str, Callable[[], Any], Put]] = [
    ("overview", Overview, overview),
    ("target", lambda: TargetBar("^j"), lambda bar, text: bar.show(goal(text))),
    (
        "destinations",
        DestinationList,
        lambda found, text: found.show([card(foreign.destination(text), NONE, Health())]),
    ),
    ("signing", SigningPane, lambda pane, text: pane.show(foreign.destination(text))),
    (
        "no answer",
        Static,
        lambda view, text: view.update(
            answer(foreign.sent_detail(text, None), Redactor(), 90, unfolded=True)
        ),
    ),
    ("trace", Static, lambda view, text: view.update(trace_content(foreign.trace(text), 1, 90))),
    ("history", Library, lambda found, text: found.show(sent=[foreign.sent(text)])),
    ("attempt, request", AttemptDetail, both_sides),
    ("attempt, response", AttemptDetail, response),
    ("capture, headers", Detail, capture_tab("headers")),
    ("capture, signature", Detail, capture_tab("signature")),
    ("capture, answer", Detail, capture_tab("answer")),
    ("capture, packed body", Detail, packed),
    ("names", NamesPanel, names),
    ("replay line", ReplayLine, replayed),
    (
        "probe",
        Static,
        lambda view, text: view.update(hop_lines([Hop("delivery", Passing.LATE, text, text, 1)], 90)),
    ),
    ("tunnel", Static, lambda view, text: view.update(came_back(text))),
]
"""Where a text is shown as it is spelled."""
TYPED: list[tuple[str, Callable[[], Any], Put]] = [
    (
        "answer",
        Static,
        lambda view, text: view.update(answered(foreign.sent_detail(text))),
    ),
    ("capture, body", Detail, capture_tab("body")),
    ("body that is no JSON", JsonView, lambda view, text: view.load(text.encode("utf-8", "surrogatepass"))),
    ("destination form", DestinationForm, lambda form, text: form.show(foreign.destination(text))),
    ("note, as in a form", Note, lambda note, text: note.show_note(1, text)),
    ("draft, form", lambda: DraftPane(draft.SAMPLE, lambda: real_sources(1, {})), draft_in("form")),
    ("draft, JSON", lambda: DraftPane(draft.SAMPLE, lambda: real_sources(1, {})), draft_in("json")),
]
"""Where it is shown as JSON spells it, or in a field that may be scrolled."""


@pytest.mark.parametrize(
    ("name", "make", "put"), [*PLACES, *TYPED], ids=[item[0] for item in [*PLACES, *TYPED]]
)
async def test_a_foreign_text_is_literal_and_harmless(name: str, make: Callable[[], Any], put: Put) -> None:
    # A field holds what was typed, as it is: there it is the net that shows it harmless.
    app = Bench(net="form" in name)
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        widget = make()
        await app.put(widget)
        await pilot.pause()  # a list cuts its lines for the width that it has by then
        for text in TEXTS:
            put(widget, text)
            await pilot.pause(0)
            check(app, text, whole=name in {place[0] for place in PLACES})


LINES: dict[str, Callable[[str], list[Content]]] = {
    "captures": lambda text: [capture_rows(text).line(0, WIDTH), capture_rows(text).child(0, 0, WIDTH)],
    "events of a capture": event_rows,
    "minutes": minutes,
    "deliveries": deliveries,
    "event filtering": tracked,
    "matrix": judged,
}


@pytest.mark.parametrize("name", LINES)
def test_a_row_is_one_row_of_literal_text(name: str) -> None:
    for text in TEXTS:
        for line in LINES[name](text):
            assert not LEAK.search(line.plain)
            assert line.cell_length <= WIDTH
        shown = "".join(line.plain for line in LINES[name](text))
        assert beginning(text) in shown


DIALOGS: dict[str, Callable[[str], ModalScreen[Any]]] = {
    "requests": lambda text: RequestsScreen(
        ([foreign.request(text)], [RefusedRecord(1, "receiver", text, None, text, text)])
    ),
    "redeliver": lambda text: RedeliverDialog(text, [Lot("everything", 0, 1, None, 2, 3)]),
    "replay": lambda text: ReplayDialog(
        [Selection("#1", [(1, None)])],
        [Place(text, f"http://127.0.0.1/{text}", False, text)],
        Plan(to=(text,)),
    ),
    "confirm": lambda text: ConfirmDialog("Title", content(text), "Yes"),
    "respond": lambda text: RespondDialog(text),
    "send test": lambda text: SendTestDialog(text, [SeenEvent(text, EventClass.CUSTOM, 2)], []),
    "filter details": lambda text: FilterDetails(Filter(tiers={text: False}, change_types={text: True})),
    "copy": lambda text: CopyMenu(text, [Piece("v", "the value", text)]),
    "export, under way": lambda text: ProgressDialog(Path(text), 3),
    "matrix": lambda text: MatrixScreen([text], [Judged(text, text, 3, 1, "demo event")]),
}


@pytest.mark.parametrize("name", DIALOGS)
async def test_a_dialog_shows_a_foreign_text_literally(name: str) -> None:
    # As above: this one has a field.
    app = Bench(net=name == "respond")
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        for text in TEXTS:
            await app.push_screen(DIALOGS[name](text))
            await pilot.pause(0)
            check(app, text)
            app.pop_screen()


async def test_a_notice_and_a_title_show_a_foreign_text_literally(tmp_path: Path) -> None:
    app = NoNet(Bridge(never), Config(), lambda changed: None)
    async with app.run_test(size=(WIDTH, HEIGHT), notifications=True) as pilot:
        for text in TEXTS:
            app.clear_notifications()
            app.say(text[:300])
            app.tell(StatsigTuiError(text[:300], text[:300]))
            app.screen.query_one(DraftPane).border_title = content(text)
            await pilot.pause(0)
            check(app, text)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_line_for_reading_or_for_a_program_is_harmless(text: str) -> None:
    records: list[Record] = [
        foreign.event(text), foreign.verdict(text), foreign.delivery(text), foreign.capture(text),
        foreign.request(text), foreign.sent(text),
    ]  # fmt: skip
    for record in records:
        line = as_text(record)
        assert not LEAK.search(line)
        assert beginning(text) in line
        assert not DRIVING.search(as_json(record))
