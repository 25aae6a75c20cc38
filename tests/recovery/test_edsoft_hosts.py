"""Every cell of the matrix of eDSoft hosts; see the package's text."""

from __future__ import annotations

import pytest

from recovery.verdict import Cell, cells, play


@pytest.mark.parametrize("cell", cells("edsoft"), ids=str)
def test_cell(cell: Cell) -> None:
    play(cell)
