"""Which sockets take no more payload just now, for hosts that can be told so (SEMANTICS 5.7): from what really waits."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model.events import SendingHeld
from gateway.model.values import HostSocket

HIGH_BYTES = 49152
"""So much may wait for a socket before its host is told."""
LOW_BYTES = 16384


class Holding:
    """A socket is held while its module says so, too much waits for it, or its module takes nothing at all."""

    def __init__(self) -> None:
        self.by_module: set[HostSocket] = set()
        """Of these it said so itself."""
        self.told: set[HostSocket] = set()

    def weigh(self, waiting: Mapping[HostSocket, int], stopped: HostSocket | None) -> list[SendingHeld]:
        """What is to be told; ``waiting``: bytes of each socket, ``stopped``: whose data mode takes nothing."""
        held = {
            socket for socket, size in waiting.items() if size > (LOW_BYTES if socket in self.told else HIGH_BYTES)
        } | self.by_module
        if stopped is not None:
            held.add(stopped)
        news = [SendingHeld(socket, True) for socket in sorted(held - self.told)]
        news += [SendingHeld(socket, False) for socket in sorted(self.told - held)]
        self.told = held
        return news
