"""The errors a user can meet: each says what happened and, as a hint, how to mend it.

    StatsigTuiError                 1
    ├── UsageError                  2
    │   ├── SettingsError           2
    │   └── NotFound                2
    ├── Unavailable                 3   port, file or lock not to be had
    │   ├── PortInUse               3
    │   ├── DataLocked              3
    │   └── StoreBroken             3
    └── TimedOut                    4

The number is the exit code of a command that ends with it (product.md §5).
"""

from __future__ import annotations


class StatsigTuiError(Exception):
    """A failure with a message in plain words and a hint how to mend it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(StatsigTuiError):
    """What was typed or configured cannot be meant."""

    exit_code = 2


class SettingsError(UsageError):
    """A settings file that cannot be used; the message names file, line and field."""


class NotFound(UsageError):
    """A name or id that nothing carries."""


class Unavailable(StatsigTuiError):
    """Something of the machine is not to be had."""

    exit_code = 3


class PortInUse(Unavailable):
    """A listening address that somebody else holds."""

    def __init__(self, host: str, port: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.host = host
        self.port = port


class DataLocked(Unavailable):
    """Another statsig-tui owns the data directory."""


class StoreBroken(Unavailable):
    """The database cannot be opened or written."""


class TimedOut(StatsigTuiError):
    """What was waited for did not come in time."""

    exit_code = 4
