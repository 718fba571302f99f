"""Secrets by reference: where they are found, what is odd about them, and that nothing shows them."""

from __future__ import annotations

import json
import os
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from statsig_tui.core.config import Secret
from statsig_tui.errors import SettingsError
from statsig_tui.settings import Loaded, check, generate_secret, load, show
from tests.corpus.cases_t import LEAK

GOOD_SECRET = "webhook-" + "a1B2" * 10 + "xyz"
GOOD_KEY = "secret-" + "a1B2" * 10 + "xyz"
DESTINATION = '[[destinations]]\nname = "api"\nurl = "http://localhost:3000/"\n'
TARGET = '[[targets]]\nname = "staging"\nurl = "https://staging.example"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def written(file: Path, text: str | bytes, mode: int = 0o600) -> Path:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


def loaded(file: Path, text: str, mode: int = 0o600, **environ: str) -> Loaded:
    return load(written(file, text, mode), environ)


def secret_of(got: Loaded) -> Secret:
    secret = got.config.destinations[0].secret
    assert secret is not None
    return secret


def test_a_secret_is_found_in_the_environment(file: Path) -> None:
    got = loaded(file, DESTINATION + 'secret = { env = "MINE" }', MINE=GOOD_SECRET)
    assert secret_of(got).value == GOOD_SECRET
    assert got.warnings == ()


def test_a_secret_is_found_in_a_file_beside_the_settings(file: Path) -> None:
    written(file.with_name("key"), GOOD_SECRET + "\n")
    got = loaded(file, DESTINATION + 'secret.file = "key"')
    assert secret_of(got).value == GOOD_SECRET


@pytest.mark.parametrize("environ", [{}, {"MINE": ""}, {"MINE": " \n"}])
def test_an_environment_reference_that_leads_nowhere_counts_as_absent(
    file: Path, environ: dict[str, str]
) -> None:
    got = load(written(file, DESTINATION + 'secret.env = "MINE"'), environ)
    assert secret_of(got).value is None
    assert secret_of(got).env == "MINE"


def test_the_environment_gives_default_secrets(file: Path) -> None:
    environ = {"STATSIG_SERVER_SECRET": GOOD_KEY, "STATSIG_WEBHOOK_SECRET": GOOD_SECRET}
    for text in (None, "", '[[targets]]\nname = "statsig"\nurl = "https://api.statsig.com"'):
        config = load(file, environ).config if text is None else load(written(file, text), environ).config
        assert [target.key and target.key.value for target in config.targets] == [GOOD_KEY]
        assert [secret.value for secret in config.receiver.secrets] == [GOOD_SECRET]
    assert load(written(file, "[receiver]\nsecrets = []"), environ).config.receiver.secrets == ()


def test_the_default_key_does_not_follow_the_name_to_another_host(file: Path) -> None:
    got = loaded(
        file, '[[targets]]\nname = "statsig"\nurl = "https://evil.example"', STATSIG_SERVER_SECRET=GOOD_KEY
    )
    assert got.config.targets[0].key is None


@pytest.mark.parametrize("text", [f"{GOOD_SECRET}\\n", f" {GOOD_SECRET}", f"'{GOOD_SECRET}'"])
def test_c12_what_copying_adds_is_stripped_and_told(file: Path, text: str) -> None:
    got = loaded(file, DESTINATION + f'secret.inline = "{text}"')
    assert secret_of(got).value == GOOD_SECRET
    assert "are ignored" in got.warnings[0]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        pytest.param("op://vault/item", "is a 1Password reference", id="C12-op"),
        pytest.param("x", "does not start with webhook-", id="C12-one-character"),
        pytest.param(GOOD_KEY, "does not start with webhook-", id="C12-wrong-prefix"),
        pytest.param("webhook-" + "a" * 10_000, "has 10,008 characters", id="C12-10-kB"),
    ],
)
def test_c12_an_odd_secret_is_used_and_told(file: Path, value: str, says: str) -> None:
    got = loaded(file, DESTINATION + 'secret.env = "MINE"', MINE=value)
    assert secret_of(got).value == value
    assert says in got.warnings[0]


def test_c12_a_secret_with_a_line_break_inside_is_not_used(file: Path) -> None:
    got = loaded(file, DESTINATION + 'secret.env = "MINE"', MINE="webhook-a\nInjected: b")
    assert secret_of(got).value is None
    assert "it is not used" in got.warnings[0]


@pytest.mark.parametrize(
    ("mode", "says"), [(0o644, "holds secrets and can be read by others; run: chmod 600"), (0o600, None)]
)
def test_c16_others_should_not_read_inline_secrets(file: Path, mode: int, says: str | None) -> None:
    got = loaded(file, DESTINATION + f'secret.inline = "{GOOD_SECRET}"', mode)
    assert secret_of(got).value == GOOD_SECRET
    assert [str(says) in warning for warning in got.warnings] == ([True] if says else [])


def test_c16_others_may_read_a_file_without_secrets(file: Path) -> None:
    assert loaded(file, DESTINATION, 0o644).warnings == ()


def test_c16_secrets_anybody_could_have_put_there_are_refused(file: Path) -> None:
    written(file.with_name("key"), GOOD_SECRET, 0o666)
    got = loaded(file, DESTINATION + 'secret.file = "key"')
    assert secret_of(got).value is None
    assert "anybody can write it" in got.warnings[0]
    got = loaded(file, DESTINATION + f'secret.inline = "{GOOD_SECRET}"', 0o666)
    assert secret_of(got).value is None
    assert "chmod 600" in " ".join(got.warnings)


