"""Nonsense on every pair; see :mod:`recovery.nonsense`."""

from __future__ import annotations

import pytest
from matrix.pair import Pair

from recovery.nonsense import play
from recovery.programs import LONG, pairs

SEEDS = range(2000) if LONG else range(20)


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: str(pair).replace(" ", "-"))
def test_nonsense(pair: Pair) -> None:
    for seed in SEEDS:
        try:
            play(pair.host, pair.module, seed)
        except Exception as failure:
            failure.add_note(f"seed {seed}")
            raise
