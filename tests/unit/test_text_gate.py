"""The gate for foreign text against the terminal cases T01–T12 of the corpus."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.widgets import Static

from statsig_tui.tui.text import TerminalNet, content, cut, fit, from_bytes, lines, printable

ESC = "\x1b"
SHOWN = [
    ("T01 title", f"{ESC}]0;X\x07", "␛]0;X␇"),
    ("T01 title, ST", f"{ESC}]0;X{ESC}\\", "␛]0;X␛\\"),
    ("T01 title, unterminated", f"{ESC}]0;X", "␛]0;X"),
    ("T02 wipe", f"{ESC}[2J{ESC}[H", "␛[2J␛[H"),
    ("T02 leave the alternate screen", f"{ESC}[?1049l", "␛[?1049l"),
    ("T02 mouse", f"{ESC}[?1000l", "␛[?1000l"),
    ("T02 reset", f"{ESC}c", "␛c"),
    ("T02 report the cursor", f"{ESC}[6n", "␛[6n"),
    ("T02 report the version", f"{ESC}[>q", "␛[>q"),
    ("T03 set the clipboard", f"{ESC}]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
    ("T03 query the clipboard", f"{ESC}]52;c;?\x07", "␛]52;c;?␇"),
    ("T03 link", f"{ESC}]8;;https://e{ESC}\\x", "␛]8;;https://e␛\\x"),
    ("T03 notification", f"{ESC}]9;hi\x07{ESC}]777;a\x07", "␛]9;hi␇␛]777;a␇"),
    ("T03 iTerm", f"{ESC}]1337;File=:\x07", "␛]1337;File=:␇"),
    ("T03 DCS", f"{ESC}P+q544e{ESC}\\", "␛P+q544e␛\\"),
    ("T03 kitty", f"{ESC}_Ga=T{ESC}\\", "␛_Ga=T␛\\"),
    ("T03 sixel", f"{ESC}Pq#0~{ESC}\\", "␛Pq#0~␛\\"),
    ("T04 CSI", "\x9b31m", "\\u{9b}31m"),
    ("T04 OSC", "\x9d0;x\x9c", "\\u{9d}0;x\\u{9c}"),
    ("T04 DCS", "\x90", "\\u{90}"),
    ("T04 next line", "a\x85b", "a\\u{85}b"),
    ("T05 C0", "\x00\x08\r\x0e\x0f\x7f\x0b\x0c", "␀␈␍␎␏␡␋␌"),
    ("T05 overwritten", "AAAA\rB", "AAAA␍B"),
    ("T05 line feed and tab", "a\nb\tc", "a⏎b⇥c"),
    ("T06 embedding", "\u202a\u202b\u202c\u202d\u202e", "\\u{202a}\\u{202b}\\u{202c}\\u{202d}\\u{202e}"),
    ("T06 isolates", "\u2066\u2067\u2068\u2069", "\\u{2066}\\u{2067}\\u{2068}\\u{2069}"),
    ("T06 marks", "\u200e\u200f\u061c", "\\u{200e}\\u{200f}\\u{61c}"),
    ("T07 zero width", "a\u200bb\u200cc\u2060", "a\\u{200b}b\\u{200c}c\\u{2060}"),
    ("T07 BOM", "\ufeffx", "\\u{feff}x"),
    ("T07 tags", "\U000e0041", "\\u{e0041}"),
    ("T07 variation selectors", "❤\ufe0f\U000e0100", "❤\\u{fe0f}\\u{e0100}"),
    ("T07 line separators", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"),
    ("T07 blanks that are letters", "\u3164\u115f\xad", "\\u{3164}\\u{115f}\\u{ad}"),
    ("T08 lone surrogates", "\ud800x\udfff", "\\u{d800}x\\u{dfff}"),
    ("T10 emoji codes", ":warning: :smile:", ":warning: :smile:"),
    ("T11 four marks", "e" + "\u0301" * 4 + "x", "e" + "\u0301" * 4 + "x"),
    ("T11 a flood", "e" + "\u0301" * 3000 + "x", "e" + "\u0301" * 4 + "‹+2,996 marks›x"),
    (
        "T11 two floods",
        "a" + "\u0301" * 6 + "b" + "\u0489" * 5,
        "a" + "\u0301" * 4 + "‹+2 marks›b" + "\u0489" * 4 + "‹+1 marks›",
    ),
    ("T11 a mark with nothing under it", "\u0301a", "◌\u0301a"),
    ("T11 ZWJ family", "👨\u200d👩", "👨\\u{200d}👩"),
    ("T12 Markdown", "[x](javascript:alert(1)) <b>", "[x](javascript:alert(1)) <b>"),
    ("plain", "checkout_completed", "checkout_completed"),
    ("empty", "", ""),
    ("other scripts", "日本語 नमस्ते Grüße — ✓ 🎉", "日本語 नमस्ते Grüße — ✓ 🎉"),
]
MARKUP = [
    "[red]x[/red]",
    "x[/]",
    "x[/foo]",
    "[link=https://e]x[/link]",
    "[@click=app.quit]x[/]",
    "[a=b]c",
    "[not_a_style]x",
    "[$primary]",
    "\\[b]",
    ":warning:",
    "[x](javascript:alert(1))",
]
LEAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


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
