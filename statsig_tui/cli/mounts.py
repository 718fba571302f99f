"""Whether the data directory is on a network file system, where neither lock nor write-ahead log holds.

Linux says what is mounted where; elsewhere nothing is known, and nothing is said.
"""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|ncpfs|9p|ceph|glusterfs|lustre|gpfs|beegfs|pvfs2|davfs"
    r"|fuse\.(?:sshfs|ceph\S*|glusterfs|rclone|s3fs|gcsfuse|davfs\S*|smb\S*)"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")
MEND = "What is stored can be damaged there: name a directory on a local disk with --data."


def cautions(directory: Path) -> list[str]:
    """What to say of the place of the data, with what to do; nothing of a local one."""
    kind = network(directory)
    if kind is None:
        return []
    return [f"{directory} is on a network file system ({kind}). {MEND}"]


def network(directory: Path) -> str | None:
    """The type of the network file system a directory is on, or will be; None: another one, or unknown."""
    try:
        table = MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    real = directory.resolve()
    deepest, kind = -1, ""
    for line in table.splitlines():
        before, _, behind = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not behind:
            continue
        point = Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4]))
        # What is mounted later over the same place hides what was there.
        if real.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), behind.split(" ")[0]
    return kind if _NETWORK.fullmatch(kind) else None
