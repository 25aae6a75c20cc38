"""Links over a network: a connection that we make, and one that we wait for (plain or TLS)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable
from typing import cast

from gateway.errors import LinkError
from gateway.links.link import FLUSH_S, HIGH_BYTES, LOW_BYTES, Link
from gateway.links.spec import LinkSpec

ALIVE_S = 30
"""So long the other side may say nothing before it is asked whether it is there; it is gone after twice the time."""


class _Connection(asyncio.Protocol):
    """One connection of a link."""

    def __init__(self, link: NetLink) -> None:
        self._link = link
        self.transport: asyncio.Transport | None = None
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _keep_alive(sock)
        self.transport = cast(asyncio.Transport, transport)
        self._link.connected(self, self.transport)

    def data_received(self, data: bytes) -> None:
        """Bytes; those of a caller that was turned away are nobody's."""
        if self._link.current is self:
            self._link.on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        del exc
        self.gone.set()
        if self._link.current is self:
            self._link.disconnected()

    def pause_writing(self) -> None:
        """Too much waits."""
        self._link.on_congestion(True)

    def resume_writing(self) -> None:
        """It went out."""
        self._link.on_congestion(False)


class NetLink(Link):
    """A link over one TCP connection at a time."""

    def __init__(self, spec: LinkSpec) -> None:
        super().__init__(spec.text)
        self._spec = spec
        self._transport: asyncio.Transport | None = None
        self.current: _Connection | None = None
        """The connection that the link consists of just now."""
        self._closed = False

    def write(self, data: bytes) -> None:
        """Send; to nobody when nobody is connected, like a port without a cable."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def read(self, reading: bool) -> None:
        """Begin or cease reading."""
        self.reading = reading
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(RuntimeError):
                if reading:
                    self._transport.resume_reading()
                else:
                    self._transport.pause_reading()

    def drained(self, then: Callable[[], None]) -> None:
        """Our buffer is empty."""
        if self._transport is None or self._transport.get_write_buffer_size() == 0:
            then()
        else:
            asyncio.get_running_loop().call_later(0.01, self.drained, then)

    def connected(self, connection: _Connection, transport: asyncio.Transport) -> None:
        """A connection is there."""
        transport.set_write_buffer_limits(HIGH_BYTES, LOW_BYTES)
        self._transport, self.current = transport, connection
        self.read(self.reading)

    def disconnected(self) -> None:
        """The connection is gone."""
        self._transport = self.current = None
        if not self._closed:
            self.on_congestion(False)
            self.on_lost()

    def close(self) -> None:
        """Close."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()

    async def closed(self) -> None:
        """The other side has everything; one that takes nothing more, or does not say goodbye, is let go."""
        connection = self.current
        if connection is None or connection.transport is None:
            return
        try:
            async with asyncio.timeout(FLUSH_S):
                await connection.gone.wait()
        except TimeoutError:
            self.undelivered_bytes += connection.transport.get_write_buffer_size()
            connection.transport.abort()


class ConnectLink(NetLink):
    """``socket://HOST:PORT``: we connect."""

    def write(self, data: bytes) -> None:
        """Send; what is said while nobody is connected is counted, since the connection is meant to be there."""
        if self._transport is None or self._transport.is_closing():
            self.undelivered_bytes += len(data)
        super().write(data)

    async def open(self) -> None:
        """Connect."""
        host, port = _address(self._spec)
        self._closed = False
        try:
            async with asyncio.timeout(10):
                await asyncio.get_running_loop().create_connection(lambda: _Connection(self), host, port)
        except TimeoutError:
            raise LinkError(f"cannot connect to {host}:{port}: no answer within 10 s") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one, such as a..b
            raise LinkError(f"cannot connect to {host}:{port}: {_reason(error)}") from error


class ListenLink(NetLink):
    """``tcp-listen://`` and ``tls-listen://``: the other side connects, one at a time."""

    _server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. The link is open at once: a port without a cable is open too."""
        host, port = self._spec.host_port
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: _Connection(self), host, port, ssl=self._context(), reuse_address=True
            )
        except (OSError, UnicodeError) as error:
            raise LinkError(f"cannot listen on {host}:{port}: {_reason(error)}") from error
        if port == 0:  # any free one: say which
            scheme, _, rest = self._spec.text.partition("://")
            self.name = f"{scheme}://{rest.replace(':0', f':{self.port}', 1)}"

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def _context(self) -> ssl.SSLContext | None:
        spec = self._spec
        if spec.kind != "tls-listen":
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(spec.cert, spec.key or None, password=_no_password)
            if spec.client_ca:
                context.load_verify_locations(spec.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise LinkError(f"link {spec.text!r}: the certificate cannot be used: {_reason(error)}") from error
        return context

    def connected(self, connection: _Connection, transport: asyncio.Transport) -> None:
        """A second caller is turned away: the port is in use."""
        if self.current is not None:
            transport.abort()
            return
        super().connected(connection, transport)
        self.on_ready_signal(True)

    def disconnected(self) -> None:
        """The other side has gone: it may come again."""
        self._transport = self.current = None
        if not self._closed:
            self.on_congestion(False)
            self.on_ready_signal(False)

    def close(self) -> None:
        """Close."""
        super().close()
        if self._server is not None:
            self._server.close()


def _keep_alive(sock: socket.socket) -> None:
    """Have the system ask after a silent other side: one that has lost its power would else occupy the link for ever."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", ALIVE_S), ("TCP_KEEPINTVL", ALIVE_S // 3), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _no_password() -> str:
    """OpenSSL would otherwise ask at the terminal, and wait."""
    raise OSError(errno.EACCES, "the key is protected by a password")


def _address(spec: LinkSpec) -> tuple[str, int]:
    host, _, port = spec.target.removeprefix("socket://").partition("?")[0].rpartition(":")
    return host.strip("[]"), int(port.strip("/"))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
