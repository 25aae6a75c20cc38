"""A fault at each command of each service; see :mod:`recovery.steps`."""

from __future__ import annotations

import pytest

from recovery.programs import LONG, is_newest
from recovery.steps import FAULTS, Service, commands, play, services

SERVICES = [one for one in services() if LONG or (is_newest(one.host) and is_newest(one.module))]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_at_each_command(service: Service, fault: str) -> None:
    for at in range(1, commands(service) + 1):
        play(service, FAULTS[fault], at)
