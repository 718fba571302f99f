"""Response programs on any text: a program with one spelling or a placed error, and whose turn it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statsig_tui.core.programs import PRESETS, Course, Program, ProgramError, Rule, Step, parse

PIECES = (
    "200", "500", "99", "hang", "cut", "usual", "then", "delay", "2s", "500ms", "1.5m", "x2", "x0", "30%",
    "0%", "seed=7", "seed=", "retry-after=5", "x-a=", '"a b"', 'body={"ok":true}', "body=[1", "body=",
    "/hook:", "/a*", ":", ";", " ", " ", " ", "\n", "é", "\ud800", '"', "{", "host=x", "\\",
)  # fmt: skip
texts = st.text(max_size=30) | st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)
WORD = st.text("abcdefgh-", min_size=1, max_size=8).map(lambda name: f"X{name}")
VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
BODY = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | JSON.map(json.dumps)
PATH = st.text("/abc*[?:", max_size=8).map(lambda rest: f"/{rest}a")


@st.composite
def steps(draw: st.DrawFn) -> Step:
    answer = draw(st.integers(200, 599) | st.sampled_from(["hang", "cut", "usual"]))
    percent = draw(st.just(100.0) | st.integers(1, 9_999_999).map(lambda part: part / 100_000))
    headers = draw(st.dictionaries(WORD, VALUE, max_size=2)) if isinstance(answer, int) else {}
    named = {name.lower(): (name, value) for name, value in headers.items()}
    return Step(
        answer,  # type: ignore[arg-type]  # one of its words
        delay_ms=draw(st.just(0) | st.integers(1, 3_600_000)),
        times=draw(st.integers(1, 9)),
        percent=percent,
        seed=draw(st.integers(0, 10**18 - 1)) if percent < 100 else 0,
        headers=tuple(named.values()),
        body=draw(st.none() | BODY) if isinstance(answer, int) else None,
    )


@st.composite
def programs(draw: st.DrawFn) -> Program:
    paths = draw(st.lists(st.none() | PATH, min_size=1, max_size=3, unique=True))
    rules = []
    for path in paths:
        *first, last = draw(st.lists(steps(), min_size=1, max_size=3))
        last = replace(last, times=draw(st.sampled_from([None, 3])))
        rules.append(Rule(path, (*first, last)))
    return Program(tuple(rules))


def read(text: str) -> Program | ProgramError:
    try:
        return parse(text)
    except ProgramError as error:
        return error


@given(texts)
@example("delay 2s then then 200")
@example('200 body="\\ud800"')
@example("200 body=" + "[" * 100_000)
@example("200 body=" + "[" * 3_900)
@example("/hook: 500 x2 then 200; 503 30% seed=7; 410")
def test_any_text_is_a_program_with_one_spelling_or_an_error_with_a_place(text: str) -> None:
    found = read(text)
    if isinstance(found, ProgramError):
        assert 0 <= found.position <= len(text)
        assert found.what
        return
    assert parse(str(found)) == found
    assert str(parse(str(found))) == str(found)


@given(programs())
def test_what_is_written_is_read_as_it_was(program: Program) -> None:
    assert parse(str(program)) == program


@given(programs(), st.integers(1, 40))
def test_the_nth_answer_is_found_by_counting(program: Program, n: int) -> None:
    for rule in program.rules:
        expected: list[Step | None] = []
        for step in rule.steps:
            expected += [step] * (step.times or n)
        due = (expected + [None] * n)[n - 1]
        got = rule.step(n)
        if due is None or (due.answer == "usual" and not due.delay_ms):
            assert got is None
        elif due.percent == 100:
            assert got is due
        else:
            assert got in (due, None)
            assert got is rule.step(n), "the same each time"


@pytest.mark.parametrize("seed", [0, 7, 123_456])
def test_a_percentage_is_kept_and_the_seed_says_which(seed: int) -> None:
    (rule,) = parse(f"503 30% seed={seed}").rules
    hit = [n for n in range(1, 2001) if rule.step(n) is not None]
    assert 520 < len(hit) < 680
    (other,) = parse(f"503 30% seed={seed + 1}").rules
    assert hit != [n for n in range(1, 2001) if other.step(n) is not None]


def test_each_path_counts_for_itself_and_the_rest_has_the_rule_without_one() -> None:
    course = Course(parse("410; /a*c: 500 then 501; /a: hang"))
    said = [course.next(path) for path in ("/abc", "/a", "/x", "/aXc", "/abc?", "/abc")]
    assert [step and step.answer for step in said] == [500, "hang", 410, 501, 410, 501]
    assert course.next("/x", named=True) is None
    named = course.next("/abc", named=True)
    assert named is not None
    assert named.answer == 501


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("500 x2 hten 200", 7, "did you mean then?"),
        ("hnag", 0, "did you mean hang?"),
        ("600", 0, "no status from 200 to 599"),
        ("500 then", 8, "an answer is missing"),
        ("/hook 500", 5, "write /hook: 500"),
        ("200; /a: cut; 500", 14, "a rule for every path already"),
        ("delay 5 then 200", 6, "500ms"),
        ("500 404", 4, "then 404"),
        ("500 seed=7", 4, "without a percentage"),
        ("500 host=x", 4, "set by the sender itself"),
        ("cut body={}", 4, "no body of its own"),
        ('200 body={"a":', 9, "no complete JSON"),
        ("500 x0", 4, "from x1"),
    ],
)
def test_an_error_names_its_place_and_what_was_likely_meant(text: str, position: int, said: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse(text)
    assert caught.value.position == position
    assert said in f"{caught.value.what} {caught.value.hint}"


def test_every_preset_is_a_program_in_its_own_spelling() -> None:
    assert [str(parse(text)) for text, _ in PRESETS] == [text for text, _ in PRESETS]
