"""Own templates as files: exact text, errors with file and line, and nothing that is lost."""

from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core import draft
from statsig_tui.core.library import Template, built_in, name_fault
from statsig_tui.core.request import Shape
from statsig_tui.errors import NotFound, SettingsError, UsageError
from statsig_tui.settings import Places
from statsig_tui.settings.templates import Shelf, read, written

BODY = '{\n  "event": "refund",\n  "note": "it\'s \\"two\\" items"\n}'
REFUND = Template(
    "refund",
    BODY,
    about='Two "items"',
    shape=Shape("PUT", "/x?y", "X-A: b\x7f"),
    variables={"plan": "pro", "a b": "é\n"},
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "templates")


def test_a_template_comes_back_as_it_was_saved(shelf: Shelf) -> None:
    shelf.save(REFUND)
    assert shelf.load().templates == (REFUND,)
    text = (shelf.directory / "refund.toml").read_text()
    assert BODY in text, "line by line, for a diff"


@pytest.mark.parametrize("each", built_in(), ids=lambda each: each.name)
def test_every_built_in_template_can_be_kept_byte_for_byte(each: Template) -> None:
    again, report = read(written(each), f"{each.name}.toml")
    assert draft.encode(again.text) == draft.encode(each.text)
    assert (again.shape, again.about, report.warnings) == (each.shape, each.about, [])


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=40) | st.text(st.characters(codec="utf-8"), max_size=30).map(str.encode))
@example(body=b"'''")
@example(body=b"\r\n\r")
@example(body=b"\n\n'")
@example(body=b'""" \\ \x7f')
@example(body="\u202e\u2028\ufeff".encode())
@example(body=b"")
def test_any_bytes_are_kept(body: bytes) -> None:
    again, _ = read(written(Template("any", draft.decode(body))), "any.toml")
    assert draft.encode(again.text) == body


@settings(max_examples=200, deadline=None)
@given(
    headers=st.text(st.sampled_from("aB:; \n'\"\\-\te\u0301"), max_size=20)
    | st.lists(st.sampled_from(["A: b", "C:", "A: d", "E;", "nothing", ""]), max_size=5).map("\n".join),
    method=st.sampled_from(["", "PUT"]),
    path=st.sampled_from(["", "/x?y='z'"]),
)
@example(headers="X-Two: 1\nContent-Type:\nX-Two: 2", method="", path="")
def test_what_is_asked_for_beside_a_body_is_kept(headers: str, method: str, path: str) -> None:
    asked = Shape(method, path, headers)
    again, report = read(written(Template("any", "{}", shape=asked, variables={"a": "b"})), "any.toml")
    assert (again.shape, again.variables, report.warnings) == (asked, {"a": "b"}, [])


def test_a_file_of_an_earlier_version_says_the_same() -> None:
    data = b'body = "{}"\n\n[headers]\n"X-A" = "b"\n"X-None" = ""\n'
    assert read(data, "old.toml")[0].shape == Shape(headers="X-A: b\nX-None;")
    assert written(Template("old", "{}", shape=Shape(headers="X-A: b"))).endswith(b'[headers]\n"X-A" = "b"\n')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("body = 'x'\nbody = 'y'\n", "broken.toml line 2"),
        ("about = 'x'\n\nbody = 5\n", "broken.toml line 3: body: must be text"),
        ("about = 'x'\n", "broken.toml: needs body, or body_base64"),
        ("body = ''\nbody_base64 = ''\n", "broken.toml line 2: body_base64: needs body"),
        ("body_base64 = '§'\n", "broken.toml line 1: body_base64: is not base64"),
        ("body = ''\nheaders = 1\n", "broken.toml line 2: headers: must be a table, or lines of text"),
        ("body = ''\n[headers]\nA = \"b\\nC: d\"\n", "broken.toml line 3: headers.A: is no header"),
        ("body = ''\n[variables]\nn = 5\n", "broken.toml line 3: variables.n: must be text"),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_hides_no_other(shelf: Shelf, text: str, says: str) -> None:
    shelf.save(REFUND)
    (shelf.directory / "broken.toml").write_text(text)
    found = shelf.load()
    assert found.templates == (REFUND,)
    [error] = found.errors
    assert error.message.startswith(says)
    [broken] = found.broken
    assert (broken.name, broken.text, broken.fault) == ("broken", text, error.message)


