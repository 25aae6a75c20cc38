"""``python -m benchmarks``: measure everything, print the table; exit code 1 when a bar is missed, 2 without socat."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time

from benchmarks import bulk, digits, own_time, parsing, round_trip, start
from benchmarks.lines import Failure, limit
from benchmarks.report import FORMATS, Figure

PART_LIMIT_S = 600.0
"""So long a part may take, whatever happens in it."""


def _about(seconds: float, quick: bool) -> dict[str, str]:
    socat = subprocess.run(["socat", "-V"], capture_output=True, text=True, check=True).stdout
    version = next((line.split()[2] for line in socat.splitlines() if line.startswith("socat version")), "?")
    loop = "uvloop" if importlib.util.find_spec("uvloop") else asyncio.__name__
    return {
        "Python": f"{platform.python_version()} ({loop})",
        "socat": version,
        "processors": str(os.cpu_count()),
        "run": f"{'quick' if quick else 'full'}, {seconds:.0f} s",
    }


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=sys.modules["benchmarks"].__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: more noise, below 25 s")
    parser.add_argument("--format", choices=FORMATS, default="text")
    options = parser.parse_args()
    if shutil.which("socat") is None:
        print("benchmarks: socat is needed to compare with (Debian: apt install socat)", file=sys.stderr)
        return 2
    begun = time.monotonic()
    figures: list[Figure] = []
    for part in (round_trip, own_time, bulk, digits, start, parsing):
        print(f"measuring: {part.__name__.partition('.')[2]}", file=sys.stderr)
        try:
            with limit(part.__name__, PART_LIMIT_S):
                figures += part.measure(quick=options.quick)
        except Failure as failure:
            print(f"benchmarks: {part.__name__}: {failure}", file=sys.stderr)
            return 1
    print(FORMATS[options.format](figures, _about(time.monotonic() - begun, options.quick)))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
