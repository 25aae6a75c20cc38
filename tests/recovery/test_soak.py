"""Two minutes of mixed traffic on each pair; with AT_GATEWAY_LONG=1 many times as much."""

from __future__ import annotations

import pytest
from matrix.pair import Pair

from recovery.programs import LONG, pairs
from recovery.soak import soak

SEEDS = range(1, 11) if LONG else range(1, 2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: str(pair).replace(" ", "-"))
def test_a_day(pair: Pair, seed: int) -> None:
    tally = soak(pair, seed)
    assert tally.faults, "nothing went wrong"
    assert len(tally.steps) > 5, tally


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: str(pair).replace(" ", "-"))
def test_a_good_day(pair: Pair) -> None:
    """Nothing goes wrong: nothing is lost either, and all that the module says is heard."""
    assert soak(pair, 11, faults=False).faults == 0


def test_the_same_seed_is_the_same_day() -> None:
    pair = pairs()[-1]
    assert soak(pair, 5, 30.0) == soak(pair, 5, 30.0)
