"""Which program a dialect's hosts run, and what of it can be played on a module."""

from __future__ import annotations

import os

from matrix.edsoft import EdsoftHost
from matrix.fibocom import FibocomHost
from matrix.host import HostProgram
from matrix.pair import NATIVE, Pair, every_pair
from matrix.wipsoft import WipsoftHost

from gateway.dialect import registry
from gateway.translate.plan import Way
from recovery.edsoft import EdsoftProgram
from recovery.fibocom import FibocomProgram
from recovery.lab import Lab
from recovery.program import Program, State
from recovery.wipsoft import WipsoftProgram

PROGRAMS: dict[str, tuple[type[Program], type[HostProgram]]] = {
    "edsoft": (EdsoftProgram, EdsoftHost),
    "wipsoft": (WipsoftProgram, WipsoftHost),
    "mip": (FibocomProgram, FibocomHost),
}
"""By family."""


LONG = os.environ.get("AT_GATEWAY_LONG") == "1"


def is_newest(dialect: str) -> bool:
    """Whether it is the one that its family's short name stands for."""
    return bool(registry.load(dialect).tables.aliases)


def family(host: str) -> str:
    """A dialect's."""
    return registry.load(host).tables.family


def program(lab: Lab) -> Program:
    """The one of a lab's host."""
    whole, line = PROGRAMS[family(lab.host_dialect)]
    return whole(lab, line(lab.line, lab.host_dialect))


def pairs() -> list[Pair]:
    """Those with a module."""
    return [pair for pair in every_pair() if pair.module != NATIVE]


def states(pair: Pair) -> list[State]:
    """What a pair's host can come into."""
    return [state for state in PROGRAMS[family(pair.host)][0].states if _has(pair, state)]


def _has(pair: Pair, state: State) -> bool:
    if state.only and pair.host not in state.only:
        return False
    if not state.service:
        return True
    return state.service in pair.services and pair.way(state.service) is not Way.REFUSED
