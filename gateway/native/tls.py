"""TLS as a client over whatever carries bytes: this computer's sockets, or a module's."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from gateway.errors import InputError
from gateway.model.causes import Cause
from gateway.model.values import Endpoint
from gateway.native import tcp
from gateway.native.network import NetworkFailure
from gateway.native.relay import Relay
from gateway.native.tcp import Stream, StreamOwner
from gateway.native.tunnel import Tunnel, ends

log = logging.getLogger("gateway.native")
HANDSHAKE_LIMIT_S = 60
_READ_BYTES = 65536
_PASSED_ON = ("peername", "sockname", "socket")
"""What is told of the connection below."""


@functools.cache
def context(verify: bool = True) -> ssl.SSLContext:
    """How to speak TLS as a client: servers must prove who they are by the system's certificates, unless told not to."""
    made = ssl.create_default_context()
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def trusting(authorities: Sequence[Path]) -> ssl.SSLContext:
    """A context that takes the word of more authorities than the system's: files of certificates in PEM form.

    Raises :class:`InputError` with the file that is wrong.
    """
    made = ssl.create_default_context()
    for path in authorities:
        try:
            # Between certificates there may be anything, names in any encoding too.
            made.load_verify_locations(cadata=path.read_text("ascii", errors="replace").replace("\ufffd", "?"))
        except ssl.SSLError:
            raise InputError("expected certificates in PEM form (-----BEGIN CERTIFICATE-----)", file=str(path)) from None
        except OSError as error:
            raise InputError(f"cannot read certificates of {path}: {error.strerror}") from None
    return made


async def secure(tunnel: Tunnel, protocol: asyncio.BaseProtocol, trust: ssl.SSLContext, server_name: str) -> None:
    """Speak TLS through the tunnel from now on; ``protocol`` is given its end when that is up.

    Raises :class:`NetworkFailure`; the connection is closed then.
    """
    try:
        layer = _layer(trust, server_name)
    except NetworkFailure:
        tunnel.abort()
        raise
    tunnel.start(layer)
    await _up(layer, protocol)


async def connect(peer: Endpoint, owner: StreamOwner, trust: ssl.SSLContext, server_name: str) -> Stream:
    """Open a connection by TLS to a numeric address, where ``server_name`` must be. Raises :class:`NetworkFailure`."""
    layer = _layer(trust, server_name)
    await tcp.open_tcp(peer, layer)
    stream = Stream(owner)
    await _up(layer, stream)
    return stream


