"""Loading: no file, links, places, and what is said of several errors; the files themselves are a corpus."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from statsig_tui.errors import SettingsError, Unavailable
from statsig_tui.settings import Loaded, Places, check, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def written(file: Path, text: str | bytes) -> Path:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def loaded(file: Path, text: str | bytes) -> Loaded:
    return load(written(file, text), {})


def refused(file: Path, text: str | bytes) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        loaded(file, text)
    assert caught.value.hint, "an error says how to mend it"
    return caught.value


# --- C01: nothing there


def test_c01_without_a_file_the_receiver_signs_with_a_secret_of_its_own(file: Path) -> None:
    first, second = load(file, {}), load(file, {})
    secret = first.config.destinations[0].secret
    assert not first.existed
    assert first.digest is None
    assert secret is not None
    assert secret.value is not None
    assert secret.value.startswith("webhook-")
    assert len(secret.value) == len("webhook-") + 43
    assert first.config.destinations != second.config.destinations, "each has its own"
    assert not file.exists(), "loading writes nothing"


def test_c01_a_missing_directory_is_a_missing_file(tmp_path: Path) -> None:
    assert not load(tmp_path / "none" / "config.toml", {}).existed


@pytest.mark.parametrize("text", [None, '[receiver]\nport = 0\n[[targets]]\nname = "x"\nurl = "http://x"'])
def test_only_what_is_wrong_costs_the_import_of_pydantic(file: Path, text: str | None) -> None:
    if text is not None:
        written(file, text)
    program = (
        "import sys, pathlib; from statsig_tui.settings import load; load(pathlib.Path(sys.argv[1]), {});"
        "print({'pydantic', 'keyring', 'tomli_w'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_all_errors_are_listed_by_check_and_counted_by_load(file: Path) -> None:
    text = "[receiver]\nport = 70000\n[retention]\nmegabytes = 1\nprot = 2"
    assert "names 1 more" in refused(file, text).hint
    problems = check(file, {})
    assert [problem.split(":")[1].strip() for problem in problems] == [
        "receiver.port",
        "retention.megabytes",
        "retention.prot",
    ]
    assert check(written(file, "["), {})[0].startswith("config.toml line 1: is not valid TOML")
    assert check(file.with_name("none.toml"), {}) == []


def test_c22_no_settings_come_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "config.toml", "[receiver]\nport = 1")
    written(tmp_path / ".statsig-tui.toml", "[receiver]\nport = 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    assert Places.find(None, None, {}).config.parent != tmp_path


# --- C17: what is no file


def test_c17_links_are_followed_and_others_refused(tmp_path: Path) -> None:
    written(tmp_path / "real.toml", "[receiver]\nport = 9")
    (tmp_path / "link.toml").symlink_to(tmp_path / "real.toml")
    assert load(tmp_path / "link.toml", {}).config.receiver.port == 9
    (tmp_path / "dangling.toml").symlink_to(tmp_path / "none.toml")
    assert "is a link to nothing" in load(tmp_path / "dangling.toml", {}).warnings[0]
    os.mkfifo(tmp_path / "fifo")
    for name in ("", "fifo", "/dev/null", "real.toml/config.toml"):
        with pytest.raises(SettingsError, match="cannot be read"):
            load(tmp_path / name, {})


# --- places


def test_comments_of_the_user_are_noticed_the_header_is_not(file: Path) -> None:
    header = "# Written by statsig-tui. Comments are lost when the app saves.\r\n"
    assert not loaded(file, f'{header}[emulator]\r\nknown_experiments = ["# none"]\r\n').comments
    assert loaded(file, f"{header}[emulator] # mine\n").comments


def test_options_beat_the_environment_which_beats_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    environ = {"STATSIG_TUI_CONFIG": "/etc/mine.toml", "STATSIG_TUI_DATA": "~/data"}
    option = tmp_path / "option"
    assert Places.find(option, option, environ) == Places(option, option)
    assert Places.find(None, None, environ) == Places(Path("/etc/mine.toml"), tmp_path / "data")
    custom = Places.find(None, None, {"STATSIG_TUI_DATA": ""})
    assert custom.config.name == "config.toml"
    assert custom.config.parent.name == custom.data.name == "statsig-tui"
    names = [path.name for path in (custom.database, custom.log, custom.lock)]
    assert names == ["statsig-tui.db", "statsig-tui.log", "lock"]


def test_the_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    places = Places(tmp_path / "config.toml", tmp_path / "a" / "data")
    places.prepare()
    places.prepare()
    assert places.data.stat().st_mode & 0o777 == 0o700
    written(tmp_path / "file", "")
    with pytest.raises(Unavailable, match="cannot be used"):
        Places(tmp_path, tmp_path / "file" / "data").prepare()
