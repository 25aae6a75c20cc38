"""Where the engines that speak to servers take their connections from: this computer, or a module's own sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import Protocol

from gateway.model.causes import Cause
from gateway.model.values import ANY_ADDRESS, Endpoint, Family
from gateway.native import network, tls
from gateway.native.names import NameMap
from gateway.native.network import NetworkFailure, cause_of
from gateway.native.tcp import CONNECT_LIMIT_S
from gateway.native.tunnel import STREAM_LIMIT_BYTES

log = logging.getLogger("gateway.native")
TLS_END_LIMIT_S = 3.0
"""How long a peer may take to say TLS's own end to ours; then it is not waited for."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Door(Protocol):
    """Somewhere that one peer can call."""

    @property
    def local(self) -> Endpoint:
        """Where the peer finds it: a dotted address and a port."""

    async def accept(self) -> Streams:
        """The peer's connection; waits until it calls."""

    def close(self) -> None:
        """Nobody can call any more; what was accepted stays."""


class Dialer(Protocol):
    """Connections to servers. Everything raises :class:`NetworkFailure`, and names are resolved underneath."""

    can_listen: bool

    async def open(
        self, peer: Endpoint, *, secure: bool = False, server_name: str = "", family: Family = Family.FOUR
    ) -> Streams:
        """Connect; ``secure``: by TLS, with a server that proves to be ``server_name`` (else the peer's name)."""

    async def listen(self, peer: Endpoint) -> Door:
        """Open a door that ``peer`` can reach; only where :attr:`can_listen`."""

    async def ask(self, peer: Endpoint, question: bytes, limit_s: float, family: Family = Family.FOUR) -> bytes:
        """Send one datagram; the first one that the peer answers with."""


class ComputerDialer:
    """This computer's own network, with names and ports as they are mapped."""

    can_listen = True

    def __init__(
        self, names: NameMap | None = None, *, address: str = ANY_ADDRESS, trust: ssl.SSLContext | None = None
    ) -> None:
        self._names = names or NameMap()
        self._address = address
        self._trust = trust

    async def open(
        self, peer: Endpoint, *, secure: bool = False, server_name: str = "", family: Family = Family.FOUR
    ) -> Streams:
        """Connect."""
        at = await network.place(self._names, peer, family)
        trust = (self._trust or tls.context()) if secure else None
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                reader, writer = await asyncio.open_connection(
                    at.host,
                    at.port,
                    family=network.address_family(at.host),
                    limit=STREAM_LIMIT_BYTES,
                    ssl=trust,
                    server_hostname=(server_name or peer.host) if secure else None,
                    ssl_shutdown_timeout=TLS_END_LIMIT_S if secure else None,
                )
        except TimeoutError:
            raise NetworkFailure(Cause.TIMED_OUT, f"no answer from {peer.host}:{peer.port}") from None
        except ssl.SSLError as error:
            raise tls.failure(server_name or peer.host, error) from error
        except OSError as error:
            raise NetworkFailure(cause_of(error), str(error)) from error
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return reader, writer

    async def listen(self, peer: Endpoint) -> Door:
        """Listen at a free port."""
        place = await network.place(self._names, peer)
        at = self._names.inward(0, self._address)
        try:
            link = socket.create_server((at.host, at.port))
        except OSError as error:
            raise NetworkFailure(Cause.OPEN_FAILED, str(error)) from error
        host, port = link.getsockname()
        return _ComputerDoor(link, Endpoint(_own(place) if host == ANY_ADDRESS else host, port))

    async def ask(self, peer: Endpoint, question: bytes, limit_s: float, family: Family = Family.FOUR) -> bytes:
        """Send one datagram and wait for the answer."""
        at = await network.place(self._names, peer, family)
        loop = asyncio.get_running_loop()
        with socket.socket(network.address_family(at.host), socket.SOCK_DGRAM) as link:
            link.setblocking(False)
            try:
                async with asyncio.timeout(limit_s):
                    await loop.sock_connect(link, (at.host, at.port))
                    await loop.sock_sendall(link, question)
                    return await loop.sock_recv(link, 65536)
            except TimeoutError:
                raise NetworkFailure(Cause.TIMED_OUT, f"no answer from {peer.host}:{peer.port}") from None
            except OSError as error:
                raise NetworkFailure(cause_of(error), str(error)) from error


class _ComputerDoor:
    """Takes calls by itself: asyncio's server loses one that is just coming when it is closed."""

    def __init__(self, link: socket.socket, local: Endpoint) -> None:
        self._link = link
        self._local = local
        self._calls: asyncio.Queue[socket.socket] = asyncio.Queue()
        link.setblocking(False)
        asyncio.get_running_loop().add_reader(link, self._called)

    @property
    def local(self) -> Endpoint:
        """Where the peer finds it."""
        return self._local

    async def accept(self) -> Streams:
        """The first connection that nobody took."""
        call = await self._calls.get()
        try:
            return await asyncio.open_connection(sock=call, limit=STREAM_LIMIT_BYTES)
        except BaseException:
            call.close()
            raise

    def close(self) -> None:
        """Stop listening, and close what nobody took."""
        asyncio.get_running_loop().remove_reader(self._link)
        self._link.close()
        while not self._calls.empty():
            self._calls.get_nowait().close()

    def _called(self) -> None:
        try:
            call, _ = self._link.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):  # whoever called has given up
            return
        except OSError as error:
            log.warning("nobody can call any more: %s", error.strerror)
            asyncio.get_running_loop().remove_reader(self._link)
            return
        call.setblocking(False)
        self._calls.put_nowait(call)


def _own(peer: Endpoint) -> str:
    """The address that this computer has towards a peer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((peer.host, peer.port or 9))  # nothing is sent: only the route is asked for
        return str(probe.getsockname()[0])
