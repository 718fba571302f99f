"""Every theme is readable, on the chosen line too; NO_COLOR and reduced motion are obeyed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.color import Color as Ink
from rich.color import ColorType
from textual.color import Color
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, TextArea

from statsig_tui.core.config import Config, Interface
from statsig_tui.tui import theme
from statsig_tui.tui.app import StatsigApp
from statsig_tui.tui.widgets.destination_list import DestinationList
from statsig_tui.tui.widgets.filter_parts import EventTable
from statsig_tui.tui.widgets.json_editor import JsonEditor
from statsig_tui.tui.widgets.json_view import JsonView
from tests.ui.conftest import app_over, draft_of
from tests.ui.desk import Open, made
from tests.ui.test_screenshots import MISTAKEN, app_with_traffic, settled

Until = Callable[..., Awaitable[None]]
Text = Callable[..., str]
READABLE = 4.5
"""The ratio WCAG asks for text (level AA)."""
COLOURED = tuple(name for name in theme.NAMES if name != theme.ANSI)
STYLES = ("text-success", "text-error", "text-warning", "text-primary", "text-accent", "foreground-muted")
SURFACES = ("background", "surface", "panel", "primary-muted", "input-selection-background")
FILES = (Path(__file__).parents[2] / "statsig_tui" / "tui").rglob("*.*")


def luminance(colour: Color) -> float:
    """As WCAG has it."""
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def words(app: StatsigApp) -> Iterator[tuple[str, Ink | None, Ink | None]]:
    """Text and its two colours, of what is on top: a dialog's own, not what is faded below it."""
    top = app.screen
    regions = [each.region for each in top.children] if isinstance(top, ModalScreen) else [top.region]
    for y, strip in enumerate(top._compositor.render_strips(app.size)):
        x = 0
        for text, style, _ in strip:
            if (
                style is not None
                and re.search(r"[^\W_]", text)
                and any(each.contains(x, y) for each in regions)
            ):
                inks = (style.color, style.bgcolor)
                yield (text, *(reversed(inks) if style.reverse else inks))
            x += len(text)


def unreadable(app: StatsigApp) -> list[str]:
    """What cannot be read well on the screen, and why."""
    found = []
    for text, ink, paper in words(app):
        if app.theme == theme.ANSI:
            own = {each.type for each in (ink, paper) if each is not None} & {ColorType.TRUECOLOR}
            if own or (ink == paper and ink is not None and not ink.is_default):
                found.append(f"{app.theme}: {text.strip()!r} {ink} on {paper}")
            continue
        assert ink is not None
        assert paper is not None
        ratio = contrast(Color.from_rich_color(ink), Color.from_rich_color(paper))
        if ratio < READABLE:
            found.append(f"{app.theme}: {text.strip()!r} {ink.name} on {paper.name}: {ratio:.2f}")
    return found


async def check(app: StatsigApp, ui: Until, pilot: object) -> None:
    """What is shown is readable in each theme."""
    for name in theme.NAMES[::-1]:
        app._use_theme(name)
        await ui(pilot, lambda name=name: is_drawn_in(app, name))
        assert not unreadable(app)


def turned(app: StatsigApp, how: str = "reverse") -> str:
    """What stands out without a colour."""
    drawn = [each for strip in app.screen._compositor.render_strips(app.size) for each in strip]
    return "".join(text for text, style, _ in drawn if style is not None and getattr(style, how))


def is_drawn_in(app: StatsigApp, name: str) -> bool:
    """Whether the surfaces on top are those of a theme, and of no other."""
    shown = {paper.name for _, _, paper in words(app) if paper is not None and paper.triplet is not None}
    own = {each.name: {each.background, each.surface, each.panel} for each in theme.THEMES}
    others = set[str | None]().union(*own.values()) - own[name]
    return not shown & others and (name == theme.ANSI or bool(shown & own[name]))


@pytest.mark.parametrize("name", COLOURED)
def test_every_meaning_is_read_on_every_surface(name: str) -> None:
    chosen = next(each for each in theme.THEMES if each.name == name)
    colours = chosen.to_color_system().generate()
    for style in (*STYLES, "foreground"):
        for surface in SURFACES:
            paper = Color.parse(colours[surface])
            ratio = contrast(paper + Color.parse(colours[style]), paper)
            assert ratio >= READABLE, f"{style} on {surface}: {ratio:.2f}"


def test_colours_are_named_in_one_place() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?=[\"; ])|\brgba?\(|\bhsla?\(")
    looked = [path for path in FILES if path.suffix in (".py", ".tcss") and path.name != "theme.py"]
    assert len(looked) > 100
    assert not [(path.name, found) for path in looked for found in literal.findall(path.read_text())]


async def test_compose_is_readable_in_every_theme(tmp_path: Path, ui: Until, seen: Text) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f6", "ctrl+j")
        await ui(pilot, lambda: "captured" in seen(app) and "retrying" in seen(app))
        await check(app, ui, pilot)
        await pilot.press("f12", "down")
        await ui(pilot, lambda: isinstance(app.focused, OptionList))
        await check(app, ui, pilot)
        draft_of(app).open(MISTAKEN)
        await pilot.press("ctrl+g")
        await ui(pilot, lambda: isinstance(app.focused, JsonEditor) and "seconds" in seen(app))
        await check(app, ui, pilot)
        await pilot.press("ctrl+a")
        await check(app, ui, pilot)
        await pilot.press("f10")
        await ui(pilot, lambda: "requests to emulator" in seen(app))
        await check(app, ui, pilot)
        await pilot.press("escape", "f1")
        await ui(pilot, lambda: "esc closes" in seen(app))
        await check(app, ui, pilot)


