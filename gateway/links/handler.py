"""Links of pySerial's URL handlers that have no descriptor (``rfc2217://``, ``loop://``, ``spy://``): a thread reads."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable

import serial

from gateway.errors import LinkError
from gateway.links.link import HIGH_BYTES, LOW_BYTES, Link
from gateway.links.spec import LinkSpec
from gateway.links.tty import pyserial_settings, reason


class HandlerLink(Link):
    """A pySerial port that can only be read and written blocking: one thread each way."""

    def __init__(self, spec: LinkSpec) -> None:
        super().__init__(spec.text)
        self._spec = spec
        self._port: serial.Serial | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting = 0
        self._congested = False
        self._reading = threading.Event()
        self._closed = False

    async def open(self) -> None:
        """Open the URL."""
        self._loop = asyncio.get_running_loop()
        settings = pyserial_settings(self._spec.settings)

        def make() -> serial.Serial:
            return serial.serial_for_url(self._spec.target, timeout=0.05, **settings)

        try:
            self._port = await self._loop.run_in_executor(None, make)
        except (OSError, ValueError) as error:
            raise LinkError(f"cannot open {self._spec.target}: {reason(error)}") from error
        self._reading.set()
        for work in (self._read_loop, self._write_loop):
            threading.Thread(target=work, name=f"link {self.name}", daemon=True).start()

    def write(self, data: bytes) -> None:
        """Send."""
        self._waiting += len(data)
        self._queue.put(data)
        if not self._congested and self._waiting > HIGH_BYTES:
            self._congested = True
            self.on_congestion(True)

    def read(self, reading: bool) -> None:
        """Begin or cease reading."""
        if reading:
            self._reading.set()
        else:
            self._reading.clear()

    def drained(self, then: Callable[[], None]) -> None:
        """The handler has taken everything."""
        if self._waiting == 0:
            then()
        else:
            asyncio.get_running_loop().call_later(0.01, self.drained, then)

    def set_port(self, rate: int | None, _flow: str | None) -> None:
        """Set the rate, where the handler can."""
        if self._port is not None and rate is not None:
            with contextlib.suppress(OSError, ValueError):
                self._port.baudrate = rate

    def close(self) -> None:
        """Let the threads end; closing some handlers takes a third of a second, so that is theirs to do."""
        self._closed = True
        self._reading.set()
        self._queue.put(None)

    def _read_loop(self) -> None:
        port = self._port
        assert port is not None
        while not self._closed:
            self._reading.wait()
            try:
                data = port.read(1)
                if data:
                    data += port.read(port.in_waiting)
            except (OSError, TypeError, AttributeError):
                self._call(self._lost)
                return
            if data and not self._closed:
                self._call(self.on_data, bytes(data))

    def _write_loop(self) -> None:
        port = self._port
        assert port is not None
        while (data := self._queue.get()) is not None:
            with contextlib.suppress(OSError):
                port.write(data)
            self._call(self._written, len(data))
        with contextlib.suppress(OSError):
            port.close()

    def _call(self, what: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is gone: so is the program
            self._loop.call_soon_threadsafe(what, *arguments)

    def _written(self, count: int) -> None:
        self._waiting -= count
        if self._congested and self._waiting < LOW_BYTES:
            self._congested = False
            self.on_congestion(False)

    def _lost(self) -> None:
        if not self._closed:
            self.on_lost()
