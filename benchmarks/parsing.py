"""How many command lines a second become typed calls, and how long it takes to load dialects.

The lines are the examples of all dialect files, in turns, each read from scratch (what the session keeps of lines that it
has seen is left out). Loading is measured in a process of its own: from after the imports of a bare interpreter to
dialects that have their parsers built.
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.lines import TOP, Failure
from benchmarks.report import Figure
from gateway.dialect import registry
from gateway.dialect.dialect import Dialect, Fault
from gateway.dialect.grammar import parse_whole
from gateway.dialect.nodes import Statement

LINES_BAR = 10_000
ALL_BAR_S, ONE_BAR_S = 0.5, 0.25
_LOAD = """
import sys, time
sys.modules["interegular"] = None  # only the tests install it, and Lark would check every grammar with it
begun = time.perf_counter()
from gateway.dialect import registry
for name in {names} or registry.ids():
    registry.load(name).warm()
print(time.perf_counter() - begun)
"""


def _examples(dialect: Dialect) -> list[str]:
    tables = dialect.tables
    found = [example for command in tables.commands.values() for form in command.forms for example in form.examples]
    return found + [example for parameter in tables.parameters.values() for example in parameter.examples]


def _lines_a_second(seconds: float) -> float:
    work = [(dialect, line) for dialect in map(registry.load, registry.ids()) for line in _examples(dialect)]
    count, begun = 0, time.perf_counter()
    while (taken := time.perf_counter() - begun) < seconds:
        for dialect, line in work:
            for piece in parse_whole.__wrapped__(dialect.tables.family, dialect.prefixes, line[2:]):
                if isinstance(piece, Statement) and isinstance(dialect.bind(piece), Fault):
                    raise Failure(f"{dialect.id} does not know its own example {line}")
        count += len(work)
    return count / taken


def _load_s(names: tuple[str, ...], times: int) -> float:
    took = []
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, "-c", _LOAD.format(names=names)], capture_output=True, text=True, cwd=TOP, check=True
        )
        took.append(float(done.stdout))
    return median(took)


def measure(*, quick: bool) -> list[Figure]:
    """Three figures."""
    times = 3 if quick else 9
    slowest, one_s = max(((name, _load_s((name,), times)) for name in registry.ids()), key=lambda pair: pair[1])
    return [
        Figure(
            "command lines parsed to calls, a second", _lines_a_second(1 if quick else 4), LINES_BAR, "/s", at_least=True
        ),
        Figure("loading all dialects", _load_s((), times), ALL_BAR_S, "s"),
        Figure("loading one dialect, the slowest", one_s, ONE_BAR_S, "s", slowest),
    ]
