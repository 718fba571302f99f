"""Every built-in template: well named, resolvable, and answered by the emulator as it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core import draft, jsontext, template
from statsig_tui.core.event import EventClass, classify
from statsig_tui.core.library import Template, built_in
from statsig_tui.core.records import EventRecord
from statsig_tui.core.request import Shape, header_lines
from statsig_tui.core.template import Sources

if TYPE_CHECKING:
    from tests.conftest import Site

SOURCES = Sources(now=1_700_000_000_123, uuid=lambda: "an-id", choose=lambda count: 0)
BY_NAME = {each.name: each for each in built_in()}


def rendered(name: str) -> bytes:
    return draft.encode(template.render(BY_NAME[name].text, SOURCES))


def metadata(name: str) -> bytes:
    return jsontext.members(rendered(name))["metadata"]


def test_every_template_says_what_it_is_and_what_to_expect() -> None:
    assert len(BY_NAME) == len(built_in())
    for each in built_in():
        assert each.name == each.name.lower()
        assert " " not in each.name
        assert each.group
        assert each.expect.endswith(".")
        assert "\n" not in each.about
        template.render(each.text, SOURCES)


async def test_the_emulator_answers_every_template_as_it_says(site: Site) -> None:
    wrong: dict[str, tuple[int | None, int]] = {}
    for each in built_in():
        headers = {line.name: line.value or "" for line in header_lines(each.shape.headers)}
        answer = await site.post(rendered(each.name), headers=headers)
        if answer.status_code != each.answer:
            wrong[each.name] = (each.answer, answer.status_code)
    assert wrong == {}
    classes = {record.event_class for record in site.journal.of(EventRecord)}
    assert classes == set(EventClass) - {EventClass.VERIFICATION}


@pytest.mark.parametrize("size", [63, 64, 65, 127, 128, 129])
def test_names_and_texts_are_as_long_as_they_say(size: int) -> None:
    assert len(json.loads(rendered(f"name-{size}"))["event"]) == size
    assert len(json.loads(metadata(f"metadata-{size}"))["text"]) == size


@pytest.mark.parametrize(
    ("name", "size"),
    [("object-4095", 4095), ("object-4096", 4096), ("object-4097", 4097), ("megabyte", 10**6)],
)
def test_objects_are_as_long_as_they_say(name: str, size: int) -> None:
    assert len(metadata(name)) == size


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("seconds", b'"timestamp":1700000000}'),
        ("iso-timestamp", b'"timestamp":"2023-11-14T22:13:20.123Z"}'),
        ("invalid-utf-8", b"caf\xe9 \xff\xfe"),
        ("surrogate-bytes", b"\xed\xa0\xbd"),
        ("lone-surrogate", rb'"\ud83d"'),
        ("bom", b"\xef\xbb\xbf{"),
        ("nan", b":NaN}"),
        ("raw-nul", b"a\x00b"),
        ("nul", rb'"a\u0000b"'),
        ("duplicate-keys", b'"value":1,"value":2'),
        ("braces", b'"{{name}}"'),
        ("right-to-left", "\u202eabc".encode()),
    ],
)
def test_the_bytes_are_the_ones_that_are_meant(name: str, holds: bytes) -> None:
    assert holds in rendered(name)


def test_what_is_no_json_or_no_event_is_that() -> None:
    assert rendered("empty-body") == b""
    for name in ("truncated", "nan", "invalid-utf-8", "too-deep", "two-documents"):
        with pytest.raises(jsontext.JsonError):
            jsontext.parse(rendered(name))
    assert "user" not in json.loads(rendered("missing-user"))
    assert "event" not in json.loads(rendered("event-name"))
    assert BY_NAME["content-type"].shape == Shape(headers="Content-Type: text/plain")
    assert classify(json.loads(rendered("gate-exposure"))["event"]) is EventClass.GATE_EXPOSURE
    assert isinstance(BY_NAME["custom"], Template)
