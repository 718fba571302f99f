"""One owner a data directory, who is told to everybody else (reliability.md promise 18)."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from statsig_tui.engine.lock import Holder, holder, locked
from statsig_tui.errors import DataLocked


def test_the_owner_and_its_addresses_are_known_while_it_lives(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder(path) is None
    with locked(path) as publish:
        assert holder(path) == Holder(os.getpid())
        publish("http://127.0.0.1:1", None)
        assert holder(path) == Holder(os.getpid(), "http://127.0.0.1:1", None)
        with pytest.raises(DataLocked) as caught, locked(path):
            pass
        for what in (str(tmp_path), str(os.getpid()), "emulator http://127.0.0.1:1"):
            assert what in caught.value.message
        assert "--data" in caught.value.hint
    assert holder(path) is None
    with locked(path):
        assert holder(path) == Holder(os.getpid())


def test_what_a_killed_owner_left_is_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text('{"pid": 1, "emulator": "http://127.0.0.1:1", "receiver": null}')
    assert holder(path) is None
    with locked(path):
        assert holder(path) == Holder(os.getpid())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1, "newer": true}'])
def test_an_owner_that_cannot_be_read_is_an_owner(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lock"
    with locked(path):
        path.write_text(text)
        assert holder(path) is None
        with pytest.raises(DataLocked, match="another statsig-tui"), locked(path):
            pass


def test_looking_who_owns_it_keeps_nobody_from_owning_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            holder(path)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(50):
            with locked(path):
                pass
    finally:
        over.set()
        looking.join()
