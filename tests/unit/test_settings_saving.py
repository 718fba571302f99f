"""Saving: what is kept, what is refused, and that a failure costs nothing (reliability.md §2.5)."""

from __future__ import annotations

import errno
import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from statsig_tui.core.config import (
    BatchPolicy,
    Config,
    Destination,
    Filter,
    ReceiverConfig,
    RetryPolicy,
    Secret,
    Target,
)
from statsig_tui.errors import SettingsError
from statsig_tui.settings import SettingsChanged, load, save

HEADER = "# Written by statsig-tui. Comments are lost when the app saves.\n"
RICH = Config(
    receiver=ReceiverConfig(port=9000, secrets=(Secret(env="A"), Secret.of("webhook-b"))),
    targets=(Target("t", "https://t.example", Secret(keyring="t"), {"X-A": "1"}),),
    destinations=(
        Destination(
            'we "quote" [it] é 🫨',
            "http://localhost:1/x?y=1",
            secret=Secret(file="key"),
            rate_limit=2.5,
            filter=Filter(events={"a.b": True, 'c"d\n': False}),
            batch=BatchPolicy(max_seconds=0.0),
            retry=RetryPolicy((1.0, 5.5)),
        ),
    ),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def saved_over(file: Path, text: str, port: int | None = 9000) -> str:
    """The file's text after one changed setting was saved."""
    file.write_text(text)
    found = load(file, {})
    save(
        file,
        replace(found.config, receiver=replace(found.config.receiver, port=port)),
        expected_digest=found.digest,
    )
    return file.read_text()


def not_saved(file: Path, config: Config = RICH, digest: str | None = None) -> SettingsError:
    """The refusal, after which the directory is as it was."""
    before = {path: path.is_file() and path.read_bytes() for path in file.parent.iterdir()}
    with pytest.raises(SettingsError, match=r"^not saved: ") as caught:
        save(file, config, expected_digest=digest)
    assert {path: path.is_file() and path.read_bytes() for path in file.parent.iterdir()} == before
    assert caught.value.hint
    return caught.value


def test_what_is_saved_is_loaded_again(file: Path) -> None:
    digest = save(file, RICH, expected_digest=None)
    found = load(file, {})
    assert found.config == RICH
    assert found.digest == digest
    assert not found.comments
    assert found.digest == save(file, found.config, expected_digest=digest), "the same again"


def test_the_secret_of_the_first_start_stays_once_saved(file: Path) -> None:
    first = load(file, {})
    save(file, first.config, expected_digest=first.digest)
    assert load(file, {}).config == first.config


def test_c21_the_file_says_who_writes_it_and_holds_no_defaults(file: Path) -> None:
    save(file, load(file, {}).config, expected_digest=None)
    text = file.read_text()
    assert text.startswith(HEADER)
    assert set(tomllib.loads(text)) == {"targets", "destinations"}
    assert "port" not in text, "a default port may still fall back to a free one"


def test_empty_lists_are_not_the_default_ones(file: Path) -> None:
    empty = Config(targets=(), destinations=(), receiver=ReceiverConfig(secrets=()))
    save(file, empty, expected_digest=None)
    assert load(file, {}).config == empty


def test_lists_are_written_so_that_more_can_be_added_by_hand(file: Path) -> None:
    save(file, Config(), expected_digest=None)
    with file.open("a") as more:
        more.write('[[targets]]\nname = "more"\nurl = "http://localhost"\n')
    assert [target.name for target in load(file, {}).config.targets] == ["statsig", "more"]


def test_the_file_and_its_directory_are_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    save(file, RICH, expected_digest=None)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o644)
    save(file, RICH, expected_digest=load(file, {}).digest)
    assert file.stat().st_mode & 0o777 == 0o600


def test_references_are_written_and_never_what_they_lead_to(file: Path) -> None:
    file.write_text('[[targets]]\nname = "t"\nurl = "http://t.example"\nkey = { env = "KEY" }\n')
    found = load(file, {"KEY": "secret-resolved", "STATSIG_WEBHOOK_SECRET": "webhook-resolved"})
    assert found.config.targets[0].key == Secret(env="KEY")
    assert found.config.targets[0].key is not None
    assert found.config.targets[0].key.value == "secret-resolved"
    save(file, found.config, expected_digest=found.digest)
    assert "resolved" not in file.read_text()


def test_c08_unknown_names_are_kept_at_every_depth(file: Path) -> None:
    text = """
future = 1979-05-27T07:32:00Z
[receiver]
later = [1, { deep = true }]
[emulator.plugin]
on = true
[retention]
captures = 5
[[targets]]
name = "t"
url = "http://t.example"
note = "first"
key = { env = "KEY", why = "because" }
[[destinations]]
name = "a"
url = "http://a.example"
color = "red"
[destinations.filter]
mood = "good"
[[destinations]]
name = "b"
url = "http://b.example"
[[unknown]]
x = 1
"""
    before, after = tomllib.loads(text), tomllib.loads(saved_over(file, text))
    assert after.pop("receiver") == {"later": [1, {"deep": True}], "port": 9000}
    before.pop("receiver")
    assert after == before


