"""TCP and UDP in memory: every address leads here, ports tell who is meant."""

from __future__ import annotations

import asyncio
import errno
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast

HIGH_BYTES, LOW_BYTES = 65536, 16384
HOME = "10.0.0.1"


class _Loop(Protocol):
    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Any: ...
    def call_soon(self, callback: Callable[..., object], *args: Any) -> Any: ...


class Network:
    """Who listens at which port; ``silent`` ports answer nothing, not even that nobody is there."""

    def __init__(self, loop: Any) -> None:
        self.loop: _Loop = loop
        self.names: dict[str, str] = {}
        self.servers: dict[int, Server] = {}
        self.silent: set[int] = set()
        self.asking: dict[int, Any] = {}
        self.udp: dict[int, Datagrams] = {}
        self._last_port = 40000
        self._never = asyncio.Event()

    def port(self) -> int:
        """One that nobody has."""
        self._last_port += 1
        return self._last_port

    async def connect(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> Any:
        await asyncio.sleep(0.01)
        if port in self.silent:
            await self._never.wait()
        server = self.servers.get(port)
        if server is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        ours, theirs = factory(), server.factory()
        here, there = (HOME, self.port()), (host, port)
        near, far = End(self.loop, ours, here, there), End(self.loop, theirs, there, here)
        near.other, far.other = far, near
        theirs.connection_made(far)
        ours.connection_made(near)
        return near, ours

    def datagrams(self, protocol: Any, local: tuple[str, int] | None) -> tuple[Datagrams, Any]:
        port = local[1] if local is not None and local[1] else self.port()
        if port in self.udp:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        made = Datagrams(self, protocol, port)
        protocol.connection_made(made)
        return made, protocol


class _Socket:
    """What some ask a transport for to set options."""

    def __init__(self, name: tuple[str, int]) -> None:
        self._name = name
        self.family = 2
        self.type = 1
        self.proto = 6

    def setsockopt(self, *_: object) -> None:
        """Options change nothing here."""

    def getsockname(self) -> tuple[str, int]:
        return self._name


class End(asyncio.Transport):
    """One end of a TCP connection."""

    _start_tls_compatible = True  # what the loop's own start_tls asks of a transport

    def __init__(self, loop: _Loop, protocol: asyncio.Protocol, own: tuple[str, int], peer: tuple[str, int]) -> None:
        super().__init__({"sockname": own, "peername": peer, "socket": _Socket(own)})
        self._loop, self._protocol = loop, protocol
        self.other: End
        self._coming: deque[bytes | None] = deque()
        """Bytes for our protocol, and None for their end."""
        self._size = 0
        self._paused = self._closing = self._gone = self._ended = False
        self._congested = False
        self._due = False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast(asyncio.Protocol, protocol)

    def write(self, data: Any) -> None:
        if not data or self._closing or self._ended:
            return
        self.other.take(bytes(data))
        if self.other._size > HIGH_BYTES and not self._congested:
            self._congested = True
            self._protocol.pause_writing()

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._ended and not self._closing:
            self._ended = True
            self.other.take(None)

    def close(self) -> None:
        if not self._closing:
            if not self._ended:
                self.other.take(None)
            self._closing = self._ended = True
            self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """At once: the other side hears a reset."""
        if not self._gone:
            self._closing = True
            self._loop.call_soon(self._lose, None)
            self._loop.call_later(0.001, self.other.reset)

    def reset(self) -> None:
        self._coming.clear()
        self._closing = True
        self._lose(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return not self._paused

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._arrange()

    def get_write_buffer_size(self) -> int:
        return self.other._size

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As they are."""

    def take(self, data: bytes | None) -> None:
        """From the other end."""
        if self._gone:
            if data is not None:
                self._loop.call_later(0.001, self.other.reset)
            return
        self._coming.append(data)
        self._size += len(data or b"")
        self._arrange()

    def _arrange(self) -> None:
        if self._coming and not self._due and not self._paused:
            self._due = True
            self._loop.call_later(0.001, self._deliver)

    def _deliver(self) -> None:
        self._due = False
        while self._coming and not self._paused and not self._gone:
            data = self._coming.popleft()
            if data is None:
                stays = self._protocol.eof_received()
                if not stays and not self._closing:
                    self.close()
            else:
                self._size -= len(data)
                _give(self._protocol, data)
        if self._size < LOW_BYTES and self.other._congested:
            self.other._congested = False
            if not self.other._gone:
                self.other._protocol.resume_writing()

    def _lose(self, error: Exception | None) -> None:
        if not self._gone:
            self._gone = True
            self._protocol.connection_lost(error)


def _give(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    """Bytes for a protocol; TLS brings its own buffer for them."""
    if isinstance(protocol, asyncio.BufferedProtocol):
        while data:
            buffer = memoryview(protocol.get_buffer(len(data)))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            protocol.buffer_updated(size)
            data = data[size:]
    else:
        cast(asyncio.Protocol, protocol).data_received(data)


class Server:
    """Listens; also what asyncio hands out as a server."""

    def __init__(self, network: Network, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
        self._network, self.factory = network, factory
        self.port = port or network.port()
        if self.port in network.servers:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        network.servers[self.port] = self
        self.sockets = [_Socket((host if host != "0.0.0.0" else HOME, self.port))]

    def close(self) -> None:
        if self._network.servers.get(self.port) is self:
            del self._network.servers[self.port]

    async def wait_closed(self) -> None:
        """At once."""

    def is_serving(self) -> bool:
        return self._network.servers.get(self.port) is self


class Door(_Socket):
    """A listening socket whose calls are taken by hand; ``called`` when one waits."""

    def __init__(self, network: Network, address: tuple[str, int]) -> None:
        self._server = Server(network, self._call, *address)
        super().__init__(self._server.sockets[0].getsockname())
        self.called: Callable[[], object] = _nothing
        self._network = network
        self._calls: deque[Call] = deque()

    def _call(self) -> asyncio.Protocol:
        self._calls.append(Call())
        self._network.loop.call_soon(self.called)
        return self._calls[-1]

    def setblocking(self, _: bool) -> None:
        """It never does."""

    def accept(self) -> tuple[Call, None]:
        if not self._calls:
            raise BlockingIOError
        return self._calls.popleft(), None

    def close(self) -> None:
        self._server.close()
        while self._calls:
            self._calls.popleft().close()


class Call(asyncio.Protocol):
    """A connection that nobody serves yet."""

    transport: End

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(End, transport)
        self.transport.pause_reading()

    def setblocking(self, _: bool) -> None:
        """It never does."""

    def close(self) -> None:
        self.transport.close()

    def serve(self, protocol: asyncio.Protocol) -> Any:
        """Begin with whoever serves it."""
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        self.transport.resume_reading()
        return self.transport, protocol


def _nothing() -> None:
    """Nobody waits for a call."""


class Datagrams(asyncio.DatagramTransport):
    """A UDP socket."""

    def __init__(self, network: Network, protocol: asyncio.DatagramProtocol, port: int) -> None:
        super().__init__({"sockname": (HOME, port)})
        self._network, self._protocol, self.port = network, protocol, port
        self._closing = False
        network.udp[port] = self

    def sendto(self, data: Any, addr: Any = None) -> None:
        peer = self._network.udp.get(addr[1])
        if peer is not None and not self._closing:
            self._network.loop.call_later(0.001, peer.take, bytes(data), ("127.0.0.1", self.port))

    def take(self, data: bytes, sender: tuple[str, int]) -> None:
        if not self._closing:
            self._protocol.datagram_received(data, sender)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            del self._network.udp[self.port]

    abort = close