def test_an_unknown_field_is_a_warning_with_the_nearest_name(shelf: Shelf) -> None:
    shelf.save(REFUND)
    (shelf.directory / "later.toml").write_text("body = ''\nabuot = 'x'\n")
    found = shelf.load()
    assert [each.name for each in found.templates] == ["later", "refund"]
    [warning] = found.warnings
    assert 'later.toml line 2: abuot: is unknown and ignored; did you mean "about"?' in warning


def test_a_file_that_cannot_be_read_is_said(shelf: Shelf) -> None:
    shelf.save(REFUND)
    (shelf.directory / "directory.toml").mkdir()
    (shelf.directory / "nothing.toml").symlink_to("nowhere")
    (shelf.directory / "latin.toml").write_bytes(b"body = '\xe9'\n")
    (shelf.directory / ".hidden.toml").write_text("nonsense")
    (shelf.directory / "README.md").write_text("nonsense")
    found = shelf.load()
    assert found.templates == (REFUND,)
    assert [error.message.partition(":")[0] for error in found.errors] == [
        "directory.toml", "latin.toml line 1", "nothing.toml",
    ]  # fmt: skip


def test_saving_replaces_only_where_that_is_meant(shelf: Shelf) -> None:
    shelf.save(REFUND)
    with pytest.raises(UsageError, match="There is a template refund already"):
        shelf.save(replace(REFUND, text="other"))
    assert shelf.load().templates == (REFUND,)
    shelf.save(replace(REFUND, text="other"), replace=True)
    assert [each.text for each in shelf.load().templates] == ["other"]


def test_deleting_is_undone_to_the_byte(shelf: Shelf) -> None:
    shelf.save(REFUND)
    path = shelf.directory / "refund.toml"
    path.write_text("# mine\n" + path.read_text())
    data = shelf.delete("refund")
    assert shelf.load().templates == ()
    shelf.restore("refund", data)
    assert path.read_text().startswith("# mine\n")
    with pytest.raises(UsageError, match="already"):
        shelf.restore("refund", data)


def test_a_template_is_renamed_unless_that_would_hide_another(shelf: Shelf) -> None:
    shelf.save(REFUND)
    shelf.save(replace(REFUND, name="other"))
    with pytest.raises(UsageError, match="already"):
        shelf.rename("refund", "other")
    shelf.rename("refund", "third")
    assert [each.name for each in shelf.load().templates] == ["other", "third"]
    with pytest.raises(NotFound):
        shelf.rename("refund", "fourth")
    with pytest.raises(NotFound):
        shelf.delete("refund")


@pytest.mark.parametrize(
    "name", ["", " a", "a/b", "../a", ".a", "-a", "a\\b", "a\x1b", "\u202ea", "a\n", "\ud83d", "x" * 101]
)
def test_a_name_that_is_no_file_is_refused(shelf: Shelf, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a template's"):
        shelf.save(replace(REFUND, name=name))
    assert not shelf.directory.exists()


@given(name=st.text(string.ascii_letters + " ._-é☕", min_size=1, max_size=20))
def test_every_other_name_is_taken(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    if name_fault(name) is not None:
        return
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    shelf.save(replace(REFUND, name=name))
    assert [each.name for each in shelf.load().templates] == [name]


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="not saved"):
        Shelf(tmp_path / "file" / "templates").save(REFUND)


def test_templates_stand_beside_the_settings_unless_told_otherwise(tmp_path: Path) -> None:
    places = Places.find(tmp_path / "mine.toml", None, {})
    assert places.templates == tmp_path / "templates"
    chosen = {"STATSIG_TUI_TEMPLATES": str(tmp_path / "git")}
    assert Places.find(None, None, chosen).templates == tmp_path / "git"
