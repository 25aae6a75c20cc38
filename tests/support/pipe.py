"""A dialer whose connections are no sockets of the engines: a tunnel, in odd pieces, to a far side that has them.

That is how a module's own sockets look from here.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from contextlib import suppress

from gateway.model.causes import Cause
from gateway.model.values import Endpoint, Family
from gateway.native import tls
from gateway.native.dialer import ComputerDialer, Door, Streams
from gateway.native.network import NetworkFailure, cause_of
from gateway.native.tunnel import Tunnel, ends, streams

SIZES = (1, 7, 13, 512, 3, 1000, 64, 2, 2048)
ROOM_BYTES = 4096
"""On the way to the far side; more is congestion."""


class FarSide:
    """Holds the real connection, and carries bytes between it and a tunnel."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sizes: tuple[int, ...]) -> None:
        self.reader, self.writer = reader, writer
        self.tunnel = Tunnel(self._send, finish=self._finish, reading=self._reading, closed=self._closed)
        self.sent_bytes = 0
        self.pauses = 0
        self._sizes = itertools.cycle(sizes)
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._out = bytearray()
        self._news = asyncio.Event()
        self._finishing = self._closing = False
        self.tasks = [asyncio.ensure_future(self._down()), asyncio.ensure_future(self._up())]

    def _send(self, data: bytes) -> None:
        self._out += data
        if len(self._out) > ROOM_BYTES:
            self.tunnel.congestion(True)
        self._news.set()

    def _finish(self) -> None:
        self._finishing = True
        self._news.set()

    def _closed(self, at_once: bool) -> None:
        self._closing = True
        self._news.set()
        self.tasks[0].cancel()
        if at_once:
            self.tasks[1].cancel()
            self.writer.transport.abort()

    def _reading(self, wanted: bool) -> None:
        if wanted:
            self._wanted.set()
        else:
            self.pauses += 1
            self._wanted.clear()

    async def _down(self) -> None:
        try:
            while True:
                await self._wanted.wait()
                data = await self.reader.read(next(self._sizes))
                if not data:
                    self.tunnel.feed_eof()
                    return
                self.tunnel.feed(data)
        except OSError as error:
            self.tunnel.lost(NetworkFailure(cause_of(error)))  # as a module's socket is lost

    async def _up(self) -> None:
        with suppress(OSError):
            while True:
                while not (self._out or self._finishing or self._closing):
                    self._news.clear()
                    await self._news.wait()
                if not self._out:
                    break
                size = next(self._sizes)
                self.writer.write(bytes(self._out[:size]))
                self.sent_bytes += size
                del self._out[:size]
                await self.writer.drain()
                if len(self._out) <= ROOM_BYTES:
                    self.tunnel.congestion(False)
            if self._closing:
                self.writer.close()
            elif self.writer.can_write_eof():
                self.writer.write_eof()


class PipeDialer:
    """See the module's text. Nobody can call it, as with most modules."""

    can_listen = False

    def __init__(self, *, address: str = "", trust: ssl.SSLContext | None = None, sizes: tuple[int, ...] = SIZES) -> None:
        self._computer = ComputerDialer()
        self._trust = trust
        self._sizes = sizes
        self.far: list[FarSide] = []

    async def open(
        self, peer: Endpoint, *, secure: bool = False, server_name: str = "", family: Family = Family.FOUR
    ) -> Streams:
        tunnel = await self.tunnel(peer, family)
        if not secure:
            return streams(tunnel)
        reader, protocol, writer = ends()
        await tls.secure(tunnel, protocol, self._trust or tls.context(), server_name or peer.host)
        return reader, writer()

    async def tunnel(self, peer: Endpoint, family: Family = Family.FOUR) -> Tunnel:
        """A connection without a protocol."""
        side = FarSide(*await self._computer.open(peer, family=family), self._sizes)
        self.far.append(side)
        return side.tunnel

    async def listen(self, peer: Endpoint) -> Door:
        raise NetworkFailure(Cause.NOT_SUPPORTED)

    async def ask(self, peer: Endpoint, question: bytes, limit_s: float, family: Family = Family.FOUR) -> bytes:
        return await self._computer.ask(peer, question, limit_s, family)

    async def close(self) -> None:
        for side in self.far:
            for task in side.tasks:
                task.cancel()
            side.writer.transport.abort()
            await asyncio.wait(side.tasks)
