"""Each settings file of cases_c.py: what is said, and that none that was not read is written over."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from statsig_tui.core.config import Config, Destination
from statsig_tui.core.destination import Invalid, validate_headers, validate_url
from statsig_tui.errors import SettingsError
from statsig_tui.settings import check, load, save
from tests.corpus.cases_c import ACCEPTED, BROKEN, DESTINATION, HEADERS, URLS, WRONG, Case, Good, Header, Url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the settings are."""
    return tmp_path / "settings" / "config.toml"


def written(file: Path, data: bytes) -> Path:
    """The file with this content, alone in its directory."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    file.chmod(0o600)
    return file


def unchanged(file: Path, data: bytes) -> bool:
    """The file is as it was, and nothing was left beside it."""
    return file.read_bytes() == data and list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("case", [*BROKEN, *WRONG], ids=lambda case: case.id)
def test_what_cannot_be_meant_is_told_and_never_written_over(file: Path, case: Case) -> None:
    written(file, case.data)
    with pytest.raises(SettingsError) as caught:
        load(file, {})
    assert caught.value.message.startswith("config.toml")
    assert case.says in caught.value.message
    assert caught.value.hint, "an error says how to mend it"
    assert check(file, {})[0].startswith(caught.value.message)
    with pytest.raises(SettingsError, match=r"^not saved: ") as refused:
        save(file, Config(), expected_digest=None)
    assert "a broken file is never overwritten" in refused.value.hint
    assert unchanged(file, case.data)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.id)
def test_what_can_be_meant_is_used(file: Path, case: Good) -> None:
    found = load(written(file, case.data), {})
    assert case.look(found.config) == case.means
    assert [case.warning in warning for warning in found.warnings[-1:]] == [True] * bool(case.warning)
    assert len(found.warnings) <= 51
    assert unchanged(file, case.data), "loading writes nothing"
    save(file, found.config, expected_digest=found.digest)
    again = load(file, {})
    assert again.config == found.config
    assert len(again.warnings) == len(found.warnings), "what was doubtful is kept"


@pytest.mark.parametrize("case", URLS, ids=lambda case: case.id)
def test_a_url_that_can_be_misread_is_refused_on_screen_in_a_file_and_at_save(file: Path, case: Url) -> None:
    with pytest.raises(Invalid) as caught:
        validate_url(case.url)
    assert case.says in caught.value.message
    assert caught.value.hint
    with suppress(UnicodeEncodeError):
        text = DESTINATION.replace('"http://localhost:3000/"', json.dumps(case.url, ensure_ascii=False))
        written(file, text.replace("\x1b", "\\u001b").encode())
        with pytest.raises(SettingsError, match=r"^config.toml line 3: destinations\[api\].url: ") as refused:
            load(file, {})
        assert caught.value.message in refused.value.message
        file.unlink()
    assert_not_saved(file, Destination("api", case.url))


@pytest.mark.parametrize("case", HEADERS, ids=lambda case: case.id)
def test_a_header_that_cannot_be_sent_is_refused_on_screen_in_a_file_and_at_save(
    file: Path, case: Header
) -> None:
    with pytest.raises(Invalid) as caught:
        validate_headers({case.name: case.value})
    assert caught.value.field == f"headers.{case.name}"
    assert caught.value.hint
    added = f"headers = {{ {json.dumps(case.name)} = {json.dumps(case.value)} }}\n"
    written(file, (DESTINATION + added).encode())
    with pytest.raises(SettingsError, match=r"^config.toml line 4: destinations\[api\].headers\.") as refused:
        load(file, {})
    assert caught.value.message in refused.value.message
    file.unlink()
    assert_not_saved(file, Destination("api", "http://localhost", headers={case.name: case.value}))


def assert_not_saved(file: Path, destination: Destination) -> None:
    """A destination that no file may hold is refused, and there is no file."""
    with pytest.raises(SettingsError, match=r"^not saved: "):
        save(file, Config(destinations=(destination,)), expected_digest=None)
    assert not file.exists()


def test_no_prefix_of_a_file_is_more_than_a_complaint(file: Path) -> None:
    """C04: a file that was half written."""
    secret = "webhook-" + "a1B2" * 10 + "xyz"
    whole = f'[receiver]\nport = 9000\n{DESTINATION}secret = {{ inline = "{secret}" }}\n'.encode()
    for end in range(len(whole)):
        written(file, whole[:end])
        for problem in check(file, {}):
            assert problem.startswith("config.toml line")
            assert "a1B2a1B2" not in problem
