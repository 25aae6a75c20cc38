"""How long a bridge takes from the start of its process to its ``ready`` line, the module there and answering."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median

from benchmarks.lines import Line
from benchmarks.report import Figure

BAR_S = 1.0


def measure(*, quick: bool) -> list[Figure]:
    """One figure; the first start, which may compile, does not count."""
    took = []
    for _ in range(4 if quick else 10):
        with ExitStack() as stack:
            process = Line(stack, "bridge").process
            took.append((process.ready_ns - process.begun_ns) / 1e9)
    first, *others = took
    detail = f"{min(others):.2f} to {max(others):.2f}; the first {first:.2f} s"
    return [Figure("start of the process to ready", median(others), BAR_S, "s", detail)]
