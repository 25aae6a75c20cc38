"""Programs and lines for the tests from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Ended with the test."""
    with Rig(tmp_path) as rig:
        yield rig
