"""Payload that waits for its turn to go to the module by commands: pieces of streams, and datagrams."""

from __future__ import annotations

from collections import deque

from gateway.model.values import HostSocket


class Outgoing:
    """By socket, in the order in which it came; sockets take turns."""

    def __init__(self) -> None:
        self._waiting: dict[HostSocket, deque[bytes]] = {}
        self.size = 0
        """Bytes that wait in all."""
        self.sizes: dict[HostSocket, int] = {}
        """Those of each socket."""

    def __contains__(self, socket: HostSocket | None) -> bool:
        return socket in self._waiting

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def sockets(self) -> list[HostSocket]:
        """Those with payload; the one that has waited longest is the first."""
        return list(self._waiting)

    def add(self, socket: HostSocket, data: bytes) -> None:
        """Payload came."""
        waiting = self._waiting.get(socket)
        if waiting is None:
            waiting = self._waiting[socket] = deque()
        waiting.append(data)
        self._count(socket, len(data))

    def take(self, socket: HostSocket, limit_bytes: int, *, divided: bool) -> bytes:
        """The next datagram, or as much of the stream as is there up to the limit; then it is another socket's turn."""
        waiting = self._waiting.pop(socket)
        data = waiting.popleft()
        if not divided and len(data) < limit_bytes:
            parts = [data]
            size = len(data)
            while waiting and size < limit_bytes:
                parts.append(waiting.popleft())
                size += len(parts[-1])
            data = b"".join(parts)
        if not divided and len(data) > limit_bytes:
            waiting.appendleft(data[limit_bytes:])
            data = data[:limit_bytes]
        self._count(socket, -len(data))
        if waiting:
            self._waiting[socket] = waiting
        return data

    def put_back(self, socket: HostSocket, data: bytes) -> None:
        """What was taken has not gone."""
        self._waiting.setdefault(socket, deque()).appendleft(data)
        self._count(socket, len(data))

    def forget(self, socket: HostSocket) -> int:
        """Nothing more goes to a socket; how many bytes that were."""
        lost = sum(map(len, self._waiting.pop(socket, ())))
        self._count(socket, -lost)
        return lost

    def clear(self) -> None:
        """Nothing goes any more."""
        self._waiting.clear()
        self.sizes.clear()
        self.size = 0

    def _count(self, socket: HostSocket, more: int) -> None:
        self.size += more
        left = self.sizes.get(socket, 0) + more
        if left:
            self.sizes[socket] = left
        else:
            self.sizes.pop(socket, None)
