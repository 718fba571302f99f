"""Good settings files that were spoilt: refused with a line, or loaded and saved without losing a field."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from statsig_tui.core.config import Config
from statsig_tui.errors import SettingsError
from statsig_tui.settings import Loaded, check, load, save
from statsig_tui.settings.plain import Unfit, built

GOOD = """\
# Written by statsig-tui. Comments are lost when the app saves.
unknown_0 = 1979-05-27T07:32:00Z

[emulator]
port = 0
keys = [{ env = "KEY", unknown_1 = "why" }, { inline = " secret-abc ", unknown_1 = 2 }, { env = "KEY" }]
allowed_hosts = ["a.example", "b.example"]
unknown_2 = [1, { deep = [true, "x\\u0041"] }]

[receiver]
signature = "enforce"
tolerance_seconds = 60
secrets = [{ env = "STATSIG_WEBHOOK_SECRET", unknown_3 = 1 }]

[receiver.unknown_4]
on = true

[[targets]]
name = "staging"
url = "https://staging.example"
key = { env = "KEY", unknown_5 = 'because' }
headers = { "X-A" = "1" }
unknown_6 = \"\"\"
two
lines\"\"\"

[[destinations]]
name = "my api"
url = "http://localhost:3000/hook?a=b"
secret.inline = "webhook-abc"
secret.unknown_7 = 0x1f
timeout_seconds = 2.5
unknown_8 = -1.5e3

[destinations.filter]
events = { "a.b" = true, c = false }
unknown_9 = []

[destinations.batch]
max_events = 10

[destinations.retry]
schedule = [1, 2.5]
unknown_10 = {}

[[destinations]]
name = "other"
url = "http://localhost:3001"
enabled = false
retry.schedule = "svix"
unknown_11 = "ü🫨"
"""
PIECES = [
    "[", "]", "[[", "]]", "{", "}", "=", ".", ",", '"', "'", '"""', "#", "\n", "\r\n", "\r", " ", "\t", "\\",
    "-", "true", "1", "9" * 30, "nan", "inf", "1979-05-27", '"x"', "name", "secret", "destinations",
    "port = 1\n", "[receiver]\n", "[unknown_12]\n", "unknown_13 = 1\n", '{ env = "A", unknown_14 = 2 }',
    "\ufeff", "\x1b", "\0", "\u202e",
]  # fmt: skip
ADAPTER = TypeAdapter(Config)
MISSING = object()
VALUES = [
    True, False, 0, 1, -1, 16, 300, 65_535, 65_536, 10_001, 2**40, 0.0, 0.5, -2.5, 604_801.0, 1e300, "", "x",
    "x" * 100, "x" * 101, "quick", "array", "number", "enforce", "1", [], [1, 2.5], [-1], [True], ["a"], [[]],
    {}, {"a": "b"}, {"a": True}, {"env": "A"}, {"env": 1}, [{"env": "A"}], {"name": "n", "url": "u"},
    [{"name": "n", "url": "u"}], [{"name": "n"}],
]  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """The good file after one to three accidents."""
    text = GOOD
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 60)))
        match draw(
            st.sampled_from(["cut", "put", "replace", "repeat", "move", "end", "line out", "line twice"])
        ):
            case "cut":
                text = text[:start] + text[end:]
            case "put":
                text = text[:start] + draw(st.sampled_from(PIECES)) + text[start:]
            case "replace":
                text = text[:start] + draw(st.sampled_from(PIECES)) + text[end:]
            case "repeat":
                text = text[:end] + text[start:end] + text[end:]
            case "move":
                place = draw(st.integers(0, len(text)))
                text = text[:place] + text[start:end] + text[place:]
            case "end":
                text = text[:start]
            case "line out":
                lines = text.split("\n")
                del lines[draw(st.integers(0, len(lines) - 1))]
                text = "\n".join(lines)
            case _:
                lines = text.split("\n")
                number = draw(st.integers(0, len(lines) - 1))
                text = "\n".join([*lines[:number], lines[number], *lines[number:]])
    return text


def loaded(file: Path) -> Loaded | None:
    """What the file says; None where it is refused in words."""
    try:
        return load(file, {})
    except SettingsError:
        return None


def unknown(value: Any) -> Iterator[tuple[str, str]]:
    """Everything that only a newer version, or nobody, knows."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name.startswith("unknown"):
                yield name, json.dumps(item, sort_keys=True, default=repr)
            else:
                yield from unknown(item)
    elif isinstance(value, list):
        for item in value:
            yield from unknown(item)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(spoilt())
def test_a_spoilt_file_is_loaded_and_kept_or_refused_with_a_line(text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        data = text.encode()
        file.write_bytes(data)
        file.chmod(0o600)
        problems = check(file, {})
        found = loaded(file)
        if found is None:
            assert problems[0].startswith("config.toml line" if "\0" not in text else "config.toml")
            with pytest.raises(SettingsError, match=r"^not saved: "):
                save(file, Config(), expected_digest=None)
            assert file.read_bytes() == data
            return
        save(file, found.config, expected_digest=found.digest)
        before, after = (
            tomllib.loads(content) for content in (data.decode("utf-8-sig"), file.read_text("utf-8"))
        )
        assert sorted(unknown(after)) == sorted(unknown(before))
        assert load(file, {}).config == found.config


def places(value: Any, route: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands, containers too."""
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*route, step)
        if isinstance(item, dict | list):
            yield from places(item, (*route, step))


def without_unknown(value: Any) -> Any:
    """Only what the program knows."""
    if isinstance(value, dict):
        return {key: without_unknown(item) for key, item in value.items() if not key.startswith("unknown")}
    return [without_unknown(item) for item in value] if isinstance(value, list) else value


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.integers(0), st.sampled_from([MISSING, *VALUES])), min_size=1, max_size=2))
def test_what_is_read_without_pydantic_is_what_pydantic_reads(changes: list[tuple[int, Any]]) -> None:
    document = without_unknown(tomllib.loads(GOOD))
    for number, value in changes:
        everywhere = list(places(document))
        *route, last = everywhere[number % len(everywhere)]
        inside: Any = document
        for step in route:
            inside = inside[step]
        if value is MISSING:
            del inside[last]
        else:
            inside[last] = deepcopy(value)
    try:
        expected = repr(ADAPTER.validate_json(json.dumps(document), strict=True))
    except ValidationError:
        expected = "wrong"
    try:
        found = repr(built(Config, document))
    except Unfit:
        found = "wrong"
    assert found in (expected, "wrong"), "what it does not take is left to pydantic"


def test_the_good_file_is_good() -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        file.write_text(GOOD)
        file.chmod(0o600)
        found = load(file, {})
        assert [item.name for item in found.config.destinations] == ["my api", "other"]
        assert len(list(unknown(tomllib.loads(GOOD)))) == 13
        assert built(Config, without_unknown(tomllib.loads(GOOD))).receiver == found.config.receiver
