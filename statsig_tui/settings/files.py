"""Reading and replacing one small file, whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_REASONS = {
    errno.EACCES: "permission denied",
    errno.EDQUOT: "disk quota reached",
    errno.EFBIG: "the file would be too large",
    errno.ELOOP: "links lead in a circle",
    errno.ENOSPC: "disk full",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
}


def read(path: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """Up to one byte more than `limit` of a regular file, with its state; OSError for all others."""
    # Without O_NONBLOCK a FIFO would hold up the start until somebody writes into it.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        state = os.fstat(handle)
        _demand_regular(state)
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit + 1), state
    finally:
        os.close(handle)


def replaceable(path: Path) -> Path:
    """The real file behind links, existing or to be made; OSError where it must not be written over."""
    try:
        real = path.resolve()
        _demand_regular(real.stat())
    except FileNotFoundError:
        if path.is_symlink():
            raise OSError(errno.EINVAL, "it is a link to nothing") from None
    except RuntimeError:
        # What Python before 3.13 makes of a circle of links.
        raise OSError(errno.ELOOP, "links lead in a circle") from None
    else:
        # Replacing needs no right to the file itself, yet a file made read-only is meant to stay.
        if not os.access(real, os.W_OK):
            raise PermissionError(errno.EACCES, "permission denied")
    return real


def write(real: Path, data: bytes) -> None:
    """Replace or make a file of mode 0600 atomically and durably; after an OSError the old one stands."""
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(real)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_directory(real.parent)


def reason(error: OSError) -> str:
    """Why the system refused, in words without a path."""
    return _REASONS.get(error.errno or 0) or (error.strerror or str(error))


def _demand_regular(state: os.stat_result) -> None:
    if stat.S_ISDIR(state.st_mode):
        raise OSError(errno.EISDIR, "it is a directory")
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def _sync_directory(directory: Path) -> None:
    # The new file already stands: a file system that cannot sync a directory is no failure to save.
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
