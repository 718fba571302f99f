"""What `send` makes of its source and of --set, --set-json and --var; every mistake with the nearest name."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from statsig_tui.cli.given import payloads
from statsig_tui.cli.lined import Lined
from statsig_tui.cli.payload import Changes, in_turn
from statsig_tui.core.library import Template
from statsig_tui.core.request import Shape
from statsig_tui.engine.series import Request
from statsig_tui.errors import NotFound, SettingsError, UsageError
from statsig_tui.settings.templates import Shelf

REFUND = Template(
    "refund",
    '{"user": {"userID": "{{prompt Who}}"}, "event": "refund", "n": {{seq}},'
    ' "metadata": {"plan": "{{plan}}"}}',
    shape=Shape(headers="X-A: b"),
    variables={"plan": "pro"},
)
WHO = "Who=me"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "templates")
    shelf.save(REFUND)
    return shelf


def requests(source: str, shelf: Shelf, changes: Changes | None = None, repeat: int = 1) -> list[Request]:
    found = payloads(source, shelf, changes or Changes())
    if not isinstance(found, Lined):
        return list(in_turn(found, repeat))
    with closing(found):
        return list(found.requests(repeat))


def bodies(source: str, shelf: Shelf, changes: Changes | None = None, repeat: int = 1) -> list[Any]:
    return [json.loads(body) for body, _ in requests(source, shelf, changes, repeat)]


def test_own_templates_come_with_their_headers_and_defaults(shelf: Shelf) -> None:
    [(body, shape)] = requests("refund", shelf, Changes(variables=[WHO]))
    assert json.loads(body)["metadata"] == {"plan": "pro"}
    assert json.loads(body)["user"] == {"userID": "me"}
    assert shape == REFUND.shape
    path = str(shelf.directory / "refund.toml")
    assert bodies(path, shelf, Changes(variables=[WHO, "plan=free"]))[0]["metadata"] == {"plan": "free"}


def test_own_templates_hide_built_in_ones_and_templates_hide_files(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("minimal").write_text('{"event": "file"}')
    assert bodies("minimal", shelf) == [{"user": {"userID": "user-1042"}, "event": "hello"}]
    assert bodies("./minimal", shelf) == [{"event": "file"}]
    shelf.save(Template("minimal", '{"event": "mine"}'))
    assert bodies("minimal", shelf) == [{"event": "mine"}]


def test_variables_are_new_for_each_of_a_series(shelf: Shelf) -> None:
    found = bodies("varied", shelf, repeat=4)
    assert [body["user"]["userID"] for body in found] == ["user-1", "user-2", "user-3", "user-4"]
    assert len({body["metadata"]["run"] for body in found}) == 4
    assert all(isinstance(body["timestamp"], int) for body in found)
    assert [body["n"] for body in bodies("refund", shelf, Changes(variables=[WHO]), 2)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('{"n": 1}\n{"n": {{seq}}}\r\n\n{"n": 3}', 3),
        ('{"n": 1}\n', 1),
        ('\ufeff{"n": 1}\r\n{"n": 2}\r\n{"n": 3}\r\n', 3),
        ('{\n"n":\n1}', 1),
        ('{"a":\n{"n": 1}\n}', 1),
        ("", 1),
        ("one\ntwo", 1),
        ("[1]\n[2]", 1),
    ],
)
def test_a_json_object_a_line_is_a_request_a_line(
    shelf: Shelf, tmp_path: Path, text: str, count: int
) -> None:
    file = tmp_path / "events"
    for raw in (text.encode(), gzip.compress(text.encode())):
        file.write_bytes(raw)
        found = requests(str(file), shelf)
        assert len(found) == count
        if count == 1:
            assert found[0][0] == text.encode()
        else:
            assert [json.loads(body)["n"] for body, _ in found] == [1, 2, 3]
        assert [body for body, _ in requests(str(file), shelf, Changes(exact=True))] == [raw]


def test_now_is_the_time_of_sending_unless_the_bytes_are_exact(shelf: Shelf, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(b'{"event":"{{x}}","timestamp":"now","raw":"\xff"}')
    [(body, _)] = requests(str(file), shelf, Changes(exact=True))
    assert body == file.read_bytes()
    file.write_text('{"event":"e","timestamp":"now"}')
    assert isinstance(bodies(str(file), shelf)[0]["timestamp"], int)


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("user.userID=42", ("user", "userID"), "42"),
        ("event=5", ("event",), "5"),
        ("value=7", ("value",), 7),
        ("value=7.50", ("value",), 7.5),
        ("value=two words", ("value",), "two words"),
        ('value="7"', ("value",), "7"),
        ("value=true", ("value",), True),
        ("value=", ("value",), ""),
        ("metadata.items=4", ("metadata", "items"), "4"),
        ("+metadata.new=4", ("metadata", "new"), 4),
        ("+metadata.a.b=x=y", ("metadata", "a", "b"), "x=y"),
        ("+user.customIDs.team=9", ("user", "customIDs", "team"), "9"),
        ("user.custom.tags[1]=z", ("user", "custom", "tags", 1), "z"),
        ("timestamp=1700000000000", ("timestamp",), 1700000000000),
        ("+seen={{seq}}", ("seen",), 1),
        ("+who=n{{seq}}", ("who",), "n1"),
        ("+who={{pick a}}", ("who",), "a"),
    ],
)
def test_a_setting_changes_one_member(
    shelf: Shelf, setting: str, path: tuple[str | int, ...], value: Any
) -> None:
    [body] = bodies("custom", shelf, Changes(settings=[setting]))
    for step in path:
        body = body[step]
    assert body == value
    assert type(body) is type(value)


def test_json_settings_are_taken_as_they_are_spelled(shelf: Shelf) -> None:
    changes = Changes(json_settings=['metadata={"n": 1.0}', "user.userID=null", "+x=[{{seq}}]"])
    [(body, _)] = requests("custom", shelf, changes)
    assert b'"metadata": {"n": 1.0}' in body
    assert json.loads(body)["user"]["userID"] is None
    assert json.loads(body)["x"] == [1]


@pytest.mark.parametrize(
    ("source", "changes", "says", "hint"),
    [
        ("custmo", Changes(), "no template and no file custmo. Did you mean custom?", "--list"),
        ("/no/file", Changes(), "/no/file cannot be read", "file"),
        ('{"event":"e"}', Changes(), "no name", "standard input"),
        ("custom", Changes(settings=["metdata.x=1"]), "did you mean metadata?", "+metdata.x="),
        ("custom", Changes(settings=["user.emial=a"]), "did you mean user.email?", "+user.emial="),
        ("custom", Changes(settings=["+user.custom.tags[9]=a"]), "has 2 items", "metadata.plan"),
        ("custom", Changes(settings=["nonsense"]), "--set nonsense", "name=value"),
        ("custom", Changes(settings=["value={"]), "not complete JSON", "in quotes"),
        ("truncated", Changes(settings=["event=x"]), "cannot be set", "metadata.plan"),
        ("custom", Changes(json_settings=["value=abc"]), "abc is not JSON", "--set"),
        ("refund", Changes(variables=[WHO, "paln=x"]), "no variable paln. Did you mean plan?", "Who, plan"),
        ("minimal", Changes(variables=["x=1"]), "no variable x", "it has none"),
        ("refund", Changes(), "{{prompt Who}} has no answer", '--var "Who=…"'),
        ("minimal", Changes(settings=["event={{evnt}}"]), "{{evnt}} has no value", "--var"),
        ("minimal", Changes(settings=["event=x"], exact=True), "--exact", "Leave out"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_an_error_with_a_way_out(
    shelf: Shelf, source: str, changes: Changes, says: str, hint: str
) -> None:
    with pytest.raises(UsageError) as error:
        payloads(source, shelf, changes)
    assert says in error.value.message
    assert hint in error.value.hint


def test_a_broken_template_is_named_with_its_line(shelf: Shelf) -> None:
    (shelf.directory / "broken.toml").write_text("body = 5\n")
    with pytest.raises(SettingsError, match=r"broken\.toml line 1: body: must be text"):
        payloads("broken", shelf, Changes())
    with pytest.raises(NotFound):
        payloads("brokn", shelf, Changes())