async def test_destinations_is_readable_in_every_theme(desk: Open, ui: Until, seen: Text) -> None:
    async with desk(made("down"), made("staging", enabled=False), size=(160, 45)) as at:
        await at.events("statsig::gate_exposure", "statsig::config_change", "page_view", "checkout")
        await at.select("down")
        await ui(at.pilot, lambda: "waiting" in seen(at.app) or "retrying" in seen(at.app))
        await check(at.app, ui, at.pilot)
        await at.press("f")
        while not at.screen.query_one(EventTable).has_focus:
            await at.press("tab")
        await at.press("space")
        await ui(at.pilot, lambda: "against saved" in seen(at.app))
        await check(at.app, ui, at.pilot)
        await at.press("o")
        await ui(at.pilot, lambda: isinstance(at.app.screen, ModalScreen))
        while not isinstance(at.app.focused, TextArea | Input):
            await at.press("tab")
        await check(at.app, ui, at.pilot)
        await at.press("escape", "escape")
        at.screen.query_one(DestinationList).focus()
        await at.turn("attempts")
        await ui(at.pilot, lambda: "refused" in seen(at.app))
        await check(at.app, ui, at.pilot)
        for key, title in (("v", "Verdicts"), ("C", "Config"), ("ctrl+n", "New")):
            await at.press(key)
            await ui(
                at.pilot, lambda title=title: isinstance(at.app.screen, ModalScreen) and title in seen(at.app)
            )
            await check(at.app, ui, at.pilot)
            await at.press("escape")
            await ui(at.pilot, lambda: not isinstance(at.app.screen, ModalScreen))


async def test_live_is_readable_in_every_theme(tmp_path: Path, ui: Until, seen: Text) -> None:
    app = app_with_traffic(tmp_path)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        await settled(app, ui, pilot)
        await pilot.press("f8", "k", "m", "right")
        await ui(pilot, lambda: "◆" in seen(app) and "eventName" in seen(app))
        await check(app, ui, pilot)
        await pilot.press("f", *"clas:x")
        await ui(pilot, lambda: "clas:x" in seen(app))
        await check(app, ui, pilot)
        await pilot.press("escape", "escape")
        for tab in ("headers", "signature", "answer", "trace", "notes"):
            app.screen.query_one("#detail-tabs").active = tab  # type: ignore[attr-defined]
            await check(app, ui, pilot)
        app.screen.query_one("#captures").focus()
        for key, title in (("y", "Copy of"), ("x", "Export"), ("R", "Replay"), ("P", "whatever comes")):
            await pilot.press(key)
            await ui(pilot, lambda title=title: isinstance(app.screen, ModalScreen) and title in seen(app))
            await check(app, ui, pilot)
            await pilot.press("escape")
            await ui(pilot, lambda: not isinstance(app.screen, ModalScreen))


@pytest.mark.parametrize("name", theme.NAMES)
async def test_with_no_color_there_is_none_and_the_chosen_line_stands_out(
    tmp_path: Path, config: Config, ui: Until, seen: Text, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_over(tmp_path, replace(config, interface=Interface(theme=name)))  # type: ignore[arg-type]  # one of the names
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f8")
        await ui(pilot, lambda: "DEMO_checkout" in seen(app) and "FOLLOW" in seen(app))
        drawn = [each for strip in app.screen._compositor.render_strips(app.size) for each in strip]
        inks = {ink for _, style, _ in drawn if style is not None for ink in (style.color, style.bgcolor)}
        assert all(ink is None or ink.is_default for ink in inks)
        chosen = turned(app)
        assert "DEMO_checkout" in chosen
        assert "3 Live" in chosen
        await pilot.press("y")
        await ui(pilot, lambda: isinstance(app.screen, ModalScreen))
        chosen = turned(app, "underline")
        assert "the body" in chosen
        assert "the headers" not in chosen
        await pilot.press("escape", "f", *"abc", "shift+home")
        await ui(pilot, lambda: "abc" in turned(app))
        await pilot.press("escape", "escape")
        app.screen.query_one(JsonView).focus()
        await pilot.press("slash", *"checkout", "enter")
        await ui(pilot, lambda: "checkout" in turned(app, "underline"))


def test_an_empty_no_color_is_none(tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert app_over(tmp_path, config).theme == "dark"


async def test_with_reduced_motion_nothing_moves(
    tmp_path: Path, config: Config, ui: Until, seen: Text
) -> None:
    app = app_over(tmp_path, replace(config, interface=Interface(motion="reduced")))
    async with app.run_test(size=(120, 36)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        assert app.animation_level == "none"
        await pilot.press("f8")
        await ui(pilot, lambda: "FOLLOW" in seen(app))
        await pilot.press("ctrl+p")
        await ui(pilot, lambda: isinstance(app.focused, Input))
        assert isinstance(app.focused, Input)
        assert not app.focused.cursor_blink


async def test_no_field_blinks(later_app: StatsigApp, ui: Until, seen: Text) -> None:
    app = later_app
    async with app.run_test(size=(120, 36)) as pilot:
        await ui(pilot, lambda: app.bridge.engine is not None)
        for screen in ("f8", "f6"):
            await pilot.press(screen)
            await ui(pilot, lambda: bool([*app.screen.query(Input), *app.screen.query(TextArea)]))
            fields = [*app.screen.query(Input), *app.screen.query(TextArea)]
            assert not [each for each in fields if each.cursor_blink]
