"""A data directory on a network file system is named, with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from statsig_tui.cli import mounts
from statsig_tui.cli.doctor import run_doctor
from statsig_tui.cli.options import Options
from statsig_tui.cli.serve import Listening, Output, run_serve
from statsig_tui.engine.lock import locked
from statsig_tui.errors import DataLocked

TABLE = """\
22 27 0:21 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
31 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
32 31 0:41 / /home/ann/local rw - xfs /dev/sdb1 rw
33 22 0:42 / /mnt/two\\040words rw - fuse.sshfs ann@host: rw
34 22 0:43 / /mnt/over rw - cifs //host/share rw
35 34 0:44 / /mnt/over rw - tmpfs tmpfs rw
not a line of a table
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table of what is mounted where."""
    path = tmp_path / "mountinfo"
    path.write_text(TABLE)
    monkeypatch.setattr(mounts, "MOUNTS", path)
    return path


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/home/bob/.local/share/statsig-tui", "nfs4"),
        ("/home", "nfs4"),
        ("/home/ann/local/data", None),
        ("/homework", None),
        ("/mnt/two words/data", "fuse.sshfs"),
        ("/mnt/over/data", None),
        ("/var/lib", None),
    ],
)
def test_the_deepest_mount_that_was_made_last_says_what_a_directory_is_on(
    table: Path, directory: str, kind: str | None
) -> None:
    assert mounts.network(Path(directory)) == kind
    assert bool(mounts.cautions(Path(directory))) == (kind is not None)


def test_what_is_said_names_the_place_and_the_mend(table: Path) -> None:
    [said] = mounts.cautions(Path("/home/bob"))
    assert "/home/bob" in said
    assert "nfs4" in said
    assert "--data" in said


def test_where_no_table_is_to_be_had_nothing_is_said(table: Path) -> None:
    table.unlink()
    assert mounts.cautions(Path("/home/bob")) == []


def test_doctor_finds_it(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"

    def found() -> dict[str, object] | None:
        run_doctor(Options(config=tmp_path / "none.toml", data=data), probes=False, as_json=True)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return next((line for line in lines if line["name"] == "files"), None)

    assert found() is None
    table.write_text(f"{TABLE}36 22 0:45 / {tmp_path} rw - nfs server:/x rw\n")
    finding = found()
    assert finding is not None
    assert finding["ok"] is False
    assert "(nfs)" in str(finding["said"])
    assert "--data" in str(finding["hint"])


@pytest.mark.parametrize("quiet", [False, True])
def test_the_start_says_it_before_anything_is_opened(
    table: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    quiet: bool,
) -> None:
    # It would stay in force for the tests behind this one.
    monkeypatch.setattr("statsig_tui.cli.serve.log_to", lambda path, secrets: None)
    table.write_text(f"{TABLE}36 22 0:45 / {tmp_path} rw - nfs server:/x rw\n")
    options = Options(config=tmp_path / "none.toml", data=tmp_path / "data", quiet=quiet)
    options.places().prepare()
    with locked(options.places().lock), pytest.raises(DataLocked):
        run_serve(options, Output(json=False, bodies=False, quiet=quiet, ready_file=None), Listening())
    assert ("network file system (nfs)" in capsys.readouterr().err) is not quiet
