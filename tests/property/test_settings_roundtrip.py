"""Any configuration the rules accept survives the file; any text at all is answered in words."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import keyring
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.backends.null import Keyring

from statsig_tui.core.config import (
    BatchPolicy,
    CircuitPolicy,
    ClientCert,
    Config,
    Destination,
    EmulatorConfig,
    Filter,
    Interface,
    OldSecret,
    ReceiverConfig,
    Retention,
    RetryPolicy,
    Secret,
    Target,
)
from statsig_tui.core.destination import is_control
from statsig_tui.errors import SettingsError
from statsig_tui.settings import check, load, save
from statsig_tui.settings.lines import TooComplex, scan

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = TEXT.map(str.strip).filter(lambda text: text and not any(map(is_control, text)))
TOKEN = st.text("abcXYZ019-", min_size=1, max_size=20)
PATH = TOKEN.map("/{}".format) | TOKEN.map("~/{}".format)
SECRET = st.one_of(
    st.builds(Secret, env=TOKEN),
    st.builds(Secret, keyring=TOKEN),
    st.builds(Secret, file=TOKEN),
    TOKEN.map(Secret.of),
)
URL = st.builds("http://{}.example:{}/{}".format, st.just("host"), st.integers(1, 65_535), TOKEN)
HEADERS = st.dictionaries(TOKEN.map("x-a{}".format), TOKEN, max_size=3).filter(
    lambda headers: len({name.lower() for name in headers}) == len(headers)
)
PORT = st.none() | st.integers(0, 65_535)


def seconds(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_nan=False)


TARGET = st.builds(
    Target, NAME.filter(lambda name: name.casefold() != "emulator"), URL, st.none() | SECRET, HEADERS
)
DESTINATION = st.builds(
    Destination,
    NAME,
    URL,
    enabled=st.booleans(),
    secret=st.none() | SECRET,
    old_secrets=st.lists(st.builds(OldSecret, SECRET, st.integers(0, 2**41)), max_size=2).map(tuple),
    envelope=st.sampled_from(["data", "array"]),
    timestamps=st.sampled_from(["number", "string"]),
    timeout_seconds=seconds(0.1, 300),
    rate_limit=st.none() | seconds(0.01, 100_000),
    verify_tls=st.booleans(),
    concurrency=st.integers(1, 16),
    client_cert=st.none()
    | st.builds(ClientCert, TOKEN.map("/{}".format), st.none() | TOKEN.map("~/{}".format)),
    allow_link_local=st.booleans(),
    headers=HEADERS,
    filter=st.builds(Filter, events=st.dictionaries(TEXT, st.booleans(), max_size=3)),
    batch=st.builds(BatchPolicy, st.integers(1, 10_000), seconds(0, 3600), st.none() | st.integers(1, 10**9)),
    retry=st.builds(
        RetryPolicy,
        st.sampled_from(["quick", "svix", "none"]) | st.lists(seconds(0, 604_800), max_size=3).map(tuple),
        isolate=st.booleans(),
        jitter=seconds(0, 1),
    ),
    circuit=st.builds(CircuitPolicy, st.integers(0, 100_000), seconds(0.1, 86_400)),
)
CONFIG = st.builds(
    Config,
    emulator=st.builds(
        EmulatorConfig,
        port=PORT,
        keys=st.lists(SECRET, max_size=2).map(tuple),
        known_experiments=st.lists(TEXT, max_size=2).map(tuple),
        strict=st.booleans(),
    ),
    receiver=st.builds(
        ReceiverConfig,
        port=PORT,
        signature=st.sampled_from(["report", "enforce"]),
        tolerance_seconds=st.integers(0, 86_400),
        secrets=st.lists(SECRET, max_size=2).map(tuple),
        allow_browsers=st.booleans(),
        respond=st.none() | st.just('/a"b: 500 x2; 200 body={"ok":true}'),
    ),
    retention=st.builds(Retention, captures=st.integers(1, 100_000_000)),
    targets=st.lists(TARGET, max_size=3, unique_by=lambda item: item.name).map(tuple),
    destinations=st.lists(DESTINATION, max_size=3, unique_by=lambda item: item.name).map(tuple),
    interface=st.builds(
        Interface,
        theme=st.just("light"),
        motion=st.sampled_from(("full", "reduced")),
        keys=st.dictionaries(TEXT, TEXT, max_size=2),
    ),
)
TREE = st.recursive(
    st.integers(-9, 9) | st.booleans() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


pytestmark = pytest.mark.usefixtures("empty_keyring")
# Each example syncs a file to a disk whose speed is nobody's promise.
unhurried = settings(deadline=None, max_examples=60)


@pytest.fixture(scope="module")
def empty_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


@unhurried
@given(CONFIG)
def test_what_is_saved_is_loaded_again(config: Config) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        digest = save(file, config, expected_digest=None)
        found = load(file, {})
        assert found.config == config
        assert save(file, found.config, expected_digest=digest) == digest


@unhurried
@given(CONFIG, TREE)
def test_what_is_unknown_outlives_a_save(config: Config, tree: object) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        file.write_text(tomli_w.dumps({"unknown": tree, "receiver": {"unknown": tree}}), encoding="utf-8")
        save(file, config, expected_digest=load(file, {}).digest)
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        assert document["unknown"] == document["receiver"]["unknown"] == tree
        assert load(file, {}).config == config


@unhurried
@given(st.binary(max_size=200) | st.text("[]{}=\"'\\\n\r#., \tab1é", max_size=60).map(str.encode))
def test_any_bytes_at_all_are_answered_in_words(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        file.write_bytes(data)
        assert all(problem.startswith("config.toml") for problem in check(file, {}))


@given(st.dictionaries(TEXT, TREE, max_size=4))
def test_every_field_has_the_line_where_its_value_stands(document: dict[str, object]) -> None:
    text = tomli_w.dumps(document)
    lines = scan(text)
    rows = text.split("\n")

    def look(value: object, route: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                look(item, (*route, name))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                look(item, (*route, index))
        else:
            line = lines.of(route)
            assert line is not None
            assert tomli_w.dumps({"k": value}).removeprefix("k = ").strip() in rows[line - 1]

    look(document, ())


@given(st.text("[]{}=\"'\\\n#., ab", max_size=80))
def test_the_scanner_finds_no_fault_with_any_text(text: str) -> None:
    with suppress(TooComplex, SettingsError):
        scan(text)
