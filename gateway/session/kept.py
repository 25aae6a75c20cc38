"""Payload of a module for sockets that the host's side does not read just now."""

from __future__ import annotations

from gateway.model.values import HostSocket

KEPT_LIMIT_BYTES = 16384
"""Beyond this the module is not read: its own flow control holds the peer back."""


class KeptData:
    """By socket, in the pieces in which it came: a datagram stays one."""

    def __init__(self) -> None:
        self._parts: dict[HostSocket, list[bytes]] = {}

    def add(self, socket: HostSocket, data: bytes) -> bool:
        """Keep payload; whether it is the first that waits."""
        first = socket not in self._parts
        self._parts.setdefault(socket, []).append(data)
        return first

    def take(self, socket: HostSocket) -> list[bytes]:
        """All that waits for a socket; it is forgotten here."""
        return self._parts.pop(socket, [])

    def size(self, socket: HostSocket) -> int:
        """How many bytes wait."""
        return sum(len(part) for part in self._parts.get(socket, ()))

    def move(self, old: HostSocket, new: HostSocket) -> None:
        """What waits for one socket waits for another."""
        if old in self._parts:
            self._parts[new] = self._parts.pop(old)

    def clear(self) -> None:
        """Forget everything."""
        self._parts.clear()

    @property
    def full(self) -> bool:
        """Whether no more should be taken."""
        return sum(len(part) for parts in self._parts.values() for part in parts) > KEPT_LIMIT_BYTES
