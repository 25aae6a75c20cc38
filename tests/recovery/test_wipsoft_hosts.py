"""Every cell of the matrix of WIPSoft hosts; see the package's text."""

from __future__ import annotations

import pytest

from recovery.verdict import Cell, cells, play


@pytest.mark.parametrize("cell", cells("wipsoft"), ids=str)
def test_cell(cell: Cell) -> None:
    play(cell)
