"""The gate for foreign text against the terminal cases T01–T12 of the corpus."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.widgets import Static

from statsig_tui.tui.text import (
    TerminalNet,
    capital,
    content,
    cut,
    fit,
    fit_words,
    from_bytes,
    lines,
    printable,
    sentences,
)
from tests.corpus.cases_t import LEAK, MARKUP, SHOWN


@pytest.mark.parametrize(("text", "shown"), [case[1:] for case in SHOWN], ids=[case[0] for case in SHOWN])
def test_every_character_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert not LEAK.search(printable(text))


def test_no_character_of_the_planes_leaks() -> None:
    every = "".join(map(chr, range(0x11_0000)))
    assert not LEAK.search(printable(every))
    assert all(printable(chr(point)) for point in range(0x3000))


def test_the_gate_lets_its_own_output_pass() -> None:
    for _, text, _ in SHOWN:
        assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain", "plain"),
        (b"\xffa\xfe", "\\xffa\\xfe"),
        ("é\x1b".encode(), "é␛"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"\xc0\xaf", "\\xc0\\xaf"),
        (b"cut \xe6\x97", "cut \\xe6\\x97"),
    ],
)
def test_bytes_that_are_no_text_are_shown_as_such(raw: bytes, shown: str) -> None:
    assert from_bytes(raw) == shown


def test_only_a_line_feed_ends_a_line() -> None:
    assert lines("a\r\nb\u2028c\x85\n") == ["a␍", "b\\u{2028}c\\u{85}", ""]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("日本語", 1, "…"),
        ("é" * 9, 4, "ééé…"),
    ],
)
def test_cutting_keeps_to_cells(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown
    assert cell_len(shown) <= width


@pytest.mark.parametrize(
    "text",
    ["x" * 200_000, "e" + "\u0301" * 3000, "日" * 200_000, "\x1b" * 200_000, "👨\u200d👩" * 900, "\x9b" * 70],
)
def test_a_cell_is_never_overflown(text: str) -> None:
    for width in (0, 1, 2, 7, 40):
        shown = fit(text, width)
        assert cell_len(shown) <= width
        assert not LEAK.search(shown)
        assert shown.endswith("…") or not width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("refused with 422: halved, to find it", 36, "refused with 422: halved, to find it"),
        ("refused with 422: halved, to find it", 27, "refused with 422: halved…"),
        ("refused with 422: halved, to find it", 26, "refused with 422: halved…"),
        ("refused with 422: halved, to find it", 24, "refused with 422…"),
        ("a webhook-secret-in-one-long-word", 20, "a webhook-secret-in…"),
        ("given up \u2026", 10, "given up \u2026"),
        ("x\x1b y z", 4, "x␛…"),
    ],
)
def test_words_are_cut_whole_unless_too_little_would_be_left(text: str, width: int, shown: str) -> None:
    assert fit_words(text, width) == shown


@pytest.mark.parametrize("text", MARKUP)
async def test_t09_markup_is_drawn_literally(text: str) -> None:
    class Host(App[None]):
        def compose(self) -> ComposeResult:
            yield Static(content(text, "$text-success"))

    app = Host()
    async with app.run_test():
        strips = app.query_one(Static).render_lines(Region(0, 0, 40, 1))
        assert strips[0].text.rstrip() == text
        assert not any(style and (style.link or "@click" in style.meta) for _, style, _ in strips[0])


def apply(net: LineFilter, *segments: Segment) -> list[Segment]:
    return net.apply(list(segments), Color(0, 0, 0))


def test_the_net_leaves_a_clean_line_alone() -> None:
    line = [Segment("checkout ✓", Style.parse("bold red")), Segment("日本", Style.from_meta({"row": 3}))]
    assert TerminalNet().apply(line, Color(0, 0, 0)) is line


@pytest.mark.parametrize(("text", "shown"), [case[1:] for case in SHOWN], ids=[case[0] for case in SHOWN])
def test_the_net_scrubs_what_the_gate_was_not_asked_about(text: str, shown: str) -> None:
    scrubbed = "".join(segment.text for segment in apply(TerminalNet(), Segment(text), Segment("|")))
    assert not LEAK.search(scrubbed)
    if text.isprintable():
        assert scrubbed == f"{text}|"
    else:
        assert cell_len(scrubbed) == cell_len(text) + 1, "the line keeps its width"


def test_the_net_drops_links_and_actions_and_keeps_the_look() -> None:
    bold = Style(bold=True)
    hot = bold + Style(link="https://e") + Style.from_meta({"@click": "app.quit", "row": 3})
    (segment,) = apply(TerminalNet(), Segment("sale", hot))
    assert segment.text == "sale"
    assert segment.style is not None
    assert segment.style.bold
    assert segment.style.link is None
    assert segment.style.meta == {"row": 3}


@pytest.mark.parametrize("action", ["grab", "scroll_up", "scroll_down"])
def test_the_net_leaves_a_scrollbar_its_own(action: str) -> None:
    style = Style.from_meta({"@mouse.down": action})
    assert [segment.style for segment in apply(TerminalNet(), Segment(" ", style))] == [style]


@pytest.mark.parametrize(
    "meta",
    [
        {"@mouse.down": "app.quit"},
        {"@mouse.down": "screen.grab"},
        {"@mouse.down": ("grab", ([],))},
        {"@mouse.up": "grab"},
        {"@click": "scroll_up"},
    ],
)
def test_the_net_leaves_nobody_else_an_action(meta: dict[str, object]) -> None:
    (segment,) = apply(TerminalNet(), Segment("sale", Style.from_meta(meta)))
    assert segment.style is not None
    assert not segment.style.meta


def test_the_net_lets_no_control_segment_through() -> None:
    assert [segment.control for segment in apply(TerminalNet(), Segment("a", None, []))] == [None]


async def test_the_net_covers_every_line_an_app_draws() -> None:
    class Host(App[None]):
        net = TerminalNet()

        def get_line_filters(self) -> list[LineFilter]:
            return [*super().get_line_filters(), self.net]

        def compose(self) -> ComposeResult:
            yield Static("a\x1b[2Jb\x9b\u202e", markup=False)
            yield Static("[@click=app.quit][link='https://e']sale[/][/]")

    app = Host()
    app.title = "t\x1b]0;X"
    async with app.run_test():
        for widget in app.query(Static):
            for strip in widget.render_lines(Region(0, 0, 80, 1)):
                assert not LEAK.search(strip.text)
                assert not any(style and (style.link or "@click" in style.meta) for _, style, _ in strip)


@pytest.mark.parametrize(
    ("message", "hint", "told"),
    [
        (
            "config.toml line 3: is not valid TOML: expected a pair.",
            "correct that line or what precedes it",
            "config.toml line 3: is not valid TOML: expected a pair. Correct that line or what precedes it",
        ),
        ("not saved: no room", "run: df", "not saved: no room. Run: df"),
        ("no room", "", "no room."),
        ("Did you mean it?", "statsig-tui --help", "Did you mean it? statsig-tui --help"),
        ("taken", "~/.config/x.toml holds it", "taken. ~/.config/x.toml holds it"),
    ],
)
def test_what_happened_and_how_to_mend_it_are_two_sentences(message: str, hint: str, told: str) -> None:
    assert sentences(message, hint) == told
    assert capital("") == ""
    assert capital("not saved: no room") == "Not saved: no room"
