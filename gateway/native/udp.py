"""UDP of this computer: one socket, its peers and its datagrams."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from gateway.model.causes import Cause
from gateway.model.values import ANY_ADDRESS, Endpoint
from gateway.native.network import NetworkFailure, address_family

log = logging.getLogger("gateway.native")
DATAGRAMS_LIMIT = 256
"""Datagrams that nobody reads yet; beyond this new ones are lost, as UDP allows."""


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket: with one peer, or open to all and answering whoever spoke first."""

    def __init__(
        self,
        received: Callable[[Datagrams, bytes, Endpoint], None],
        waiting: Callable[[Datagrams, int, Endpoint], None],
        peer: Endpoint | None,
    ) -> None:
        self._received = received
        self._waiting = waiting
        self.peer = peer
        self._closed_to_others = peer is not None
        self._others: set[Endpoint] = set()
        self.transport: asyncio.DatagramTransport | None = None
        self.reading = False
        self.lost_count = 0
        self._unread: deque[tuple[bytes, Endpoint]] = deque()
        self._told = False
        self._held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """A datagram; where there is one peer, from anybody else it is dropped."""
        peer = Endpoint(str(addr[0]), int(addr[1]))
        if self._closed_to_others and self.peer != peer and peer not in self._others:
            return
        if self.reading and not self._held:
            self.peer = self.peer or peer
            self._received(self, data, peer)
        elif len(self._unread) >= DATAGRAMS_LIMIT:
            self.lost_count += 1
        else:
            self._unread.append((data, peer))
            self._tell()

    def error_received(self, exc: Exception) -> None:
        """An ICMP error: UDP promises nothing."""

    def _tell(self) -> None:
        if self._unread and not self._told and not self.reading:
            self._told = True
            data, peer = self._unread[0]
            self._waiting(self, len(data), peer)

    def read(self, reading: bool, peer: Endpoint | None = None) -> None:
        """Deliver what is there and what comes, or keep it; ``peer``: only this one's from now on."""
        self.reading = reading
        self._told = False
        if peer is not None:
            self.peer, self._closed_to_others = peer, True
            self._unread = deque(item for item in self._unread if item[1] == peer)
        if reading:
            self._deliver()

    def hold(self, held: bool) -> None:
        """The reader cannot take more just now."""
        self._held = held
        if self.reading and not held:
            self._deliver()

    def _deliver(self) -> None:
        while self._unread and not self._held:
            data, peer = self._unread.popleft()
            self.peer = self.peer or peer
            self._received(self, data, peer)

    def only(self, host: str) -> Endpoint | None:
        """Throw away what waits from others; who spoke first of the rest, if any."""
        self._unread = deque(item for item in self._unread if item[1].host == host)
        self._told = bool(self._unread)
        return self._unread[0][1] if self._unread else None

    def send(self, data: bytes) -> bool:
        """Send a datagram to the peer; False when there is none yet."""
        if self.peer is None or self.transport is None or self.transport.is_closing():
            return False
        self.transport.sendto(data, (self.peer.host, self.peer.port))
        return True

    def send_to(self, data: bytes, peer: Endpoint) -> None:
        """Send a datagram to another than the peer; what this one answers is taken too."""
        self._others.add(peer)
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, (peer.host, peer.port))

    def close(self) -> None:
        """Close, and tell how many datagrams nobody has read in time."""
        if self.lost_count:
            log.warning("%d datagrams at port %d were lost: nobody read them", self.lost_count, self.local.port)
            self.lost_count = 0
        if self.transport is not None:
            self.transport.close()

    @property
    def local(self) -> Endpoint:
        """Our end."""
        info: Any = self.transport.get_extra_info("sockname") if self.transport is not None else None
        return Endpoint(str(info[0]), int(info[1])) if info else Endpoint(ANY_ADDRESS, 0)


async def open_udp(at: Endpoint, protocol: Datagrams) -> None:
    """Bind a UDP socket. Raises :class:`NetworkFailure`."""
    loop = asyncio.get_running_loop()
    try:
        await loop.create_datagram_endpoint(
            lambda: protocol, local_addr=(at.host, at.port), family=address_family(at.host)
        )
    except (OSError, UnicodeError) as error:
        raise NetworkFailure(Cause.OPEN_FAILED, str(error)) from error
