"""A tunnel over a reader and a writer: gives a protocol that wants a transport what only streams are there for."""

from __future__ import annotations

import asyncio

from gateway.native.network import LOST, drained
from gateway.native.tunnel import PUMP_BYTES, WRITE_LIMIT_BYTES, Tunnel


class Relay:
    """Carries the bytes of its :attr:`tunnel` until either end closes, or it is told to stop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._drain: asyncio.Task[None] | None = None
        self.loss: Exception | None = None
        """What the connection was lost by, if by more than its end."""
        extra = {name: writer.get_extra_info(name) for name in ("peername", "sockname", "sslcontext")}
        self.tunnel = Tunnel(
            self._send,
            finish=writer.write_eof if writer.can_write_eof() else None,
            reading=self._read,
            closed=self._close,
            extra={name: value for name, value in extra.items() if value is not None},
        )
        self._pump = asyncio.get_running_loop().create_task(self._carry())

    async def stop(self) -> None:
        """Carry no more, and leave reader and writer as they are."""
        self._pump.cancel()
        if self._drain is not None:
            self._drain.cancel()
        await asyncio.wait([self._pump, *([self._drain] if self._drain is not None else [])])

    async def _carry(self) -> None:
        try:
            while True:
                await self._wanted.wait()
                data = await self._reader.read(PUMP_BYTES)
                if not data:
                    self.tunnel.feed_eof()
                    return
                self.tunnel.feed(data)
        except LOST as error:
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        self.loss = self.loss or error
        self.tunnel.lost(error)

    def _read(self, wanted: bool) -> None:
        (self._wanted.set if wanted else self._wanted.clear)()

    def _send(self, data: bytes) -> None:
        if self._writer.is_closing():
            return  # whoever reads is told
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > WRITE_LIMIT_BYTES and self._drain is None:
            self.tunnel.congestion(True)
            self._drain = asyncio.get_running_loop().create_task(self._drained())

    async def _drained(self) -> None:
        try:
            await drained(self._writer)
        except LOST as error:
            self._lose(error)
        self._drain = None
        self.tunnel.congestion(False)

    def _close(self, at_once: bool) -> None:
        self._pump.cancel()
        if at_once:
            self._writer.transport.abort()
        else:
            self._writer.close()
