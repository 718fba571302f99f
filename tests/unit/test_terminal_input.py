"""What the terminal sends, as the app gets to see it: pastes are text whatever is in them, keys are keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual._xterm_parser import XTermParser
from textual.events import Key, MouseMove, Paste
from textual.message import Message

from statsig_tui.tui.terminal import LONGEST, InputParser, PasteRefused

START, END = "\x1b[200~", "\x1b[201~"
Shown = list[str | tuple[str, str]]


def shown(messages: Iterable[Message]) -> Shown:
    """Keys by name, pastes as (`paste`, text)."""
    found: Shown = []
    for message in messages:
        if isinstance(message, Paste):
            found.append(("paste", message.text))
        else:
            found.append(message.key if isinstance(message, Key) else type(message).__name__)
    return found


@pytest.fixture
def typed() -> Callable[..., Shown]:
    """Give an InputParser pieces of input, then a pause; what the app gets."""

    def give(*pieces: str) -> Shown:
        parser = InputParser(XTermParser())
        found = [item for piece in pieces for item in shown(parser.feed(piece))]
        return found + shown(parser.pause())

    return give


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "two\nlines\r\n\n",
        "\x1b[999zrest\nof it",
        "\x1b",
        "\x1b\x1b\x1b",
        "\x1b]52;c;aGk=\x07\n",
        "\x1b[A\x1b[17~\x1b[<0;1;1M",
        "\x1b[200~nested",
        "\x1b[201",
        "\x00\x03\x10\x9b1~",
        "",
        "x" * 100_000,
    ],
)
def test_a_paste_is_its_text_and_nothing_else(typed: Callable[..., Shown], text: str) -> None:
    assert typed(START + text + END) == [("paste", text)]
    assert typed(*START, *text, *END) == [("paste", text)], "in pieces of one character"


def test_keys_around_a_paste_are_keys(typed: Callable[..., Shown]) -> None:
    assert typed("a\x1b[A" + START + "x\n" + END + "b\x1b[B\n") == [
        *("a", "up", ("paste", "x\n")),
        *("b", "down", "ctrl+j"),
    ]


def test_the_keyboard_works_on_after_a_paste() -> None:
    parser = InputParser(XTermParser())
    assert shown(parser.feed(START + "x" + END)) == [("paste", "x")]
    assert shown(parser.pause()) == []
    assert shown(parser.feed("")) == []
    assert shown(parser.feed("a")) == ["a"]
    assert shown(parser.feed(START + "y" + END)) == [("paste", "y")]


def test_without_a_paste_it_is_textuals_own_parser(typed: Callable[..., Shown]) -> None:
    keys = "abc\x1b[A\x1bOP\x1b[1;5C\x1b[20\x1b[<35;4;5Mé\n"
    assert typed(*keys) == shown(XTermParser().feed(keys))
    assert MouseMove.__name__ in typed(keys)


@pytest.mark.parametrize("burst", ["\x7fa[", "\x7f[200~x", "\x08\x7f[[201~"])
def test_a_burst_of_keys_is_no_paste(typed: Callable[..., Shown], burst: str) -> None:
    pressed = typed(burst)
    assert len(pressed) == len(burst)
    assert pressed == [key for letter in burst for key in typed(letter)]


def test_an_end_within_a_paste_does_not_end_it(typed: Callable[..., Shown]) -> None:
    text = f"one{END}\n\x1b[17~{END}\x03two\n"
    found = typed(START + text + END + "k")
    assert "".join(item[1] for item in found[:-1]) == text
    assert [item[0] for item in found] == ["paste", "paste", "paste", "k"]


def test_an_end_and_a_beginning_within_a_paste_press_no_key(typed: Callable[..., Shown]) -> None:
    found = typed(START + f"one{END}\nsend{START}two" + END)
    assert [item[0] for item in found] == ["paste", "paste"]


def test_two_pastes_in_a_row_are_two_pastes(typed: Callable[..., Shown]) -> None:
    assert typed(START + "a" + END + START + "b" + END) == [("paste", "a"), ("paste", "b")]


def test_a_paste_that_never_ends_leaves_the_keyboard_alive() -> None:
    parser = InputParser(XTermParser())
    assert shown(parser.feed(START + "begun\n\x03")) == []
    pauses = 0
    while not (found := shown(parser.pause())):
        pauses += 1
    assert found == [("paste", "begun\n\x03")]
    assert pauses > 10, "a line that falters is no end"
    assert shown(parser.feed("q")) == ["q"]


REFUSED = PasteRefused.__name__
MUCH = ["x" * 100_000] * 30


def test_a_paste_that_is_too_long_is_its_length_and_nothing_else() -> None:
    parser = InputParser(XTermParser())
    assert [list(parser.feed(piece)) for piece in (START, *MUCH, END)] == [[]] * 32
    (refused,) = parser.pause()
    assert isinstance(refused, PasteRefused)
    assert refused.length == 3_000_000
    assert shown(parser.feed("a")) == ["a"]
    assert shown(parser.feed(START + "b" + END)) == [("paste", "b")]


def test_what_follows_a_paste_that_is_too_long_is_keys(typed: Callable[..., Shown]) -> None:
    assert typed(START, *MUCH, END, "a\n") == [REFUSED, "a", "ctrl+j"]
    assert typed(START, *MUCH, END, START + "b" + END) == [REFUSED, ("paste", "b")]


def test_an_end_within_it_makes_no_paste_of_the_rest(typed: Callable[..., Shown]) -> None:
    assert typed(START, *MUCH, END, "\nq", END, "a") == [REFUSED, "a"]
    assert typed(START, "b", END, *MUCH, END, "a") == [("paste", "b"), REFUSED, "a"]
    many = typed(START, *[piece + END for piece in MUCH], "a")
    assert sum(len(item[1]) for item in many[:-2]) <= LONGEST
    assert many[-2:] == [REFUSED, "a"]


def test_so_many_keys_were_never_pressed(typed: Callable[..., Shown]) -> None:
    assert typed(START, "b", END, *MUCH) == [("paste", "b"), REFUSED]


def test_a_long_paste_that_never_ends_is_refused() -> None:
    parser = InputParser(XTermParser())
    assert [item for piece in (START, *MUCH) for item in parser.feed(piece)] == []
    while not (found := shown(parser.pause())):
        pass
    assert found == [REFUSED]


def test_a_marker_that_began_as_a_key_is_a_marker() -> None:
    parser = InputParser(XTermParser())
    assert shown(parser.feed("a\x1b[2")) == ["a"]
    assert shown(parser.feed("00~b\n" + END)) == [("paste", "b\n")]


PIECES = [START, END, "\x1b", "\x1b[20", "1~", "\n", "a", "b"]


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.lists(st.integers(1, 12), max_size=12))
def test_no_text_presses_a_key_however_it_is_cut(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    whole = START + text + END
    parser = InputParser(XTermParser())
    found: Shown = []
    for cut in [*cuts, len(whole)]:
        found += shown(parser.feed(whole[:cut])) if whole else []
        whole = whole[cut:]
    found += shown(parser.pause())
    assert {item[0] for item in found} == {"paste"}
    given_back = "".join(item[1] for item in found)
    assert [c for c in given_back if c in "ab\n"] == [c for c in text if c in "ab\n"]
