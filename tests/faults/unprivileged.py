"""`statsig-tui` without a superuser's rights, whoever starts it: rights of files and ports hold for it."""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_SECUREBITS = 28
_SECBIT_NOROOT = 1
"""From the next exec on, root is a user like every other. Who is none may not set it, and need not."""

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_SECUREBITS, _SECBIT_NOROOT, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-m", "statsig_tui", *sys.argv[1:]])
