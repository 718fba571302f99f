"""The benchmarks can be run by their one command, and say what they measured as a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def test_the_cheapest_row_is_measured_and_written_as_markdown(tmp_path: Path) -> None:
    written = tmp_path / "table.md"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--repeats", "1", "--only", "help",
         "--markdown", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    head, line, row = done.stdout.splitlines()
    assert head.count("|") == line.count("|") == row.count("|")
    assert row.startswith("| `statsig-tui --help` | `python -c pass` |")
    assert "×" in row
    assert written.read_text() == done.stdout
