"""One owner a data directory: an flock, with the owner's pid and addresses beside it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from statsig_tui.errors import DataLocked, Unavailable

_LOOKS = 25
_LOOK_SECONDS = 0.004


@dataclass(frozen=True, slots=True)
class Holder:
    """Who owns a data directory, and where it listens."""

    pid: int
    emulator: str | None = None
    receiver: str | None = None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[Callable[[str | None, str | None], None]]:
    """Own the data directory of this lock file; yields how to publish both addresses.

    Raises DataLocked naming the owner, or Unavailable. The system frees the lock when the process ends,
    however it ends.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be opened: {error.strerror}", "Name another directory with --data."
        ) from None
    try:
        _own(fd, path)
        _write(fd, Holder(os.getpid()))
        yield lambda emulator, receiver: _write(fd, Holder(os.getpid(), emulator, receiver))
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)


def holder(path: Path) -> Holder | None:
    """Who owns a data directory at this moment; None: nobody."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read(path)
    else:
        return None
    finally:
        os.close(fd)


def _own(fd: int, path: Path) -> None:
    # holder() takes the lock for the moment of its look: that is no owner.
    for look in range(_LOOKS):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if look + 1 == _LOOKS:
                raise _in_use(path) from None
            time.sleep(_LOOK_SECONDS)
        else:
            return


def _write(fd: int, owner: Holder) -> None:
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(asdict(owner)).encode(), 0)


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _in_use(path: Path) -> DataLocked:
    owner = _read(path)
    who = f"statsig-tui with pid {owner.pid}" if owner else "another statsig-tui"
    listens = " and ".join(
        f"{name} {url}"
        for name, url in (("emulator", owner and owner.emulator), ("receiver", owner and owner.receiver))
        if url
    )
    where = f", which listens as {listens}" if listens else ""
    return DataLocked(
        f"{path.parent} is in use by {who}{where}.",
        "Quit that one, or name another directory with --data.",
    )
