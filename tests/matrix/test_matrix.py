"""Every scenario on every pair; see the package's text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from matrix import scenarios  # noqa: F401  # they add themselves
from matrix.pair import every_pair
from matrix.running import Running
from matrix.scenario import Cell, cells

CELLS = [cell for pair in every_pair() for cell in cells(pair)]


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The cells of this session's tests, under way."""
    chosen: list[Cell] = [
        item.callspec.params["cell"]  # type: ignore[misc]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module and hasattr(item, "callspec")
    ]
    with Running(chosen, tmp_path_factory.mktemp("matrix")) as running:
        yield running


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(cell: Cell, running: Running, request: pytest.FixtureRequest) -> None:
    request.node.user_properties.append(("seconds", round(running.wait(cell), 1)))
