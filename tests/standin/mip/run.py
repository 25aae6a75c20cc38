"""The stand-in at work."""

from __future__ import annotations

from standin.mip.habits import MipHabits
from standin.mip.module import MipModule
from standin.run import Running
from standin.sockets import Network


class MipStandIn(Running, MipModule):
    """A Fibocom module at work."""

    @property
    def refused_bearer(self) -> tuple[int, int]:
        return 149, 49156 if self.habits.call_failure == "code" else 35866

    @property
    def tells_resets(self) -> bool:
        return False

    def __init__(self, habits: MipHabits | None = None, network: Network | None = None) -> None:
        super().__init__(habits or MipHabits(), network)
