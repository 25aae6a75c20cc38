"""No cell of the table of pairs says what nobody plays."""

from __future__ import annotations

import pytest

from gateway.translate.plan import Way
from matrix import scenarios  # noqa: F401  # they add themselves
from matrix.pair import Pair, every_pair
from matrix.scenario import cells


@pytest.mark.parametrize("pair", list(every_pair()), ids=str)
def test_every_service_of_every_pair_is_played(pair: Pair) -> None:
    """Also where it is refused: that is played, too."""
    assert set(pair.services) == {cell.scenario.service for cell in cells(pair)} - {""}
    for cell in cells(pair):
        if cell.scenario.service and pair.way(cell.scenario.service) is Way.REFUSED:
            assert cell.scenario.refusal is not None, f"how {cell} is refused is not written"