def test_c16_a_secret_that_was_just_made_is_in_no_file_and_no_danger(file: Path) -> None:
    got = loaded(file, "", 0o666)
    assert secret_of(got).value
    assert len(got.warnings) == 1
    assert loaded(file, "", 0o644).warnings == ()


def test_c16_a_directory_anybody_can_change_is_told(file: Path) -> None:
    file.parent.chmod(0o777)
    assert "anybody can replace it" in loaded(file, "").warnings[0]


@pytest.mark.parametrize("name", ["none", ".", "fifo", "latin"])
def test_a_secret_file_that_cannot_be_read_counts_as_absent(file: Path, name: str) -> None:
    os.mkfifo(file.with_name("fifo"))
    written(file.with_name("latin"), b"webhook-\xe9")
    got = loaded(file, DESTINATION + f'secret.file = "{name}"')
    assert secret_of(got).value is None
    assert len(got.warnings) == 1


class Keyring(KeyringBackend):
    """A keyring whose answer may raise or take its time."""

    priority = -1
    """Never chosen by itself."""

    def __init__(self, answer: Callable[[], str | None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        return self.answer()


@pytest.fixture
def with_keyring() -> Iterator[Callable[[Callable[[], str | None]], Keyring]]:
    before = keyring.get_keyring()

    def use(answer: Callable[[], str | None]) -> Keyring:
        backend = Keyring(answer)
        keyring.set_keyring(backend)
        return backend

    yield use
    keyring.set_keyring(before)


UseKeyring = Callable[[Callable[[], str | None]], Keyring]


def test_a_secret_is_found_in_the_keyring(file: Path, with_keyring: UseKeyring) -> None:
    backend = with_keyring(lambda: GOOD_SECRET)
    assert secret_of(loaded(file, DESTINATION + 'secret.keyring = "hook"')).value == GOOD_SECRET
    assert backend.asked == [("statsig-tui", "hook")]


def test_an_entry_the_keyring_lacks_is_told(file: Path, with_keyring: UseKeyring) -> None:
    with_keyring(lambda: None)
    got = loaded(file, DESTINATION + 'secret.keyring = "hook"')
    assert secret_of(got).value is None
    assert "keyring set statsig-tui hook" in got.warnings[0]


def test_a_failing_keyring_is_asked_once(file: Path, with_keyring: UseKeyring) -> None:
    def fail() -> str:
        raise RuntimeError("no D-Bus")

    backend = with_keyring(fail)
    got = loaded(file, '[receiver]\nsecrets = [{ keyring = "a" }, { keyring = "b" }]\n' + DESTINATION)
    assert [secret.value for secret in got.config.receiver.secrets] == [None, None]
    assert len(backend.asked) == len(got.warnings) == 1


def test_a_locked_keyring_does_not_hold_up_the_start(
    file: Path, with_keyring: UseKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr("statsig_tui.settings.references.KEYRING_SECONDS", 0.05)
    with_keyring(lambda: str(release.wait(10)))
    try:
        got = loaded(file, DESTINATION + 'secret.keyring = "hook"')
    finally:
        release.set()
    assert secret_of(got).value is None
    assert "did not answer" in got.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        f'{DESTINATION}secret = "{GOOD_SECRET}"',
        f'[receiver]\nsecrets = "{GOOD_SECRET}"',
        f'[receiver]\nsecrets = ["{GOOD_SECRET}"]',
        f'[receiver]\nport = "{GOOD_SECRET}"',
        f'{DESTINATION}secret = {{ env = "A", inline = "{GOOD_SECRET}" }}',
        f'{DESTINATION}headers = "{GOOD_SECRET}"',
        f'{DESTINATION}headers = {{ A = "{GOOD_SECRET}\\n" }}',
        f"{DESTINATION}url = {GOOD_SECRET}",
        DESTINATION.replace("localhost", f"user:{GOOD_SECRET}@host"),
    ],
)
def test_no_complaint_shows_a_secret(file: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(file, text)
    error = caught.value
    assert "a1B2a1B2" not in error.message + error.hint + " ".join(check(file, {}))


def test_shown_settings_hide_every_secret_and_are_toml(file: Path) -> None:
    text = (
        f'[emulator]\nkeys = [{{ inline = "{GOOD_KEY}" }}]\n{TARGET}key.env = "KEY"\n{DESTINATION}'
        f'secret.inline = "{GOOD_SECRET}"\nheaders = {{ Authorization = "Bearer abcdefghijklmnopqrst" }}\n'
    )
    shown = show(loaded(file, text, KEY="secret-" + "c3D4" * 11).config)
    assert not any(part in shown for part in ("a1B2a1B2", "c3D4c3D4", "abcdefgh"))
    assert "webhook-…2xyz" in shown
    assert 'env = "KEY"' in shown
    assert "tolerance_seconds = 300" in shown, "defaults as well"
    tomllib.loads(shown)


def test_generated_secrets_differ_and_look_like_statsigs() -> None:
    made = {generate_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(secret) == 51 and secret.removeprefix("webhook-").isalnum() for secret in made)


def test_shown_settings_drive_no_terminal_and_mean_what_they_meant(file: Path) -> None:
    name = "a\u009b2Jb\u009d0;x\u009c\u202ec\u2066\x1b[2J\x7f"
    # json.dumps leaves DEL; TOML takes the same escapes.
    key = json.dumps(name).replace("\x7f", "\\u007f")
    shown = show(loaded(file, f"{DESTINATION}[destinations.filter.events]\n{key} = true\n").config)
    assert not LEAK.search(shown.replace("\n", ""))
    assert tomllib.loads(shown)["destinations"][0]["filter"]["events"] == {name: True}
