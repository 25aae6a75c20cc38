"""What arrives for a socket before its data phase can open."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.dialect.firmware import DataEnd
from gateway.model.values import HostSocket

EARLY_LIMIT_BYTES = 65536
"""Beyond this the other side is not read."""


@dataclass(slots=True)
class Early:
    """Payload as it came, and how the connection ended, if it has."""

    data: list[bytes] = field(default_factory=list)
    size: int = 0
    end: DataEnd | None = None


class EarlyData:
    """By socket."""

    def __init__(self) -> None:
        self._sockets: dict[HostSocket, Early] = {}

    def add(self, socket: HostSocket, data: bytes) -> None:
        """Payload came."""
        early = self._sockets.setdefault(socket, Early())
        early.data.append(data)
        early.size += len(data)

    def end(self, socket: HostSocket, end: DataEnd) -> None:
        """The connection ended."""
        self._sockets.setdefault(socket, Early()).end = end

    def take(self, socket: HostSocket) -> Early | None:
        """All that is kept for a socket; it is forgotten here."""
        return self._sockets.pop(socket, None)

    def __contains__(self, socket: HostSocket) -> bool:
        return socket in self._sockets

    def clear(self) -> None:
        """Forget everything."""
        self._sockets.clear()

    @property
    def full(self) -> bool:
        """Whether the other side should not be read just now."""
        return bool(self._sockets) and any(early.size > EARLY_LIMIT_BYTES for early in self._sockets.values())
