"""Every cell of the matrix of Fibocom hosts; see the package's text."""

from __future__ import annotations

import pytest

from recovery.verdict import Cell, cells, play


@pytest.mark.parametrize("cell", cells("mip"), ids=str)
def test_cell(cell: Cell) -> None:
    play(cell)
