"""What lint says of every mistake that is known to be made, word for word, and what its fixes make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from statsig_tui.core import draft
from statsig_tui.core.lint import Advice, Severity, advise, advise_key, mended

NOW = 1_767_225_600_000
DATA = Path(__file__).parents[1] / "data"
GOLDEN = (DATA / "lint.txt").read_text()
CASES = [block.split("\n") for block in GOLDEN.strip().split("\n\n") if not block.startswith("#")]


def told(text: str) -> list[str]:
    """Everything that is said, with the fix behind an arrow."""
    return [
        f"{item.severity}: {item}" + (f" → {item.fix.title}" if item.fix else "")
        for item in advise(text, now=NOW)
    ]


def event(**members: object) -> str:
    """A good event with some members set."""
    return json.dumps({"event": "checkout", "user": {"userID": "u"}} | members)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:60])
def test_every_known_mistake_is_told_as_written_down(case: list[str]) -> None:
    text, *lines = case
    assert told(text) == [line.strip() for line in lines]


def test_the_book_of_mistakes_is_read_whole() -> None:
    assert len(CASES) > 75
    assert sum(len(case) - 1 for case in CASES) == GOLDEN.count("\n    ")


def test_nothing_is_said_of_what_is_right() -> None:
    assert told(event()) == []
    full = {
        "user": {
            "userID": "u", "email": "a@b.c", "ip": "2001:db8::1", "userAgent": "Mozilla/5.0 " + "x" * 90,
            "country": "KR", "locale": "zh_Hant_TW", "appVersion": "1.2", "stableID": "s",
            "custom": {"plan": "pro", "seats": 3, "beta": True, "tags": ["a", "b"]},
            "customIDs": {"companyID": "12"}, "statsigEnvironment": {"tier": "staging"},
        },
        "event": "Заказ: оформлен ☕ 👩‍💻 ::x", "value": 49.9, "metadata": {"a": "1"},
        "timestamp": NOW,
    }  # fmt: skip
    assert told(json.dumps(full, ensure_ascii=False)) == []
    assert told(json.dumps(full, indent=2)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "error: empty: an event is a JSON object"),
        (" \n", "error: empty: an event is a JSON object"),
        ("[" * 201 + "]" * 201, "error: The JSON is nested more than 200 levels deep"),
        (draft.decode(b'{"event":"\xff"}'), "error: The body is not UTF-8: bad byte"),
        (
            '\ufeff{"event":"e","user":{"userID":"u"}}',
            "warning: begins with a byte order mark, which JSON must not have → remove it",
        ),
    ],
)
def test_what_no_line_can_hold(text: str, says: str) -> None:
    assert told(text) == [says]


@pytest.mark.parametrize(
    ("length", "name", "value"),
    [
        (64, [], []),
        (65, ["warning: event: 65 characters: Statsig documents 64 at most"], ["hint"]),
        (128, ["warning: event: 128 characters: Statsig documents 64 at most"], ["hint"]),
        (
            129,
            ["error: event: 129 characters: Statsig documents 64 at most, and its Node SDK cuts at 128"],
            ["warning"],
        ),
    ],
)
def test_lengths_of_texts(length: int, name: list[str], value: list[str]) -> None:
    assert told(event(event="é" * length)) == name
    assert [item.severity for item in advise(event(metadata={"a": "x" * length}), now=NOW)] == value


@pytest.mark.parametrize("name", ["metadata", "user"])
def test_lengths_of_objects(name: str) -> None:
    for size, is_told in ((4096, False), (4097, True)):
        inner = {"userID": "u", "userAgent": ""}
        inner["userAgent"] = "x" * (size - len(json.dumps(inner, separators=(",", ":"))))
        says = f"error: {name}: {size:,} characters as JSON: Statsig documents 4,096 at most"
        for indent in (None, 8):
            text = json.dumps(json.loads(event()) | {name: inner}, indent=indent)
            assert (says in told(text)) == is_told


@pytest.mark.parametrize("ms", [NOW - 29 * 86_400_000, NOW + 3_600_000, NOW])
def test_times_near_now_are_right(ms: int) -> None:
    assert told(event(timestamp=ms)) == []


def test_depth_is_mentioned_once() -> None:
    deep = "[" * 30 + "]" * 30
    assert [item for item in told(event(foo=json.loads(deep))) if "levels" in item] == [
        "hint: 31 levels deep: Statsig takes flat metadata and custom fields"
    ]


def test_a_body_beyond_what_the_emulator_takes() -> None:
    text = event(foo="x" * (10 * 1024 * 1024))
    assert f"error: {len(text):,} bytes: the emulator refuses more than 10,485,760" in told(text)


SERVER = "this endpoint takes a server secret key (secret-…)"


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("secret-" + "k" * 43, ""),
        (None, "error: STATSIG-API-KEY: missing: Statsig answers 401 without a server secret key"),
        ("client-" + "k" * 43, f"error: STATSIG-API-KEY: a client key: {SERVER}"),
        ("console-" + "k" * 42, f"error: STATSIG-API-KEY: a console key: {SERVER}"),
        ("webhook-x", f"error: STATSIG-API-KEY: the signing secret of a webhook: {SERVER}"),
        ("k" * 50, "error: STATSIG-API-KEY: no Statsig key: a server secret key begins with secret-"),
        ("secret-short", "warning: STATSIG-API-KEY: 12 characters long: every key seen so far has 50"),
    ],
)  # fmt: skip
def test_keys(key: str | None, says: str) -> None:
    assert [f"{item.severity}: {item}" for item in advise_key(key)] == ([says] if says else [])


def test_the_worst_comes_first_and_every_place_is_told() -> None:
    text = '{\n  "metadata": {"a": 1},\n  "user": {"userID": "u"},\n  "event": "a#"\n}'
    first, second = advise(text, now=NOW)
    assert (first.severity, first.path, first.line, first.column) == (Severity.ERROR, "event", 4, 12)
    assert (second.path, second.line, second.column) == ("metadata.a", 2, 21)
    assert text[first.start : first.end] == '"a#"'


def fixed(text: str, rule: str) -> str:
    """The text with the first fix of a rule applied."""
    item: Advice = next(item for item in advise(text, now=NOW) if item.rule == rule)
    assert item.fix is not None
    return item.fix.applied(text)


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("metadata-kind", '{ "metadata" : {"a": 1.0e1 ,"b":2}}', '{ "metadata" : {"a": "1.0e1" ,"b":2}}'),
        ("name-forbidden", '{"event":"caf\\u00e9 #\\/"}', '{"event":"caf\\u00e9 _\\/"}'),
        ("name-space", '{"event":"\\u0020a\\u00e9 "}', '{"event":"a\\u00e9"}'),
        ("event", '{\n  "eventName" : "e"\n}', '{\n  "event" : "e"\n}'),
        ("misplaced-id", '{"userID":"x", "user":{"email":"e"}}', '{"user":{"userID":"x", "email":"e"}}'),
        ("misplaced-id", '{"user" : { } ,"userID" : "x"}', '{"user" : { "userID": "x"}}'),
        ("private", '{"user":{"privateAttributes":2,"b":3,"privateAttributes":4}}', '{"user":{"b":3}}'),
        ("duplicate", '{\n  "event":"a",\n  "event":"b"\n}', '{\n  "event":"b"\n}'),
        ("surrogate", '{"metadata":{"a":"\\ud83d\\ude00\\ud800"}}', '{"metadata":{"a":"\\ud83d\\ude00�"}}'),
        ("bom", '\ufeff{"event":"e"}', '{"event":"e"}'),
        ("json", '{"event":"e",\n}', '{"event":"e"\n}'),
    ],
)  # fmt: skip
def test_a_fix_changes_its_place_alone(rule: str, before: str, after: str) -> None:
    assert fixed(before, rule) == after


@pytest.mark.parametrize(("room", "is_fixed"), [(2, True), (1, False)])
def test_no_fix_makes_an_object_too_long(room: int, is_fixed: bool) -> None:
    metadata = {"n": 7, "a": ""}
    metadata["a"] = "x" * (4096 - room - len(json.dumps(metadata, separators=(",", ":"))))
    item = next(item for item in advise(event(metadata=metadata), now=NOW) if item.path == "metadata.n")
    assert (item.fix is not None) == is_fixed


@pytest.mark.parametrize(("length", "is_fixed"), [(4000, True), (5000, False)])
def test_no_id_is_moved_into_a_user_without_room_for_it(length: int, is_fixed: bool) -> None:
    found = advise(event(user={}, userID="u" * length), now=NOW)
    assert [item.fix is not None for item in found if item.rule == "misplaced-id"] == [is_fixed]


def test_everything_that_can_be_mended_is() -> None:
    text = """{
  "eventName": " check#out ",
  "userId": 1042,
  "time": "2026-01-01T00:00:00Z",
  "properties": {"items": 3, "big": 12345678901234567890, "items": 4},
}"""
    assert (
        mended(text, now=NOW)
        == """{
  "event": "check_out",
  "user": {"userID": "1042"},
  "timestamp": 1767225600000,
  "metadata": {"big": "12345678901234567890", "items": "4"}
}"""
    )


def test_an_outgoing_event_is_mended_into_an_incoming_one() -> None:
    (outgoing, *_) = json.loads((DATA / "batch-data-envelope.json").read_text())["data"]
    text = mended(json.dumps(outgoing), now=NOW)
    assert not [item for item in advise(text, now=NOW) if item.severity is Severity.ERROR]
    assert json.loads(text)["event"] == outgoing["eventName"]
    assert not set(json.loads(text)) & {"eventName", "timeUUID", "statsigMetadata", "unitID"}


def test_the_time_of_sending_is_a_time_in_a_draft_alone() -> None:
    assert [item.path for item in advise(draft.SAMPLE, now=NOW, is_draft=True)] == ["metadata.items"]
    assert [item.path for item in advise(draft.SAMPLE, now=NOW)] == ["timestamp", "metadata.items"]


def test_nothing_is_said_about_what_a_variable_will_be() -> None:
    text = '{"event":"a{{name}}","user":{"userID":"u"},"metadata":{"a":1},"value":"{{seq}}"}'
    places = [(text.index(word), text.index(word) + len(word)) for word in ("{{name}}", "{{seq}}")]
    assert [item.path for item in advise(text, now=NOW)] == ["event", "metadata.a"]
    assert [item.path for item in advise(text, now=NOW, variables=places)] == ["metadata.a"]


def test_what_is_there_too_often_is_counted() -> None:
    found = advise(event(metadata={f"k{index}": index for index in range(120)}), now=NOW)
    assert len(found) == 51
    assert str(found[-1]) == "metadata.k49: 70 more like this are not listed"
    assert found[-1].fix is None