async def upgrade(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trust: ssl.SSLContext, server_name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Speak TLS on a connection from now on. Raises :class:`NetworkFailure`; the connection is closed then."""
    inner, protocol, outer = ends()
    await secure(Relay(reader, writer).tunnel, protocol, trust, server_name)
    return inner, outer()


def failure(server_name: str, error: Exception) -> NetworkFailure:
    """What it means that there is no TLS with a server; also told to whoever runs the gateway: he can change that."""
    reason = str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"its certificate is not accepted: {error.verify_message}"
    log.warning("no TLS with %s: %s", server_name, reason)
    return NetworkFailure(Cause.OPEN_FAILED, f"no TLS with {server_name}: {reason}")


def _layer(trust: ssl.SSLContext, server_name: str) -> Layer:
    try:
        return Layer(trust, server_name)
    except ValueError as error:  # a name that no certificate can have
        raise failure(server_name, error) from error


async def _up(layer: Layer, protocol: asyncio.BaseProtocol) -> None:
    try:
        async with asyncio.timeout(HANDSHAKE_LIMIT_S):
            await layer.up
    except TimeoutError:
        layer.abort()
        raise failure(layer.server_name, TimeoutError("it does not answer")) from None
    except (OSError, EOFError) as error:
        layer.abort()
        raise failure(layer.server_name, error) from error
    except BaseException:
        layer.abort()
        raise
    layer.tunnel.start(protocol)


class Layer(asyncio.Protocol):
    """TLS between the transport below and :attr:`tunnel`, the transport above; :attr:`up` ends with the handshake.

    asyncio's own TLS has no half-close, since TLS 1.2 had none: there the first end of either side ends both. From TLS
    1.3 on (RFC 8446, 6.1) each direction has an end of its own: so the tunnel has a half-close then, and none before.
    """

    tunnel: Tunnel

    def __init__(self, trust: ssl.SSLContext, server_name: str) -> None:
        self.server_name = server_name
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._machine = trust.wrap_bio(self._in, self._out, server_hostname=server_name)
        self._below: asyncio.Transport | None = None
        self._unsent = bytearray()
        """What the machine does not take before it has heard more of the peer."""
        self._finishing = False
        self._peer_ended = False
        self._over = False

    def abort(self) -> None:
        """Give up: the peer may hear why."""
        if self.up.done() and not self.up.cancelled():
            self.up.exception()  # whoever waited has given up before
        if self._below is not None and not self._over:
            self._below.close()
        self._over = True

    # -- what the transport below tells --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection: the handshake begins."""
        self._below = cast(asyncio.Transport, transport)
        self._shake()

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer; they may come behind a handshake that has failed."""
        if self._is_over:
            return
        self._in.write(data)
        if self.up.done():
            self._decode()
        else:
            self._shake()

    def eof_received(self) -> bool:
        """The connection below ends, with TLS's own end before or without."""
        if not self.up.done():
            self.up.set_exception(EOFError("it has closed the connection"))
        elif not self._is_over:
            self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection below is gone."""
        over, self._over = self._is_over, True
        if not self.up.done():
            self.up.set_exception(exc or EOFError("it has closed the connection"))
        elif not over:
            self.tunnel.lost(exc)

    def pause_writing(self) -> None:
        """The peer takes too slowly."""
        if self._is_up:
            self.tunnel.congestion(True)

    def resume_writing(self) -> None:
        """It takes again."""
        if self._is_up:
            self.tunnel.congestion(False)

    # -- inside --------------------------------------------------------------------------------------------------------

    @property
    def _is_up(self) -> bool:
        return self.up.done() and not self.up.cancelled() and self.up.exception() is None

    @property
    def _is_over(self) -> bool:
        """Nobody is told anything any more."""
        return self._over or (self.up.done() and not self._is_up)

    def _shake(self) -> None:
        try:
            self._machine.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            self._flush()  # the peer is told what is wrong
            if not self.up.done():
                self.up.set_exception(error)
            return
        self._flush()
        assert self._below is not None
        extra = {name: self._below.get_extra_info(name) for name in _PASSED_ON}
        extra |= {"ssl_object": self._machine, "sslcontext": self._machine.context}
        self.tunnel = Tunnel(
            self._encode,
            finish=self._finish if self._machine.version() == "TLSv1.3" else None,
            reading=self._read,
            closed=self._close,
            extra={name: value for name, value in extra.items() if value is not None},
        )
        self.up.set_result(None)
        self._decode()

    def _decode(self) -> None:
        """Pass on what the peer has sent. Nothing stays in the machine but a part of a record."""
        data, ended = [], False
        try:
            while part := self._machine.read(_READ_BYTES):
                data.append(part)
            ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            ended = True
        except ssl.SSLError as error:
            self._flush()
            self._over = True
            self.tunnel.feed(b"".join(data))
            self.tunnel.lost(NetworkFailure(Cause.RESET, f"TLS: {error}"))
            if self._below is not None:
                self._below.abort()
            return
        self._push()
        self.tunnel.feed(b"".join(data))
        if ended:
            self._end()

    def _end(self) -> None:
        if not self._peer_ended:
            self._peer_ended = True
            self.tunnel.feed_eof()

    def _encode(self, data: bytes) -> None:
        self._unsent += data
        self._push()

    def _push(self) -> None:
        """Send what is to be sent, as far as the machine takes it, and what the machine itself has to say."""
        try:
            while self._unsent:
                del self._unsent[: self._machine.write(self._unsent)]
            if self._finishing:
                self._finishing = False
                # It says so, and then would wait for the peer's end: that is read as everything else is.
                self._machine.unwrap()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # a connection that is broken is told when it is read
            self._unsent.clear()
        self._flush()

    def _finish(self) -> None:
        self._finishing = True
        self._push()

    def _flush(self) -> None:
        data = self._out.read()
        if data and self._below is not None and not self._below.is_closing():
            self._below.write(data)

    def _read(self, wanted: bool) -> None:
        if self._below is not None and not self._below.is_closing():
            with contextlib.suppress(RuntimeError):
                (self._below.resume_reading if wanted else self._below.pause_reading)()

    def _close(self, at_once: bool) -> None:
        if self._below is None or self._over:
            return
        if at_once:
            self._below.abort()
        else:
            self._finish()
            self._below.close()
        self._over = True
