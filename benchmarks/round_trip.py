"""How long a host waits for the answer to ``AT+CSQ``, a command that is handed on to the module.

The bridge and socat are each between a host and a stand-in that answers at once, so that only they differ; the echo is
off at both. In each round both are asked a few hundred times, one behind the other; the ratio is the median of the
rounds' ratios of medians, and the 99th percentile is the median of the rounds' own.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks.lines import Line, limit
from benchmarks.report import Figure

RATIO_BAR = 2.0
P99_BAR_MS = 2.0
COMMAND, ANSWER = "AT+CSQ", b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n"


def _ask(line: Line, count: int) -> list[float]:
    """Round trips in milliseconds, the shortest first."""
    took = []
    for _ in range(count):
        begun = time.perf_counter_ns()
        answer = line.ask(COMMAND)
        took.append((time.perf_counter_ns() - begun) / 1e6)
        assert answer == ANSWER, answer
    return sorted(took)


def percentile(ordered: Sequence[float], part: float) -> float:
    """Of values in order; the nearest rank."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def measure(*, quick: bool) -> list[Figure]:
    """Two figures."""
    rounds, count = (5, 200) if quick else (11, 400)
    with ExitStack() as stack:
        bridge, socat = Line(stack, "bridge"), Line(stack, "socat")
        for line in (bridge, socat):
            with limit(f"AT+CSQ through {line.middle}"):
                line.ask("ATE0")
                _ask(line, count // 2)
        gc.collect()
        gc.disable()
        stack.callback(gc.enable)
        ratios, middles, tails, others, other_tails = [], [], [], [], []
        for number in range(rounds):
            order = (bridge, socat) if number % 2 == 0 else (socat, bridge)
            took = {}
            for line in order:
                with limit(f"AT+CSQ through {line.middle}"):
                    took[line.middle] = _ask(line, count)
            ours, theirs = took["bridge"], took["socat"]
            ratios.append(percentile(ours, 0.5) / percentile(theirs, 0.5))
            middles.append(percentile(ours, 0.5))
            others.append(percentile(theirs, 0.5))
            tails.append(percentile(ours, 0.99))
            other_tails.append(percentile(theirs, 0.99))
    return [
        Figure(
            "AT+CSQ round trip, p50: bridge / socat",
            median(ratios),
            RATIO_BAR,
            "",
            f"{min(ratios):.2f} to {max(ratios):.2f}; bridge {median(middles):.3f} ms, socat {median(others):.3f} ms",
        ),
        Figure(
            "AT+CSQ round trip through the bridge, p99",
            median(tails),
            P99_BAR_MS,
            "ms",
            f"{min(tails):.2f} to {max(tails):.2f}; socat {median(other_tails):.2f} ms",
        ),
    ]
