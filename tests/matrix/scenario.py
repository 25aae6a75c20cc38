"""What a scenario is, and the list of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.dialect import registry
from matrix.pair import Pair
from matrix.stage import PROGRAMS, Stage

Play = Callable[[Stage, str], None]


@dataclass(frozen=True)
class Scenario:
    """A stretch of a host's day, written once for every module."""

    name: str
    service: str
    """As in the table of services; empty: the line alone."""
    play: Play
    families: tuple[str, ...]
    """Whose hosts can say it; empty: all."""
    each_form: bool
    """Played in each way to move payload that the host has."""
    bearer: bool
    """The bearer is up when it begins, and is left so."""
    refusal: Play | None
    """Played where the table of services has the way 'refused'."""


@dataclass(frozen=True)
class Cell:
    """A scenario on a pair."""

    pair: Pair
    scenario: Scenario
    form: str = ""

    def __str__(self) -> str:
        form = f" {self.form}" if self.form else ""
        return f"{self.pair}, {self.scenario.name}{form}".replace(" ", "-").replace(",-", ":")


SCENARIOS: list[Scenario] = []
"""In the order in which they are played."""


def scenario(
    service: str, *families: str, each_form: bool = False, bearer: bool = True, refusal: Play | None = None
) -> Callable[[Play], Play]:
    """Add a function to the list."""

    def add(play: Play) -> Play:
        name = getattr(play, "__name__", "").replace("_", " ")
        SCENARIOS.append(Scenario(name, service, play, families, each_form, bearer, refusal))
        return play

    return add


def cells(pair: Pair) -> Iterator[Cell]:
    """Everything that is played on a pair."""
    tables = registry.load(pair.host).tables
    forms = PROGRAMS[tables.family].forms_of(pair.host)
    for one in SCENARIOS:
        if one.families and tables.family not in one.families:
            continue
        if one.service and one.service not in pair.services:
            continue
        yield from (Cell(pair, one, form) for form in (forms if one.each_form else ("",)))