def test_c08_unknown_names_are_kept_where_a_secret_is_named_twice(file: Path) -> None:
    entries = '{ env = "A", note = 1 }, { env = "A", note = 2 }, { env = "A" }'
    text = saved_over(file, f"[receiver]\nsecrets = [{entries}]\n")
    found = tomllib.loads(text)["receiver"]["secrets"]
    assert [entry.get("note") for entry in found] == [1, 2, None]


def test_c08_unknown_names_move_with_an_entry_that_is_renamed(file: Path) -> None:
    entry = '[[destinations]]\nname = "{0}"\nurl = "http://{0}.example"\nnote = "{0}"\n'
    file.write_text(entry.format("a") + entry.format("b"))
    found = load(file, {})
    a, b = found.config.destinations
    changed = replace(found.config, destinations=(b, replace(a, name="c")))
    save(file, changed, expected_digest=found.digest)
    notes = {item["name"]: item["note"] for item in tomllib.loads(file.read_text())["destinations"]}
    assert notes == {"b": "b", "c": "a"}


def test_c08_what_was_unknown_about_a_removed_entry_goes_with_it(file: Path) -> None:
    entry = '[[destinations]]\nname = "{0}"\nurl = "http://{0}.example"\nnote = "{0}"\n'
    file.write_text(entry.format("a") + entry.format("b"))
    found = load(file, {})
    kept = replace(found.config, destinations=found.config.destinations[1:])
    save(file, kept, expected_digest=found.digest)
    assert [item["note"] for item in tomllib.loads(file.read_text())["destinations"]] == ["b"]


def test_a_setting_back_at_its_default_leaves_the_file(file: Path) -> None:
    assert "[receiver]" not in saved_over(file, "[receiver]\nport = 1\n", None)


# --- C17 and C18: where it cannot be written


def test_c17_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "real.toml", tmp_path / "config.toml"
    real.write_text("")
    link.symlink_to(real)
    save(link, RICH, expected_digest=load(link, {}).digest)
    assert link.is_symlink()
    assert load(real, {}).config == RICH
    assert os.listdir(tmp_path / "dotfiles") == ["real.toml"]


def test_c17_what_is_no_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "file").write_text("")
    for name in ("directory", "dangling", "circle", "fifo", "device"):
        assert "not saved" in not_saved(tmp_path / name).message
    with pytest.raises(SettingsError, match="not saved"):
        save(tmp_path / "file" / "config.toml", RICH, expected_digest=None)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "disk full"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_c18_a_failed_save_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, says: str
) -> None:
    digest = save(file, RICH, expected_digest=None)

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    assert not_saved(file, Config(), digest).message == f"not saved: {says}"


# --- C19: changed by somebody else


def test_c19_changes_by_hand_are_not_lost(file: Path) -> None:
    digest = save(file, RICH, expected_digest=None)
    file.write_text(file.read_text().replace("9000", "9001"))
    assert isinstance(not_saved(file, RICH, digest), SettingsChanged)
    assert isinstance(not_saved(file, RICH, None), SettingsChanged), "made meanwhile"
    save(file, RICH, expected_digest=load(file, {}).digest)
    file.unlink()
    assert isinstance(not_saved(file, RICH, digest), SettingsChanged), "removed meanwhile"


# --- C20: what no file can hold, or no load would take back


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        pytest.param(
            replace(RICH.destinations[0], headers={"X-A": "\ud800"}),
            "headers.X-A holds half of",
            id="C20-value",
        ),
        pytest.param(replace(RICH.destinations[0], name="\udfff"), "name holds half of", id="C20-name"),
        pytest.param(
            replace(RICH.destinations[0], filter=Filter(events={"\ud800": True})), "half of", id="C20-key"
        ),
        pytest.param(
            replace(RICH.destinations[0], timeout_seconds=float("nan")),
            "must be a finite number",
            id="C20-nan",
        ),
        pytest.param(
            replace(RICH.destinations[0], batch=BatchPolicy(max_events=0)), "must be at least 1", id="C09"
        ),
        pytest.param(
            replace(RICH.destinations[0], headers={f"X-{n}": "a" * 8000 for n in range(40)}),
            "256 KiB",
            id="C07",
        ),
    ],
)
def test_what_could_not_be_loaded_again_is_not_saved(file: Path, broken: Destination, says: str) -> None:
    digest = save(file, RICH, expected_digest=None)
    assert says in not_saved(file, replace(RICH, destinations=(broken,)), digest).message


def test_c20_control_characters_in_names_of_events_survive(file: Path) -> None:
    odd = replace(RICH.destinations[0], filter=Filter(events={"\x00\x1b\x7f\x85\u2028": True}))
    save(file, replace(RICH, destinations=(odd,)), expected_digest=None)
    assert load(file, {}).config.destinations == (odd,)
