"""Loading: what a settings file means, and what is said about one that means nothing (reliability.md C)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from statsig_tui.core.config import DEFAULT_RECEIVER_URL
from statsig_tui.errors import SettingsError, Unavailable
from statsig_tui.settings import Loaded, Places, check, load

SECRET = "webhook-" + "a1B2" * 10 + "xyz"
DESTINATION = '[[destinations]]\nname = "api"\nurl = "http://localhost:3000/"\n'
TARGET = '[[targets]]\nname = "staging"\nurl = "https://staging.example"\n'


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


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n", "[emulator]\n"])
def test_c01_an_empty_file_means_the_defaults(file: Path, text: str) -> None:
    got = loaded(file, text)
    assert got.existed
    assert [item.url for item in got.config.destinations] == [DEFAULT_RECEIVER_URL]
    assert [item.name for item in got.config.targets] == ["statsig"]
    assert got.warnings == ()


def test_c01_a_missing_directory_is_a_missing_file(tmp_path: Path) -> None:
    assert not load(tmp_path / "none" / "config.toml", {}).existed


def test_only_a_file_costs_the_import_of_pydantic(file: Path) -> None:
    program = (
        "import sys, pathlib; from statsig_tui.settings import load; load(pathlib.Path(sys.argv[1]), {});"
        "print({'pydantic', 'keyring', 'tomli_w'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


# --- C02 to C07: bytes that are no usable TOML


def test_c02_a_byte_order_mark_is_accepted(file: Path) -> None:
    assert loaded(file, b"\xef\xbb\xbf[receiver]\nport = 9000\n").config.receiver.port == 9000


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param("[receiver]\n".encode("utf-16"), "config.toml: is not UTF-8", id="C03-UTF-16"),
        pytest.param("[receiver]\n".encode("utf-16-le"), "config.toml: is not UTF-8", id="C03-no-mark"),
        pytest.param(b"[receiver]\nport = 1\0\n", "config.toml: is not UTF-8", id="C03-NUL"),
        pytest.param(b"[receiver]\n# caf\xe9\n", "config.toml line 2: is not UTF-8", id="C03-Latin-1"),
        pytest.param(b"[receiver]\rport = 1\r", "line 1: has line ends of a carriage", id="C03-CR-only"),
        pytest.param('[emulator]\nhost = "local\n', "config.toml line 2: is not valid", id="C04-quote"),
        pytest.param("[receiver]\nport = 1\nport = 2\n", "line 3: is not valid", id="C04-key-twice"),
        pytest.param("[a]\n\n[a]\n", "line 3: is not valid TOML", id="C04-table-twice"),
        pytest.param("a = 2026-13-45\n", "line 1: is not valid TOML", id="C04-bad-date"),
        pytest.param("[receiver]\nport = ", "config.toml line 2: is not valid", id="C04-half-written"),
        pytest.param("a = " + "[" * 5000, "line 1: brackets are nested more than 50", id="C05-lists"),
        pytest.param("\na = " + "{a=" * 5000, "line 2: brackets are nested", id="C05-inline-tables"),
        pytest.param(".".join("a" * 20_000) + "=1", "a key has more than 50 parts", id="C07-dots"),
        pytest.param("[" + ".".join("a" * 60) + "]", "a key has more than 50 parts", id="C07-header"),
        pytest.param("a = " + "{b.c.d = " * 40 + "1" + "}" * 40, "beyond all bounds", id="C07-both"),
        pytest.param("#" * 10_000_000, "config.toml: is larger than 256 KiB", id="C07-10-MB"),
        pytest.param("[receiver]\nport = " + "9" * 5000, "beyond all bounds", id="C06-5000-digits"),
        pytest.param("a = 0x" + "f" * 5000, "line 1: holds a nesting or a number", id="C06-hex-digits"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(file: Path, data: str | bytes, says: str) -> None:
    started = time.perf_counter()
    assert says in refused(file, data).message
    assert time.perf_counter() - started < 2


def test_c04_no_prefix_of_a_file_crashes(file: Path) -> None:
    whole = f'[receiver]\nport = 9000\n{DESTINATION}secret = {{ inline = "{SECRET}" }}\n'
    for end in range(len(whole)):
        with suppress(SettingsError):
            loaded(file, whole[:end])


# --- C06, C09, C13, C14, C23: values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "[receiver]\n\nport = 70000",
            "line 3: receiver.port: must be at most 65535 (got 70000)",
            id="C09-high",
        ),
        pytest.param(
            "[receiver]\nport = -1", "line 2: receiver.port: must be at least 0 (got -1)", id="C09-negative"
        ),
        pytest.param(
            '[receiver]\nport = "8080"',
            'line 2: receiver.port: must be a whole number (got "8080")',
            id="C09-port-as-text",
        ),
        pytest.param(
            "[receiver]\nport = 80.5",
            "line 2: receiver.port: must be a whole number (got 80.5)",
            id="C09-float",
        ),
        pytest.param(
            "[receiver]\nport = true",
            "line 2: receiver.port: must be a whole number (got true)",
            id="C09-bool",
        ),
        pytest.param(
            "[emulator]\nstrict = 1", "line 2: emulator.strict: must be true or false (got 1)", id="C09-one"
        ),
        pytest.param(
            '[emulator]\nstrict = "no"', "line 2: emulator.strict: must be true or false", id="C09-text"
        ),
        pytest.param("emulator = []", "line 1: emulator: must be a table", id="C09-list-for-table"),
        pytest.param(
            "[destinations]\nname = 'a'", "line 1: destinations: must be a list", id="C09-table-for-list"
        ),
        pytest.param(
            "[emulator]\nallowed_hosts = ['a', 2]",
            "line 2: emulator.allowed_hosts[1]: must be text (got 2)",
            id="C09-item",
        ),
        pytest.param(
            '[receiver]\nsignature = "x"',
            'line 2: receiver.signature: must be "report" or "enforce" (got "x")',
            id="C09-choice",
        ),
        pytest.param(
            "[[destinations]]\nname = 'a'", "line 1: destinations[a].url: is missing", id="C09-missing"
        ),
        pytest.param(
            '[emulator]\nhost = "http://x"', "line 2: emulator.host: is not a valid", id="C09-host-is-URL"
        ),
        pytest.param(
            DESTINATION + "timeout_seconds = nan",
            "line 4: destinations[api].timeout_seconds: must be a finite",
            id="C06-nan",
        ),
        pytest.param(
            DESTINATION + "timeout_seconds = inf",
            "line 4: destinations[api].timeout_seconds: must be a finite",
            id="C23-inf",
        ),
        pytest.param(
            DESTINATION + "rate_limit = 1e400",
            "line 4: destinations[api].rate_limit: must be a finite",
            id="C06-1e400",
        ),
        pytest.param(
            "[emulator]\nhost = 2026-01-01", "line 2: emulator.host: cannot be a date", id="C23-date"
        ),
        pytest.param(
            "[receiver]\nport = 2026-01-01T00:00:00Z",
            "line 2: receiver.port: cannot be a date",
            id="C23-zoned-time",
        ),
        pytest.param(
            DESTINATION + "batch.max_events = 0",
            "line 4: destinations[api].batch.max_events: must be at least 1 (got 0)",
            id="C09-dotted-key",
        ),
        pytest.param(
            DESTINATION + "batch = { max_seconds = 1,  max_events = 0 }",
            "line 4: destinations[api].batch.max_events: must be at least 1 (got 0)",
            id="C09-inline-table",
        ),
        pytest.param(
            DESTINATION + "[destinations.batch]\nmax_seconds = 1\nmax_events = 0",
            "line 6: destinations[api].batch.max_events: must be at least 1 (got 0)",
            id="C09-sub-table",
        ),
        pytest.param(
            DESTINATION + DESTINATION.replace("api", "b") + "\n" + 'envelope = "x"',
            'line 8: destinations[b].envelope: must be "data" or "array" (got "x")',
            id="C09-second-of-a-list",
        ),
        pytest.param(
            DESTINATION + "retry.schedule = [1,\n\n-5]",
            "line 6: destinations[api].retry.schedule[1]: must be at least 0 (got -5)",
            id="C14-negative",
        ),
        pytest.param(
            DESTINATION + "retry.schedule = [1000000000]",
            "line 4: destinations[api].retry.schedule[0]: must be at most 604800 (got 1000000000)",
            id="C14-huge",
        ),
        pytest.param(
            DESTINATION + 'retry.schedule = ["1s"]',
            'line 4: destinations[api].retry.schedule[0]: must be a number (got "1s")',
            id="C14-text",
        ),
        pytest.param(
            DESTINATION + 'retry.schedule = "fast"',
            'line 4: destinations[api].retry.schedule: must be "quick", "standard-webhooks", "svix" or '
            '"none", or a list of seconds such as [1, 5, 30] (got "fast")',
            id="C14-preset",
        ),
        pytest.param(
            DESTINATION + DESTINATION,
            "line 5: destinations[api].name: another destination has this name",
            id="C13-name",
        ),
        pytest.param(
            TARGET + TARGET, "line 5: targets[staging].name: another target has this name", id="C13-target"
        ),
        pytest.param(TARGET.replace("staging", "emulator", 1), "the built-in target", id="reserved-target"),
        pytest.param(
            DESTINATION.replace("api", ""), "line 2: destinations[0].name: must not be empty", id="empty-name"
        ),
        pytest.param(
            DESTINATION.replace("http:", "ftp:"),
            "line 3: destinations[api].url: must start with http://",
            id="C10-ftp",
        ),
        pytest.param(
            DESTINATION + 'headers = { Host = "x" }',
            "line 4: destinations[api].headers.Host: is set by",
            id="C11-Host",
        ),
        pytest.param(
            DESTINATION + "secret.env = 'A'\nsecret.file = 'b'",
            "line 4: destinations[api].secret: must have exactly one source (2 given)",
            id="two-sources",
        ),
        pytest.param(
            DESTINATION + "secret = {}",
            "line 4: destinations[api].secret: must have exactly one",
            id="no-source",
        ),
        pytest.param(
            DESTINATION + "secret.inline = ' '", "destinations[api].secret: is empty", id="C12-empty"
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_field(file: Path, text: str, says: str) -> None:
    assert says in refused(file, text).message


@pytest.mark.parametrize("port", [0, 1, 65_535])
def test_c09_ports_within_bounds(file: Path, port: int) -> None:
    assert loaded(file, f"[receiver]\nport = {port}").config.receiver.port == port


def test_c14_an_empty_retry_list_means_no_retries(file: Path) -> None:
    assert loaded(file, DESTINATION + "retry.schedule = []").config.destinations[0].retry.schedule == ()


def test_a_whole_number_will_do_for_seconds(file: Path) -> None:
    assert loaded(file, DESTINATION + "timeout_seconds = 20").config.destinations[0].timeout_seconds == 20.0


def test_c13_the_same_url_twice_is_a_warning(file: Path) -> None:
    got = loaded(file, DESTINATION + DESTINATION.replace("api", "b"))
    assert got.warnings == ('config.toml line 6: destinations[b].url: is also the URL of "api"',)


def test_c13_a_thousand_destinations_load(file: Path) -> None:
    one = '[[destinations]]\nname = "d{0}"\nurl = "http://localhost:3000/{0}"\n'
    assert len(loaded(file, "".join(one.format(n) for n in range(1000))).config.destinations) == 1000


def test_c08_unknown_names_are_warned_about_with_the_nearest_known_one(file: Path) -> None:
    got = loaded(file, '[recever]\nport = 1\n[receiver]\nprot = 2\nzzz = 3\n[emulator]\n"a\\u001b[31m" = 1')
    assert got.config.receiver.port is None
    assert got.warnings == (
        'config.toml line 1: recever: is unknown, kept and ignored; did you mean "receiver"?',
        'config.toml line 4: receiver.prot: is unknown, kept and ignored; did you mean "port"?',
        "config.toml line 5: receiver.zzz: is unknown, kept and ignored",
        "config.toml line 7: emulator.a\\u001b[31m: is unknown, kept and ignored",
    )


def test_c08_ten_thousand_unknown_names_do_not_drown_the_rest(file: Path) -> None:
    started = time.perf_counter()
    got = loaded(file, "".join(f"key{n} = 1\n" for n in range(10_000)))
    assert len(got.warnings) == 51
    assert time.perf_counter() - started < 2


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
    names = [path.name for path in (custom.database, custom.log, custom.lock, custom.drafts)]
    assert names == ["statsig-tui.db", "statsig-tui.log", "lock", "drafts"]


def test_the_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    places = Places(tmp_path / "config.toml", tmp_path / "a" / "data")
    places.prepare()
    places.prepare()
    assert places.data.stat().st_mode & 0o777 == 0o700
    written(tmp_path / "file", "")
    with pytest.raises(Unavailable, match="cannot be used"):
        Places(tmp_path, tmp_path / "file" / "data").prepare()
