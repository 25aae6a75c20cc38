"""How much memory a bridge has in use (resident, shared libraries included) once it has carried bulk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Figure

BAR_MB = 60.0


def resident_mb(pid: int, field: str = "VmRSS") -> float:
    """Now; ``VmHWM``: at most so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(field)


def figure(pids: Sequence[int]) -> Figure:
    """Of the bridge that has most."""
    most = max(pids, key=resident_mb)
    peak = resident_mb(most, "VmHWM")
    return Figure("memory of a bridge after bulk", resident_mb(most), BAR_MB, "MB", f"at most so far {peak:.1f} MB")
